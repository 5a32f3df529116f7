/** One lookup that is open in a page without a kernel, with the files that its rows name. */

import { ExplorerError, isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { Column, EncodedImage, MetadataRecord } from "../source/api";
import { countText } from "../text";
import { type ShardFiles, shardFiles } from "./paths";
import type { Place } from "./place";
import { ShardImage } from "./shardImage";
import type { KeyColumns, Keys, LookupSpec } from "./tables/lookup";
import type { Workers } from "./workers";

/** Opens lookups by what a person calls them. */
export interface Opener {
  open(path: string, columns: KeyColumns, signal: AbortSignal): Promise<DataSet>;
}

/** What a lookup is, once it has been opened. */
export interface About {
  readonly name: string;
  readonly location: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[];
}

/** Rows whose keys are asked for together: those around a row are likely to be needed too. */
const PAGE = 256;
const PAGES_KEPT = 200;

let dataSets = 0;

/** The rows of a lookup, and what belongs to them. */
export class DataSet {
  readonly id: number;
  readonly spec: LookupSpec;
  readonly name: string;
  readonly location: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly notices: readonly string[];
  readonly #workers: Workers;
  readonly #place: Place;
  readonly #pages = new LruCache<number, Promise<Keys>>(PAGES_KEPT);
  readonly #seen = { images: new Set<string>(), metadata: new Set<string>() };
  readonly #hostile = new Map<string, ExplorerError>();

  constructor(workers: Workers, place: Place, spec: LookupSpec, about: About) {
    this.id = spec.id;
    this.spec = spec;
    this.name = about.name;
    this.location = about.location;
    this.rows = about.rows;
    this.columns = about.columns;
    this.notices = about.notices;
    this.#workers = workers;
    this.#place = place;
  }

  /** A number that no other data set has. */
  static newId(): number {
    dataSets += 1;
    return dataSets;
  }

  /** Returns the keys of a range of rows. */
  keys(start: number, stop: number, signal: AbortSignal): Promise<Keys> {
    return this.#workers.tables.call("rows", { lookup: this.spec, start, stop }, signal);
  }

  /**
   * Returns the image of a row, which is not read yet.
   *
   * @throws ExplorerError - `row_out_of_range`, `no_filepath`, `key_not_found`, `shard_not_found`.
   */
  async shard(row: number, signal: AbortSignal): Promise<ShardImage> {
    const { key, files } = await this.#entry(row, signal);
    const ref = await this.#place.find(files.images, signal);
    if (ref === null) {
      const sentence = `There is no file ${files.images} ${this.#place.where}.`;
      throw new ExplorerError("shard_not_found", sentence, "Open it together with the lookup.", { path: files.images });
    }
    const read = () => this.#seen.images.add(files.images);
    return new ShardImage(this.#workers.shards, key, ref, this.#hostile, read);
  }

  /** Returns the metadata of a row. */
  async record(row: number, signal: AbortSignal): Promise<MetadataRecord> {
    const { key, files } = await this.#entry(row, signal);
    const ref = await this.#place.find(files.metadata, signal);
    if (ref === null) {
      const sentence = `There is no file ${files.metadata} ${this.#place.where}.`;
      throw new ExplorerError("metadata_not_found", sentence, "The picture does not need it.", {
        path: files.metadata,
      });
    }
    const uuidColumns = [...new Set([this.spec.columns.uuid, "uuid"])];
    const found = await this.#workers.tables.call("record", { ref, key, uuidColumns }, signal);
    this.#seen.metadata.add(files.metadata);
    return { row, source: ref.path, ...found };
  }

  /** Returns what there is of a row; what there is not says why when a person comes to it. */
  async ahead(
    row: number,
    onlyOpen: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly image: EncodedImage | null; readonly record: MetadataRecord | null }> {
    const files = (await this.#entry(row, signal).catch(rethrowCancelled))?.files;
    if (files === undefined) return { image: null, record: null };
    const [image, record] = await Promise.all([
      onlyOpen && !this.#seen.images.has(files.images) ? null : this.#imageAhead(row, signal).catch(rethrowCancelled),
      onlyOpen && !this.#seen.metadata.has(files.metadata) ? null : this.record(row, signal).catch(rethrowCancelled),
    ]);
    return { image: image ?? null, record: record ?? null };
  }

  async #imageAhead(row: number, signal: AbortSignal): Promise<EncodedImage> {
    const shard = await this.shard(row, signal);
    shard.checkHostile();
    return { ...(await shard.image("image", signal)), row, state: shard.state };
  }

  /** Asks once for a page, whoever needs it: who withdraws leaves it to the others. */
  async #page(page: number, signal: AbortSignal): Promise<Keys> {
    const held = this.#pages.get(page);
    if (held !== undefined) return unlessAborted(held, signal);
    const asked = this.keys(page * PAGE, (page + 1) * PAGE, new AbortController().signal);
    this.#pages.set(page, asked);
    asked.catch(() => {
      if (this.#pages.peek(page) === asked) this.#pages.delete(page);
    });
    return unlessAborted(asked, signal);
  }

  async #entry(row: number, signal: AbortSignal): Promise<{ readonly key: string; readonly files: ShardFiles }> {
    if (row >= this.rows) throw new ExplorerError("row_out_of_range", `${this.name} has no row ${countText(row + 1)}.`);
    const page = Math.floor(row / PAGE);
    const keys = await this.#page(page, signal);
    const [uuid, filepath] = [keys.uuids[row % PAGE], keys.filepaths[row % PAGE]];
    const which = `Row ${countText(row + 1)} of ${this.name}`;
    if (!filepath) throw new ExplorerError("no_filepath", `${which} names no file.`);
    if (filepath.includes("\0") || filepath.includes("://")) {
      throw new ExplorerError("unsupported", `${which} names ${filepath}, which is no path.`);
    }
    if (!uuid) throw new ExplorerError("key_not_found", `${which} has no uuid.`);
    return { key: uuid, files: shardFiles(filepath) };
  }
}

/** Waits for what others wait for too, until it is withdrawn. */
function unlessAborted<Result>(asked: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const withdraw = () => reject(new ExplorerError("cancelled", "The request was withdrawn."));
    if (signal.aborted) withdraw();
    signal.addEventListener("abort", withdraw, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener("abort", withdraw));
  });
}

function rethrowCancelled(error: unknown): undefined {
  if (isCancelled(error)) throw error;
  return undefined;
}
