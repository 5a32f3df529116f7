/** Pictures that are here, and fetching the neighbours of the one that is shown before they are asked for. */

import { decodePicture, type Picture } from "../decode/picture";
import { ExplorerError, isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { EncodedImage, Source } from "../source/api";

/** Encoded bytes kept: some hundred photographs. */
const BYTES_KEPT = 64 << 20;

/** Decoded bytes kept, at 4 a pixel. */
const DECODED_KEPT = 128 << 20;

/** How many rows ahead and behind are fetched. */
const AHEAD = 4;
const BEHIND = 2;

/** Bytes that are fetched ahead at a time. */
const ROOM_AHEAD = 8 << 20;

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
  #ahead: AbortController | null = null;
  #checking: AbortController | null = null;
  #last = 0;

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
    this.#ahead?.abort(); // what nobody waits for does not hold up what somebody does
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

  /**
   * Fetches the neighbours of a row: more of them in the direction of the last move.
   *
   * @param total - The number of rows.
   */
  async fetchAround(row: number, total: number): Promise<void> {
    const rows = neighbours(row, row >= this.#last ? 1 : -1, total).filter((each) => !this.#encoded.has(each));
    this.#last = row;
    this.#ahead?.abort();
    if (rows.length === 0) return this.#decodeNext(row, total);
    const control = new AbortController();
    this.#ahead = control;
    try {
      const images = await this.#source.images(this.#dataset, rows, ROOM_AHEAD, control.signal);
      for (const image of [...images].reverse()) this.#keep(image);
      if (!control.signal.aborted) await this.#decodeNext(row, total);
    } catch (error) {
      // What cannot be fetched ahead is asked for again, and its error shown, when a person comes to it.
      if (!isCancelled(error)) console.debug("h5explorer: neighbours could not be fetched", error);
    }
  }

  /** Decodes the next one too, so that it is painted in the frame in which it is chosen. */
  async #decodeNext(row: number, total: number): Promise<void> {
    for (const next of neighbours(row, 1, total).slice(0, 2)) {
      const image = this.#encoded.peek(next)?.image;
      if (image === undefined || this.#decoded.has(next)) continue;
      try {
        await this.#decode(image);
      } catch {
        // A damaged one is told of when a person comes to it.
      }
    }
  }

  /** Lets go of everything but what is on the screen. */
  close(): void {
    this.#ahead?.abort();
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

/** The rows around one: first the next in the direction of the move, then the one behind, and so on. */
export function neighbours(row: number, direction: 1 | -1, total: number): readonly number[] {
  const rows: number[] = [];
  for (let distance = 1; distance <= AHEAD; distance += 1) {
    rows.push(row + distance * direction);
    if (distance <= BEHIND) rows.push(row - distance * direction);
  }
  return rows.filter((each) => each >= 0 && each < total);
}
