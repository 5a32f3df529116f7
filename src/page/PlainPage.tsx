import { useEffect, useMemo, useState } from "preact/hooks";
import { App } from "../app/App";
import { Problem } from "../app/Problem";
import type { FileRef } from "../browser/fileRef";
import { PageOpener, USUAL_COLUMNS } from "../browser/opener";
import { endWorkers, startWorkers } from "../browser/workers";
import { asExplorerError, type ExplorerError } from "../errors";
import { BrowserSource } from "../source/browser";
import { ExplorerState } from "../state/explorer";
import { LocalState } from "../state/local";
import { DropZone, type Wish } from "./DropZone";
import { filesOfDrop } from "./dropped";
import "./plain.css";

/** The whole page without a kernel: what can be opened, then what is open. */
export function PlainPage({ patienceMs }: { readonly patienceMs?: number | undefined }) {
  const workers = useMemo(() => startWorkers(patienceMs), [patienceMs]);
  const [state, setState] = useState<ExplorerState | null>(null);
  const [refused, setRefused] = useState<ExplorerError | null>(null);
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

  async function openInstead(dropped: Promise<readonly FileRef[]>): Promise<void> {
    setRefused(null);
    try {
      const files = await dropped;
      if (files.length > 0) await open({ files, columns: USUAL_COLUMNS }, new AbortController().signal);
    } catch (error) {
      setRefused(asExplorerError(error));
    }
  }

  if (state === null) return <DropZone onOpen={open} />;
  return (
    <main
      class="h5x-plain"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault(); // the browser would leave the page for the file
        if (event.dataTransfer !== null) void openInstead(filesOfDrop(event.dataTransfer));
      }}
    >
      <h1 class="h5x-hidden">h5explorer</h1>
      <App key={state.opened.peek().dataset} state={state} />
      {refused !== null && <Problem error={refused} />}
      <button
        type="button"
        class="h5x-plain-back"
        onClick={() => {
          document.title = "h5explorer";
          setRefused(null);
          setState(null);
        }}
      >
        Open other files
      </button>
    </main>
  );
}
