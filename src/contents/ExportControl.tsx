import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../app/Problem";
import type { Exported } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { counted } from "../text";
import { countRows } from "./ranges";
import { useWork } from "./useWork";
import { WhichRows } from "./WhichRows";
import "./export.css";

/** Writes the rows that are shown or selected: as a table, or as a smaller data set with its images and metadata. */
export function ExportControl({ state, onClose }: { readonly state: ExplorerState; readonly onClose: () => void }) {
  const [path, setPath] = useState("");
  const [onlySelected, setOnlySelected] = useState(countRows(state.selection.peek()) > 1);
  const { running, part, done, error, begin, stop, clear } = useWork<Exported>(state);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  async function write(overwrite: boolean): Promise<void> {
    if (path.trim() === "") return;
    const ranges = onlySelected ? state.selection.peek() : null;
    await begin((signal) => state.export(path.trim(), ranges, overwrite, signal));
  }

  return (
    <div
      class="h5x-export"
      role="group"
      aria-label="Export"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
    >
      <WhichRows state={state} onlySelected={onlySelected} onChoose={setOnlySelected} />
      <span class="h5x-field">
        <input
          ref={field}
          type="text"
          aria-label="File or folder to write"
          placeholder="subset.parquet, subset.csv, or a folder for the images too"
          autocomplete="off"
          spellcheck={false}
          value={path}
          onInput={(event) => {
            setPath(event.currentTarget.value);
            clear();
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            void write(false);
          }}
        />
      </span>
      <div class="h5x-export-line">
        {running ? (
          <>
            <progress aria-label="Writing" max={1} {...(part !== null && { value: part })} />
            <button type="button" class="h5x-button" onClick={stop}>
              Stop
            </button>
          </>
        ) : (
          <>
            <button
              type="button"
              class="h5x-button h5x-primary"
              aria-disabled={path.trim() === ""}
              onClick={() => void write(false)}
            >
              Write
            </button>
            {error?.code === "target_exists" && (
              <button type="button" class="h5x-button" onClick={() => void write(true)}>
                Replace
              </button>
            )}
          </>
        )}
        <button type="button" class="h5x-button" onClick={onClose}>
          Close
        </button>
      </div>
      <div role="status" aria-live="polite">
        {done !== null && (
          <p class="h5x-export-done">
            {counted(done.rows, "row")} in {done.path}.
            {done.failed > 0 &&
              ` ${counted(done.failed, "image or record")} could not be read: see failures.csv there.`}
            {done.notices.map((notice) => ` ${notice}`)}
          </p>
        )}
      </div>
      {error !== null && <Problem error={error} />}
    </div>
  );
}
