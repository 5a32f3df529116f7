/** A lookup that is a Parquet file. */

import { DataType, type Table, type Vector } from "apache-arrow";
import { ExplorerError } from "../../errors";
import { LruCache } from "../../lru";
import { columnText } from "../../metadata/values";
import type { Column } from "../../source/api";
import type { FileRef } from "../fileRef";
import { type KeyColumns, type Keys, type Lookup, noTexts, type Passed, type Values, type Wanted } from "./lookup";
import { checkNames } from "./names";
import { ParquetTable, SMALL_GROUP } from "./parquet";
import { canBeText, type TextColumn, textColumn } from "./textColumn";
import { typeName } from "./typeName";

/** Rows that are decoded at once where a window costs a row group's whole columns to read. */
const SEGMENT = 65_536;

/** Rows that are decoded at once where their pages alone are read. */
const WINDOW = 4_096;

/** Bytes of decoded rows that are kept. */
const KEPT_BYTES = 64 << 20;

/** Rows of a group that are read together. */
interface Stretch {
  readonly name: string;
  readonly group: number;
  readonly offset: number;
  readonly length: number;
}

interface Segment {
  readonly start: number;
  readonly uuid: TextColumn;
  readonly filepath: TextColumn;
  readonly bytes: number;
}

/** Reads its rows by row groups. */
export class ParquetLookup implements Lookup {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[] = [];
  readonly #table: ParquetTable;
  readonly #names: KeyColumns;
  readonly #segments = new LruCache<string, Segment>(KEPT_BYTES, (segment) => segment.bytes);
  readonly #reading = new Map<string, Promise<Segment | null>>();

  private constructor(table: ParquetTable, names: KeyColumns) {
    this.#table = table;
    this.#names = names;
    this.rows = table.rows;
    this.columns = table.schema.fields.map((field) => ({
      name: field.name,
      type: typeName(field.type),
      source: "lookup",
    }));
  }

  /**
   * Opens it.
   *
   * @throws ExplorerError - `lookup_unreadable`, `wrong_columns`, or why the file cannot be reached.
   */
  static async open(ref: FileRef, names: KeyColumns): Promise<ParquetLookup> {
    const table = await ParquetTable.open(
      ref,
      (reason) => new ExplorerError("lookup_unreadable", `${ref.path} cannot be read as Parquet: ${reason}.`),
      true,
    );
    const found = table.schema.fields.map((field) => field.name);
    checkNames(found, names, table.name);
    for (const wanted of new Set([names.uuid, names.filepath])) {
      const type = table.schema.fields.find((field) => field.name === wanted)?.type;
      if (type !== undefined && !canBeText(type)) {
        const sentence = `The column '${wanted}' of ${table.name} holds values of type ${typeName(type)}; text is needed.`;
        throw new ExplorerError("wrong_columns", sentence);
      }
    }
    return new ParquetLookup(table, names);
  }

  async keys(start: number, stop: number): Promise<Keys> {
    const uuids: (string | null)[] = [];
    const filepaths: (string | null)[] = [];
    for (let row = start; row < Math.min(stop, this.rows); ) {
      const segment = await this.#segment(row);
      const end = Math.min(stop, segment.start + segment.uuid.length);
      if (end <= row) throw new ExplorerError("lookup_changed", `${this.#table.name} has fewer rows than it says.`);
      for (; row < end; row += 1) {
        uuids.push(segment.uuid.text(row - segment.start));
        filepaths.push(segment.filepath.text(row - segment.start));
      }
    }
    return { uuids, filepaths };
  }

  async *pass(start: number, wanted: Wanted): AsyncGenerator<Passed & { readonly endsPart: boolean }> {
    const columns = this.#columns(wanted);
    const { groups } = this.#table;
    for (let number = this.#table.groupOf(start); number < groups.length; number += 1) {
      const group = groups[number];
      if (group === undefined || group.rows === 0) continue;
      let at = group.start;
      for await (const table of this.#table.stream(number, columns)) {
        const end = at + table.numRows;
        if (end > start) {
          const skipped = Math.max(0, start - at);
          const part = skipped > 0 ? table.slice(skipped) : table;
          const endsPart = end >= group.start + group.rows;
          yield { start: at + skipped, ...this.#keysOf(part, wanted), endsPart };
        }
        at = end;
      }
    }
  }

  async *values(column: string): AsyncGenerator<Values> {
    for (const number of this.#table.groups.keys()) {
      for await (const table of this.#table.stream(number, [column])) {
        const vector = table.getChild(column);
        if (vector !== null) yield valuesOf(vector);
      }
    }
  }

  close(): void {
    this.#segments.clear();
  }

  #columns(wanted: Wanted): readonly string[] {
    const { uuid, filepath } = this.#names;
    return [...new Set([...(wanted.uuid ? [uuid] : []), ...(wanted.filepath ? [filepath] : [])])];
  }

  #keysOf(table: Table, wanted: Wanted): Pick<Passed, "uuid" | "filepath"> {
    const column = (name: string, is: boolean) => {
      const vector = is ? table.getChild(name) : null;
      return vector === null ? noTexts(table.numRows) : textColumn(vector);
    };
    return { uuid: column(this.#names.uuid, wanted.uuid), filepath: column(this.#names.filepath, wanted.filepath) };
  }

  async #segment(row: number): Promise<Segment> {
    const group = this.#table.groupOf(row);
    const at = row - (this.#table.groups[group]?.start ?? 0);
    const isSmall = (this.#table.groups[group]?.bytes ?? 0) <= SMALL_GROUP;
    const [narrow, wide] = [stretchOf(group, at, WINDOW), stretchOf(group, at, SEGMENT)];
    const held = this.#segments.get(narrow.name) ?? this.#segments.get(wide.name);
    if (held !== undefined) return held;
    const found = isSmall ? null : await this.#once(narrow, () => this.#window(narrow));
    if (found !== null) return found;
    const whole = await this.#once(wide, () => this.#read(wide));
    if (whole === null) throw new ExplorerError("internal", `${this.#table.name} has no such rows.`);
    return whole;
  }

  /** Reads a stretch once for all who ask for it meanwhile, and keeps what it has. */
  #once({ name }: Stretch, read: () => Promise<Segment | null>): Promise<Segment | null> {
    const held = this.#reading.get(name);
    if (held !== undefined) return held;
    const reading = read()
      .then((segment) => {
        if (segment !== null) this.#segments.set(name, segment);
        return segment;
      })
      .finally(() => this.#reading.delete(name));
    this.#reading.set(name, reading);
    return reading;
  }

  /** Reads a stretch from its pages; `null` where that is not possible. */
  async #window({ group, offset, length }: Stretch): Promise<Segment | null> {
    const { start, rows } = this.#table.groups[group] ?? { start: 0, rows: 0 };
    const part = { group, offset, rows: Math.min(length, rows - offset) };
    const { uuid: one, filepath: other } = this.#names;
    const found = await Promise.all([one, other].map((name) => this.#table.window(name, part)));
    const [uuid, filepath] = found;
    if (!uuid || !filepath) return null;
    const bytes = uuid.byteLength + filepath.byteLength;
    return { start: start + offset, uuid: textColumn(uuid), filepath: textColumn(filepath), bytes };
  }

  /** Reads a stretch with all of its row group. */
  async #read({ group, offset, length }: Stretch): Promise<Segment> {
    const { start, rows } = this.#table.groups[group] ?? { start: 0, rows: 0 };
    this.#table.checkGroup(group);
    const both = { uuid: true, filepath: true };
    const part = { group, offset, rows: Math.min(length, rows - offset) };
    const table = await this.#table.read({ ...part, columns: this.#columns(both) });
    return { start: start + offset, ...this.#keysOf(table, both), bytes: bytesOf(table) };
  }
}

function stretchOf(group: number, row: number, length: number): Stretch {
  const offset = Math.floor(row / length) * length;
  return { name: `${group} ${offset} ${length}`, group, offset, length };
}

function bytesOf(table: Table): number {
  return table.data.reduce((sum, data) => sum + data.byteLength, 0);
}

function valuesOf(vector: Vector): Values {
  const type: DataType = vector.type;
  const plain = DataType.isDictionary(type) ? type.dictionary : type;
  const isNumber = DataType.isInt(plain) || DataType.isFloat(plain);
  const isText = DataType.isUtf8(plain) || DataType.isLargeUtf8(plain) || DataType.isBool(plain);
  return {
    type: typeName(type),
    kind: isNumber ? "numbers" : isText ? "texts" : "none",
    length: vector.length,
    value: (row) => {
      const value: unknown = DataType.isUtf8(type) ? columnText(vector, row) : vector.get(row);
      return typeof value === "string" || typeof value === "number" || typeof value === "bigint"
        ? value
        : value === null
          ? null
          : String(value);
    },
  };
}
