/** Records of metadata files: the uuids of a file are kept, and what is decoded of its rows while there is room. */

import type { Table } from "apache-arrow";
import { ExplorerError } from "../../errors";
import { LruCache } from "../../lru";
import type { MetadataField } from "../../metadata/record";
import { valueAt } from "../../metadata/values";
import { type FileRef, nameOf, stateOf } from "../fileRef";
import { nearest } from "./names";
import { ParquetTable } from "./parquet";
import { equalTest } from "./query";
import { type TextColumn, textColumn } from "./textColumn";
import { typeName } from "./typeName";

/** Row groups up to so many bytes are decoded as a whole, and kept; of larger ones a row is. */
const WHOLE_BYTES = 24 << 20;
const TABLES_KEPT = 64 << 20;

/** Rows of the files whose uuids are kept; a file that has more is not read. */
const ROWS_KEPT = 2_000_000;

/** What is asked for. */
export interface RecordAsked {
  readonly ref: FileRef;
  readonly key: string;
  /** Names that the column of uuids may have, the likeliest first. */
  readonly uuidColumns: readonly string[];
}

/** A record that was found. */
export interface Found {
  readonly fields: readonly MetadataField[];
  readonly matches: number;
}

interface File {
  readonly table: ParquetTable;
  readonly keys: readonly { readonly start: number; readonly column: TextColumn }[];
}

/** Reads records. */
export class Records {
  readonly #files: LruCache<string, File>;
  readonly #opening = new Map<string, Promise<File>>();
  readonly #groups = new LruCache<string, Table>(TABLES_KEPT, bytesOf);

  /** @param rowsKept - Rows of the files whose uuids are kept. */
  constructor(rowsKept = ROWS_KEPT) {
    this.#files = new LruCache(rowsKept, ({ table }) => Math.max(1, table.rows));
  }

  /**
   * Gets the first record of a uuid.
   *
   * @throws ExplorerError - `metadata_unreadable`, `record_not_found`.
   */
  async record({ ref, key, uuidColumns }: RecordAsked): Promise<Found> {
    const { table, keys } = await this.#file(ref, uuidColumns);
    const is = equalTest(key);
    let [first, matches] = [-1, 0];
    for (const { start, column } of keys) {
      const fits = column.tester(is);
      for (let at = 0; at < column.length; at += 1) {
        if (!fits(at)) continue;
        if (matches === 0) first = start + at;
        matches += 1;
      }
    }
    if (matches === 0) {
      throw new ExplorerError("record_not_found", `${table.name} has no record of ${key}.`, "", { path: ref.path });
    }
    return { fields: await this.#fields(ref, table, first), matches };
  }

  async #file(ref: FileRef, uuidColumns: readonly string[]): Promise<File> {
    const name = `${stateOf(ref)} ${uuidColumns.join(" ")}`;
    const [held, asked] = [this.#files.get(name), this.#opening.get(name)];
    if (held !== undefined) return held;
    if (asked !== undefined) return asked;
    const opening = open(ref, uuidColumns)
      .then((file) => {
        this.#files.set(name, file);
        return file;
      })
      .finally(() => this.#opening.delete(name)); // where it failed, it may be there the next time
    this.#opening.set(name, opening);
    return opening;
  }

  async #fields(ref: FileRef, table: ParquetTable, row: number): Promise<readonly MetadataField[]> {
    const number = table.groupOf(row);
    const group = table.groups[number];
    if (group === undefined) throw unreadable(ref, "it has no rows");
    const at = row - group.start;
    if (group.bytes > WHOLE_BYTES) return fieldsOf(table, await oneRow(table, number, at), 0);
    const name = `${stateOf(ref)} ${number}`;
    const held = this.#groups.get(name);
    if (held !== undefined) return fieldsOf(table, held, at);
    const whole = await table.read({ group: number, offset: 0, rows: group.rows }).catch(() => null);
    if (whole === null) return fieldsOf(table, await oneRow(table, number, at), 0);
    this.#groups.set(name, whole);
    return fieldsOf(table, whole, at);
  }
}

async function open(ref: FileRef, uuidColumns: readonly string[]): Promise<File> {
  const table = await ParquetTable.open(ref, (reason) => unreadable(ref, reason));
  const names = table.schema.fields.map((field) => field.name);
  const found = uuidColumns.find((name) => names.includes(name));
  if (found === undefined) {
    const near = nearest(uuidColumns[0] ?? "uuid", names);
    const sentence = `${table.name} has no column '${uuidColumns[0]}'. It has: ${names.slice(0, 40).join(", ")}.`;
    throw new ExplorerError("metadata_unreadable", sentence, near === null ? "" : `The nearest is '${near}'.`);
  }
  if (table.rows > ROWS_KEPT) throw unreadable(ref, `it has more than ${ROWS_KEPT.toLocaleString("en-US")} records`);
  const keys: { readonly start: number; readonly column: TextColumn }[] = [];
  let start = 0;
  for (const [group, { rows }] of table.groups.entries()) {
    const vector = (await table.read({ group, offset: 0, rows, columns: [found] })).getChild(found);
    if (vector !== null) keys.push({ start, column: textColumn(vector) });
    start += rows;
  }
  return { table, keys };
}

/** Reads one row; where the reader does not know the type of a column, that column is left out. */
async function oneRow(table: ParquetTable, group: number, offset: number): Promise<readonly (Table | null)[]> {
  const row = { group, offset, rows: 1 };
  const each = table.schema.fields.map(({ name }) => table.read({ ...row, columns: [name] }).catch(() => null));
  return Promise.all(each);
}

/** Reads the fields of a row out of a table of all columns, or out of tables of one each. */
function fieldsOf(of: ParquetTable, from: Table | readonly (Table | null)[], row: number): readonly MetadataField[] {
  return of.schema.fields.map(({ name, type }, index) => {
    const column = "getChildAt" in from ? from.getChildAt(index) : (from[index]?.getChildAt(0) ?? null);
    const value = column === null ? { text: "not shown by a page", kind: "null" as const } : valueAt(column, row);
    return { name, type: typeName(type), value };
  });
}

function bytesOf(table: Table): number {
  return table.data.reduce((sum, data) => sum + data.byteLength, 0);
}

function unreadable(ref: FileRef, reason: string): ExplorerError {
  return new ExplorerError("metadata_unreadable", `${nameOf(ref)} cannot be read: ${reason}.`, "", { path: ref.path });
}
