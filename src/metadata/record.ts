/** One record of a metadata table as names, types and values that can be read. */

import type { Table } from "apache-arrow";
import { type FieldValue, valueAt } from "./values";

/** One column of a record. */
export interface MetadataField {
  readonly name: string;
  /** The column's type as it is stored, in Arrow's words. */
  readonly type: string;
  readonly value: FieldValue;
}

/** A column's name, and its type as it is stored. */
export type Column = Pick<MetadataField, "name" | "type">;

/**
 * Reads the one row of a table.
 *
 * @param table - A table of one row.
 * @param columns - Name and type of each column as they are stored; the table's own may be plainer.
 */
export function recordFields(table: Table, columns: readonly Column[]): readonly MetadataField[] {
  return columns.map(({ name, type }, index) => {
    const column = table.getChildAt(index);
    return {
      name,
      type,
      value: column === null ? { text: "null", kind: "null" } : valueAt(column, 0),
    };
  });
}
