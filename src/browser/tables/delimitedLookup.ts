/** A lookup that is a CSV or TSV file, gzipped or not: small ones are read through when they are opened. */

import { ExplorerError } from "../../errors";
import type { Column } from "../../source/api";
import { bytesText } from "../../text";
import { type FileRef, nameOf, sizeOf } from "../fileRef";
import { fetchRange } from "../remote";
import { DelimitedReader, delimiterOf } from "./csv";
import type { KeyColumns, Values } from "./lookup";
import { MemoryLookup, textValues } from "./memoryLookup";
import { checkNames } from "./names";
import { TextBuilder } from "./textBuilder";

/** Bytes of a file that is read through; larger ones are for the kernel, or for Parquet. */
const LARGEST = 200 << 20;

/** Bytes that unfold from a gzipped one at most. */
const LARGEST_UNFOLDED = 1 << 30;

/**
 * Reads it.
 *
 * @throws ExplorerError - `too_large`, `lookup_unreadable`, `wrong_columns`.
 */
export async function openDelimited(ref: FileRef, names: KeyColumns, signal: AbortSignal): Promise<MemoryLookup> {
  if (sizeOf(ref) > LARGEST) {
    throw new ExplorerError(
      "too_large",
      `${nameOf(ref)} has ${bytesText(sizeOf(ref))}; a page reads delimited text up to ${bytesText(LARGEST)}.`,
      "Write it as Parquet, or open it with `h5explorer open`.",
    );
  }
  const [uuids, filepaths] = [new TextBuilder(), new TextBuilder()];
  const header = await readColumns(ref, signal, (found) => {
    checkNames(found, names, nameOf(ref));
    const [uuid, filepath] = [found.indexOf(names.uuid), found.indexOf(names.filepath)];
    return (fields) => {
      uuids.add(fields[uuid] || null);
      filepaths.add(fields[filepath] || null);
    };
  });
  const columns: readonly Column[] = header.map((name) => ({ name, type: "string", source: "lookup" }));
  const values = async function* (column: string): AsyncGenerator<Values> {
    const texts = new TextBuilder();
    await readColumns(ref, new AbortController().signal, (found) => {
      const place = found.indexOf(column);
      return (fields) => texts.add(fields[place] || null);
    });
    yield textValues(texts.build());
  };
  return new MemoryLookup(uuids.build(), filepaths.build(), columns, values);
}

/** Reads all records; returns the header. */
async function readColumns(
  ref: FileRef,
  signal: AbortSignal,
  begin: (header: readonly string[]) => (fields: readonly string[]) => void,
): Promise<readonly string[]> {
  const name = nameOf(ref);
  const decoder = new TextDecoder();
  let header: readonly string[] = [];
  let take: ((fields: readonly string[]) => void) | null = null;
  let reader: DelimitedReader | null = null;
  let first = "";
  const record = (fields: readonly string[]) => {
    if (take !== null) return take(fields);
    header = fields;
    take = begin(fields);
  };
  let size = 0;
  for await (const bytes of chunksOf(ref, signal)) {
    size += bytes.length;
    if (size > LARGEST_UNFOLDED) throw new ExplorerError("too_large", `${name} unfolds to more than 1 GB.`);
    const text = decoder.decode(bytes, { stream: true });
    if (reader === null) {
      first += text;
      if (!/[\r\n]/.test(first)) continue;
      reader = new DelimitedReader(delimiterOf(first.split(/[\r\n]/, 1)[0] ?? "", name), record);
      reader.push(first);
    } else reader.push(text);
  }
  reader ??= begun(first, name, record);
  reader.push(decoder.decode());
  if (!reader.finish()) throw new ExplorerError("lookup_unreadable", `${name} ends within a quoted field.`);
  if (take === null) throw new ExplorerError("lookup_unreadable", `${name} is empty.`);
  return header;
}

function begun(first: string, name: string, record: (fields: readonly string[]) => void): DelimitedReader {
  const reader = new DelimitedReader(delimiterOf(first, name), record);
  reader.push(first);
  return reader;
}

const CHUNK = 4 << 20;

async function* chunksOf(ref: FileRef, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const at = { byte: 0 };
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const stop = Math.min(at.byte + CHUNK, sizeOf(ref));
      if (at.byte >= stop) return controller.close();
      controller.enqueue(await bytesOf(ref, at.byte, stop, signal));
      at.byte = stop;
    },
  });
  const gzipped = ref.path.toLowerCase().endsWith(".gz");
  const reader = (gzipped ? source.pipeThrough(new DecompressionStream("gzip")) : source).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
      yield value;
    }
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExplorerError("lookup_unreadable", `${nameOf(ref)} cannot be read: ${reason}.`);
  }
}

async function bytesOf(
  ref: FileRef,
  start: number,
  stop: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (ref.kind === "remote") return fetchRange(ref, start, stop, signal);
  return new Uint8Array(await ref.file.slice(start, stop).arrayBuffer());
}
