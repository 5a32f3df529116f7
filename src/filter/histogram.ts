/** Bars and bounds of a column of numbers. */

/** How high bars are, from 0 to 1; one that stands for anything is never too low to be seen. */
export function barHeights(counts: readonly number[]): readonly number[] {
  const most = Math.max(1, ...counts);
  return counts.map((count) => (count === 0 ? 0 : Math.max(0.04, count / most)));
}

/** Writes a bound so that it is read back as the same number. */
export function boundText(value: number): string {
  return String(value);
}

/** Reads a bound; `null` where it is no finite number. */
export function readBound(text: string): number | null {
  const trimmed = text.trim();
  if (!/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(trimmed)) return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : null;
}
