/** The HDF5 library of this worker, and files that it reads through this project's own reader. */

import "./diagnostics";
import { ready } from "h5wasm";
import { isFields } from "../../fields";
import type { BlockReader } from "../blocks";

/** The library, started. */
export type Library = Awaited<typeof ready>;

/** Waits until the library has started. */
export function library(): Promise<Library> {
  return ready;
}

/** A read that HDF5 has asked for. */
export interface Read {
  readonly position: number;
  readonly length: number;
}

const FOLDER = "/shards";
const INPUT_OUTPUT_ERROR = 29; // EIO, by emscripten's numbers

let mounted = 0;

/** A file in the library's file system; what is read of it comes from a reader. */
export class Mount {
  readonly path: string;
  readonly #library: Library;
  /** What has gone wrong while the library read; it makes nothing of the reason. */
  cause: unknown = null;
  #reads: Read[] | null = null;
  #feigned = 0;

  constructor(of: Library, reader: BlockReader) {
    this.#library = of;
    mounted += 1;
    this.path = `${FOLDER}/${mounted}`;
    if (!of.FS.analyzePath(FOLDER).exists) of.FS.mkdir(FOLDER);
    of.FS.writeFile(this.path, new Uint8Array(0));
    const { node } = of.FS.lookupPath(this.path, {});
    const operations: unknown = Reflect.get(node, "stream_ops");
    const read = (_: unknown, heap: ArrayBufferView, offset: number, length: number, position: number) =>
      this.#read(reader, new Uint8Array(heap.buffer, heap.byteOffset + offset, length), position);
    Object.defineProperties(node, {
      usedBytes: { get: () => reader.size },
      stream_ops: { value: { ...(isFields(operations) ? operations : {}), read } },
    });
  }

  /**
   * Notes every read from now on.
   *
   * @param feigned - A read of exactly so many bytes is not done: only its place is wished for. 0 for none.
   */
  watch(feigned: number): void {
    this.#reads = [];
    this.#feigned = feigned;
  }

  /** Ends that; returns what has been read. */
  unwatch(): readonly Read[] {
    const reads = this.#reads ?? [];
    this.#reads = null;
    this.#feigned = 0;
    return reads;
  }

  remove(): void {
    this.#library.FS.unlink(this.path);
  }

  #read(reader: BlockReader, into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, reader.size - position));
    this.#reads?.push({ position, length });
    if (length > 0 && length === this.#feigned) return length;
    try {
      into.set(reader.read(position, length));
      return length;
    } catch (error) {
      this.cause ??= error;
      throw this.#errno();
    }
  }

  /** An error that the library takes as one of its system; anything else would fly through it and leave it in pieces. */
  #errno(): unknown {
    const kind: unknown = Reflect.get(this.#library.FS, "ErrnoError");
    if (typeof kind !== "function") return new Error("the file cannot be read");
    const error: unknown = Reflect.construct(kind, [INPUT_OUTPUT_ERROR]);
    return error;
  }
}
