/** The images of shards: few files are held open, and the places of images are remembered. */

import { ExplorerError } from "../../errors";
import { LruCache } from "../../lru";
import { BlockReader } from "../blocks";
import { type FileRef, nameOf, sizeOf, stateOf } from "../fileRef";
import { fetchRange, readRange } from "../remote";
import { library } from "./library";
import { type Place, Shard } from "./shard";

/** HDF5 keeps up to some MB for every file that is open. */
const OPEN_FILES = 6;
const PLACES_KEPT = 50_000;

const counts = { read: 0 };

/** How many bytes of dropped files have been read. */
export function bytesRead(): number {
  return counts.read;
}

/** Reads images of any shard. */
export class Images {
  readonly #open = new LruCache<string, Shard>(OPEN_FILES, undefined, (shard) => shard.close());
  readonly #places = new LruCache<string, Place>(PLACES_KEPT);
  #turn: Promise<unknown> = Promise.resolve();

  /** Gets the bytes of an image, whatever they are. */
  async bytes(ref: FileRef, key: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const name = `${stateOf(ref)} ${key}`;
    const known = this.#places.get(name);
    if (known !== undefined) return this.#piece(ref, known, signal);
    const { place, bytes } = await this.#inTurn(signal, async () => (await this.#shard(ref)).find(key), ref);
    if (place !== null) this.#places.set(name, place);
    if (bytes !== null) return bytes;
    if (place === null) throw new ExplorerError("internal", "An image was found without its bytes.");
    return this.#piece(ref, place, signal);
  }

  /** Lists the names of all images of a shard. */
  keys(ref: FileRef, signal: AbortSignal): Promise<readonly string[]> {
    return this.#inTurn(signal, async () => (await this.#shard(ref)).keys(), ref);
  }

  async #shard(ref: FileRef): Promise<Shard> {
    const state = stateOf(ref);
    const held = this.#open.get(state);
    if (held !== undefined) return held;
    const shard = new Shard(await library(), nameOf(ref), readerOf(ref), ref.kind === "remote");
    this.#open.set(state, shard);
    return shard;
  }

  /** The library does one thing at a time, and a file must not be closed under another's hands. */
  #inTurn<Result>(signal: AbortSignal, act: () => Promise<Result>, ref: FileRef): Promise<Result> {
    const mine = this.#turn.then(async () => {
      if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
      try {
        return await act();
      } catch (error) {
        // What could not be read may stay in the library's memory as if it were so.
        if (error instanceof ExplorerError && DISTURBING.includes(error.code)) this.#open.delete(stateOf(ref));
        throw error;
      }
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #piece(ref: FileRef, { offset, size }: Place, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (ref.kind === "remote") return fetchRange(ref, offset, offset + size, signal);
    if (offset + size > ref.file.size) {
      throw new ExplorerError("shard_unreadable", `${nameOf(ref)} ends within an image.`, "Copy it anew.");
    }
    try {
      const bytes = new Uint8Array(await ref.file.slice(offset, offset + size).arrayBuffer());
      counts.read += size;
      return bytes;
    } catch {
      throw changed(ref);
    }
  }
}

const DISTURBING = ["unreachable", "file_changed", "no_ranges", "not_found", "shard_unreadable"];

function readerOf(ref: FileRef): BlockReader {
  if (ref.kind === "remote") return new BlockReader(ref.size, (start, stop) => readRange(ref, start, stop));
  const reader = new FileReaderSync();
  return new BlockReader(sizeOf(ref), (start, stop) => {
    try {
      const bytes = new Uint8Array(reader.readAsArrayBuffer(ref.file.slice(start, stop)));
      counts.read += bytes.length;
      return bytes;
    } catch {
      throw changed(ref);
    }
  });
}

function changed(ref: FileRef): ExplorerError {
  return new ExplorerError(
    "file_changed",
    `${nameOf(ref)} cannot be read any more: it has changed or gone since it was dropped.`,
    "Drop it again.",
  );
}
