/** A file at an address in the shape of one that was dropped: its parts are fetched when they are read. */

import { asExplorerError, type ExplorerError } from "../../errors";
import type { RemoteFile } from "../fileRef";
import { fetchRange } from "../remote";

const NEVER = new AbortController().signal;

/** What all parts of one file share. */
interface Shared {
  cause: ExplorerError | null;
}

/** Gives out its parts by requests for ranges. */
export class RemoteBlob extends Blob {
  readonly #file: RemoteFile;
  readonly #start: number;
  readonly #stop: number;
  readonly #shared: Shared;

  constructor(file: RemoteFile, start = 0, stop = file.size, shared: Shared = { cause: null }) {
    super();
    this.#file = file;
    this.#start = start;
    this.#stop = stop;
    this.#shared = shared;
  }

  override get size(): number {
    return this.#stop - this.#start;
  }

  override slice(start = 0, end = this.size): RemoteBlob {
    const at = (place: number) => this.#start + Math.max(0, Math.min(place < 0 ? this.size + place : place, this.size));
    return new RemoteBlob(this.#file, at(start), at(end), this.#shared);
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    try {
      return (await fetchRange(this.#file, this.#start, this.#stop, NEVER)).buffer;
    } catch (error) {
      this.#shared.cause = asExplorerError(error);
      throw error;
    }
  }

  /** Why a part could not be fetched: the decoder makes a text of it. */
  takeCause(): ExplorerError | null {
    const { cause } = this.#shared;
    this.#shared.cause = null;
    return cause;
  }
}
