import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Problem } from "../app/Problem";
import { useKeptFocus } from "../app/useKeptFocus";
import { ExplorerError } from "../errors";
import { FilterBar } from "../filter/FilterBar";
import type { ExplorerState } from "../state/explorer";
import { Chooser } from "./chooser";
import "./contents.css";
import { SIZES } from "./gridLayout";
import { IndexStatus } from "./IndexStatus";
import { OpenControl } from "./OpenControl";
import { RowGrid } from "./RowGrid";
import { RowSlider } from "./RowSlider";
import { SearchBox } from "./SearchBox";
import { SelectionBar } from "./SelectionBar";
import { centre, moveTo, pageRows, reveal, type View } from "./scroll";
import { ThumbnailControls } from "./ThumbnailControls";
import { ThumbnailGrid } from "./ThumbnailGrid";
import { filepathsText, recordsText } from "./totals";

/** The first panel: what the lookup is, its rows, and the ways to any of them. */
export function ContentsPanel({ state, name }: { readonly state: ExplorerState; readonly name: string }) {
  const opened = state.opened.value;
  const view = useSignal<View>({ total: opened.records, fits: 0, top: 0 });
  const thumbnails = useSignal(false);
  const size = useSignal<number>(SIZES.first);
  const chooser = useMemo(() => new Chooser(state), [state]);
  useFollowing(state, view);
  return (
    <section class="h5x-panel h5x-contents" aria-label="Dataset Contents" tabIndex={-1}>
      <header class="h5x-contents-head">
        <div class="h5x-contents-title">
          <strong class="h5x-lookup-name" title={opened.location || opened.name}>
            {opened.name}
          </strong>
          <ThumbnailControls thumbnails={thumbnails} size={size} />
          {state.opensOthers && <OpenControl state={state} />}
        </div>
        <Totals state={state} />
        <SearchBox state={state} />
        {state.hasKernel && <FilterBar state={state} />}
      </header>
      <RowsProblem state={state} />
      {opened.records === 0 ? (
        <p class="h5x-empty">{opened.filter === "" ? "This lookup has no rows." : "No row meets the filter."}</p>
      ) : (
        <div class="h5x-rows">
          {thumbnails.value ? (
            <ThumbnailGrid state={state} chooser={chooser} view={view} name={name} size={size.value} />
          ) : (
            <RowGrid state={state} chooser={chooser} view={view} name={name} />
          )}
          <RowSlider view={view} onChoose={(row) => state.choose(row)} />
        </div>
      )}
      <SelectionBar state={state} chooser={chooser} />
      <Notices state={state} />
    </section>
  );
}

/** Keeps the current row in view when it changes, and goes to the first row when another lookup is opened. */
function useFollowing(state: ExplorerState, view: { value: View; peek(): View }): void {
  const current = state.current.value;
  const { dataset } = state.opened.value;
  const measured = view.value.fits > 0;
  const before = useRef<{ readonly current: number | null; readonly dataset: number } | null>(null);
  useLayoutEffect(() => {
    if (!measured) return;
    const last = before.current;
    before.current = { current, dataset };
    if (last !== null && last.dataset !== dataset) view.value = moveTo(view.peek(), 0);
    if (current === null) return;
    const near = last?.dataset === dataset && Math.abs(current - (last.current ?? 0)) <= pageRows(view.peek());
    view.value = near ? reveal(view.peek(), current) : centre(view.peek(), current);
  }, [current, dataset, measured, view]);
}

function Totals({ state }: { readonly state: ExplorerState }) {
  const opened = state.opened.value;
  const filepaths = state.filepaths.value;
  return (
    <p class="h5x-totals" role="status">
      <span aria-busy={opened.counting}>{recordsText(opened)}</span>
      {filepaths instanceof ExplorerError ? (
        <CountAgain state={state} reason={filepaths.message} />
      ) : (
        <span aria-busy={filepaths === null}>{filepathsText(filepaths)}</span>
      )}
      <IndexStatus state={state} />
    </p>
  );
}

function CountAgain({ state, reason }: { readonly state: ExplorerState; readonly reason: string }) {
  const ref = useRef<HTMLButtonElement>(null);
  useKeptFocus(ref);
  return (
    <button ref={ref} type="button" class="h5x-link" title={reason} onClick={() => state.retryCount()}>
      files not counted: try again
    </button>
  );
}

function RowsProblem({ state }: { readonly state: ExplorerState }) {
  const store = state.rows.value;
  const error = store.error.value;
  if (error === null) return null;
  if (error.code === "not_ready") {
    return (
      <p class="h5x-not-ready" role="status">
        {error.message}
      </p>
    );
  }
  return <Problem error={error} onRetry={() => store.retry()} />;
}

function Notices({ state }: { readonly state: ExplorerState }) {
  const fromRows = state.rows.value.notices.value;
  const notices = fromRows.length > 0 ? fromRows : state.opened.value.notices;
  return (
    <div class="h5x-notices" role="status">
      {notices.length > 0 && (
        <ul aria-label="Notices" tabIndex={0}>
          {notices.map((notice) => (
            <li key={notice}>{notice}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
