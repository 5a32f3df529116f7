import { useEffect, useMemo, useState } from "preact/hooks";
import { App } from "../app/App";
import { PageOpener } from "../browser/opener";
import { endWorkers, startWorkers } from "../browser/workers";
import { BrowserSource } from "../source/browser";
import { ExplorerState } from "../state/explorer";
import { LocalState } from "../state/local";
import { DropZone, type Wish } from "./DropZone";
import "./page.css";

/** The whole page without a kernel: what can be opened, then what is open. */
export function PlainPage({ patienceMs }: { readonly patienceMs?: number | undefined }) {
  const workers = useMemo(() => startWorkers(patienceMs), [patienceMs]);
  const [state, setState] = useState<ExplorerState | null>(null);
  useEffect(() => () => endWorkers(workers), [workers]);
  useEffect(() => () => state?.close(), [state]);

  async function open(wish: Wish, signal: AbortSignal): Promise<void> {
    const opener = new PageOpener(workers, "files" in wish ? wish.files : []);
    const first =
      "files" in wish
        ? await opener.openDropped(wish.columns, signal)
        : await opener.open(wish.address, wish.columns, signal);
    const told: { shared?: LocalState } = {};
    const source = new BrowserSource(workers, opener, first, (opened) => told.shared?.exchange(opened));
    const shared = new LocalState(source.describe(), "100%");
    told.shared = shared;
    document.title = `${first.name} – h5explorer`;
    setState(new ExplorerState(source, shared));
  }

  if (state === null) return <DropZone onOpen={open} />;
  return (
    <div class="h5x-plain">
      <App state={state} />
      <button
        type="button"
        class="h5x-plain-back"
        onClick={() => {
          document.title = "h5explorer";
          setState(null);
        }}
      >
        Open other files
      </button>
    </div>
  );
}
