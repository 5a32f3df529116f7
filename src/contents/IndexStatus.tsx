import { useRef } from "preact/hooks";
import { useKeptFocus } from "../app/useKeptFocus";
import type { IndexProgress } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { bytesText } from "../text";

/** How far the index is that makes every row quick to find, and what can be done about it. */
export function IndexStatus({ state }: { readonly state: ExplorerState }) {
  const watch = state.index.value;
  const progress = watch.progress.value;
  switch (progress.phase) {
    case "off":
      return null;
    case "waiting":
    case "packing":
      return (
        <span class="h5x-index" title={progress.message || "Makes every row and uuid quick to find, now and later."}>
          {progress.phase === "packing" ? `indexing ${percent(progress)}` : "index waiting"}
          <progress aria-label="Indexing" value={progress.fraction} max={1} />
          <Act label="Stop" what="Stop indexing" act={() => watch.stop()} />
        </span>
      );
    case "ready":
      return (
        <span class="h5x-index" title={`Every row and uuid is quick to find. Kept in ${progress.folder}`}>
          indexed{progress.bytes > 0 && ` (${bytesText(progress.bytes)})`}
        </span>
      );
    case "stopped":
      return (
        <span class="h5x-index">
          indexing stopped at {percent(progress)}
          <Act label="Go on" what="Go on indexing" act={() => watch.begin()} />
        </span>
      );
    case "failed":
      return (
        <span class="h5x-index" title={progress.message}>
          not indexed: {progress.message}
          <Act label="Try again" what="Try again to index" act={() => watch.begin()} />
        </span>
      );
  }
}

function Act({ label, what, act }: { readonly label: string; readonly what: string; readonly act: () => void }) {
  const ref = useRef<HTMLButtonElement>(null);
  useKeptFocus(ref);
  return (
    <button ref={ref} type="button" class="h5x-link" aria-label={what} onClick={act}>
      {label}
    </button>
  );
}

function percent({ fraction }: IndexProgress): string {
  return `${Math.floor(fraction * 100)}%`;
}
