/** Where the files of a data set are: among what was dropped, or below an address. */

import { ExplorerError } from "../errors";
import { splitPath } from "../text";
import type { FileRef, RequestHeaders } from "./fileRef";
import { addressesOf, PathIndex } from "./paths";
import { probe } from "./remote";

/** Finds files by the paths that a lookup gives. */
export interface Place {
  /**
   * Finds a file.
   *
   * @returns Nothing where there is none.
   * @throws ExplorerError - Where it cannot be told which one is meant, or the server cannot be reached.
   */
  find(path: string, signal: AbortSignal): Promise<FileRef | null>;
  /** Where one looks for it, for sentences. */
  readonly where: string;
}

/** Files that a person dropped. */
export class DroppedPlace implements Place {
  readonly where = "among the dropped files";
  readonly #files = new PathIndex<FileRef>();

  constructor(files: readonly FileRef[]) {
    for (const file of files) this.#files.add(file.path, file);
  }

  async find(path: string): Promise<FileRef | null> {
    const found = this.#files.find(path);
    if (found !== "ambiguous") return found;
    throw new ExplorerError(
      "ambiguous_file",
      `Several of the dropped files are called ${splitPath(path).name}, and the lookup does not tell which is meant.`,
      "Drop the folder that the lookup's paths start from.",
    );
  }
}

/** For how many milliseconds it is taken that a file at an address is as it was. */
const FRESH_MS = 10_000;

interface Known {
  readonly ref: FileRef | null;
  readonly since: number;
}

/** Files that a server has. */
export class RemotePlace implements Place {
  readonly where: string;
  readonly #addresses: (path: string) => readonly string[];
  readonly #headers: RequestHeaders;
  readonly #known = new Map<string, Promise<Known>>();

  /**
   * @param addresses - The addresses at which a file may be, the likeliest first.
   * @param where - Where that is, for sentences.
   * @param headers - What the server wants to be told with every request.
   */
  constructor(addresses: (path: string) => readonly string[], where: string, headers: RequestHeaders = {}) {
    this.#addresses = addresses;
    this.where = where;
    this.#headers = headers;
  }

  /** The files beside a lookup at an address. */
  static beside(lookup: string): RemotePlace {
    const { folder } = splitPath(lookup.split(/[?#]/, 1)[0] ?? lookup);
    return new RemotePlace((path) => addressesOf(path, lookup), `at ${folder}`);
  }

  async find(path: string, signal: AbortSignal): Promise<FileRef | null> {
    const known = await this.#known.get(path)?.catch(() => null);
    if (known && performance.now() - known.since < FRESH_MS) return known.ref;
    const looking = this.#look(path, signal);
    this.#known.set(path, looking);
    looking.catch(() => this.#known.delete(path));
    return (await looking).ref;
  }

  async #look(path: string, signal: AbortSignal): Promise<Known> {
    for (const address of this.#addresses(path)) {
      try {
        return { ref: await probe(address, signal, this.#headers), since: performance.now() };
      } catch (error) {
        if (!(error instanceof ExplorerError) || error.code !== "not_found") throw error;
      }
    }
    return { ref: null, since: performance.now() };
  }
}
