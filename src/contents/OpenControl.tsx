import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { Problem } from "../app/Problem";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import type { ExplorerState } from "../state/explorer";

/** Opens another lookup by its path; where it is refused, the reason is shown and the present one stays. */
export function OpenControl({ state }: { readonly state: ExplorerState }) {
  const [unfolded, setUnfolded] = useState(false);
  const [path, setPath] = useState("");
  const [error, setError] = useState<ExplorerError | null>(null);
  const [opening, setOpening] = useState(false);
  const running = useRef<AbortController | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (unfolded) field.current?.select(); // what is open can be opened again, as it may have changed
  }, [unfolded]);
  useEffect(() => () => running.current?.abort(), []);

  function fold(): void {
    running.current?.abort();
    setUnfolded(false);
    setError(null);
    button.current?.focus();
  }

  async function open(): Promise<void> {
    if (path.trim() === "") return;
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setOpening(true);
    setError(null);
    try {
      await state.open(path.trim(), control.signal);
      fold();
    } catch (reason) {
      if (!isCancelled(reason)) setError(asExplorerError(reason));
    } finally {
      if (running.current === control) setOpening(false);
    }
  }

  return (
    <>
      <button
        ref={button}
        type="button"
        class="h5x-button h5x-open-button"
        aria-expanded={unfolded}
        onClick={() => {
          if (unfolded) return fold();
          setPath(state.opened.peek().location);
          setUnfolded(true);
        }}
      >
        <Icon name="folder" />
        Open
      </button>
      {unfolded && (
        <div
          class="h5x-open"
          role="group"
          aria-label="Open another lookup"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            fold();
          }}
        >
          <span class="h5x-field">
            <input
              ref={field}
              type="text"
              aria-label={
                state.hasKernel
                  ? "Path of a lookup, a shard or a folder of shards"
                  : "Address or name of a lookup or a shard"
              }
              placeholder={state.hasKernel ? "Path of a lookup, shard or folder" : "Address, or name of a dropped file"}
              autocomplete="off"
              spellcheck={false}
              value={path}
              onInput={(event) => {
                setPath(event.currentTarget.value);
                setError(null);
              }}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                event.preventDefault();
                void open();
              }}
            />
          </span>
          <button
            type="button"
            class="h5x-button h5x-primary"
            disabled={path.trim() === ""}
            aria-disabled={opening}
            onClick={() => {
              if (!opening) void open();
            }}
          >
            {opening ? "Opening…" : "Open lookup"}
          </button>
          <button type="button" class="h5x-button" onClick={fold}>
            Cancel
          </button>
          {error !== null && <Problem error={error} />}
        </div>
      )}
    </>
  );
}
