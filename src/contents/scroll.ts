/**
 * Where the list of rows stands, as pure functions.
 *
 * The list is not a tall element that the browser scrolls: browsers clip those at about 16.7 million pixels, which 200
 * million rows exceed by far. Its position is a number, the row at its top edge, with a fraction; the rows in view are
 * placed by it. Every row is reached exactly as long as numbers hold it (2^53).
 */

/** The list's size and position. */
export interface View {
  /** All rows. */
  readonly total: number;
  /** How many rows fit, with a fraction. */
  readonly fits: number;
  /** The row at the top edge, from 0, with a fraction. */
  readonly top: number;
  /** How many rows stand side by side in a line; 1 where it is not given. Lines are not broken up by moves of rows. */
  readonly columns?: number;
}

/** How many rows stand side by side. */
export function columnsOf(view: View): number {
  return view.columns ?? 1;
}

/** The furthest that the list can be moved: its last row stands at the bottom edge then. */
export function furthest(total: number, fits: number, columns = 1): number {
  return Math.max(0, Math.ceil(total / columns) * columns - fits);
}

function end(view: View): number {
  return furthest(view.total, view.fits, view.columns);
}

/** Moves the list to a position, as far as there are rows. */
export function moveTo(view: View, top: number): View {
  const bounded = Math.min(Math.max(0, Number.isFinite(top) ? top : 0), end(view));
  return bounded === view.top ? view : { ...view, top: bounded };
}

/** Moves the list by rows. */
export function moveBy(view: View, rows: number): View {
  return moveTo(view, view.top + rows);
}

/** Moves the list no further than needed to have a row wholly in view, or its beginning where it does not fit. */
export function reveal(view: View, row: number): View {
  const { first, stop } = lineOf(view, row);
  if (first < view.top || stop - first > view.fits) return moveTo(view, first);
  if (stop > view.top + view.fits) return moveTo(view, stop - view.fits);
  return view;
}

/** The rows of the line that a row stands in, half-open; the last line may have room for more than there are. */
function lineOf(view: View, row: number): { readonly first: number; readonly stop: number } {
  const columns = columnsOf(view);
  const first = Math.floor(row / columns) * columns;
  return { first, stop: first + columns };
}

/** Moves the list so that a row stands in its middle, unless it is in view already. */
export function centre(view: View, row: number): View {
  const { first, stop } = lineOf(view, row);
  const inView = first >= view.top && stop <= view.top + view.fits;
  return inView ? view : moveTo(view, first - (view.fits - columnsOf(view)) / 2);
}

/**
 * Takes over another size; the top row stays where it is, as far as there are rows.
 *
 * @param kept - A row that stays in view if it is in view now; `null` for none.
 */
export function resize(view: View, total: number, fits: number, columns = 1, kept: number | null = null): View {
  const resized = moveTo({ ...view, total, fits, columns }, view.top);
  const seen = kept !== null && view.fits > 0 && reveal(view, kept) === view;
  return seen ? reveal(resized, kept) : resized;
}

/** The rows that are wholly or partly in view, half-open. */
export function rowsInView(view: View): { readonly start: number; readonly stop: number } {
  const start = lineOf(view, view.top).first;
  const columns = columnsOf(view);
  const stop = Math.ceil((view.top + view.fits) / columns) * columns;
  return { start, stop: Math.max(start, Math.min(view.total, stop)) };
}

/** How many rows a page key moves: a line less than fits, so that one is seen before and after. */
export function pageRows(view: View): number {
  const columns = columnsOf(view);
  return Math.max(1, Math.floor(view.fits / columns) - 1) * columns;
}

/**
 * What the slider shows: a row number from 1 to the total.
 *
 * It goes with the part of the way that the list has moved, so that the first position is row 1 and the last one the
 * last row; the row that it names is always in view.
 */
export function sliderValue(view: View): number {
  if (view.total === 0) return 0;
  return 1 + Math.round(sliderPart(view) * (view.total - 1));
}

/** Moves the list to where the slider shows a row number. */
export function moveToSliderValue(view: View, value: number): View {
  if (view.total <= 1) return moveTo(view, 0);
  const part = (Math.min(Math.max(1, value), view.total) - 1) / (view.total - 1);
  return moveTo(view, part * end(view));
}

/** Moves the list to where the slider's thumb is at a part of its way, from 0 to 1. */
export function moveToPart(view: View, part: number): View {
  return moveTo(view, Math.min(Math.max(0, part), 1) * end(view));
}

/** The part of its way that the slider's thumb is at, from 0 to 1. */
export function sliderPart(view: View): number {
  const way = end(view);
  return way === 0 ? 0 : view.top / way;
}

/** How long the slider's thumb is: the part of the rows that is in view, but never too short to be caught. */
export function thumbLength(view: View, track: number, shortest: number): number {
  if (end(view) === 0) return track;
  return Math.min(track, Math.max(shortest, (track * view.fits) / (end(view) + view.fits)));
}

/** How many rows a turn of the wheel moves. */
export function wheelRows(event: { deltaY: number; deltaMode: number }, rowHeight: number, view: View): number {
  const PIXELS = 0;
  const LINES = 1;
  if (event.deltaMode === PIXELS) return event.deltaY / rowHeight;
  if (event.deltaMode === LINES) return event.deltaY;
  return event.deltaY * pageRows(view);
}
