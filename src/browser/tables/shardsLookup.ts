/** Shards as their own lookup: the uuids come from their metadata, or are the names of their images. */

import type { Column } from "../../source/api";
import type { KeyColumns, Keys, Lookup, Passed, ShardPart, Values, Wanted } from "./lookup";
import { MemoryLookup, repeated, textValues } from "./memoryLookup";
import { ParquetLookup } from "./parquetLookup";
import { MadeColumn } from "./textColumn";

interface Part {
  readonly start: number;
  readonly filepath: string;
  readonly lookup: Lookup;
}

/** The shards one behind the other. */
export class ShardsLookup implements Lookup {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[] = [];
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[], { uuid, filepath }: KeyColumns) {
    this.#parts = parts;
    this.rows = parts.reduce((sum, { lookup }) => sum + lookup.rows, 0);
    this.columns = [uuid, filepath].map((name) => ({ name, type: "string", source: "lookup" }));
  }

  static async open(shards: readonly ShardPart[], columns: KeyColumns): Promise<ShardsLookup> {
    const parts: Part[] = [];
    let start = 0;
    for (const { filepath, metadata, keys } of shards) {
      const lookup = metadata === null ? ofKeys(keys, filepath) : await ofMetadata(metadata, columns);
      parts.push({ start, filepath, lookup });
      start += lookup.rows;
    }
    return new ShardsLookup(parts, columns);
  }

  async keys(start: number, stop: number): Promise<Keys> {
    const uuids: (string | null)[] = [];
    const filepaths: (string | null)[] = [];
    for (const { start: first, lookup, filepath } of this.#parts) {
      const [from, to] = [Math.max(start, first) - first, Math.min(stop, first + lookup.rows) - first];
      if (to <= from) continue;
      const keys = await lookup.keys(from, to);
      uuids.push(...keys.uuids);
      filepaths.push(...keys.uuids.map(() => filepath));
    }
    return { uuids, filepaths };
  }

  async *pass(start: number, wanted: Wanted): AsyncGenerator<Passed & { readonly endsPart: boolean }> {
    for (const { start: first, lookup, filepath } of this.#parts) {
      if (first + lookup.rows <= start) continue;
      const only = { uuid: true, filepath: false };
      for await (const piece of lookup.pass(Math.max(0, start - first), only)) {
        const paths = wanted.filepath ? repeated(filepath, piece.uuid.length) : piece.filepath;
        yield { ...piece, start: first + piece.start, filepath: paths };
      }
    }
  }

  async *values(_: string): AsyncGenerator<Values> {
    for (const { lookup, filepath } of this.#parts) yield textValues(repeated(filepath, lookup.rows));
  }

  close(): void {
    for (const { lookup } of this.#parts) lookup.close();
  }
}

function ofKeys(keys: readonly string[], filepath: string): Lookup {
  const uuids = new MadeColumn(keys.length, (row) => keys[row] ?? null);
  return new MemoryLookup(uuids, repeated(filepath, keys.length), [], async function* () {});
}

/** The metadata's column of uuids is called as in a lookup, or else `uuid`. */
async function ofMetadata(metadata: Parameters<typeof ParquetLookup.open>[0], { uuid }: KeyColumns): Promise<Lookup> {
  try {
    return await ParquetLookup.open(metadata, { uuid, filepath: uuid });
  } catch (error) {
    if (uuid === "uuid") throw error;
    return ParquetLookup.open(metadata, { uuid: "uuid", filepath: "uuid" });
  }
}
