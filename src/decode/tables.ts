/**
 * Tables that arrive as Parquet, read into plain lists. The one place that knows parquet-wasm and Arrow.
 *
 * Built as a module of its own, which a page loads once for all its widgets.
 */

import { type Table, tableFromIPC } from "apache-arrow";
import initialize, { readParquet } from "parquet-wasm/esm";
import { type MetadataField, recordFields } from "../metadata/record";

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
   * @param types - The type of each column as it is stored; the table's own may be plainer.
   */
  record(parquet: Uint8Array<ArrayBuffer>, types: readonly string[]): readonly MetadataField[];
}

const decoder: TableDecoder = {
  async start(module) {
    await initialize({ module_or_path: module });
  },
  keys(parquet) {
    const table = read(parquet);
    return { uuids: texts(table, 0), filepaths: texts(table, 1) };
  },
  record(parquet, types) {
    return recordFields(read(parquet), types);
  },
};

export default decoder;

function read(parquet: Uint8Array<ArrayBuffer>): Table {
  return tableFromIPC(readParquet(parquet).intoIPCStream());
}

function texts(table: Table, column: number): (string | null)[] {
  const vector = table.getChildAt(column);
  const values: (string | null)[] = [];
  for (let row = 0; row < table.numRows; row += 1) {
    const value: unknown = vector?.get(row);
    values.push(typeof value === "string" ? value : null);
  }
  return values;
}
