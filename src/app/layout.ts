/** How the three panels share the room, as pure functions. */

/** The shares of the three panels; they add up to 1. */
export type Shares = readonly [number, number, number];

/** Whether panels stand side by side or one below the other. */
export type Arrangement = "columns" | "stack";

/** Narrower than this, in CSS pixels, the panels are stacked. */
export const NARROW = 720;

/** No panel is made smaller than this, in CSS pixels, as long as there is room for three of them. */
export const SMALLEST: Readonly<Record<Arrangement, number>> = { columns: 160, stack: 120 };

/** The shares to begin with. */
export const FIRST_SHARES: Readonly<Record<Arrangement, Shares>> = {
  columns: [0.35, 0.37, 0.28],
  stack: [0.36, 0.36, 0.28],
};

/** The height to begin with, in CSS pixels. */
export const FIRST_HEIGHT: Readonly<Record<Arrangement, number>> = { columns: 560, stack: 960 };

/** Chooses the arrangement for a width. */
export function arrangementFor(width: number): Arrangement {
  return width < NARROW ? "stack" : "columns";
}

/**
 * Moves one of the two splitters.
 *
 * @param shares - The shares before.
 * @param splitter - 0 for the one between the first two panels, 1 for the other.
 * @param distance - How far, in CSS pixels; positive enlarges the panel before it.
 * @param room - The length that the panels share, in CSS pixels.
 * @param smallest - The smallest length of a panel.
 */
export function moveSplitter(
  shares: Shares,
  splitter: 0 | 1,
  distance: number,
  room: number,
  smallest: number,
): Shares {
  if (room <= 0) return shares;
  const least = Math.min(smallest / room, 1 / 3);
  const [before, after] = [shares[splitter], shares[splitter === 0 ? 1 : 2]];
  const both = before + after;
  const bound = (share: number) =>
    Math.min(Math.max(share, Math.min(least, both / 2)), Math.max(both - least, both / 2));
  const moved = bound(before + distance / room);
  return splitter === 0 ? [moved, both - moved, shares[2]] : [shares[0], moved, both - moved];
}

/** Where a splitter stands, in percent of the way from the one end to the other. */
export function splitterPercent(shares: Shares, splitter: 0 | 1): number {
  return Math.round(100 * (splitter === 0 ? shares[0] : shares[0] + shares[1]));
}
