/** What a shared page holds, read out of the page's own elements; the twin of `h5explorer_py/share`. */

import { ExplorerError } from "../errors";
import { type Fields, fieldsOf, isFields, numberOf, objectsOf, textOf, textsOf } from "../fields";

import type { Column } from "../metadata/record";

/** What is known of a picture; its bytes are at a place. */
export interface ArchivedImage {
  readonly key: string;
  readonly format: string;
  readonly mediaType: string;
  readonly source: string;
  readonly notes: readonly string[];
  readonly place: number;
}

/** What is known of a record; its values are a row of a table. */
export interface ArchivedRecord {
  readonly source: string;
  readonly matches: number;
  readonly table: number;
  readonly place: number;
}

/** One row, with its picture and its record, or why there is none. */
export interface ArchivedRow {
  readonly uuid: string | null;
  readonly filepath: string | null;
  readonly image: ArchivedImage | ExplorerError;
  readonly record: ArchivedRecord | ExplorerError;
}

/** The rows of a shared page. */
export interface Archive {
  readonly name: string;
  /** How many rows were to be shared. */
  readonly chosen: number;
  readonly rows: readonly ArchivedRow[];
  /** Name and type of the columns of each table of records. */
  readonly columns: readonly (readonly Column[])[];
  /** Gets the bytes of a picture. */
  readonly picture: (place: number) => Uint8Array<ArrayBuffer>;
  /** Gets a table of records, as an Arrow stream. */
  readonly table: (number: number) => Uint8Array<ArrayBuffer>;
}

/**
 * Reads what the page holds.
 *
 * @throws ExplorerError - `page_damaged`.
 */
export function archiveOf(page: Document): Archive {
  try {
    return read(page);
  } catch {
    throw damaged(); // cut short or changed: no kernel has sent it, which the reasons would blame
  }
}

function read(page: Document): Archive {
  const fields: unknown = JSON.parse(textAt(page, "rows"));
  if (!isFields(fields) || !Array.isArray(fields.columns)) throw damaged();
  const columns = fields.columns.map((each: unknown) => objectsOf({ each }, "each").map(columnOf));
  return {
    name: textOf(fields, "name"),
    chosen: numberOf(fields, "chosen"),
    rows: objectsOf(fields, "rows").map(rowOf),
    columns,
    picture: (place) => bytesOf(textAt(page, `picture-${place}`)),
    table: (number) => bytesOf(textAt(page, `table-${number}`)),
  };
}

function rowOf(fields: Fields): ArchivedRow {
  return {
    uuid: textOrNull(fields, "uuid"),
    filepath: textOrNull(fields, "filepath"),
    image: imageOf(fieldsOf(fields, "image")),
    record: recordOf(fieldsOf(fields, "record")),
  };
}

function imageOf(fields: Fields): ArchivedImage | ExplorerError {
  if (isFields(fields.error)) return errorOf(fields.error);
  return {
    key: textOf(fields, "key"),
    format: textOf(fields, "format"),
    mediaType: textOf(fields, "mediaType"),
    source: textOf(fields, "source"),
    notes: textsOf(fields, "notes"),
    place: numberOf(fields, "place"),
  };
}

function recordOf(fields: Fields): ArchivedRecord | ExplorerError {
  if (isFields(fields.error)) return errorOf(fields.error);
  return {
    source: textOf(fields, "source"),
    matches: numberOf(fields, "matches"),
    table: numberOf(fields, "table"),
    place: numberOf(fields, "place"),
  };
}

function columnOf(fields: Fields): Column {
  return { name: textOf(fields, "name"), type: textOf(fields, "type") };
}

/** An error as it was when the page was made: what could be done about it then cannot be done here. */
function errorOf(fields: Fields): ExplorerError {
  return new ExplorerError(textOf(fields, "code"), textOf(fields, "message"), "It was so when the page was made.");
}

function textOrNull(fields: Fields, name: string): string | null {
  return fields[name] === null ? null : textOf(fields, name);
}

function textAt(page: Document, id: string): string {
  const element = page.getElementById(id);
  if (element === null) throw damaged();
  return element.textContent ?? "";
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    throw damaged();
  }
}

function damaged(): ExplorerError {
  return new ExplorerError("page_damaged", "A part of this page is missing or damaged.", "Have it sent again.");
}
