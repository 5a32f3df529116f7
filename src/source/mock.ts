/** A source that holds its data itself: the real interface, for tests of what stands on it. */

import { ExplorerError } from "../errors";
import type { MetadataField } from "../metadata/record";
import type { Ranges } from "../state/shared";
import type {
  Ahead,
  Column,
  ColumnValues,
  Counted,
  EncodedImage,
  EncodedThumbnail,
  Exported,
  Found,
  IndexProgress,
  MetadataRecord,
  Opened,
  Options,
  RowRange,
  Rows,
  SharedPage,
  Sort,
  Source,
  Status,
  Thumbnails,
} from "./api";
import { NO_INDEX } from "./noIndex";

/** One lookup with all that its rows name. */
export interface MockLookup {
  readonly name: string;
  readonly rows: number;
  readonly uuid: (row: number) => string | null;
  readonly filepath: (row: number) => string | null;
  /** The number of different filepaths. */
  readonly filepaths: number;
  /** The bytes of a row's picture, or why there is none. */
  readonly picture: (row: number) => MockPicture | ExplorerError;
  /** The bytes of a row that are saved, where they are not those that are shown. */
  readonly original?: (row: number) => MockPicture | ExplorerError;
  /** The small copy of a row's picture; without this there is none. */
  readonly thumbnail?: (row: number, size: number) => MockThumbnail | ExplorerError;
  readonly fields: (row: number) => readonly MetadataField[] | ExplorerError;
  readonly notices?: readonly string[];
}

/** An encoded picture. */
export interface MockPicture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: string;
  readonly mediaType: string;
  readonly notes?: readonly string[];
  /** Differs when the file that the bytes would come from has changed. */
  readonly state?: string;
}

/** A small copy of a picture. */
export type MockThumbnail = Omit<EncodedThumbnail, "row">;

/** What is asked for, as a delay is told of it. */
export interface MockCall {
  readonly method: keyof Source;
  readonly row: number | null;
  /** The rows, where several are asked for. */
  readonly rows?: readonly number[];
}

/** Decides when an answer comes: at once, later, or never. */
export type MockDelay = (call: MockCall, signal: AbortSignal) => Promise<void>;

const COLUMNS: readonly Column[] = [
  { name: "uuid", type: "string", source: "lookup" },
  { name: "filepath", type: "string", source: "lookup" },
];

const NO_VALUES: ColumnValues = {
  name: "",
  kind: "none",
  nulls: 0,
  different: -1,
  values: [],
  low: 0,
  high: 0,
  bins: [],
  notFinite: 0,
};

const COUNTED_AT_ONCE = 100_000;

/** Rows that a page has room for. */
const MOST_SHARED = 100;

/** The options that an explorer has where none are given. */
const AS_ALWAYS: Omit<Options, "lookup"> = { root: null, uuidColumn: "uuid", filepathColumn: "filepath", cache: true };

const NO_DELAY: MockDelay = () => Promise.resolve();

/** Gives out lookups that are held in memory, after a delay that the test decides. */
export class MockSource implements Source {
  readonly hasKernel = true;
  readonly opensOthers = true;
  readonly #lookups: ReadonlyMap<string, MockLookup>;
  readonly #delay: MockDelay;
  readonly #opened: (opened: Opened) => void;
  readonly #written = new Set<string>();
  readonly #openFiles = new Set<string | null>();
  #dataset = 1;
  #filter = "";
  #sort: Sort = [];
  #whole: MockLookup;
  #index = NO_INDEX;
  #lookup: MockLookup;

  /**
   * @param lookups - What can be opened, by path; the first is open to begin with.
   * @param delay - When answers come.
   * @param opened - Is told when another lookup has been opened.
   */
  constructor(
    lookups: ReadonlyMap<string, MockLookup>,
    delay: MockDelay = NO_DELAY,
    opened: (opened: Opened) => void = () => {},
  ) {
    const [first] = lookups.values();
    if (first === undefined) throw new Error("a mock source needs a lookup");
    this.#lookups = lookups;
    this.#lookup = first;
    this.#whole = first;
    this.#delay = delay;
    this.#opened = opened;
  }

  /** What is open. */
  describe(): Opened {
    return {
      dataset: this.#dataset,
      name: this.#lookup.name,
      location: `/data/${this.#lookup.name}`,
      records: this.#lookup.rows,
      total: this.#whole.rows,
      counting: false,
      filter: this.#filter,
      sort: this.#sort,
      notices: this.#lookup.notices ?? [],
      index: this.#index,
      options: { ...AS_ALWAYS, lookup: `/data/${this.#lookup.name}` },
    };
  }

  async rows(dataset: number, range: RowRange, signal: AbortSignal): Promise<Rows> {
    const lookup = await this.#after("rows", dataset, range.start, signal);
    const stop = Math.min(range.stop, lookup.rows);
    const numbers = Array.from({ length: Math.max(0, stop - range.start) }, (_, index) => range.start + index);
    return {
      start: range.start,
      uuids: numbers.map(lookup.uuid),
      filepaths: numbers.map(lookup.filepath),
      notices: lookup.notices ?? [],
    };
  }

  async filepaths(dataset: number, signal: AbortSignal): Promise<number> {
    return (await this.#after("filepaths", dataset, null, signal)).filepaths;
  }

  async image(dataset: number, row: number, known: string | null, signal: AbortSignal): Promise<EncodedImage | null> {
    const lookup = await this.#after("image", dataset, row, signal);
    const image = encoded(lookup, row);
    this.#openFiles.add(lookup.filepath(row));
    return known !== null && image.state === known ? null : image;
  }

  async original(dataset: number, row: number, signal: AbortSignal): Promise<EncodedImage> {
    const lookup = await this.#after("original", dataset, row, signal);
    return encoded(lookup, row, lookup.original);
  }

  async ahead(
    dataset: number,
    rows: readonly number[],
    room: number,
    onlyOpen: boolean,
    signal: AbortSignal,
  ): Promise<Ahead> {
    const lookup = await this.#after("ahead", dataset, rows[0] ?? null, signal);
    const images: EncodedImage[] = [];
    const records: MetadataRecord[] = [];
    let left = room;
    for (const row of rows) {
      if (row >= lookup.rows || (onlyOpen && !this.#openFiles.has(lookup.filepath(row)))) continue;
      if (!(lookup.picture(row) instanceof ExplorerError)) {
        const image = encoded(lookup, row);
        left -= image.bytes.length;
        if (left < 0) break;
        images.push(image);
      }
      if (!(lookup.fields(row) instanceof ExplorerError)) records.push(recordOf(lookup, row));
    }
    return { images, records };
  }

  async thumbnails(dataset: number, rows: readonly number[], size: number, signal: AbortSignal): Promise<Thumbnails> {
    const lookup = await this.#after("thumbnails", dataset, rows[0] ?? null, signal, rows);
    const outcomes = rows.map((row) => ({ row, outcome: small(lookup, row, size) }));
    return {
      made: outcomes.flatMap(({ row, outcome }) => (outcome instanceof ExplorerError ? [] : [{ ...outcome, row }])),
      missing: outcomes.flatMap(({ row, outcome }) =>
        outcome instanceof ExplorerError ? [{ row, error: outcome }] : [],
      ),
    };
  }

  async metadata(dataset: number, row: number, signal: AbortSignal): Promise<MetadataRecord> {
    const lookup = await this.#after("metadata", dataset, row, signal);
    this.#openFiles.add(lookup.filepath(row));
    return recordOf(lookup, row);
  }

  async find(dataset: number, text: string, after: number | null, signal: AbortSignal): Promise<Found> {
    const lookup = await this.#after("find", dataset, after, signal);
    const number = numberTyped(text);
    if (number !== null) return { row: number >= 1 && number <= lookup.rows ? number - 1 : null, byNumber: true };
    const wanted = text.trim().toLowerCase();
    const start = after === null ? 0 : after + 1;
    for (let step = 0; step < lookup.rows; step += 1) {
      const row = (start + step) % lookup.rows;
      if (matches(lookup, row, wanted)) return { row, byNumber: false };
    }
    return { row: null, byNumber: false };
  }

  async count(dataset: number, text: string, start: number, signal: AbortSignal): Promise<Counted> {
    const lookup = await this.#after("count", dataset, start, signal);
    const number = numberTyped(text);
    if (number !== null) return { count: number >= 1 && number <= lookup.rows ? 1 : 0, stop: lookup.rows };
    const stop = Math.min(lookup.rows, start + COUNTED_AT_ONCE);
    let count = 0;
    for (let row = start; row < stop; row += 1) count += matches(lookup, row, text.trim().toLowerCase()) ? 1 : 0;
    return { count, stop };
  }

  async status(dataset: number, _wish: "stop" | "begin" | null, signal: AbortSignal): Promise<Status> {
    await this.#after("status", dataset, null, signal);
    return { index: this.#index, query: null, export: null };
  }

  /** The filter is a text that the uuid or the filepath holds; the order is by one of these. */
  async show(filter: string, sort: Sort, signal: AbortSignal): Promise<Opened> {
    await untilAborted(this.#delay({ method: "show", row: null }, signal), signal);
    if (filter === "wrong")
      throw new ExplorerError("bad_condition", "There is no column wrong.", "The nearest is uuid.");
    this.#lookup = shownOf(this.#whole, filter, sort);
    this.#filter = filter;
    this.#sort = sort;
    this.#dataset += 1;
    this.#opened(this.describe());
    return this.describe();
  }

  /** Has the index be so far from now on. */
  setIndex(index: IndexProgress): void {
    this.#index = index;
  }

  async export(
    dataset: number,
    path: string,
    ranges: Ranges | null,
    overwrite: boolean,
    signal: AbortSignal,
  ): Promise<Exported> {
    const lookup = await this.#after("export", dataset, null, signal);
    if (!overwrite && this.#written.has(path)) {
      throw new ExplorerError("target_exists", `There is something at ${path}.`, "Choose another name.");
    }
    this.#written.add(path);
    const rows = ranges === null ? lookup.rows : ranges.reduce((sum, [start, stop]) => sum + stop - start, 0);
    return { path, rows, failed: 0, notices: [] };
  }

  async share(dataset: number, ranges: Ranges | null, signal: AbortSignal): Promise<SharedPage> {
    const lookup = await this.#after("share", dataset, null, signal);
    const chosen = ranges === null ? lookup.rows : ranges.reduce((sum, [start, stop]) => sum + stop - start, 0);
    const rows = Math.min(chosen, MOST_SHARED);
    return { name: "lookup-rows.html", html: new TextEncoder().encode("<!doctype html>"), rows, chosen, failed: 0 };
  }

  async columns(dataset: number, signal: AbortSignal): Promise<readonly Column[]> {
    await this.#after("columns", dataset, null, signal);
    return COLUMNS;
  }

  async values(dataset: number, column: string, signal: AbortSignal): Promise<ColumnValues> {
    await this.#after("values", dataset, null, signal);
    if (!COLUMNS.some(({ name }) => name === column)) {
      throw new ExplorerError("wrong_columns", `There is no column '${column}'.`, "");
    }
    const whole = this.#whole;
    if (column === "uuid") return { ...NO_VALUES, name: column };
    const counts = new Map<string, number>();
    let nulls = 0;
    for (let row = 0; row < whole.rows; row += 1) {
      const path = whole.filepath(row);
      if (path === null) nulls += 1;
      else counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    const values = [...counts].map(([text, count]) => ({ text, sql: `'${text.replaceAll("'", "''")}'`, count }));
    values.sort((one, other) => other.count - one.count || (one.text < other.text ? -1 : 1));
    return { ...NO_VALUES, name: column, kind: "values", nulls, different: counts.size, values: values.slice(0, 50) };
  }

  async open(path: string, signal: AbortSignal): Promise<Opened> {
    await untilAborted(this.#delay({ method: "open", row: null }, signal), signal);
    const lookup = this.#lookups.get(path);
    if (lookup === undefined) {
      throw new ExplorerError("lookup_not_found", `There is no file ${path}.`, "Did you mean another?");
    }
    this.#lookup = lookup;
    this.#whole = lookup;
    this.#filter = "";
    this.#sort = [];
    this.#dataset += 1;
    this.#opened(this.describe());
    return this.describe();
  }

  async #after(
    method: keyof Source,
    dataset: number,
    row: number | null,
    signal: AbortSignal,
    rows?: readonly number[],
  ): Promise<MockLookup> {
    const call = rows === undefined ? { method, row } : { method, row, rows };
    await untilAborted(this.#delay(call, signal), signal);
    if (dataset !== this.#dataset) {
      throw new ExplorerError("stale_dataset", "Another lookup has been opened meanwhile.");
    }
    return this.#lookup;
  }
}

function shownOf(whole: MockLookup, filter: string, sort: Sort): MockLookup {
  if (filter === "" && sort.length === 0) return whole;
  const rows = Array.from({ length: whole.rows }, (_, row) => row).filter(
    (row) => filter === "" || (whole.uuid(row) ?? "").includes(filter) || (whole.filepath(row) ?? "").includes(filter),
  );
  for (const [column, direction] of [...sort].reverse()) {
    const text = (row: number) => (column === "uuid" ? whole.uuid(row) : whole.filepath(row)) ?? "";
    rows.sort(
      (one, other) => (text(one) < text(other) ? -1 : text(one) > text(other) ? 1 : 0) * (direction === "asc" ? 1 : -1),
    );
  }
  const at = (position: number) => rows[position] ?? whole.rows;
  const { original } = whole;
  return {
    ...whole,
    rows: rows.length,
    uuid: (position) => whole.uuid(at(position)),
    filepath: (position) => whole.filepath(at(position)),
    picture: (position) => whole.picture(at(position)),
    fields: (position) => whole.fields(at(position)),
    ...(original && { original: (position: number) => original(at(position)) }),
  };
}

function numberTyped(text: string): number | null {
  return /^[\d,]+$/.test(text.trim()) ? Number(text.replaceAll(",", "")) : null;
}

function matches(lookup: MockLookup, row: number, wanted: string): boolean {
  const [, column, rest] = /^(uuid|path):(.*)$/.exec(wanted) ?? [];
  const text = (rest ?? wanted).trim();
  const uuid = (lookup.uuid(row) ?? "").toLowerCase();
  const path = (lookup.filepath(row) ?? "").toLowerCase();
  return (column !== "path" && uuid.startsWith(text)) || (column !== "uuid" && path.includes(text));
}

function checkRow(lookup: MockLookup, row: number): void {
  if (row < 0 || row >= lookup.rows) throw new ExplorerError("row_out_of_range", `There is no row ${row}.`);
}

function recordOf(lookup: MockLookup, row: number): MetadataRecord {
  checkRow(lookup, row);
  const fields = lookup.fields(row);
  if (fields instanceof ExplorerError) throw fields;
  return { row, source: `/data/${lookup.filepath(row)}_metadata.parquet`, fields, matches: 1 };
}

function encoded(lookup: MockLookup, row: number, get = lookup.picture): EncodedImage {
  checkRow(lookup, row);
  const picture = get(row);
  if (picture instanceof ExplorerError) throw picture;
  return {
    row,
    key: lookup.uuid(row) ?? "",
    format: picture.format,
    mediaType: picture.mediaType,
    source: `/data/${lookup.filepath(row)}_images.h5`,
    seconds: 0.0012,
    bytes: picture.bytes,
    notes: picture.notes ?? [],
    state: picture.state ?? "",
  };
}

function small(lookup: MockLookup, row: number, size: number): MockThumbnail | ExplorerError {
  if (row < 0 || row >= lookup.rows) return new ExplorerError("row_out_of_range", `There is no row ${row}.`);
  const picture = lookup.picture(row);
  if (picture instanceof ExplorerError) return picture;
  return lookup.thumbnail?.(row, size) ?? new ExplorerError("unsupported", "There are no thumbnails of this lookup.");
}

function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new ExplorerError("cancelled", "The request was withdrawn."));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    return undefined;
  });
}
