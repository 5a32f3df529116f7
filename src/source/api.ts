/** The one interface through which the panels get data, whoever holds it: a kernel, a worker of the page, a test. */

import type { ExplorerError } from "../errors";
import type { MetadataField } from "../metadata/record";
import type { Ranges } from "../state/shared";

/** Rows of the lookup, from 0, half-open. */
export interface RowRange {
  readonly start: number;
  readonly stop: number;
}

/** The key columns of a range of rows; `null` where the lookup has none. */
export interface Rows {
  readonly start: number;
  readonly uuids: readonly (string | null)[];
  readonly filepaths: readonly (string | null)[];
  /** Sentences about what is odd in the lookup, as far as it has been read. */
  readonly notices: readonly string[];
}

/** An encoded picture as it is stored, and what is known of it. */
export interface EncodedImage {
  readonly row: number;
  readonly key: string;
  readonly format: string;
  readonly mediaType: string;
  readonly source: string;
  /** How long it took to get the bytes out of the file, in seconds. */
  readonly seconds: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly notes: readonly string[];
  /** Differs whenever the file that the bytes come from has changed. */
  readonly state: string;
}

/** The metadata of one image, in the order of its columns. */
export interface MetadataRecord {
  readonly row: number;
  readonly source: string;
  readonly fields: readonly MetadataField[];
  /** How many records have this uuid; the first is shown. */
  readonly matches: number;
}

/** What was had ahead of being asked for. */
export interface Ahead {
  readonly images: readonly EncodedImage[];
  readonly records: readonly MetadataRecord[];
}

/** What a search came to. */
export interface Found {
  /** The row, from 0; `null` where none matches. */
  readonly row: number | null;
  /** Whether the text was the row's number. */
  readonly byNumber: boolean;
}

/** How many rows match, as far as they have been looked at. */
export interface Counted {
  readonly count: number;
  /** The row up to which they have been looked at. */
  readonly stop: number;
}

/** How far the index of the lookup is: what makes any row and any uuid quick to find. */
export interface IndexProgress {
  readonly phase: IndexPhase;
  /** The part of the work that has been done, from 0 to 1. */
  readonly fraction: number;
  /** How many rows it holds. */
  readonly rows: number;
  /** The room that it takes on disk; 0 where that is not known. */
  readonly bytes: number;
  readonly folder: string;
  /** Why there is none, or what it waits for. */
  readonly message: string;
}

/** How far the work is that goes on behind what is shown. */
export interface Status {
  readonly index: IndexProgress;
  /** The part of a filter or order that has been worked out, from 0 to 1; `null` where none is. */
  readonly query: number | null;
  /** The part of the rows that have been written, from 0 to 1; `null` where none are. */
  readonly export: number | null;
}

/** What has been written. */
export interface Exported {
  readonly path: string;
  readonly rows: number;
  /** How many images and records could not be read. */
  readonly failed: number;
  readonly notices: readonly string[];
}

/** Rows with their pictures and metadata as one HTML page. */
export interface SharedPage {
  /** The name of its file. */
  readonly name: string;
  readonly html: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** How many rows were to be in it: there may have been room for fewer. */
  readonly chosen: number;
  /** How many pictures and records could not be had. */
  readonly failed: number;
}

/** A column that a filter may name. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly source: "lookup" | "metadata";
}

/** One value of a column. */
export interface ColumnValue {
  readonly text: string;
  /** The value as a condition has it. */
  readonly sql: string;
  /** How many rows have it. */
  readonly count: number;
}

/** What a column holds, of all rows of the lookup. */
export interface ColumnValues {
  readonly name: string;
  readonly kind: "values" | "numbers" | "none";
  /** How many rows have no value. */
  readonly nulls: number;
  /** How many different values there are; negative where that is not known. */
  readonly different: number;
  /** The most frequent values. */
  readonly values: readonly ColumnValue[];
  readonly low: number;
  readonly high: number;
  /** How many rows have a number in each of equal parts between the least and the greatest. */
  readonly bins: readonly number[];
  /** How many rows have a number that is infinite or none. */
  readonly notFinite: number;
}

/** Columns to sort by, the first before the second. */
export type Sort = readonly (readonly [column: string, direction: "asc" | "desc"])[];

/** What is being done about the index. */
export type IndexPhase = "off" | "waiting" | "packing" | "ready" | "stopped" | "failed";

/** A small copy of a picture. */
export interface EncodedThumbnail {
  readonly row: number;
  readonly mediaType: string;
  /** Its size in pixels. */
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Thumbnails of the rows that have one; why there is none of the others. */
export interface Thumbnails {
  readonly made: readonly EncodedThumbnail[];
  readonly missing: readonly { readonly row: number; readonly error: ExplorerError }[];
}

/** How a lookup was opened, in the words of Python's `Explorer`. */
export interface Options {
  /** Its path, a pattern or a list of them; `null` where it is no file, or too many. */
  readonly lookup: string | readonly string[] | null;
  /** Where the data is now, if it has moved: a folder, or a mapping of old prefixes to new ones. */
  readonly root: string | Readonly<Record<string, string>> | null;
  readonly uuidColumn: string;
  readonly filepathColumn: string;
  /** Whether its keys are packed; a text names the folder for that. */
  readonly cache: boolean | string;
}

/** What is open. */
export interface Opened {
  /** Differs for every lookup that is opened, and for every filter and order. */
  readonly dataset: number;
  readonly name: string;
  readonly location: string;
  /** The rows that are shown. */
  readonly records: number;
  /** All rows of the lookup. */
  readonly total: number;
  /** Whether rows are still being counted: there are more and more of them. */
  readonly counting: boolean;
  /** The condition that they meet; empty where all are shown. */
  readonly filter: string;
  readonly sort: Sort;
  readonly notices: readonly string[];
  readonly index: IndexProgress;
  readonly options: Options;
}

/**
 * Gives out what the panels show. Every method rejects with an `ExplorerError`: `cancelled` when its signal fires,
 * `stale_dataset` when another lookup has been opened meanwhile.
 */
export interface Source {
  /** Whether a kernel holds the data: without one there are no filters and orders, and nothing is written. */
  readonly hasKernel: boolean;
  /** Whether another lookup can be opened. */
  readonly opensOthers: boolean;
  rows(dataset: number, range: RowRange, signal: AbortSignal): Promise<Rows>;
  /** Counts the different filepaths. */
  filepaths(dataset: number, signal: AbortSignal): Promise<number>;
  /**
   * Gets a picture that a page can show; `null` where the file is still in the state that is known.
   *
   * @param known - The state in which the page has the picture already; `null` if it has not.
   */
  image(dataset: number, row: number, known: string | null, signal: AbortSignal): Promise<EncodedImage | null>;
  /** Gets the bytes of a picture whatever they are. */
  original(dataset: number, row: number, signal: AbortSignal): Promise<EncodedImage>;
  /**
   * Gets those of the pictures that can be shown, and those of the records that there are.
   *
   * @param room - How many bytes they may take together.
   * @param onlyOpen - Leaves out what lies in a file that has not been opened yet.
   */
  ahead(dataset: number, rows: readonly number[], room: number, onlyOpen: boolean, signal: AbortSignal): Promise<Ahead>;
  /**
   * Gets small copies of up to 64 pictures, turned as their EXIF orientation says.
   *
   * @param size - How long the longer side is at most, from 64 to 512 pixels; smaller pictures are not enlarged.
   */
  thumbnails(dataset: number, rows: readonly number[], size: number, signal: AbortSignal): Promise<Thumbnails>;
  metadata(dataset: number, row: number, signal: AbortSignal): Promise<MetadataRecord>;
  /** Finds the next row that matches, from behind `after` and round again. */
  find(dataset: number, text: string, after: number | null, signal: AbortSignal): Promise<Found>;
  /** Counts the rows that match, from a row on; in a large lookup not to its end, so that it is asked again. */
  count(dataset: number, text: string, start: number, signal: AbortSignal): Promise<Counted>;
  /** Tells how far the work behind is, after the index has been stopped or begun where that is wished. */
  status(dataset: number, wish: "stop" | "begin" | null, signal: AbortSignal): Promise<Status>;
  /** Shows the rows that meet a condition, in an order; where that is refused, what is shown stays. */
  show(filter: string, sort: Sort, signal: AbortSignal): Promise<Opened>;
  /**
   * Writes the rows that are shown, or some of them, where the kernel is.
   *
   * @param ranges - Half-open ranges of rows; `null` for all.
   * @param overwrite - Replaces what is there, where it was written so before.
   */
  export(
    dataset: number,
    path: string,
    ranges: Ranges | null,
    overwrite: boolean,
    signal: AbortSignal,
  ): Promise<Exported>;
  /**
   * Makes a page of the rows that are shown, or of some of them.
   *
   * @param ranges - Half-open ranges of rows; `null` for all.
   */
  share(dataset: number, ranges: Ranges | null, signal: AbortSignal): Promise<SharedPage>;
  /** Names the columns that a filter may name. */
  columns(dataset: number, signal: AbortSignal): Promise<readonly Column[]>;
  /** Looks through a column. */
  values(dataset: number, column: string, signal: AbortSignal): Promise<ColumnValues>;
  /** Opens another lookup; where it is refused the present one stays. */
  open(path: string, signal: AbortSignal): Promise<Opened>;
}
