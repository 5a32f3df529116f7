/** A lookup within the worker, whatever kind of file it is: its rows by number, and a way through all of them. */

import type { Column } from "../../source/api";
import type { FileRef } from "../fileRef";
import type { TextColumn } from "./textColumn";

/** What the key columns are called. */
export interface KeyColumns {
  readonly uuid: string;
  readonly filepath: string;
}

/** A shard that is its own lookup: with the names of its images, or its metadata, which has them. */
export interface ShardPart {
  readonly filepath: string;
  readonly metadata: FileRef | null;
  readonly keys: readonly string[];
}

/** Which lookup is spoken of: all that is needed to open it, also in a new worker. */
export interface LookupSpec {
  readonly id: number;
  readonly columns: KeyColumns;
  readonly from: { readonly table: FileRef } | { readonly shards: readonly ShardPart[] };
}

/** The keys of a range of rows. */
export interface Keys {
  readonly uuids: readonly (string | null)[];
  readonly filepaths: readonly (string | null)[];
}

/** Rows that are passed while all are gone through. */
export interface Passed {
  readonly start: number;
  readonly uuid: TextColumn;
  readonly filepath: TextColumn;
}

/** A column of any type that is gone through. */
export interface Values {
  readonly type: string;
  readonly kind: "texts" | "numbers" | "none";
  readonly length: number;
  value(row: number): string | number | bigint | null;
}

/** Which of the key columns are looked at; the other may come without its values. */
export type Wanted = Readonly<Record<"uuid" | "filepath", boolean>>;

/** A lookup that is open. */
export interface Lookup {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[];
  keys(start: number, stop: number): Promise<Keys>;
  /** Goes through all rows from one on; a piece that ends a part which is read as one says so. */
  pass(start: number, wanted: Wanted): AsyncGenerator<Passed & { readonly endsPart: boolean }>;
  /** Goes through a column. */
  values(column: string): AsyncGenerator<Values>;
  close(): void;
}

/** A column in which no row has a text. */
export function noTexts(length: number): TextColumn {
  return { length, text: () => null, tester: () => () => false };
}
