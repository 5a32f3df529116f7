import { useEffect, useRef, useState } from "preact/hooks";
import { saveBytes } from "../app/clipboard";
import { Problem } from "../app/Problem";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import type { SharedPage } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { bytesText, counted, countText } from "../text";
import { countRows } from "./ranges";
import { WhichRows } from "./WhichRows";
import "./export.css";

const LOOK_MS = 500;

/** Makes one HTML page of rows with their pictures and metadata, which the browser keeps as a file. */
export function ShareControl({ state, onClose }: { readonly state: ExplorerState; readonly onClose: () => void }) {
  const [onlySelected, setOnlySelected] = useState(countRows(state.selection.peek()) > 0);
  const [error, setError] = useState<ExplorerError | null>(null);
  const [done, setDone] = useState<SharedPage | null>(null);
  const [part, setPart] = useState<number | null>(null);
  const [making, setMaking] = useState(false);
  const running = useRef<AbortController | null>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    first.current?.focus();
    return () => running.current?.abort();
  }, []);

  async function make(): Promise<void> {
    const control = new AbortController();
    running.current = control;
    setMaking(true);
    setError(null);
    setDone(null);
    setPart(null);
    const looking = setInterval(() => {
      state.exported(control.signal).then(setPart, () => {});
    }, LOOK_MS);
    try {
      const page = await state.share(onlySelected ? state.selection.peek() : null, control.signal);
      saveBytes(page.html, "text/html", page.name);
      setDone(page);
    } catch (reason) {
      if (!isCancelled(reason)) setError(asExplorerError(reason));
    } finally {
      clearInterval(looking);
      setMaking(false);
    }
  }

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
        {making ? (
          <>
            <progress aria-label="Making the page" max={1} {...(part !== null && { value: part })} />
            <button type="button" class="h5x-button" onClick={() => running.current?.abort()}>
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
