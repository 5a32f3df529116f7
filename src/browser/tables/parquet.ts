/** A Parquet file that is read by row groups, as far as it is asked for: never the whole of a large one. */

import { DataType, type Schema, Table, tableFromIPC, type Vector } from "apache-arrow";
import { ParquetFile, readParquet } from "parquet-wasm/esm";
import { ExplorerError } from "../../errors";
import { type FileRef, nameOf } from "../fileRef";
import { Pages } from "./pages";
import { RemoteBlob } from "./remoteBlob";
import { lastly } from "./turns";
import { typeName } from "./typeName";

/** A part of the file that is read as one. */
export interface RowGroup {
  readonly start: number;
  readonly rows: number;
  /** How many bytes its values take, decoded. */
  readonly bytes: number;
}

/** What is read of the file. */
export interface Part {
  readonly group: number;
  /** Rows of the group that are left out at its beginning. */
  readonly offset: number;
  readonly rows: number;
  /** The names of the columns; all without. */
  readonly columns?: readonly string[];
}

/** Rows in one piece of what is decoded. */
const BATCH = 65_536;

/** Rows in one piece of what is gone through: others wait for as long as one takes. */
const PIECE = 32_768;

/** Row groups that decode to no more bytes are not cut: they are read in a moment. */
export const SMALL_GROUP = 4 << 20;

/** Bytes of one row group above which it is not read into a page as a whole. */
const LARGEST_GROUP = 2 ** 30;

/** An open file. */
export class ParquetTable {
  readonly name: string;
  readonly rows: number;
  readonly schema: Schema;
  readonly groups: readonly RowGroup[];
  readonly #file: ParquetFile;
  readonly #blob: Blob;
  readonly #pages: Pages;

  private constructor(name: string, file: ParquetFile, blob: Blob, pages: Pages) {
    this.name = name;
    this.#file = file;
    this.#blob = blob;
    this.#pages = pages;
    const metadata = file.metadata();
    const groups: RowGroup[] = [];
    let start = 0;
    for (const group of metadata.rowGroups()) {
      groups.push({ start, rows: group.numRows(), bytes: group.totalByteSize() });
      start += group.numRows();
      group.free();
    }
    metadata.free();
    this.rows = start;
    this.groups = groups;
    this.schema = tableFromIPC(file.schema().intoIPCStream()).schema;
  }

  /**
   * Reads a file's footer.
   *
   * @param byWindows - Whether windows of it will be read.
   * @throws ExplorerError - As `refuse` makes it of the reason.
   */
  static async open(ref: FileRef, refuse: (reason: string) => ExplorerError, byWindows = false): Promise<ParquetTable> {
    const blob = ref.kind === "dropped" ? ref.file : new RemoteBlob(ref);
    const pages = new Pages(
      async (start, stop) => new Uint8Array(await blob.slice(start, stop).arrayBuffer()),
      blob.size,
    );
    if (byWindows) void pages.prepare();
    try {
      return new ParquetTable(nameOf(ref), await ParquetFile.fromFile(blob), blob, pages);
    } catch (error) {
      throw causeOf(blob) ?? (isCrash(error) ? error : refuse(reasonOf(error)));
    }
  }

  /** The number of the group that holds a row. */
  groupOf(row: number): number {
    let [low, high] = [0, this.groups.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.groups[middle]?.start ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Reads some rows of a group. */
  read({ group, offset, rows, columns }: Part): Promise<Table> {
    return this.#asked(async () => {
      const options = { rowGroups: [group], offset, limit: rows, batchSize: BATCH };
      const table = await this.#file.read(columns === undefined ? options : { ...options, columns: [...columns] });
      return tableFromIPC(table.intoIPCStream());
    });
  }

  /**
   * Reads a column of some rows of a group from the pages that hold them.
   *
   * @returns Nothing where they are to be read with the whole group.
   */
  async window(column: string, { group, offset, rows }: Omit<Part, "columns">): Promise<Vector | null> {
    const found = await this.#asked(() => this.#pages.window(group, column, offset, rows));
    if (found === null) return null;
    try {
      const options = { offset: found.skipped, limit: rows, batchSize: BATCH };
      const vector = tableFromIPC(readParquet(found.file, options).intoIPCStream()).getChild(column);
      const type = this.schema.fields.find(({ name }) => name === column)?.type;
      return type !== undefined && vector?.length === rows && isAlike(type, vector.type) ? vector : null;
    } catch (error) {
      if (isCrash(error)) throw error;
      return null; // what is wrong with them is said when the whole is read
    }
  }

  /**
   * Reads a group piece by piece, each when nobody waits for anything else.
   *
   * @throws ExplorerError - `too_large` where that is only possible by all of a group that is too large.
   */
  async *stream(group: number, columns: readonly string[]): AsyncGenerator<Table> {
    const { rows = 0, bytes = 0 } = this.groups[group] ?? {};
    let offset = 0;
    while (bytes > SMALL_GROUP && offset < rows) {
      await lastly();
      const part = { group, offset, rows: Math.min(PIECE, rows - offset) };
      const found: Record<string, Vector> = {};
      for (const column of columns) {
        const vector = await this.window(column, part);
        if (vector !== null) found[column] = vector;
      }
      if (Object.keys(found).length < columns.length) break;
      yield new Table(found);
      offset += part.rows;
    }
    if (offset < rows) yield* this.#streamWhole(group, columns, offset);
  }

  /** Has the decoder go through a group, which it decodes as a whole before it gives the first piece. */
  async *#streamWhole(group: number, columns: readonly string[], skipped: number): AsyncGenerator<Table> {
    this.checkGroup(group);
    const options = { rowGroups: [group], batchSize: PIECE, columns: [...columns], concurrency: 1 };
    await lastly();
    const stream: ReadableStream<{ intoIPCStream(): Uint8Array }> = await this.#asked(() => this.#file.stream(options));
    const reader = stream.getReader();
    let at = 0;
    try {
      for (;;) {
        await lastly();
        const { done, value } = await this.#asked(() => reader.read());
        if (done) return;
        const table = tableFromIPC(value.intoIPCStream());
        const begin = at;
        at += table.numRows;
        if (at > skipped) yield begin >= skipped ? table : table.slice(skipped - begin);
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  /** Refuses a group that is too large to be read as one. */
  checkGroup(group: number): void {
    if ((this.groups[group]?.bytes ?? 0) <= LARGEST_GROUP) return;
    throw new ExplorerError(
      "too_large",
      `${this.name} is written in parts of more than 1 GB, which a page does not hold.`,
      "Open it with `h5explorer open` or in a notebook.",
    );
  }

  async #asked<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      if (isCrash(error)) throw error;
      const cause = causeOf(this.#blob);
      if (cause !== null) throw cause;
      throw new ExplorerError(
        "table_unreadable",
        `${this.name} cannot be read: ${reasonOf(error)}.`,
        "It may be damaged.",
      );
    }
  }
}

/** Whether values cut out are of the column's type: what Arrow alone knows of it is not told in its pages. */
function isAlike(type: DataType, cut: DataType): boolean {
  return typeName(type) === typeName(cut) || (isText(type) && isText(cut));
}

function isText(type: DataType): boolean {
  return (
    DataType.isUtf8(type) || DataType.isLargeUtf8(type) || (DataType.isDictionary(type) && isText(type.dictionary))
  );
}

/** Whether an error means that the decoder's memory is in disorder. */
export function isCrash(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function causeOf(blob: Blob): ExplorerError | null {
  return blob instanceof RemoteBlob ? blob.takeCause() : null;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, "");
}
