/** The footer of a Parquet file, as far as it tells where the pages of a flat column are. */

import {
  type Fields,
  i32,
  i64,
  intIn,
  struct,
  structIn,
  structs,
  structsIn,
  ThriftReader,
  textOf,
  texts,
  textsIn,
  type Value,
  written,
} from "./thrift";

/** Where a column's values of one row group are. */
export interface Chunk {
  /** How the column is described. */
  readonly element: Value;
  readonly name: string;
  /** The version of the format, and who wrote the file. */
  readonly about: { readonly version: number; readonly createdBy: Value | null };
  readonly meta: Fields;
  readonly rows: number;
  readonly start: number;
  readonly stop: number;
  /** Where its pages are listed, if that is so. */
  readonly index: { readonly start: number; readonly stop: number } | null;
}

/** Kinds of values whose columns are cut: 32 and 64 bits, bytes of any length, and of a fixed one. */
const PHYSICAL = new Set([1, 2, 6, 7]);

const [REQUIRED, OPTIONAL] = [0, 1];

/** Reads it, and the row groups as they are asked for. */
export class Footer {
  readonly #bytes: Uint8Array;
  readonly #size: number;
  readonly #schema: readonly Fields[] = [];
  readonly #groups: readonly number[] = [];
  readonly #about: Chunk["about"];

  /**
   * @param bytes - The footer's own.
   * @param size - The file's, before the footer.
   * @throws NoThrift - Where it is none.
   */
  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#size = size;
    const reader = new ThriftReader(bytes);
    const found: { schema: readonly Fields[]; groups: readonly number[]; version: number } = {
      schema: [],
      groups: [],
      version: 1,
    };
    reader.each((id) => {
      if (id === 1) found.version = reader.int();
      else if (id === 2) found.schema = structsIn(new Map([[2, reader.list()]]), 2);
      else if (id === 4) found.groups = reader.places();
      else return false;
      return true;
    });
    this.#schema = found.schema;
    this.#groups = found.groups;
    this.#about = { version: found.version, createdBy: null };
  }

  /** The values of a column in a row group; `null` where it is not flat, or anything about it is unusual. */
  chunk(group: number, name: string): Chunk | null {
    const place = this.#groups[group];
    const column = this.#column(name);
    if (place === undefined || column === null) return null;
    const fields = new ThriftReader(this.#bytes, place).struct();
    const rows = intIn(fields, 3);
    const chunk = structsIn(fields, 1)[column.leaf];
    const meta = chunk === undefined ? null : structIn(chunk, 3);
    if (rows === null || chunk === undefined || meta === null) return null;
    if (chunk.has(1) || chunk.has(8) || chunk.has(9)) return null; // in another file, or encrypted
    const path = textsIn(meta, 3);
    if (path.length !== 1 || path[0] !== name || intIn(meta, 5) !== rows) return null;
    if (intIn(meta, 1) !== intIn(column.element, 1)) return null;
    const [data, dictionary, length] = [intIn(meta, 9), intIn(meta, 11), intIn(meta, 7)];
    if (data === null || length === null) return null;
    const start = dictionary !== null && dictionary > 0 && dictionary < data ? dictionary : data;
    if (start < 4 || length < 1 || data >= start + length || start + length > this.#size) return null;
    const [at, long] = [intIn(chunk, 4), intIn(chunk, 5)];
    const hasIndex = at !== null && long !== null && at >= 4 && long > 0 && at + long <= this.#size;
    const index = hasIndex ? { start: at, stop: at + long } : null;
    const element: Value = { kind: "struct", fields: column.element };
    return { element, name, about: this.#about, meta, rows, start, stop: start + length, index };
  }

  /** A column that holds one value a row, or none; and which of all leaves it is. */
  #column(name: string): { readonly element: Fields; readonly leaf: number } | null {
    const [root, ...elements] = this.#schema;
    let [left, leaf] = [root === undefined ? 0 : (intIn(root, 5) ?? 0), 0];
    let found: { readonly element: Fields; readonly leaf: number } | null = null;
    const open: number[] = [];
    for (const element of elements) {
      const children = intIn(element, 5) ?? 0;
      if (open.length === 0) {
        left -= 1;
        if (textOf(element.get(4)) === name) {
          const [kind, repetition] = [intIn(element, 1), intIn(element, 3)];
          const isFlat = children === 0 && kind !== null && PHYSICAL.has(kind);
          if (found !== null || !isFlat || (repetition !== REQUIRED && repetition !== OPTIONAL)) return null;
          found = { element, leaf };
        }
      } else open.push((open.pop() ?? 1) - 1);
      if (children > 0) open.push(children);
      else leaf += 1;
      while (open.at(-1) === 0) open.pop();
    }
    return left === 0 && open.length === 0 ? found : null;
  }
}

/** Pages of one column. */
export interface Cut {
  /** The page of the dictionary that they refer to, if they do, and their own. */
  readonly parts: readonly Uint8Array[];
  readonly hasDictionary: boolean;
  readonly rows: number;
  /** How many bytes they take before they are packed. */
  readonly unpacked: number;
}

const MAGIC = new TextEncoder().encode("PAR1");

/**
 * Makes a Parquet file of some pages of a column.
 *
 * All numbers in its footer are those of what is there: a decoder takes them at their word, and comes to grief where a
 * page is missing.
 */
export function fileOf(
  { element, name, about, meta }: Chunk,
  { parts, hasDictionary, rows, unpacked }: Cut,
): Uint8Array {
  const text: Value = { kind: "bytes", value: new TextEncoder().encode(name) };
  const root: Value = { kind: "bytes", value: new TextEncoder().encode("schema") };
  const packed = parts.reduce((sum, part) => sum + part.length, 0);
  const data = MAGIC.length + (hasDictionary ? (parts[0]?.length ?? 0) : 0);
  const column = struct({
    1: meta.get(1) ?? null,
    2: meta.get(2) ?? null,
    3: texts([text]),
    4: meta.get(4) ?? null,
    5: i64(rows),
    6: i64(unpacked),
    7: i64(packed),
    9: i64(data),
    11: hasDictionary ? i64(MAGIC.length) : null,
  });
  const group = struct({ 1: structs([struct({ 2: i64(MAGIC.length), 3: column })]), 2: i64(unpacked), 3: i64(rows) });
  const footer = struct({
    1: i32(about.version),
    2: structs([struct({ 4: root, 5: i32(1) }), element]),
    3: i64(rows),
    4: structs([group]),
    6: about.createdBy,
  });
  const end = written(footer.kind === "struct" ? footer.fields : new Map());
  const file = new Uint8Array(packed + end.length + 12);
  let at = 0;
  for (const part of [MAGIC, ...parts, end]) {
    file.set(part, at);
    at += part.length;
  }
  new DataView(file.buffer).setUint32(at, end.length, true);
  file.set(MAGIC, at + 4);
  return file;
}
