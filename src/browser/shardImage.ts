/** The image of one row in its file. */

import { ExplorerError } from "../errors";
import type { EncodedImage } from "../source/api";
import { type FileRef, stateOf } from "./fileRef";
import type { Thumbnail } from "./pictures/thumbnail";
import type { Workers } from "./workers";

/** Errors by which a file has brought its worker down. */
const HOSTILE = ["reader_stalled", "reader_failed"];

/** Reads one image. */
export class ShardImage {
  readonly #worker: Workers["shards"];
  readonly #key: string;
  readonly #ref: FileRef;
  readonly #hostile: Map<string, ExplorerError>;
  readonly #read: () => void;

  /**
   * @param hostile - Files that have brought the worker down, by their states.
   * @param read - Is told when the file could be read.
   */
  constructor(
    worker: Workers["shards"],
    key: string,
    ref: FileRef,
    hostile: Map<string, ExplorerError>,
    read: () => void,
  ) {
    this.#worker = worker;
    this.#key = key;
    this.#ref = ref;
    this.#hostile = hostile;
    this.#read = read;
  }

  /** A text that differs whenever the file has changed. */
  get state(): string {
    return stateOf(this.#ref);
  }

  /** Refuses a file that has brought the worker down: it is tried again only when a person asks for it. */
  checkHostile(): void {
    const error = this.#hostile.get(this.state);
    if (error !== undefined) throw error;
  }

  /** Reads the picture for a page to show, or its bytes whatever they are. */
  async image(method: "image" | "original", signal: AbortSignal): Promise<Omit<EncodedImage, "row" | "state">> {
    const begun = performance.now();
    const asked = { ref: this.#ref, key: this.#key };
    const { bytes, ...facts } = await this.#watched(this.#worker.call(method, asked, signal));
    return { ...facts, bytes, key: this.#key, source: this.#ref.path, seconds: (performance.now() - begun) / 1000 };
  }

  /** Has a small copy made. */
  async thumbnail(size: number, signal: AbortSignal): Promise<Thumbnail> {
    this.checkHostile();
    return this.#watched(this.#worker.call("thumbnail", { ref: this.#ref, key: this.#key, size }, signal));
  }

  async #watched<Result>(reading: Promise<Result>): Promise<Result> {
    try {
      const result = await reading;
      this.#read();
      this.#hostile.delete(this.state);
      return result;
    } catch (error) {
      if (error instanceof ExplorerError && HOSTILE.includes(error.code)) this.#hostile.set(this.state, error);
      throw error;
    }
  }
}
