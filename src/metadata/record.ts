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

/**
 * Reads the one row of a table.
 *
 * @param table - A table of one row.
 * @param types - The type of each column as it is stored; the table's own may be plainer.
 */
export function recordFields(table: Table, types: readonly string[]): readonly MetadataField[] {
  return table.schema.fields.map((field, index) => {
    const column = table.getChildAt(index);
    return {
      name: field.name,
      type: types[index] ?? String(field.type),
      value: column === null ? { text: "null", kind: "null" } : valueAt(column, 0),
    };
  });
}
