/**
 * How thumbnails lie side by side in lines, as pure functions.
 *
 * The position stays a row number, as in the list (see `scroll.ts`): slider, search and keys work on one view, whatever
 * way its rows are shown. A line holds as many rows as the view has columns.
 */

import { columnsOf, pageRows, resize, reveal, rowsInView, type View, wheelRows } from "./scroll";

/** Lengths of a thumbnail's longer side, in CSS pixels. */
export const SIZES = { smallest: 64, largest: 320, step: 16, first: 128 } as const;

/** The room below a thumbnail, for its number, in CSS pixels. */
export const CAPTION = 20;

/** The room around a thumbnail and its caption, in CSS pixels. */
export const MARGIN = 4;

/** A text line of a wheel that turns by lines, in CSS pixels. */
const WHEEL_LINE = 28;

/** Sizes that are asked for: few, so that what is here serves other sizes too. */
const ASKED = [64, 96, 128, 192, 256, 384, 512] as const;
const LARGEST_ASKED = 512;

/** How the thumbnails lie. Lengths are in CSS pixels. */
export interface GridLayout {
  readonly columns: number;
  /** The side of the square that a thumbnail lies in: what was chosen, or as much as there is room for. */
  readonly side: number;
  readonly cellWidth: number;
  readonly lineHeight: number;
  /** How many lines fit, with a fraction. */
  readonly lines: number;
}

/**
 * Lays thumbnails out.
 *
 * @param width - The room, in CSS pixels.
 * @param height - The room, in CSS pixels.
 * @param size - The side that was chosen.
 */
export function layOut(width: number, height: number, size: number): GridLayout {
  const fitting = Math.min(size, width - 2 * MARGIN, height - CAPTION - 2 * MARGIN);
  const side = Math.max(32, Math.floor(fitting)); // a line always fits, so that none is skipped by a page
  const columns = Math.max(1, Math.floor(width / (side + 2 * MARGIN)));
  const lineHeight = side + CAPTION + 2 * MARGIN;
  return { columns, side, cellWidth: width / columns, lineHeight, lines: height / lineHeight };
}

/** The size to ask for, in pixels, for a side in CSS pixels on a screen with so many pixels for each. */
export function askedSize(side: number, pixelRatio: number): number {
  return ASKED.find((size) => size >= side * pixelRatio) ?? LARGEST_ASKED;
}

/**
 * Takes over another layout.
 *
 * @param first - The row that stays in the first line, if there are rows enough behind it.
 * @param kept - A row that stays in view if it is in view now; `null` for none.
 */
export function takeOver(view: View, total: number, layout: GridLayout, first: number, kept: number | null): View {
  const { columns, lines } = layout;
  const same = columns === columnsOf(view) && first === firstRow(view);
  const top = same ? view.top : first - (first % columns);
  const resized = resize({ ...view, top }, total, lines * columns, columns);
  const seen = kept !== null && view.fits > 0 && reveal(view, kept) === view;
  return seen ? reveal(resized, kept) : resized;
}

/** The first row that is in view, wholly or partly. */
export function firstRow(view: View): number {
  return rowsInView(view).start;
}

/** The lines that are wholly or partly in view, each with its first row and its distance from the top edge. */
export function linesInView(view: View, { lineHeight }: GridLayout): readonly GridLine[] {
  const columns = columnsOf(view);
  const { start, stop } = rowsInView(view);
  return Array.from({ length: Math.ceil((stop - start) / columns) }, (_, index) => {
    const first = start + index * columns;
    return {
      number: first / columns,
      first,
      stop: Math.min(view.total, first + columns),
      top: ((first - view.top) / columns) * lineHeight,
    };
  });
}

/** A line of thumbnails. */
export interface GridLine {
  /** Its number, from 0. */
  readonly number: number;
  /** Its rows, half-open. */
  readonly first: number;
  readonly stop: number;
  /** Its distance from the top edge, in CSS pixels. */
  readonly top: number;
}

/** How many rows a distance is, in CSS pixels. */
export function rowsOfDistance(distance: number, view: View, layout: GridLayout): number {
  return (distance / layout.lineHeight) * columnsOf(view);
}

/** How many rows a turn of the wheel moves. */
export function wheelRowsOfGrid(
  event: { readonly deltaY: number; readonly deltaMode: number },
  view: View,
  layout: GridLayout,
): number {
  const byLines = event.deltaMode === 1;
  if (byLines) return rowsOfDistance(event.deltaY * WHEEL_LINE, view, layout);
  return wheelRows(event, layout.lineHeight / columnsOf(view), view);
}

/** The row that a key leads to; `null` for other keys. */
export function gridKeyTarget(
  event: Pick<KeyboardEvent, "key" | "altKey">,
  current: number | null,
  view: View,
): number | null {
  if (event.altKey || view.total === 0) return null;
  const last = view.total - 1;
  const step = steps(event.key, view);
  if (step === null) return null;
  if (event.key === "Home") return 0;
  if (event.key === "End") return last;
  if (current === null) return 0;
  const columns = columnsOf(view);
  const to = current + step;
  if (Math.abs(step) === 1) return Math.min(Math.max(0, to), last);
  const column = current % columns;
  if (to < 0) return column;
  if (to <= last) return to;
  const lastLine = last - (last % columns);
  return Math.min(last, lastLine + column);
}

function steps(key: string, view: View): number | null {
  switch (key) {
    case "ArrowRight":
      return 1;
    case "ArrowLeft":
      return -1;
    case "ArrowDown":
      return columnsOf(view);
    case "ArrowUp":
      return -columnsOf(view);
    case "PageDown":
      return pageRows(view);
    case "PageUp":
      return -pageRows(view);
    case "Home":
    case "End":
      return 0;
    default:
      return null;
  }
}
