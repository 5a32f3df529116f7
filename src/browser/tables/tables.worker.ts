/** The worker that reads lookups and metadata. */

import initialize from "parquet-wasm/esm";
import { ExplorerError } from "../../errors";
import { bytesFetched } from "../remote";
import { type Port, serve } from "../rpc/serve";
import { openDelimited } from "./delimitedLookup";
import type { Lookup, LookupSpec } from "./lookup";
import { isCrash } from "./parquet";
import { ParquetLookup } from "./parquetLookup";
import { parseQuery } from "./query";
import { type RecordAsked, Records } from "./records";
import { count, countFilepaths, find } from "./search";
import { ShardsLookup } from "./shardsLookup";
import { first, lastly } from "./turns";
import { valuesOf } from "./values";
import { startWasm } from "./wasm";

declare const self: Port;

/** Lookups that stay open: the one that is shown, and one that is about to be. */
const LOOKUPS_KEPT = 2;

/** The filepaths are counted when the first rows have been on the screen for so many milliseconds. */
const COUNT_AFTER_MS = 250;

const opened = new Map<number, Promise<Lookup>>();
const records = new Records();
const wasm: { memory?: WebAssembly.Memory } = {};

async function openedBy(spec: LookupSpec): Promise<Lookup> {
  const held = opened.get(spec.id);
  if (held !== undefined) return held;
  // With a signal of its own: others may wait for it when the one who asked first does not any more.
  const opening = openLookup(spec, new AbortController().signal);
  opened.set(spec.id, opening);
  opening.catch(() => opened.delete(spec.id));
  for (const [id, lookup] of opened) {
    if (opened.size <= LOOKUPS_KEPT) break;
    opened.delete(id);
    lookup.then((each) => each.close()).catch(() => {});
  }
  return opening;
}

async function startDecoder(): Promise<void> {
  wasm.memory = await startWasm(initialize);
}

async function openLookup({ from, columns }: LookupSpec, signal: AbortSignal): Promise<Lookup> {
  await startDecoder();
  if ("shards" in from) return ShardsLookup.open(from.shards, columns);
  const isText = /\.(csv|tsv|txt)(\.gz)?$/i.test(from.table.path.split(/[?#]/, 1)[0] ?? "");
  return isText ? openDelimited(from.table, columns, signal) : ParquetLookup.open(from.table, columns);
}

/** What every question about a lookup has. */
interface About {
  readonly lookup: LookupSpec;
}

const service = {
  async open({ lookup }: About) {
    const { rows, columns, notices } = await first(() => openedBy(lookup));
    return { rows, columns, notices };
  },
  async rows({ lookup, start, stop }: About & { readonly start: number; readonly stop: number }) {
    return first(async () => (await openedBy(lookup)).keys(start, stop));
  },
  async filepaths({ lookup }: About, signal: AbortSignal) {
    const held = await openedBy(lookup);
    await lastly(COUNT_AFTER_MS);
    return countFilepaths(held, signal);
  },
  async find(
    { lookup, text, after }: About & { readonly text: string; readonly after: number | null },
    signal: AbortSignal,
  ) {
    const row = await find({ lookup: await openedBy(lookup), text, signal }, after);
    return { row, byNumber: parseQuery(text).row !== null };
  },
  async count({ lookup, text, start }: About & { readonly text: string; readonly start: number }, signal: AbortSignal) {
    return count({ lookup: await openedBy(lookup), text, signal }, start);
  },
  async values({ lookup, column }: About & { readonly column: string }, signal: AbortSignal) {
    return valuesOf(await openedBy(lookup), column, lookup.columns.uuid, signal);
  },
  async record(asked: RecordAsked, signal: AbortSignal) {
    await startDecoder();
    if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
    return first(() => records.record(asked));
  },
};

/** What the worker can be asked for. */
export type TableService = typeof service;

serve(self, service, {
  memory: () => wasm.memory?.buffer.byteLength ?? 0,
  read: bytesFetched,
  isFatal: isCrash,
});

// Before anything is asked for: what goes wrong is told to whoever asks then.
startDecoder().catch(() => {});
