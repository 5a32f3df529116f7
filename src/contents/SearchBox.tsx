import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { asExplorerError, isCancelled } from "../errors";
import type { ExplorerState } from "../state/explorer";
import { countText } from "../text";
import { type Matches, matchText, nextOrdinal } from "./matches";

const TELL_SEARCHING_MS = 300;

/** What was found last. */
interface Hit {
  readonly text: string;
  readonly row: number;
  readonly ordinal: number | null;
  readonly byNumber: boolean;
}

/** Goes to a row by its number, its uuid or part of it, or part of its path; Enter again goes on to the next. */
export function SearchBox({ state }: { readonly state: ExplorerState }) {
  const [text, setText] = useState("");
  const [message, setMessage] = useState("");
  const [hit, setHit] = useState<Hit | null>(null);
  const [matches, setMatches] = useState<Matches | null>(null);
  const [searching, setSearching] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController | null>(null);
  const counting = useRef<AbortController | null>(null);
  const { dataset, records } = state.opened.value;
  useEffect(() => {
    forget();
    return () => {
      running.current?.abort();
      counting.current?.abort();
    };
  }, [dataset]);

  function forget(): void {
    counting.current?.abort();
    setHit(null);
    setMatches(null);
    setMessage("");
  }

  async function find(): Promise<void> {
    const wanted = text.trim();
    if (wanted === "") return;
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    const tell = setTimeout(() => setSearching(true), TELL_SEARCHING_MS);
    const last = hit?.text === wanted ? hit : null;
    if (last === null) forget();
    try {
      const found = await state.find(wanted, last?.row ?? null, control.signal);
      if (control.signal.aborted) return;
      if (found.row === null) {
        forget();
        setMessage(`Nothing matches “${wanted}”.`);
        return;
      }
      setMessage("");
      setHit({ ...found, text: wanted, row: found.row, ordinal: nextOrdinal(last, found.row) });
      if (last === null && !found.byNumber) void count(wanted);
    } catch (error) {
      if (!isCancelled(error)) setMessage(asExplorerError(error).message);
    } finally {
      clearTimeout(tell);
      if (running.current === control) setSearching(false);
    }
  }

  /** Counts all that match while the first is shown. */
  async function count(wanted: string): Promise<void> {
    counting.current?.abort();
    const control = new AbortController();
    counting.current = control;
    let total = 0;
    try {
      for (let start = 0; start < records; ) {
        const { count: more, stop } = await state.countMatches(wanted, start, control.signal);
        if (control.signal.aborted || stop <= start) return;
        total += more;
        start = stop;
        setMatches({ count: total, looked: stop / records });
      }
    } catch {
      // The search goes on without: what is known so far says that it is not all.
    }
  }

  function stop(): void {
    running.current?.abort();
    setSearching(false);
    setMessage("Stopped.");
    field.current?.focus();
  }

  const shown = message !== "" || hit === null ? message : hitMessage(hit, matches, records);
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
              forget();
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
        {searching ? "Searching…" : shown}
      </p>
    </search>
  );
}

function hitMessage({ row, ordinal, byNumber }: Hit, matches: Matches | null, total: number): string {
  const where = `Row ${countText(row + 1)} of ${countText(total)}`;
  return byNumber ? where : `${where} · ${matchText(ordinal, matches)}`;
}
