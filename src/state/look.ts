/** How an explorer looks where that is remembered: in a tab of JupyterLab, or as long as its kernel lives. */

import type { Arrangement, Shares } from "../app/layout";
import { isFields } from "../fields";

/** The shares of the panels, for each arrangement that has been changed. */
export type KeptShares = Partial<Readonly<Record<Arrangement, Shares>>>;

/** What a person likes. */
export interface Look {
  readonly shares: KeptShares;
  /** The height of a row of the list in CSS pixels. */
  readonly rowHeight: number;
  /** Whether what is near the row that is shown is fetched ahead. */
  readonly prefetch: boolean;
}

/** The look where nothing is chosen. A row's height is a multiple of the 4 px that all lengths go by. */
export const USUAL_LOOK: Look = { shares: {}, rowHeight: 28, prefetch: true };

/** The least and the largest height of a row. */
export const ROW_HEIGHTS = [20, 64] as const;

/** Reads a look from JSON; what is missing or no good is as usual. */
export function lookOf(value: unknown): Look {
  if (!isFields(value)) return USUAL_LOOK;
  const height = typeof value.rowHeight === "number" ? value.rowHeight : USUAL_LOOK.rowHeight;
  return {
    shares: keptSharesOf(value.shares),
    rowHeight: Math.min(Math.max(height, ROW_HEIGHTS[0]), ROW_HEIGHTS[1]),
    prefetch: value.prefetch !== false,
  };
}

/** Reads the shares of the panels from JSON. */
export function keptSharesOf(value: unknown): KeptShares {
  const fields = isFields(value) ? value : {};
  const [columns, stack] = [sharesOf(fields.columns), sharesOf(fields.stack)];
  return { ...(columns && { columns }), ...(stack && { stack }) };
}

function sharesOf(value: unknown): Shares | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [first, second, third]: unknown[] = value;
  if (typeof first !== "number" || typeof second !== "number" || typeof third !== "number") return null;
  const sum = first + second + third;
  return Math.min(first, second, third) >= 0 && Math.abs(sum - 1) < 0.01 ? [first, second, third] : null;
}
