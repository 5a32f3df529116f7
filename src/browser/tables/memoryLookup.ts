/** A lookup whose keys are held: those of a small CSV, or of a shard that has no metadata. */

import type { Column } from "../../source/api";
import type { Keys, Lookup, Passed, Values, Wanted } from "./lookup";
import { MadeColumn, type TextColumn } from "./textColumn";
import { lastly } from "./turns";

/** Rows that are passed at a time. */
const PIECE = 65_536;

/** Keys in memory, and the way to the other columns. */
export class MemoryLookup implements Lookup {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[];
  readonly #uuid: TextColumn;
  readonly #filepath: TextColumn;
  readonly #values: (column: string) => AsyncGenerator<Values>;

  constructor(
    uuid: TextColumn,
    filepath: TextColumn,
    columns: readonly Column[],
    values: (column: string) => AsyncGenerator<Values>,
    notices: readonly string[] = [],
  ) {
    this.rows = uuid.length;
    this.#uuid = uuid;
    this.#filepath = filepath;
    this.columns = columns;
    this.#values = values;
    this.notices = notices;
  }

  keys(start: number, stop: number): Promise<Keys> {
    const rows = Array.from({ length: Math.max(0, Math.min(stop, this.rows) - start) }, (_, at) => start + at);
    return Promise.resolve({
      uuids: rows.map((row) => this.#uuid.text(row)),
      filepaths: rows.map((row) => this.#filepath.text(row)),
    });
  }

  async *pass(start: number, _: Wanted): AsyncGenerator<Passed & { readonly endsPart: boolean }> {
    for (let at = start; at < this.rows; at += PIECE) {
      await lastly();
      const rows = Math.min(PIECE, this.rows - at);
      yield { start: at, uuid: cut(this.#uuid, at, rows), filepath: cut(this.#filepath, at, rows), endsPart: true };
    }
  }

  values(column: string): AsyncGenerator<Values> {
    return this.#values(column);
  }

  close(): void {}
}

/** Some rows of a column. */
export function cut(column: TextColumn, start: number, length: number): TextColumn {
  return {
    length,
    text: (row) => column.text(start + row),
    tester: (test) => {
      const passes = column.tester(test);
      return (row) => passes(start + row);
    },
  };
}

/** A column of one text again and again. */
export function repeated(text: string, length: number): TextColumn {
  const one = new MadeColumn(1, () => text);
  return {
    length,
    text: () => text,
    tester: (test) => {
      const passes = one.tester(test)(0);
      return () => passes;
    },
  };
}

/** Texts of a column, as values to choose by. */
export function textValues(column: TextColumn): Values {
  return { type: "string", kind: "texts", length: column.length, value: (row) => column.text(row) };
}
