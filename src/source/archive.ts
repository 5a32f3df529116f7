/** The source of a shared page: the rows, pictures and records that are in the page itself. */

import { type Table, tableFromIPC } from "apache-arrow";
import { makeThumbnail } from "../browser/pictures/thumbnail";
import { MemoryLookup, textValues } from "../browser/tables/memoryLookup";
import { parseQuery } from "../browser/tables/query";
import { count, countFilepaths, find } from "../browser/tables/search";
import { MadeColumn } from "../browser/tables/textColumn";
import { asExplorerError, ExplorerError } from "../errors";
import { recordFields } from "../metadata/record";
import type { Archive, ArchivedImage } from "../share/archive";
import type {
  Ahead,
  Column,
  ColumnValues,
  Counted,
  EncodedImage,
  EncodedThumbnail,
  Exported,
  Found,
  MetadataRecord,
  Opened,
  RowRange,
  Rows,
  SharedPage,
  Source,
  Status,
  Thumbnails,
} from "./api";
import { NO_INDEX } from "./noIndex";

const DATASET = 1;

/** Gives out what a page holds. */
export class ArchiveSource implements Source {
  readonly hasKernel = false;
  readonly opensOthers = false;
  readonly #archive: Archive;
  readonly #lookup: MemoryLookup;
  readonly #tables = new Map<number, Table>();

  constructor(archive: Archive) {
    this.#archive = archive;
    const { rows } = archive;
    const uuid = new MadeColumn(rows.length, (row) => rows[row]?.uuid ?? null);
    const filepath = new MadeColumn(rows.length, (row) => rows[row]?.filepath ?? null);
    this.#lookup = new MemoryLookup(uuid, filepath, [], async function* () {
      yield textValues(filepath);
    });
  }

  /** What the page holds. */
  describe(): Opened {
    const { name, chosen, rows } = this.#archive;
    const count = (number: number) => number.toLocaleString("en-US");
    const part = `This page has the first ${count(rows.length)} of ${count(chosen)} rows that were chosen.`;
    return {
      dataset: DATASET,
      name,
      location: name,
      records: rows.length,
      total: rows.length,
      counting: false,
      filter: "",
      sort: [],
      notices: rows.length < chosen ? [part] : [],
      index: NO_INDEX,
      options: { lookup: null, root: null, uuidColumn: "uuid", filepathColumn: "filepath", cache: false },
    };
  }

  async rows(_dataset: number, { start, stop }: RowRange): Promise<Rows> {
    return { start, ...(await this.#lookup.keys(start, stop)), notices: this.describe().notices };
  }

  async filepaths(_dataset: number, signal: AbortSignal): Promise<number> {
    return countFilepaths(this.#lookup, signal);
  }

  async image(_dataset: number, row: number, known: string | null): Promise<EncodedImage | null> {
    return known === "" ? null : this.#encoded(row); // no file that it came from can change
  }

  async original(_dataset: number, row: number): Promise<EncodedImage> {
    return this.#encoded(row);
  }

  async ahead(_dataset: number, rows: readonly number[], room: number): Promise<Ahead> {
    const [images, records]: [EncodedImage[], MetadataRecord[]] = [[], []];
    let left = room;
    for (const row of rows) {
      const { image, record } = this.#archive.rows[row] ?? {};
      if (image !== undefined && !(image instanceof ExplorerError)) {
        const encoded = this.#encoded(row);
        left -= encoded.bytes.length;
        if (left < 0) break;
        images.push(encoded);
      }
      if (record !== undefined && !(record instanceof ExplorerError)) records.push(this.#record(row));
    }
    return { images, records };
  }

  async thumbnails(_dataset: number, rows: readonly number[], size: number, signal: AbortSignal): Promise<Thumbnails> {
    const [made, missing]: [EncodedThumbnail[], Thumbnails["missing"][number][]] = [[], []];
    for (const row of rows) {
      if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
      try {
        const { bytes, mediaType, key } = this.#encoded(row);
        made.push({ row, ...(await makeThumbnail(bytes, mediaType, size, key)) });
      } catch (error) {
        missing.push({ row, error: asExplorerError(error) });
      }
    }
    return { made, missing };
  }

  async metadata(_dataset: number, row: number): Promise<MetadataRecord> {
    return this.#record(row);
  }

  async find(_dataset: number, text: string, after: number | null, signal: AbortSignal): Promise<Found> {
    const row = await find({ lookup: this.#lookup, text, signal }, after);
    return { row, byNumber: parseQuery(text).row !== null };
  }

  async count(_dataset: number, text: string, start: number, signal: AbortSignal): Promise<Counted> {
    return count({ lookup: this.#lookup, text, signal }, start);
  }

  async status(): Promise<Status> {
    return { index: NO_INDEX, query: null, export: null };
  }

  async show(filter: string, sort: readonly unknown[]): Promise<Opened> {
    if (filter !== "" || sort.length > 0) throw notHere();
    return this.describe();
  }

  async export(): Promise<Exported> {
    throw notHere();
  }

  async share(): Promise<SharedPage> {
    throw notHere();
  }

  async columns(): Promise<readonly Column[]> {
    return [];
  }

  async values(): Promise<ColumnValues> {
    throw notHere();
  }

  async open(): Promise<Opened> {
    throw notHere();
  }

  #encoded(row: number): EncodedImage {
    const image = this.#image(row);
    const { key, format, mediaType, source, notes } = image;
    const bytes = this.#archive.picture(image.place);
    return { row, key, format, mediaType, source, notes, bytes, seconds: 0, state: "" };
  }

  #image(row: number): ArchivedImage {
    const image = this.#archive.rows[row]?.image ?? noRow(row);
    if (image instanceof ExplorerError) throw image;
    return image;
  }

  #record(row: number): MetadataRecord {
    const record = this.#archive.rows[row]?.record ?? noRow(row);
    if (record instanceof ExplorerError) throw record;
    const { source, matches, table, place } = record;
    const fields = recordFields(this.#table(table).slice(place, place + 1), this.#archive.columns[table] ?? []);
    return { row, source, fields, matches };
  }

  #table(number: number): Table {
    const held = this.#tables.get(number);
    if (held !== undefined) return held;
    const table = tableFromIPC(this.#archive.table(number));
    this.#tables.set(number, table);
    return table;
  }
}

function noRow(row: number): ExplorerError {
  return new ExplorerError("row_out_of_range", `There is no row ${row + 1}.`);
}

function notHere(): ExplorerError {
  return new ExplorerError("unsupported", "A shared page has what it has.", "Open the data set itself for more.");
}
