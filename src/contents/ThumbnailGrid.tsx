import type { Signal } from "@preact/signals";
import { useCallback, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useSize } from "../app/useSize";
import { ExplorerError } from "../errors";
import type { ExplorerState } from "../state/explorer";
import { usePixelRatio } from "../viewer/usePlacement";
import type { Chooser } from "./chooser";
import {
  askedSize,
  firstRow,
  type GridLayout,
  gridKeyTarget,
  layOut,
  linesInView,
  rowsOfDistance,
  takeOver,
  wheelRowsOfGrid,
} from "./gridLayout";
import { throwByFinger, useWheel } from "./moving";
import { keepText, rowNumbers } from "./RowGrid";
import { holds } from "./ranges";
import { columnsOf, rowsInView, type View } from "./scroll";
import { selected } from "./selecting";
import { ThumbnailCell } from "./ThumbnailCell";
import "./thumbnails.css";

/** The rows of the lookup as thumbnails, in lines from left to right: only those in view are there. */
export function ThumbnailGrid({
  state,
  chooser,
  view,
  name,
  size,
}: {
  readonly state: ExplorerState;
  readonly chooser: Chooser;
  readonly view: Signal<View>;
  /** The beginning of its cells' element ids; different for every widget of a page. */
  readonly name: string;
  /** The longer side of a thumbnail, in CSS pixels, as far as there is room. */
  readonly size: number;
}) {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const layout = useMemo(() => layOut(width, height, size), [width, height, size]);
  const { records } = state.opened.value;
  useLayout(state, view, layout, records);
  useWheel(
    ref,
    view,
    useCallback((event: WheelEvent, now: View) => wheelRowsOfGrid(event, now, layout), [layout]),
  );
  const gliding = useRef(0);
  const { start, stop } = rowsInView(view.value);
  useShown(state, view, askedSize(layout.side, usePixelRatio()), height > 0);

  const store = state.thumbnails.value;
  const rows = state.rows.value;
  void store.changes.value;
  void rows.changes.value;
  const current = state.current.value;
  const selection = selected({ current, selection: state.selection.value });
  const inView = current !== null && current >= start && current < stop;
  const columns = columnsOf(view.value);
  const lookAgain = (row: number) => {
    if (store.get(row) instanceof ExplorerError) store.retry(row);
    if (row === current) state.refresh();
  };
  return (
    <div
      ref={ref}
      class="h5x-grid h5x-thumbnails"
      role="grid"
      aria-label="Rows of the lookup"
      aria-rowcount={Math.ceil(records / columns)}
      aria-colcount={columns}
      aria-multiselectable="true"
      aria-activedescendant={inView ? `${name}-${current}` : undefined}
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key === "Enter" && current !== null) lookAgain(current);
        else if (!chooser.key(event, gridKeyTarget(event, state.current.peek(), view.peek()))) return;
        event.preventDefault();
      }}
      onMouseDown={keepText}
      onPointerDown={(event) =>
        throwByFinger(event, view, gliding, (distance) => rowsOfDistance(distance, view.peek(), layout))
      }
    >
      {linesInView(view.value, layout).map((line) => (
        <div
          key={line.number}
          class="h5x-thumbnail-line"
          role="row"
          aria-rowindex={line.number + 1}
          style={{ height: `${layout.lineHeight}px`, top: `${line.top}px` }}
        >
          {rowNumbers(line.first, line.stop).map((row) => (
            <ThumbnailCell
              key={row}
              id={`${name}-${row}`}
              row={row}
              column={row - line.first}
              layout={layout}
              listed={rows.get(row)}
              thumbnail={store.get(row)}
              selected={holds(selection, row)}
              current={row === current}
              onChoose={(event) => {
                lookAgain(row);
                chooser.click(event, row);
              }}
              onHold={() => chooser.perform({ kind: "toggle", row })}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Takes over the layout; however often it changes, the row that was first in view stays where it can be seen. */
function useLayout(state: ExplorerState, view: Signal<View>, layout: GridLayout, records: number): void {
  const laid = useRef<{ readonly view: View; readonly first: number } | null>(null);
  useLayoutEffect(() => {
    if (layout.lines <= 0) return;
    const before = view.peek();
    const first = laid.current?.view === before ? laid.current.first : firstRow(before);
    view.value = takeOver(before, records, layout, first, state.current.peek());
    laid.current = { view: view.peek(), first };
  }, [state, view, layout, records]);
}

/** Says what is in view, and that nothing is when the thumbnails go. */
function useShown(state: ExplorerState, view: Signal<View>, size: number, measured: boolean): void {
  const rows = state.rows.value;
  const store = state.thumbnails.value;
  const { start, stop } = rowsInView(view.value);
  useLayoutEffect(() => {
    if (!measured) return;
    const inView = rowsInView(view.peek()); // the layout may just have been taken over
    rows.show(inView);
    store.show(inView, size);
  }, [rows, store, view, start, stop, size, measured]);
  useLayoutEffect(() => () => store.hide(), [store]);
}
