/** Opens what a person dropped or named: a lookup, a shard, or a folder of shards. */

import { ExplorerError } from "../errors";
import { counted } from "../text";
import { type About, DataSet, type Opener } from "./dataSet";
import { type FileRef, nameOf } from "./fileRef";
import { byNumber, isHdf5, isMetadata, isTable, METADATA_SUFFIX, partsOf, shardFiles, shardName } from "./paths";
import { DroppedPlace, type Place, RemotePlace } from "./place";
import { isAddress, probe } from "./remote";
import type { KeyColumns, LookupSpec, ShardPart } from "./tables/lookup";
import type { Workers } from "./workers";

/** What the key columns are called where nobody says otherwise. */
export const USUAL_COLUMNS: KeyColumns = { uuid: "uuid", filepath: "filepath" };

/** Rows from all over a lookup whose files are looked for when it is opened. */
const LOOKED_AT = 16;

/** Names that are told in a sentence. */
const NAMES_TOLD = 5;

/** For how many milliseconds the names in a shard are listed: of many images that takes too long. */
const LIST_MS = 10_000;

const LONG_MS = 600_000;

/** Opens lookups of one page. */
export class PageOpener implements Opener {
  readonly #workers: Workers;
  readonly #dropped: readonly FileRef[];
  readonly #place: Place;

  /** @param dropped - What a person dropped; paths are among these. */
  constructor(workers: Workers, dropped: readonly FileRef[] = []) {
    this.#workers = workers;
    this.#dropped = dropped;
    this.#place = new DroppedPlace(dropped);
  }

  /** Opens a lookup or shard by its address, or by its name among what was dropped. */
  async open(path: string, columns: KeyColumns, signal: AbortSignal): Promise<DataSet> {
    const wanted = path.trim();
    if (isAddress(wanted)) return this.#openRemote(wanted, columns, signal);
    const file = await this.#place.find(wanted, signal);
    if (file === null) {
      const action = "Name a dropped file, or an address that begins with http:// or https://.";
      throw new ExplorerError("lookup_not_found", `There is no file ${wanted} ${this.#place.where}.`, action);
    }
    return this.openFound(file, this.#place, columns, signal);
  }

  /**
   * Opens a file that has been found.
   *
   * @param place - Where the files are that it names.
   */
  async openFound(file: FileRef, place: Place, columns: KeyColumns, signal: AbortSignal): Promise<DataSet> {
    const name = nameOf(file);
    if (isHdf5(name)) return this.#openShards([file], place, name, columns, signal);
    if (isMetadata(name)) return this.#openShards([], place, name, columns, signal, [file]);
    return this.#openTable(file, place, columns, [], signal);
  }

  /** Opens what was dropped: the lookup among it, or else the shards. */
  async openDropped(columns: KeyColumns, signal: AbortSignal): Promise<DataSet> {
    const tables = this.#dropped.filter((file) => isTable(file.path) && !isMetadata(file.path)).sort(likelier);
    const shards = this.#dropped
      .filter((file) => isHdf5(file.path))
      .sort((one, other) => byNumber(one.path, other.path));
    const metadata = this.#dropped.filter((file) => isMetadata(file.path));
    let refused: unknown = null;
    for (const [number, table] of tables.entries()) {
      try {
        return await this.#openTable(table, this.#place, columns, noticesOf(tables, number), signal);
      } catch (error) {
        if (signal.aborted) throw error;
        refused ??= error;
      }
    }
    if (shards.length > 0 || metadata.length > 0) {
      const name = this.#dropped.length === 1 ? nameOf(shards[0] ?? metadata[0] ?? EMPTY) : folderOf(this.#dropped);
      return this.#openShards(shards, this.#place, name, columns, signal, metadata);
    }
    throw refused ?? nothingIn(this.#dropped);
  }

  async #openRemote(address: string, columns: KeyColumns, signal: AbortSignal): Promise<DataSet> {
    const ref = await probe(address, signal).catch((error: unknown) => {
      if (!(error instanceof ExplorerError) || error.code !== "not_found") throw error;
      throw new ExplorerError("lookup_not_found", error.message, "A server's folder cannot be listed: name a file.");
    });
    return this.openFound(ref, RemotePlace.beside(address), columns, signal);
  }

  async #openTable(
    table: FileRef,
    place: Place,
    columns: KeyColumns,
    notices: readonly string[],
    signal: AbortSignal,
  ): Promise<DataSet> {
    const spec = { id: DataSet.newId(), columns, from: { table } };
    const found = await this.#workers.tables.call("open", { lookup: spec }, signal, LONG_MS);
    const about = { ...found, name: nameOf(table), location: table.path };
    const missing = table.kind === "dropped" ? await this.#missing(spec, found.rows, signal) : [];
    return new DataSet(this.#workers, place, spec, { ...about, notices: [...missing, ...notices, ...found.notices] });
  }

  async #openShards(
    shards: readonly FileRef[],
    place: Place,
    name: string,
    columns: KeyColumns,
    signal: AbortSignal,
    metadata: readonly FileRef[] = [],
  ): Promise<DataSet> {
    const parts: ShardPart[] = [];
    const notices: string[] = [];
    for (const shard of shards) {
      try {
        parts.push(await this.#part(shard, place, signal));
      } catch (error) {
        if (signal.aborted || shards.length === 1) throw error;
        notices.push(`Left out: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    for (const file of metadata) {
      const path = file.kind === "remote" ? nameOf(file) : file.path;
      const filepath = path.slice(0, -METADATA_SUFFIX.length);
      if (!parts.some((part) => part.metadata === file)) parts.push({ filepath, metadata: file, keys: [] });
    }
    if (parts.length === 0) throw new ExplorerError("lookup_unreadable", notices[0] ?? `${name} holds no shards.`);
    const spec: LookupSpec = { id: DataSet.newId(), columns, from: { shards: parts } };
    const found = await this.#workers.tables.call("open", { lookup: spec }, signal, LONG_MS);
    const about: About = { ...found, name, location: shards.length === 1 ? (shards[0]?.path ?? name) : name, notices };
    return new DataSet(this.#workers, place, spec, about);
  }

  /** A shard's uuids: from its metadata, or else the names in its group where these are not too many. */
  async #part(shard: FileRef, place: Place, signal: AbortSignal): Promise<ShardPart> {
    const path = shard.kind === "remote" ? nameOf(shard) : shard.path;
    const filepath = shardName(path);
    const metadata = await place.find(shardFiles(filepath).metadata, signal);
    if (metadata !== null) return { filepath, metadata, keys: [] };
    try {
      return { filepath, metadata, keys: await this.#workers.shards.call("keys", { ref: shard }, signal, LIST_MS) };
    } catch (error) {
      if (!(error instanceof ExplorerError) || error.code !== "reader_stalled") throw error;
      throw new ExplorerError(
        "too_large",
        `${nameOf(shard)} holds so many images that listing their names takes too long.`,
        `Open it together with ${shardFiles(path).metadata}, which has them.`,
      );
    }
  }

  /** Looks at a few rows from all over a lookup, and says which of their files were not dropped. */
  async #missing(lookup: LookupSpec, rows: number, signal: AbortSignal): Promise<readonly string[]> {
    const step = Math.max(1, Math.floor(rows / LOOKED_AT));
    const absent = new Set<string>();
    // Of a large lookup every window costs a part of the file: there the first rows must do.
    const starts = rows > 1_000_000 ? [0] : Array.from({ length: Math.min(rows, LOOKED_AT) }, (_, at) => at * step);
    for (const start of starts) {
      const { filepaths } = await this.#workers.tables.call("rows", { lookup, start, stop: start + 1 }, signal);
      const [filepath] = filepaths;
      if (!filepath) continue;
      const { images } = shardFiles(filepath);
      if ((await this.#place.find(images, signal).catch(() => "ambiguous")) === null) absent.add(images);
    }
    if (absent.size === 0) return [];
    const more = absent.size > NAMES_TOLD ? ` and ${absent.size - NAMES_TOLD} more` : "";
    const names = [...absent].slice(0, NAMES_TOLD).join(", ");
    return [`Not among the dropped files: ${names}${more}. Drop the folder that holds them together with the lookup.`];
  }
}

const EMPTY = { kind: "dropped", path: "what was dropped" } as const;

/** The likeliest lookup first: by its name, then how near to the top it lies. */
function likelier(one: FileRef, other: FileRef): number {
  const rank = (file: FileRef) => (/^lookup/i.test(nameOf(file)) ? 0 : 100) + partsOf(file.path).length;
  return rank(one) - rank(other) || byNumber(one.path, other.path);
}

function noticesOf(tables: readonly FileRef[], chosen: number): readonly string[] {
  const others = tables.filter((_, number) => number !== chosen).map((table) => table.path);
  if (others.length === 0) return [];
  const more = others.length > NAMES_TOLD ? ` and ${others.length - NAMES_TOLD} more` : "";
  return [`Also dropped, and can be opened by name: ${others.slice(0, NAMES_TOLD).join(", ")}${more}.`];
}

function folderOf(files: readonly FileRef[]): string {
  const [first] = partsOf(files[0]?.path ?? "");
  const shared =
    first !== undefined && files.every((file) => partsOf(file.path).length > 1 && partsOf(file.path)[0] === first);
  return shared ? first : counted(files.length, "file");
}

function nothingIn(files: readonly FileRef[]): ExplorerError {
  const names = files.slice(0, NAMES_TOLD).map((file) => file.path);
  return new ExplorerError(
    "lookup_not_found",
    files.length === 0 ? "Nothing was dropped." : `There is neither a lookup nor a shard in ${names.join(", ")}.`,
    "Drop a lookup (.parquet, .csv, .tsv) with its shards, or a shard (..._images.h5) with its metadata.",
  );
}
