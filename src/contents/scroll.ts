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
}

/** The furthest that the list can be moved: its last row stands at the bottom edge then. */
export function furthest(total: number, fits: number): number {
  return Math.max(0, total - fits);
}

/** Moves the list to a position, as far as there are rows. */
export function moveTo(view: View, top: number): View {
  const bounded = Math.min(Math.max(0, Number.isFinite(top) ? top : 0), furthest(view.total, view.fits));
  return bounded === view.top ? view : { ...view, top: bounded };
}

/** Moves the list by rows. */
export function moveBy(view: View, rows: number): View {
  return moveTo(view, view.top + rows);
}

/** Moves the list no further than needed to have a row wholly in view. */
export function reveal(view: View, row: number): View {
  if (row < view.top) return moveTo(view, row);
  if (row + 1 > view.top + view.fits) return moveTo(view, row + 1 - view.fits);
  return view;
}

/** Moves the list so that a row stands in its middle, unless it is in view already. */
export function centre(view: View, row: number): View {
  const inView = row >= view.top && row + 1 <= view.top + view.fits;
  return inView ? view : moveTo(view, row - (view.fits - 1) / 2);
}

/** Takes over another size; the top row stays where it is, as far as there are rows. */
export function resize(view: View, total: number, fits: number): View {
  return moveTo({ ...view, total, fits }, view.top);
}

/** The rows that are wholly or partly in view, half-open. */
export function rowsInView(view: View): { readonly start: number; readonly stop: number } {
  const start = Math.floor(view.top);
  return { start, stop: Math.max(start, Math.min(view.total, Math.ceil(view.top + view.fits))) };
}

/** How many rows a page key moves: one less than fit, so that one is seen before and after. */
export function pageRows(view: View): number {
  return Math.max(1, Math.floor(view.fits) - 1);
}

/**
 * What the slider shows: a row number from 1 to the total.
 *
 * It goes with the part of the way that the list has moved, so that the first position is row 1 and the last one the
 * last row; the row that it names is always in view.
 */
export function sliderValue(view: View): number {
  const end = furthest(view.total, view.fits);
  if (view.total === 0) return 0;
  return end === 0 ? 1 : 1 + Math.round((view.top / end) * (view.total - 1));
}

/** Moves the list to where the slider shows a row number. */
export function moveToSliderValue(view: View, value: number): View {
  if (view.total <= 1) return moveTo(view, 0);
  const part = (Math.min(Math.max(1, value), view.total) - 1) / (view.total - 1);
  return moveTo(view, part * furthest(view.total, view.fits));
}

/** Moves the list to where the slider's thumb is at a part of its way, from 0 to 1. */
export function moveToPart(view: View, part: number): View {
  return moveTo(view, Math.min(Math.max(0, part), 1) * furthest(view.total, view.fits));
}

/** The part of its way that the slider's thumb is at, from 0 to 1. */
export function sliderPart(view: View): number {
  const end = furthest(view.total, view.fits);
  return end === 0 ? 0 : view.top / end;
}

/** How long the slider's thumb is: the part of the rows that is in view, but never too short to be caught. */
export function thumbLength(view: View, track: number, shortest: number): number {
  if (view.total <= view.fits) return track;
  return Math.min(track, Math.max(shortest, (track * view.fits) / view.total));
}

/** How many rows a turn of the wheel moves. */
export function wheelRows(event: { deltaY: number; deltaMode: number }, rowHeight: number, view: View): number {
  const PIXELS = 0;
  const LINES = 1;
  if (event.deltaMode === PIXELS) return event.deltaY / rowHeight;
  if (event.deltaMode === LINES) return event.deltaY;
  return event.deltaY * pageRows(view);
}
