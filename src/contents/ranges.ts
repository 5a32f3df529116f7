/** Sets of rows as half-open ranges, sorted, neither touching nor overlapping: however many rows, a few numbers. */

import type { Ranges } from "../state/shared";

/** Ranges that are kept in step with Python; the twin of `MOST_RANGES` in `h5explorer_py/selection.py`. */
export const MOST_RANGES = 500;

/** The set of one row; of none where there is no row. */
export function single(row: number | null): Ranges {
  return row === null ? [] : [[row, row + 1]];
}

/** How many rows there are. */
export function countRows(ranges: Ranges): number {
  return ranges.reduce((sum, [start, stop]) => sum + stop - start, 0);
}

/** Whether a row is one of them. */
export function holds(ranges: Ranges, row: number): boolean {
  return ranges.some(([start, stop]) => row >= start && row < stop);
}

/** Whether both are the same rows. */
export function areSame(one: Ranges, other: Ranges): boolean {
  return (
    one.length === other.length && one.every(([start, stop], at) => start === other[at]?.[0] && stop === other[at]?.[1])
  );
}

/** The rows with those from `start` to `stop`. */
export function withRange(ranges: Ranges, start: number, stop: number): Ranges {
  const before = ranges.filter((each) => each[1] < start);
  const behind = ranges.filter((each) => each[0] > stop);
  const touching = ranges.slice(before.length, ranges.length - behind.length);
  const first = Math.min(start, touching[0]?.[0] ?? start);
  const last = Math.max(stop, touching.at(-1)?.[1] ?? stop);
  return [...before, [first, last], ...behind];
}

/** The rows without one of them. */
export function withoutRow(ranges: Ranges, row: number): Ranges {
  return ranges.flatMap(([start, stop]) => {
    if (row < start || row >= stop) return [[start, stop] as const];
    return pieces([start, row], [row + 1, stop]);
  });
}

/** All other rows of so many. */
export function inverted(ranges: Ranges, total: number): Ranges {
  const starts = [0, ...ranges.map((each) => each[1])];
  const stops = [...ranges.map((each) => each[0]), total];
  return pieces(...starts.map((start, at) => [start, stops[at] ?? total] as const));
}

function pieces(...found: readonly (readonly [number, number])[]): Ranges {
  return found.filter(([start, stop]) => start < stop);
}
