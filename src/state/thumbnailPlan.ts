/**
 * Which thumbnails to ask for, as pure functions.
 *
 * Rows are asked for by batches of a few, so that the first pictures come soon, with few batches on the way at a time:
 * when one comes, what is in view *then* is asked for. A batch whose rows have all left the view is withdrawn once it
 * has been on the way for a while; most come sooner, and a fast drag does not ask and withdraw in every frame.
 */

import type { RowRange } from "../source/api";

/** Rows in a batch. */
export const BATCH_ROWS = 12;

/** Batches on the way at most. */
export const MOST_BATCHES = 3;

/** For how many milliseconds a batch that has become useless is let go on. */
export const PATIENCE_MS = 100;

/** Rows that have been asked for together. */
export interface OnWay {
  readonly rows: readonly number[];
  readonly forMs: number;
}

/** What is known when it is decided what to ask for. */
export interface Situation {
  readonly total: number;
  /** The rows in view. */
  readonly inView: RowRange;
  /** Whether a row is to be asked for: `2` where nothing of it can be shown, `1` where something better is wanted. */
  readonly wanted: (row: number) => 0 | 1 | 2;
  readonly onWay: readonly OnWay[];
}

/** What to do next. */
export interface Plan {
  /** What to withdraw, by its place among what is on the way. */
  readonly withdraw: readonly number[];
  readonly ask: readonly (readonly number[])[];
  /** Look again after so many milliseconds; `null` where the next answer is soon enough. */
  readonly waitMs: number | null;
}

/** Decides what to ask for. */
export function planBatches(situation: Situation): Plan {
  const { inView, onWay, total } = situation;
  const asked = new Set(onWay.flatMap((each) => each.rows));
  const missing = wantedOf(situation, inView, asked);
  const around = aroundOf(inView, total);
  const needed = missing.length > 0 ? inView : around;
  const useless = onWay.map(({ rows }) => !rows.some((row) => row >= needed.start && row < needed.stop));
  const withdraw = onWay.flatMap((each, at) => (useless[at] && each.forMs >= PATIENCE_MS ? [at] : []));
  const free = MOST_BATCHES - onWay.length + withdraw.length;
  const ages = onWay.flatMap((each, at) => (useless[at] && !withdraw.includes(at) ? [each.forMs] : []));
  const waitMs = ages.length > 0 ? PATIENCE_MS - Math.max(...ages) : null;
  if (missing.length > 0) return { withdraw, ask: batchesOf(missing).slice(0, free), waitMs };
  if (onWay.length > withdraw.length) return { withdraw, ask: [], waitMs };
  const behind = wantedOf(situation, { start: inView.stop, stop: around.stop }, asked);
  const before = wantedOf(situation, { start: around.start, stop: inView.start }, asked).reverse();
  return { withdraw, ask: batchesOf([...behind, ...before]).slice(0, 1), waitMs };
}

/** The rows in view and as many on either side: what comes into view next. */
export function aroundOf({ start, stop }: RowRange, total: number): RowRange {
  const screen = stop - start;
  return { start: Math.max(0, start - screen), stop: Math.min(total, stop + screen) };
}

/** The rows of a range that are to be asked for: first those of which there is nothing yet. */
function wantedOf({ wanted }: Situation, { start, stop }: RowRange, asked: ReadonlySet<number>): number[] {
  const rows = Array.from({ length: Math.max(0, stop - start) }, (_, index) => start + index);
  const open = rows.filter((row) => !asked.has(row));
  return [...open.filter((row) => wanted(row) === 2), ...open.filter((row) => wanted(row) === 1)];
}

function batchesOf(rows: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(rows.length / BATCH_ROWS) }, (_, index) =>
    rows.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS),
  );
}
