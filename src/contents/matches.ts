/** Which of the matches of a search is shown, and of how many. */

import { countText } from "../text";

/** How many rows match, as far as it is known. */
export interface Matches {
  readonly count: number;
  /** The part of the rows that have been looked at, from 0 to 1. */
  readonly looked: number;
}

/**
 * Which match a row is, counted from 1: the one behind the last, and the first again after the way round; `null` where
 * it is not known.
 */
export function nextOrdinal(
  last: { readonly row: number; readonly ordinal: number | null } | null,
  row: number,
): number | null {
  if (last === null || row <= last.row) return 1;
  return last.ordinal === null ? null : last.ordinal + 1;
}

/** Says which match is shown: `match 2 of 17`, `match 2 of at least 15, counted to 40%`. */
export function matchText(ordinal: number | null, matches: Matches | null): string {
  const which = ordinal === null ? "one match" : `match ${countText(ordinal)}`;
  if (matches === null) return which;
  if (matches.looked >= 1) return `${which} of ${countText(matches.count)}`;
  const known = Math.max(matches.count, ordinal ?? 1);
  return `${which} of at least ${countText(known)}, counted to ${Math.floor(matches.looked * 100)}%`;
}
