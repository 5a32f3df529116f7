import type { Signal } from "@preact/signals";
import { useCallback, useLayoutEffect, useRef } from "preact/hooks";
import { focused } from "../app/focus";
import { MiddleCut } from "../app/MiddleCut";
import { useSize } from "../app/useSize";
import type { ExplorerState } from "../state/explorer";
import type { ListedRow } from "../state/rows";
import { countText, splitPath } from "../text";
import type { Chooser } from "./chooser";
import { actOnHold } from "./holding";
import { throwByFinger, useWheel } from "./moving";
import { holds } from "./ranges";
import { pageRows, resize, rowsInView, type View, wheelRows } from "./scroll";
import { selected } from "./selecting";

/** How many characters at the end of a uuid or a file's name are always seen. */
const TAIL = 7;

/** The rows of the lookup: only those in view are there, placed by their numbers. */
export function RowGrid({
  state,
  chooser,
  view,
  name,
}: {
  readonly state: ExplorerState;
  readonly chooser: Chooser;
  readonly view: Signal<View>;
  /** The beginning of its rows' element ids; different for every widget of a page. */
  readonly name: string;
}) {
  const { ref, height } = useSize<HTMLDivElement>();
  const { rowHeight } = state.look;
  const rowsOfDistance = useCallback((distance: number) => distance / rowHeight, [rowHeight]);
  const rowsOfWheel = useCallback((event: WheelEvent, at: View) => wheelRows(event, rowHeight, at), [rowHeight]);
  const { records } = state.opened.value;
  const store = state.rows.value;
  void store.changes.value;
  useLayoutEffect(() => {
    if (height > 0) view.value = resize(view.peek(), records, height / rowHeight, 1, state.current.peek());
  }, [view, records, height, rowHeight, state]);
  useWheel(ref, view, rowsOfWheel);
  const gliding = useRef(0);

  const { start, stop } = rowsInView(view.value);
  useLayoutEffect(() => store.show({ start, stop }), [store, start, stop]);

  const current = state.current.value;
  const inView = current !== null && current >= start && current < stop;
  const digits = countText(records).length;
  const selection = selected({ current, selection: state.selection.value });
  return (
    <div
      ref={ref}
      class="h5x-grid"
      role="grid"
      aria-label="Rows of the lookup"
      aria-rowcount={records}
      aria-colcount={3}
      aria-multiselectable="true"
      aria-activedescendant={inView ? `${name}-${current}` : undefined}
      tabIndex={0}
      style={{ "--h5x-digits": `${digits}ch`, "--h5x-row": `${rowHeight}px` }}
      onKeyDown={(event) => {
        if (event.key === "Enter") state.refresh();
        else if (!chooser.key(event, keyTarget(event, state.current.peek(), view.peek()))) return;
        event.preventDefault();
      }}
      onMouseDown={keepText}
      onPointerDown={(event) => throwByFinger(event, view, gliding, rowsOfDistance)}
    >
      {rowNumbers(start, stop).map((row) => (
        <GridRow
          key={row}
          id={`${name}-${row}`}
          row={row}
          listed={store.get(row)}
          top={(row - view.value.top) * rowHeight}
          selected={holds(selection, row)}
          current={row === current}
          onChoose={(event) => {
            if (row === current) state.refresh();
            chooser.click(event, row);
          }}
          onHold={() => chooser.perform({ kind: "toggle", row })}
        />
      ))}
    </div>
  );
}

function GridRow({
  id,
  row,
  listed,
  top,
  selected,
  current,
  onChoose,
  onHold,
}: {
  readonly id: string;
  readonly row: number;
  readonly listed: ListedRow | null;
  readonly top: number;
  readonly selected: boolean;
  readonly current: boolean;
  readonly onChoose: (event: MouseEvent) => void;
  readonly onHold: () => void;
}) {
  return (
    <div
      id={id}
      class={`h5x-row${selected ? " h5x-selected" : ""}${current ? " h5x-current" : ""}`}
      role="row"
      aria-rowindex={row + 1}
      aria-selected={selected}
      aria-busy={listed === null}
      style={{ top: `${top}px` }}
      onClick={onChoose}
      onPointerDown={(event) => actOnHold(event, onHold)}
    >
      <span class="h5x-row-number" role="gridcell" aria-colindex={1}>
        {countText(row + 1)}
      </span>
      <span class="h5x-row-uuid" role="gridcell" aria-colindex={2} title={listed?.uuid ?? undefined}>
        {listed === null ? <Skeleton width="22ch" /> : <Missable text={listed.uuid} what="no uuid" />}
      </span>
      <span class="h5x-row-file" role="gridcell" aria-colindex={3} title={listed?.filepath ?? undefined}>
        {listed === null ? (
          <Skeleton width="10ch" />
        ) : (
          <Missable text={listed.filepath === null ? null : splitPath(listed.filepath).name} what="no file" />
        )}
      </span>
    </div>
  );
}

function Skeleton({ width }: { readonly width: string }) {
  return (
    <>
      <span class="h5x-skeleton" style={{ width }} aria-hidden="true" />
      <span class="h5x-hidden">loading</span>
    </>
  );
}

function Missable({ text, what }: { readonly text: string | null; readonly what: string }) {
  return text === null ? <span class="h5x-missing">{what}</span> : <MiddleCut text={text} tail={TAIL} />;
}

/** The numbers of a half-open range. */
export function rowNumbers(start: number, stop: number): readonly number[] {
  return Array.from({ length: stop - start }, (_, index) => start + index);
}

/** Keeps a click with Shift from selecting text from where some was selected last, in whatever part of the page. */
export function keepText(event: MouseEvent): void {
  const grid = event.currentTarget;
  if (!event.shiftKey || !(grid instanceof HTMLElement)) return;
  event.preventDefault();
  if (focused() !== grid) grid.focus();
}

/** The row that a key leads to; `null` for other keys. */
export function keyTarget(
  event: Pick<KeyboardEvent, "key" | "altKey">,
  current: number | null,
  view: View,
): number | null {
  if (event.altKey || view.total === 0) return null;
  const last = view.total - 1;
  const from = current ?? -1;
  switch (event.key) {
    case "ArrowDown":
      return Math.min(last, from + 1);
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "PageDown":
      return Math.min(last, from + pageRows(view));
    case "PageUp":
      return Math.max(0, from - pageRows(view));
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
