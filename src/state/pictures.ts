/** Pictures that are here, encoded and decoded. */

import { decodePicture, type Picture } from "../decode/picture";
import { ExplorerError, isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { EncodedImage, Source } from "../source/api";

/** Encoded bytes kept: some hundred photographs. */
const BYTES_KEPT = 64 << 20;

/** Decoded bytes kept, at 4 a pixel. */
const DECODED_KEPT = 128 << 20;

/** For how many milliseconds a bitmap stays after it has left the cache. */
const LINGER_MS = 500;

interface Held {
  readonly image: EncodedImage;
  readonly since: number;
}

/** Gets pictures from a source, and keeps them. */
export class PictureStore {
  readonly #source: Source;
  readonly #dataset: number;
  readonly #encoded = new LruCache<number, Held>(BYTES_KEPT, (held) => held.image.bytes.length);
  readonly #decoded = new LruCache<number, Picture>(
    DECODED_KEPT,
    (picture) => 4 * picture.width * picture.height,
    (picture) => this.#release(picture),
  );
  readonly #leaving = new Set<Picture>();
  #shown: Picture | null = null;
  #checking: AbortController | null = null;

  constructor(source: Source, dataset: number) {
    this.#source = source;
    this.#dataset = dataset;
  }

  /** Gets the picture of a row, decoded. One that is here is given at once, whether or not its file has changed. */
  async get(row: number, signal: AbortSignal): Promise<Picture> {
    const ready = this.#decoded.get(row);
    if (ready !== undefined) return ready;
    const encoded = this.#encoded.get(row)?.image;
    if (encoded !== undefined) return this.#decode(encoded);
    return this.#decode(await this.#mustFetch(row, signal));
  }

  /**
   * Looks whether the file of a picture that is here has changed.
   *
   * @param since - What has come since then, in the page's milliseconds, is taken as true.
   * @returns Whether it has: then the picture is here no more, and is to be got again.
   */
  async hasChanged(row: number, since: number): Promise<boolean> {
    const held = this.#encoded.peek(row);
    if (held === undefined || held.since >= since) return false;
    this.#checking?.abort();
    this.#checking = new AbortController();
    try {
      const image = await this.#fetch(row, held.image.state, this.#checking.signal);
      if (image === null) this.#keep(held.image);
      else this.#decoded.delete(row);
      return image !== null;
    } catch (error) {
      if (isCancelled(error)) return false;
      this.forget(row); // getting it again will tell why it is gone
      return true;
    }
  }

  /** Lets go of the picture of a row. */
  forget(row: number): void {
    this.#encoded.delete(row);
    this.#decoded.delete(row);
  }

  async #fetch(row: number, known: string | null, signal: AbortSignal): Promise<EncodedImage | null> {
    const image = await this.#source.image(this.#dataset, row, known, signal);
    if (image !== null) this.#keep(image);
    return image;
  }

  async #mustFetch(row: number, signal: AbortSignal): Promise<EncodedImage> {
    const image = await this.#fetch(row, null, signal);
    if (image === null) throw new ExplorerError("bad_reply", "The picture's answer arrived without it.", "Try again.");
    return image;
  }

  #keep(image: EncodedImage): void {
    this.#encoded.set(image.row, { image, since: performance.now() });
  }

  async #decode(image: EncodedImage): Promise<Picture> {
    const picture = await decodePicture(image);
    this.#decoded.set(image.row, picture);
    return picture;
  }

  /** Says which picture is on the screen: its bitmap is not let go of while it is. */
  show(picture: Picture | null): void {
    this.#shown = picture;
    if (this.#leaving.size > 0) setTimeout(() => this.#closeLeaving(), LINGER_MS);
  }

  /** Whether the picture of a row is here. */
  has(row: number): boolean {
    return this.#encoded.has(row);
  }

  /** Keeps a picture that was fetched ahead. */
  keep(image: EncodedImage): void {
    if (!this.#encoded.has(image.row)) this.#keep(image);
  }

  /**
   * Decodes a picture that is here, so that it is painted in the frame in which it is chosen.
   *
   * @returns How many bytes it takes, decoded by this call.
   */
  async decodeAhead(row: number): Promise<number> {
    const image = this.#encoded.peek(row)?.image;
    if (image === undefined || this.#decoded.has(row)) return 0;
    try {
      const { width, height } = await this.#decode(image);
      return 4 * width * height;
    } catch {
      return 0; // a damaged one is told of when a person comes to it
    }
  }

  /** Lets go of everything but what is on the screen. */
  close(): void {
    this.#checking?.abort();
    this.#decoded.clear();
    this.#encoded.clear();
  }

  /** Closes a bitmap that has left the cache: not at once, as the screen may be about to draw it. */
  #release(picture: Picture): void {
    this.#leaving.add(picture);
    setTimeout(() => this.#closeLeaving(), LINGER_MS);
  }

  #closeLeaving(): void {
    for (const picture of this.#leaving) {
      if (picture === this.#shown) continue;
      this.#leaving.delete(picture);
      picture.bitmap.close();
    }
  }
}
