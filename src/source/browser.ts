/** The source of a page without a kernel: files that were dropped, or lie at an address, read by two workers. */

import type { DataSet, Opener } from "../browser/dataSet";
import type { Workers } from "../browser/workers";
import { asExplorerError, ExplorerError } from "../errors";
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
  MetadataRecord,
  Opened,
  RowRange,
  Rows,
  SharedPage,
  Sort,
  Source,
  Status,
  Thumbnails,
} from "./api";
import { NO_INDEX } from "./noIndex";

/** For how many milliseconds work on a whole lookup is waited for. */
const LONG_MS = 600_000;

/** Reads what a person opened in the page itself. */
export class BrowserSource implements Source {
  readonly hasKernel = false;
  readonly opensOthers: boolean;
  readonly #workers: Workers;
  readonly #opener: Opener | null;
  readonly #told: (opened: Opened) => void;
  #open: DataSet;

  /**
   * @param first - What is open to begin with.
   * @param opener - Opens other lookups by their names or addresses; `null` where none are to be opened.
   * @param told - Is told when another lookup has been opened.
   */
  constructor(workers: Workers, opener: Opener | null, first: DataSet, told: (opened: Opened) => void = () => {}) {
    this.#workers = workers;
    this.#opener = opener;
    this.opensOthers = opener !== null;
    this.#open = first;
    this.#told = told;
  }

  /** What is open. */
  describe(): Opened {
    const { id, name, location, rows, notices, spec } = this.#open;
    const { uuid, filepath } = spec.columns;
    return {
      dataset: id,
      name,
      location,
      records: rows,
      total: rows,
      counting: false,
      filter: "",
      sort: [],
      notices,
      index: NO_INDEX,
      options: { lookup: location, root: null, uuidColumn: uuid, filepathColumn: filepath, cache: false },
    };
  }

  async rows(dataset: number, { start, stop }: RowRange, signal: AbortSignal): Promise<Rows> {
    const open = this.#asked(dataset);
    const keys = await open.keys(start, stop, signal);
    this.#asked(dataset);
    return { start, ...keys, notices: open.notices };
  }

  async filepaths(dataset: number, signal: AbortSignal): Promise<number> {
    const { spec } = this.#asked(dataset);
    return this.#workers.tables.call("filepaths", { lookup: spec }, signal, LONG_MS);
  }

  async image(dataset: number, row: number, known: string | null, signal: AbortSignal): Promise<EncodedImage | null> {
    const shard = await this.#asked(dataset).shard(row, signal);
    if (known !== null && shard.state === known) return null;
    return { ...(await shard.image("image", signal)), row, state: shard.state };
  }

  async original(dataset: number, row: number, signal: AbortSignal): Promise<EncodedImage> {
    const shard = await this.#asked(dataset).shard(row, signal);
    return { ...(await shard.image("original", signal)), row, state: "" };
  }

  async ahead(
    dataset: number,
    rows: readonly number[],
    room: number,
    onlyOpen: boolean,
    signal: AbortSignal,
  ): Promise<Ahead> {
    const open = this.#asked(dataset);
    const outcomes = await Promise.all(rows.map((row) => open.ahead(row, onlyOpen, signal)));
    if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
    const [images, records]: [EncodedImage[], MetadataRecord[]] = [[], []];
    let left = room;
    for (const { image, record } of outcomes) {
      left -= image?.bytes.length ?? 0;
      if (left < 0) break;
      if (image !== null) images.push(image);
      if (record !== null) records.push(record);
    }
    return { images, records };
  }

  async thumbnails(dataset: number, rows: readonly number[], size: number, signal: AbortSignal): Promise<Thumbnails> {
    const open = this.#asked(dataset);
    const outcomes = await Promise.all(
      rows.map(async (row) => {
        try {
          return { row, ...(await (await open.shard(row, signal)).thumbnail(size, signal)) };
        } catch (error) {
          return { row, error: asExplorerError(error) };
        }
      }),
    );
    if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
    this.#asked(dataset);
    const [made, missing]: [EncodedThumbnail[], Thumbnails["missing"][number][]] = [[], []];
    for (const each of outcomes) {
      if (each.error !== undefined) missing.push(each);
      else made.push(each);
    }
    return { made, missing };
  }

  async metadata(dataset: number, row: number, signal: AbortSignal): Promise<MetadataRecord> {
    return this.#asked(dataset).record(row, signal);
  }

  async find(dataset: number, text: string, after: number | null, signal: AbortSignal): Promise<Found> {
    const { spec } = this.#asked(dataset);
    return this.#workers.tables.call("find", { lookup: spec, text, after }, signal, LONG_MS);
  }

  async count(dataset: number, text: string, start: number, signal: AbortSignal): Promise<Counted> {
    const { spec } = this.#asked(dataset);
    return this.#workers.tables.call("count", { lookup: spec, text, start }, signal, LONG_MS);
  }

  async status(dataset: number): Promise<Status> {
    this.#asked(dataset);
    return { index: NO_INDEX, query: null, export: null };
  }

  async show(filter: string, sort: Sort): Promise<Opened> {
    if (filter !== "") throw unsupported("This page by itself has no filters: they are conditions in SQL.");
    if (sort.length > 0) throw unsupported("This page by itself does not sort.");
    return this.describe();
  }

  async export(_dataset: number, _path: string, _ranges: Ranges | null): Promise<Exported> {
    throw unsupported("This page by itself writes no files.");
  }

  async share(_dataset: number, _ranges: Ranges | null): Promise<SharedPage> {
    throw unsupported("This page by itself makes no pages of rows.");
  }

  async columns(dataset: number): Promise<readonly Column[]> {
    return this.#asked(dataset).columns;
  }

  async values(dataset: number, column: string, signal: AbortSignal): Promise<ColumnValues> {
    const { spec } = this.#asked(dataset);
    return this.#workers.tables.call("values", { lookup: spec, column }, signal, LONG_MS);
  }

  async open(path: string, signal: AbortSignal): Promise<Opened> {
    if (this.#opener === null) throw unsupported("No other file can be opened here.");
    const opened = await this.#opener.open(path, this.#open.spec.columns, signal);
    this.#open = opened;
    this.#told(this.describe());
    return this.describe();
  }

  #asked(dataset: number): DataSet {
    if (dataset === this.#open.id) return this.#open;
    throw new ExplorerError("stale_dataset", "Another lookup has been opened meanwhile.");
  }
}

function unsupported(sentence: string): ExplorerError {
  return new ExplorerError("unsupported", sentence, "Open it with `h5explorer open` or in a notebook.");
}
