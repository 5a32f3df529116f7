/**
 * Which rows to ask for, as pure functions.
 *
 * Rows are asked for by pages of a fixed number. At most two questions are on their way; when an answer comes, or the
 * older one has been useless for a while, what is in view *then* is asked for. So a fast drag of the slider asks for few
 * pages, and always ends on those that are in view, mostly without waiting for others.
 */

import type { RowRange } from "../source/api";

/** Rows in a page. */
export const PAGE_ROWS = 128;

/** Pages kept: 32,768 rows. */
export const PAGES_KEPT = 256;

/** Questions on their way at most. */
export const MOST_ON_WAY = 2;

/** For how many milliseconds a question that has become useless is let go on: most answers come sooner. */
export const PATIENCE_MS = 120;

/** What is known when it is decided what to ask for. */
export interface Situation {
  readonly total: number;
  /** The rows in view. */
  readonly inView: RowRange;
  readonly has: (page: number) => boolean;
  /** Whether a page has failed and is not to be asked for again by itself. */
  readonly failed: (page: number) => boolean;
  /** The pages on their way, and for how many milliseconds; the oldest question first. */
  readonly onWay: readonly { readonly first: number; readonly last: number; readonly forMs: number }[];
}

/** What to do next. */
export type Step =
  | { readonly kind: "nothing" }
  /** Look again after so many milliseconds. */
  | { readonly kind: "wait"; readonly ms: number }
  /** Ask for the pages `first` to `last`; and withdraw the oldest question, where there are too many. */
  | { readonly kind: "ask"; readonly first: number; readonly last: number; readonly withdraw: boolean };

/** The page of a row. */
export function pageOf(row: number): number {
  return Math.floor(row / PAGE_ROWS);
}

/** The rows of pages `first` to `last`. */
export function rowsOfPages(first: number, last: number, total: number): RowRange {
  return { start: first * PAGE_ROWS, stop: Math.min(total, (last + 1) * PAGE_ROWS) };
}

/** Decides what to ask for: pages that are missing one behind the other, never one that is there in between. */
export function nextStep(situation: Situation): Step {
  const { onWay } = situation;
  const missing = missingIn(situation, situation.inView);
  if (missing.length === 0) {
    const [around] = onWay.length > 0 ? [] : missingIn(situation, neighbours(situation));
    return around === undefined ? { kind: "nothing" } : { kind: "ask", ...around, withdraw: false };
  }
  const isOnWay = (run: Run) => onWay.some((asked) => overlap(asked, run));
  const wanted = missing.find((run) => !isOnWay(run));
  if (wanted === undefined) return { kind: "nothing" };
  const [oldest] = onWay;
  if (oldest === undefined || onWay.length < MOST_ON_WAY) return { kind: "ask", ...wanted, withdraw: false };
  if (missing.some((run) => overlap(oldest, run))) return { kind: "nothing" }; // its answer is of use
  if (oldest.forMs < PATIENCE_MS) return { kind: "wait", ms: PATIENCE_MS - oldest.forMs };
  return { kind: "ask", ...wanted, withdraw: true };
}

/** The rows in view and half a page around them: what comes into view next. */
function neighbours({ inView, total }: Situation): RowRange {
  const margin = PAGE_ROWS / 2;
  return { start: Math.max(0, inView.start - margin), stop: Math.min(total, inView.stop + margin) };
}

/** Pages one behind the other. */
interface Run {
  readonly first: number;
  readonly last: number;
}

const overlap = (one: Run, other: Run) => one.first <= other.last && other.first <= one.last;

function missingIn(situation: Situation, rows: RowRange): readonly Run[] {
  const runs: Run[] = [];
  if (rows.stop <= rows.start) return runs;
  for (let page = pageOf(rows.start); page <= pageOf(rows.stop - 1); page += 1) {
    if (situation.has(page) || situation.failed(page)) continue;
    const run = runs.at(-1);
    if (run?.last === page - 1) runs[runs.length - 1] = { first: run.first, last: page };
    else runs.push({ first: page, last: page });
  }
  return runs;
}
