/** One HDF5 file that is open: where the bytes of an image lie, or the bytes themselves. */

import type { Metadata } from "h5wasm";
import { ExplorerError } from "../../errors";
import type { BlockReader } from "../blocks";
import { forgetDiagnostics, innermost, isSaid } from "./diagnostics";
import { checkEncoded, checkSize, isVariable, notAnImage, type Of } from "./encoded";
import { provideFilters } from "./filters";
import { type Library, Mount, type Read } from "./library";

const GROUP = "/images";

/** Where the bytes of an image lie in its file. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

/** What is known of an image: its bytes, its place, or both. */
export interface Found {
  readonly place: Place | null;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

/** An HDF5 file held open. */
export class Shard {
  readonly name: string;
  readonly #library: Library;
  readonly #mount: Mount;
  readonly #onlyPlaces: boolean;
  #id: bigint;

  /**
   * @param name - The file's name, for sentences.
   * @param onlyPlaces - Has bytes that are one piece of the file not be read, but their place be told.
   * @throws ExplorerError - `shard_unreadable`, `no_images_group`, or why the file cannot be read.
   */
  constructor(library: Library, name: string, reader: BlockReader, onlyPlaces: boolean) {
    this.name = name;
    this.#library = library;
    this.#onlyPlaces = onlyPlaces;
    this.#mount = new Mount(library, reader);
    this.#id = -1n;
    try {
      this.#open();
      const type = this.#call(() => library.get_type(this.#id, GROUP));
      if (type !== library.H5G_GROUP) {
        throw new ExplorerError("no_images_group", `${name} has no group named images.`);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Finds the image of a key. */
  async find(key: string): Promise<Found> {
    const of = { file: this.name, key };
    if (key === "" || key === "." || /[/\0]/.test(key)) throw notFound(of);
    const path = `${GROUP}/${key}`;
    const library = this.#library;
    const type = this.#call(() => library.get_type(this.#id, path));
    if (type === library.H5G_GROUP) throw notAnImage(of, "a group");
    if (type === library.H5G_TYPE) throw notAnImage(of, "a named type");
    if (type === library.H5G_UDLINK) throw outside(of);
    if (type !== library.H5G_DATASET) throw notFound(of);
    const metadata = this.#call(() => library.get_dataset_metadata(this.#id, path));
    if (metadata.virtual_sources?.some((source) => source.file_name !== ".")) throw outside(of);
    const bytes = checkEncoded(metadata, of);
    if (metadata.chunks !== null) {
      const filters = this.#call(() => library.get_dataset_filters(this.#id, path)).map((filter) => filter.id);
      await provideFilters(library, filters);
    }
    if (isVariable(metadata)) return { place: null, bytes: this.#variable(path, metadata, of) };
    return this.#fixed(path, metadata, bytes, of);
  }

  /** The names of all images; slow where there are many. */
  keys(): readonly string[] {
    return this.#call(() => this.#library.get_names(this.#id, GROUP, false));
  }

  close(): void {
    if (this.#id >= 0n) this.#library.close_file(this.#id);
    this.#id = -1n;
    this.#mount.remove();
  }

  #open(): void {
    if (this.#id >= 0n) this.#library.close_file(this.#id);
    this.#id = this.#call(() => this.#library.open(this.#mount.path, this.#library.H5F_ACC_RDONLY));
    if (this.#id < 0n) throw this.#unreadable();
  }

  /**
   * Reads values of a fixed size.
   *
   * Of values that are one piece of the file, HDF5 reads nothing but that piece once it has read all else about them:
   * the one read tells the place, and its bytes need not be waited for here.
   */
  #fixed(path: string, metadata: Metadata, size: number, of: Of): Found {
    const onePiece = metadata.chunks === null && metadata.virtual_sources === undefined;
    const feigned = onePiece && this.#onlyPlaces;
    const { bytes, reads } = this.#read(path, size, of, feigned);
    const [first] = reads;
    if (onePiece && reads.length === 1 && first?.length === size) {
      return { place: { offset: first.position, size }, bytes: feigned ? null : bytes };
    }
    if (!feigned || reads.length === 0) return { place: null, bytes };
    this.#open(); // what was read together with feigned bytes is not to be trusted
    return { place: null, bytes: this.#read(path, size, of, false).bytes };
  }

  #read(path: string, size: number, of: Of, feigned: boolean): Values {
    return this.#withMemory(size, (pointer) => {
      this.#mount.watch(feigned ? size : 0);
      try {
        this.#fill(path, pointer, of);
        return { bytes: this.#copy(pointer, size), reads: this.#mount.unwatch() };
      } finally {
        this.#mount.unwatch();
      }
    });
  }

  /** Reads the one value of variable length: the library tells where it has put it, and how long it is. */
  #variable(path: string, metadata: Metadata, of: Of): Uint8Array<ArrayBuffer> {
    return this.#withMemory(metadata.size, (pointer) => {
      this.#fill(path, pointer, of);
      const heap = new DataView(this.#library.HEAPU8.buffer);
      const text = metadata.size === 4; // a pointer alone, to a text that ends with a NUL
      const begin = heap.getUint32(pointer + (text ? 0 : 4), true);
      const length = text ? this.#library.HEAPU8.indexOf(0, begin) - begin : heap.getUint32(pointer, true);
      checkSize(begin === 0 ? 0 : length, of);
      const bytes = this.#copy(begin, length);
      this.#library.reclaim_vlen_memory(this.#id, path, "", BigInt(pointer));
      return bytes;
    });
  }

  #fill(path: string, pointer: number, of: Of): void {
    const status = this.#call(() => this.#library.get_dataset_data(this.#id, path, null, null, null, BigInt(pointer)));
    if (status >= 0) return;
    if (isSaid("external")) throw outside(of);
    if (isSaid("required filter")) throw missingFilter(of);
    throw this.#unreadable();
  }

  #withMemory<Result>(size: number, use: (pointer: number) => Result): Result {
    const pointer = this.#library._malloc(size);
    if (pointer === 0) throw new RangeError("there is no memory left");
    try {
      return use(pointer);
    } finally {
      this.#library._free(pointer);
    }
  }

  #copy(pointer: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    bytes.set(this.#library.HEAPU8.subarray(pointer, pointer + size));
    return bytes;
  }

  /** Calls the library; why the file could not be read goes before what the library makes of it. */
  #call<Result>(act: () => Result): Result {
    forgetDiagnostics();
    this.#mount.cause = null;
    try {
      const result = act();
      if (this.#mount.cause !== null) throw this.#mount.cause;
      return result;
    } catch (error) {
      if (this.#mount.cause !== null) throw this.#mount.cause;
      if (error instanceof ExplorerError || isCrash(error)) throw error;
      throw this.#unreadable();
    }
  }

  #unreadable(): ExplorerError {
    const reason = innermost() || "it is damaged";
    return new ExplorerError(
      "shard_unreadable",
      `${this.name} cannot be read as HDF5: ${reason}.`,
      reason.includes("truncated") ? "It may still be written or copied; try again, or copy it anew." : "",
    );
  }
}

interface Values {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly reads: readonly Read[];
}

/** Whether an error means that the library's memory is in disorder. */
export function isCrash(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function notFound({ file, key }: Of): ExplorerError {
  return new ExplorerError("image_not_found", `${file} has no image ${key}.`);
}

function outside({ file, key }: Of): ExplorerError {
  return new ExplorerError(
    "outside_data",
    `${file} refers to another file for ${key}.`,
    "Such links and external storage are not followed.",
  );
}

function missingFilter({ file, key }: Of): ExplorerError {
  return new ExplorerError(
    "missing_filter",
    `The image ${key} in ${file} is compressed by an HDF5 filter that this page does not have.`,
    "Open it with `h5explorer open` or in a notebook.",
  );
}
