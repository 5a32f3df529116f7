/** Finding and counting rows by a text, by going through all of them. */

import { ExplorerError } from "../../errors";
import type { Counted } from "../../source/api";
import { ByteSet } from "./byteSet";
import type { Lookup, Passed } from "./lookup";
import { parseQuery, pathTest, type Query, uuidTest } from "./query";

/** After so many milliseconds a count is told as far as it is. */
const COUNT_MS = 400;

/** What a search needs. */
export interface Search {
  readonly lookup: Lookup;
  readonly text: string;
  readonly signal: AbortSignal;
}

/** Finds the next row that matches, from behind `after` and round again. */
export async function find({ lookup, text, signal }: Search, after: number | null): Promise<number | null> {
  const query = parseQuery(text);
  const known = knownRows(query, lookup.rows);
  if (known !== null) return known[0] ?? null;
  const start = after === null ? 0 : after + 1;
  const found = await firstOf(lookup, query, start, lookup.rows, signal);
  return found ?? (start > 0 ? firstOf(lookup, query, 0, Math.min(start, lookup.rows), signal) : null);
}

/** Counts the rows that match from a row on: for a moment, and then to where what is read as one ends. */
export async function count({ lookup, text, signal }: Search, start: number): Promise<Counted> {
  const query = parseQuery(text);
  const known = knownRows(query, lookup.rows);
  if (known !== null) return { count: known.filter((row) => row >= start).length, stop: lookup.rows };
  const until = performance.now() + COUNT_MS;
  let found = 0;
  for await (const piece of lookup.pass(start, wantedBy(query))) {
    giveUp(signal);
    const fits = matcher(piece, query);
    for (let at = 0; at < piece.uuid.length; at += 1) if (fits(at)) found += 1;
    if (piece.endsPart && performance.now() > until) return { count: found, stop: piece.start + piece.uuid.length };
  }
  return { count: found, stop: lookup.rows };
}

/** Counts the different filepaths. */
export async function countFilepaths(lookup: Lookup, signal: AbortSignal): Promise<number> {
  const seen = new ByteSet();
  for await (const { filepath } of lookup.pass(0, { uuid: false, filepath: true })) {
    giveUp(signal);
    const see = filepath.tester((bytes, start, stop) => {
      seen.add(bytes, start, stop);
      return true;
    });
    for (let at = 0; at < filepath.length; at += 1) see(at);
  }
  return seen.size;
}

function knownRows({ row, text }: Query, rows: number): readonly number[] | null {
  if (row !== null) return row >= 0 && row < rows ? [row] : [];
  return text === "" ? [] : null;
}

async function firstOf(
  lookup: Lookup,
  query: Query,
  start: number,
  stop: number,
  signal: AbortSignal,
): Promise<number | null> {
  if (start >= stop) return null;
  for await (const piece of lookup.pass(start, wantedBy(query))) {
    giveUp(signal);
    const fits = matcher(piece, query);
    const end = Math.min(piece.uuid.length, stop - piece.start);
    for (let at = 0; at < end; at += 1) if (fits(at)) return piece.start + at;
    if (piece.start + piece.uuid.length >= stop) return null;
  }
  return null;
}

function wantedBy({ inUuid, inPath }: Query): { readonly uuid: boolean; readonly filepath: boolean } {
  return { uuid: inUuid, filepath: inPath };
}

function matcher(piece: Passed, { text, inUuid, inPath }: Query): (at: number) => boolean {
  const uuid = inUuid ? piece.uuid.tester(uuidTest(text)) : () => false;
  const path = inPath ? piece.filepath.tester(pathTest(text)) : () => false;
  return (at) => uuid(at) || path(at);
}

function giveUp(signal: AbortSignal): void {
  if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
}
