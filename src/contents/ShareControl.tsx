import { useEffect, useRef, useState } from "preact/hooks";
import { saveBytes } from "../app/clipboard";
import { Problem } from "../app/Problem";
import type { SharedPage } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { bytesText, counted, countText } from "../text";
import { countRows } from "./ranges";
import { useWork } from "./useWork";
import { WhichRows } from "./WhichRows";
import "./export.css";

/** Makes one HTML page of rows with their pictures and metadata, which the browser keeps as a file. */
export function ShareControl({ state, onClose }: { readonly state: ExplorerState; readonly onClose: () => void }) {
  const [onlySelected, setOnlySelected] = useState(countRows(state.selection.peek()) > 0);
  const { running, part, done, error, begin, stop } = useWork<SharedPage>(state);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);

  const make = () =>
    begin(async (signal) => {
      const page = await state.share(onlySelected ? state.selection.peek() : null, signal);
      saveBytes(page.html, "text/html", page.name);
      return page;
    });

  return (
    <div
      class="h5x-export"
      role="group"
      aria-label="Share"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
    >
      <p class="h5x-export-hint">
        One HTML file with rows, pictures and metadata, of 20 MB at most. It opens without a network.
      </p>
      <WhichRows state={state} onlySelected={onlySelected} onChoose={setOnlySelected} />
      <div class="h5x-export-line">
        {running ? (
          <>
            <progress aria-label="Making the page" max={1} {...(part !== null && { value: part })} />
            <button type="button" class="h5x-button" onClick={stop}>
              Stop
            </button>
          </>
        ) : (
          <button ref={first} type="button" class="h5x-button h5x-primary" onClick={() => void make()}>
            Download page
          </button>
        )}
        <button type="button" class="h5x-button" onClick={onClose}>
          Close
        </button>
      </div>
      <div role="status" aria-live="polite">
        {done !== null && <p class="h5x-export-done">{said(done)}</p>}
      </div>
      {error !== null && <Problem error={error} />}
    </div>
  );
}

function said({ name, rows, chosen, failed, html }: SharedPage): string {
  const which = rows < chosen ? `The first ${countText(rows)} of ${countText(chosen)} rows` : counted(rows, "row");
  const without = failed > 0 ? ` ${counted(failed, "picture or record")} could not be had; the page says why.` : "";
  return `${which} in ${name}, ${bytesText(html.length)}.${without}`;
}
