/**
 * Tables that arrive as Parquet, read into plain lists. The one place that knows parquet-wasm and Arrow.
 *
 * Built as a module of its own, which a page loads once for all its widgets.
 */

import { type Table, tableFromIPC } from "apache-arrow";
import initialize, { readParquet } from "parquet-wasm/esm";
import { type Column, type MetadataField, recordFields } from "../metadata/record";
import { columnText } from "../metadata/values";

/** The key columns of a window of rows. */
export interface Keys {
  readonly uuids: readonly (string | null)[];
  readonly filepaths: readonly (string | null)[];
}

/** Reads what the kernel sends. */
export interface TableDecoder {
  /** Starts the WebAssembly; nothing can be read before. */
  start(module: WebAssembly.Module): Promise<void>;
  /** Reads a window of rows: its first column is the uuid, its second the filepath. */
  keys(parquet: Uint8Array<ArrayBuffer>): Keys;
  /**
   * Reads a table of one row.
   *
   * @param columns - Name and type of each column as they are stored; the table's own may be plainer.
   */
  record(parquet: Uint8Array<ArrayBuffer>, columns: readonly Column[]): readonly MetadataField[];
}

const decoder: TableDecoder = {
  async start(module) {
    await initialize({ module_or_path: module });
  },
  keys(parquet) {
    const table = read(parquet);
    return { uuids: texts(table, 0), filepaths: texts(table, 1) };
  },
  record(parquet, columns) {
    return recordFields(read(parquet), columns);
  },
};

export default decoder;

function read(parquet: Uint8Array<ArrayBuffer>): Table {
  return tableFromIPC(readParquet(parquet).intoIPCStream());
}

function texts(table: Table, column: number): (string | null)[] {
  const vector = table.getChildAt(column);
  return Array.from({ length: table.numRows }, (_, row) => (vector === null ? null : columnText(vector, row)));
}
