import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { asExplorerError, isCancelled } from "../errors";
import type { ExplorerState } from "../state/explorer";
import { countText } from "../text";

const TELL_SEARCHING_MS = 300;

/** Goes to a row by its number, its uuid or part of it, or part of its path; Enter again goes on to the next. */
export function SearchBox({ state }: { readonly state: ExplorerState }) {
  const [text, setText] = useState("");
  const [message, setMessage] = useState("");
  const [searching, setSearching] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController | null>(null);
  const last = useRef<{ readonly text: string; readonly row: number } | null>(null);
  const { dataset } = state.opened.value;
  useEffect(() => {
    last.current = null;
    setMessage("");
    return () => running.current?.abort();
  }, [dataset]);

  async function find(): Promise<void> {
    const wanted = text.trim();
    if (wanted === "") return;
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    const tell = setTimeout(() => setSearching(true), TELL_SEARCHING_MS);
    try {
      const after = last.current?.text === wanted ? last.current.row : null;
      const row = await state.find(wanted, after, control.signal);
      if (control.signal.aborted) return;
      last.current = row === null ? null : { text: wanted, row };
      setMessage(row === null ? `Nothing matches “${wanted}”.` : rowMessage(row, state.opened.peek().records));
    } catch (error) {
      if (!isCancelled(error)) setMessage(asExplorerError(error).message);
    } finally {
      clearTimeout(tell);
      if (running.current === control) setSearching(false);
    }
  }

  function stop(): void {
    running.current?.abort();
    setSearching(false);
    setMessage("Stopped.");
    field.current?.focus();
  }

  return (
    <search class="h5x-search">
      <div class="h5x-search-line">
        <span class="h5x-field">
          <Icon name="search" />
          <input
            ref={field}
            type="search"
            aria-label="Go to a row number, uuid or path"
            placeholder="Row, uuid or path"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setMessage("");
            }}
            onKeyDown={(event) => {
              // Not a form: within JupyterLab's cells a form is not submitted by Enter.
              if (event.key === "Enter") void find();
              else if (event.key === "Escape" && searching) stop();
              else return;
              event.preventDefault();
            }}
          />
        </span>
        {searching && (
          <button type="button" class="h5x-button" onClick={stop}>
            Stop
          </button>
        )}
      </div>
      <p class="h5x-search-message" role="status">
        {searching ? "Searching…" : message}
      </p>
    </search>
  );
}

function rowMessage(row: number, total: number): string {
  return `Row ${countText(row + 1)} of ${countText(total)}`;
}
