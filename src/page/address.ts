/** What the page's address says of what is shown, so that a reload comes back to it. */

import { effect } from "@preact/signals";
import type { Opened, Sort } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { Timer } from "../time";

/** What is shown, as far as an address says it. */
export interface Place {
  /** The lookup, where it is not the one that the server was started with. */
  readonly lookup: string | null;
  readonly filter: string;
  readonly sort: Sort;
  /** The position of the row, from 0. */
  readonly row: number | null;
}

/** Browsers let an address be changed some hundred times in half a minute. */
const WRITE_AFTER_MS = 300;

/** Reads the query of an address; `null` where it says nothing of what is shown. */
export function placeOf(search: string): Place | null {
  const query = new URLSearchParams(search);
  if (!["lookup", "filter", "sort", "row"].some((name) => query.has(name))) return null;
  const row = query.get("row") ?? "";
  return {
    lookup: query.get("lookup"),
    filter: query.get("filter") ?? "",
    sort: query.getAll("sort").map(sortKeyOf),
    row: /^\d{1,15}$/.test(row) ? Number(row) : null,
  };
}

/** Writes a place as the query of an address. */
export function searchOf(place: Place): string {
  const query = new URLSearchParams();
  if (place.lookup !== null) query.set("lookup", place.lookup);
  if (place.filter !== "") query.set("filter", place.filter);
  for (const [column, direction] of place.sort) query.append("sort", `${column}:${direction}`);
  if (place.row !== null) query.set("row", String(place.row));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function sortKeyOf(text: string): Sort[number] {
  const [, column, direction] = /^(.*):(asc|desc)$/s.exec(text) ?? [];
  return column === undefined ? [text, "asc"] : [column, direction === "desc" ? "desc" : "asc"];
}

/** What names a lookup in an address: its path or pattern; `null` where it has none. */
export function lookupIn(opened: Opened): string | null {
  return typeof opened.options.lookup === "string" ? opened.options.lookup : null;
}

/**
 * Has the address say what is shown, from now on; returns what ends that.
 *
 * @param home - The lookup that the address need not name.
 */
export function keepAddress(state: ExplorerState, home: string | null): () => void {
  const timer = new Timer();
  const end = effect(() => {
    const opened = state.opened.value;
    const lookup = lookupIn(opened);
    const place = {
      lookup: lookup === home ? null : lookup,
      filter: opened.filter,
      sort: opened.sort,
      row: state.current.value,
    };
    timer.set(WRITE_AFTER_MS, () => write(place));
  });
  return () => {
    end();
    timer.clear();
  };
}

function write(place: Place): void {
  const { pathname, hash } = window.location;
  window.history.replaceState(null, "", `${pathname}${searchOf(place)}${hash}`);
}

/**
 * Comes back to a place.
 *
 * @throws ExplorerError - Where its lookup cannot be opened; what is shown stays then.
 */
export async function goTo(place: Place, state: ExplorerState): Promise<void> {
  const lookup = lookupIn(state.opened.peek());
  if (place.lookup !== null && place.lookup !== lookup) await state.open(place.lookup, new AbortController().signal);
  const { filter, sort } = state.opened.peek();
  if (place.filter !== filter || JSON.stringify(place.sort) !== JSON.stringify(sort)) {
    await state.filtering.show(place.filter, place.sort);
  }
  if (place.row !== null) state.select({ current: place.row, selection: [] });
}
