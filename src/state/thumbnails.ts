/** Thumbnails that are here, and asking for those that come into view. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { asExplorerError, ExplorerError, isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { EncodedThumbnail, RowRange, Source } from "../source/api";
import { Timer } from "../time";
import { aroundOf, planBatches } from "./thumbnailPlan";

/** Encoded bytes kept: some 4,000 thumbnails. */
const BYTES_KEPT = 16 << 20;

/** Decoded bytes kept, at 4 a pixel; those in view stay whatever they take. */
const DECODED_KEPT = 128 << 20;

const FAILURES_KEPT = 5_000;

/** For how many milliseconds a thumbnail is taken as true; then it is asked for again when it comes into view. */
const TRUE_MS = 60_000;

/** For how many milliseconds a thumbnail that could not be made is not asked for again. */
const FAILED_MS = 15_000;

/** After how many milliseconds a batch that failed is asked for again by itself; then twice as long each time. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** A thumbnail that can be drawn. */
export interface Thumbnail {
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
}

interface Held {
  readonly image: EncodedThumbnail;
  /** The size that was asked for. */
  readonly size: number;
  readonly since: number;
}

interface Failed {
  readonly error: ExplorerError;
  readonly since: number;
}

interface Batch {
  readonly rows: readonly number[];
  readonly since: number;
  readonly control: AbortController;
}

const NOTHING: RowRange = { start: 0, stop: 0 };

/** Gives out thumbnails at once if they are here, and fetches those in view if not. */
export class ThumbnailStore {
  readonly #source: Source;
  readonly #dataset: number;
  #total: number;
  readonly #encoded = new LruCache<number, Held>(BYTES_KEPT, (held) => held.image.bytes.length);
  readonly #failed = new LruCache<number, Failed>(FAILURES_KEPT);
  readonly #decoded = new Map<number, Thumbnail & { readonly of: EncodedThumbnail }>();
  readonly #decoding = new Set<EncodedThumbnail>();
  /** Rows whose batch failed as a whole. */
  readonly #lost = new Set<number>();
  readonly #changes = signal(0);
  readonly #timer = new Timer();
  readonly #retry = new Timer();
  #onWay: readonly Batch[] = [];
  #inView = NOTHING;
  #size = 0;
  #shownAt = 0;
  #retryMs = RETRY_MS;
  #closed = false;

  /** Takes over that there are more rows. */
  grow(total: number): void {
    this.#total = total;
  }

  constructor(source: Source, dataset: number, total: number) {
    this.#source = source;
    this.#dataset = dataset;
    this.#total = total;
  }

  /** Changes whenever there is another thumbnail to draw. */
  get changes(): ReadonlySignal<number> {
    return this.#changes;
  }

  /** Whether thumbnails are in view. */
  get shown(): boolean {
    return this.#inView.stop > this.#inView.start;
  }

  /** Returns the thumbnail of a row if it is here, or why there is none; asks for nothing. */
  get(row: number): Thumbnail | ExplorerError | null {
    return this.#decoded.get(row) ?? this.#failed.peek(row)?.error ?? null;
  }

  /**
   * Says which rows are in view; those that are missing are asked for.
   *
   * @param size - The size to ask for, in pixels.
   */
  show(rows: RowRange, size: number): void {
    this.#inView = rows;
    this.#size = size;
    this.#shownAt = performance.now();
    for (let row = rows.start; row < rows.stop; row += 1) this.#encoded.get(row); // counts as a use
    this.#decodeAround();
    this.#step();
  }

  /** Says that none are in view any more: withdraws what is on its way, and lets go of the decoded ones. */
  hide(): void {
    this.#inView = NOTHING;
    this.#timer.clear();
    this.#retry.clear();
    for (const row of this.#lost) this.#failed.delete(row);
    this.#lost.clear();
    for (const batch of this.#onWay) batch.control.abort();
    for (const row of [...this.#decoded.keys()]) this.#drop(row);
  }

  /** Asks again for a row that failed. */
  retry(row: number): void {
    this.#failed.delete(row);
    this.#lost.delete(row);
    this.#changes.value += 1;
    this.#step();
  }

  close(): void {
    this.#closed = true;
    this.hide();
    this.#encoded.clear();
  }

  #step(): void {
    if (this.#closed || !this.shown) return;
    const now = performance.now();
    const { withdraw, ask, waitMs } = planBatches({
      total: this.#total,
      inView: this.#inView,
      wanted: (row) => this.#wanted(row),
      onWay: this.#onWay.map(({ rows, since }) => ({ rows, forMs: now - since })),
    });
    const batches = this.#onWay;
    this.#onWay = batches.filter((_, at) => !withdraw.includes(at));
    for (const at of withdraw) batches[at]?.control.abort();
    for (const rows of ask) void this.#ask(rows);
    if (waitMs === null) this.#timer.clear();
    else this.#timer.set(waitMs, () => this.#step());
  }

  #wanted(row: number): 0 | 1 | 2 {
    if (this.#lost.has(row)) return 0; // asked for again when the time has come
    const failed = this.#failed.peek(row);
    if (failed !== undefined) return this.#shownAt - failed.since > FAILED_MS ? 2 : 0;
    const held = this.#encoded.peek(row);
    if (held === undefined) return 2;
    const reduced = Math.max(held.image.width, held.image.height) >= held.size;
    if (reduced && held.size < this.#size) return 1;
    const seen = row >= this.#inView.start && row < this.#inView.stop;
    return seen && this.#shownAt - held.since > TRUE_MS ? 1 : 0;
  }

  async #ask(rows: readonly number[]): Promise<void> {
    const batch: Batch = { rows, since: performance.now(), control: new AbortController() };
    const size = this.#size;
    this.#onWay = [...this.#onWay, batch];
    try {
      const { made, missing } = await this.#source.thumbnails(this.#dataset, rows, size, batch.control.signal);
      if (this.#closed) return;
      for (const image of made) this.#keep({ image, size, since: performance.now() });
      for (const { row, error } of missing) this.#fail(row, error);
      const told = new Set([...made, ...missing].map((each) => each.row));
      for (const row of rows) if (!told.has(row)) this.#fail(row, untold());
      this.#retryMs = RETRY_MS;
      await this.#decode(made);
    } catch (error) {
      if (!isCancelled(error)) this.#failAll(rows, asExplorerError(error));
    } finally {
      this.#onWay = this.#onWay.filter((each) => each !== batch);
      this.#step();
    }
  }

  #keep(held: Held): void {
    this.#failed.delete(held.image.row);
    this.#encoded.set(held.image.row, held);
  }

  #fail(row: number, error: ExplorerError): void {
    this.#drop(row);
    this.#encoded.delete(row);
    this.#failed.set(row, { error, since: performance.now() });
    this.#changes.value += 1;
  }

  #failAll(rows: readonly number[], error: ExplorerError): void {
    for (const row of rows) {
      if (!this.#decoded.has(row)) this.#fail(row, error);
      this.#lost.add(row);
    }
    if (this.#closed || error.code === "stale_dataset" || error.code === "disconnected") return;
    this.#retry.set(this.#retryMs, () => {
      for (const row of this.#lost) this.#failed.delete(row);
      this.#lost.clear();
      this.#step();
    });
    this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
  }

  /** Decodes what is here of the rows in view and around, where that is not done. */
  #decodeAround(): void {
    const { start, stop } = aroundOf(this.#inView, this.#total);
    const images: EncodedThumbnail[] = [];
    for (let row = start; row < stop; row += 1) {
      const image = this.#encoded.peek(row)?.image;
      if (image !== undefined && this.#decoded.get(row)?.of !== image) images.push(image);
    }
    if (images.length > 0) void this.#decode(images);
  }

  async #decode(images: readonly EncodedThumbnail[]): Promise<void> {
    const begun = images.filter((image) => !this.#decoding.has(image));
    for (const image of begun) this.#decoding.add(image);
    await Promise.all(begun.map((image) => this.#decodeOne(image).finally(() => this.#decoding.delete(image))));
    this.#letGo();
    this.#changes.value += 1;
  }

  async #decodeOne(image: EncodedThumbnail): Promise<void> {
    const { row, bytes, mediaType, width, height } = image;
    const bitmap = await createImageBitmap(new Blob([bytes], { type: mediaType })).catch(() => null);
    if (this.#encoded.peek(row)?.image !== image || !this.shown) bitmap?.close();
    else if (bitmap === null) this.#fail(row, undecodable());
    else {
      this.#drop(row);
      this.#decoded.set(row, { bitmap, width, height, of: image });
    }
  }

  /** Lets go of what is furthest from the view, until the rest is not too much. */
  #letGo(): void {
    let size = 0;
    for (const { width, height } of this.#decoded.values()) size += 4 * width * height;
    const { start, stop } = this.#inView;
    const distance = (row: number) => Math.max(0, start - row, row - stop + 1);
    for (const row of [...this.#decoded.keys()].sort((one, other) => distance(other) - distance(one))) {
      const held = this.#decoded.get(row);
      if (size <= DECODED_KEPT || distance(row) === 0 || held === undefined) return;
      size -= 4 * held.width * held.height;
      this.#drop(row);
    }
  }

  #drop(row: number): void {
    this.#decoded.get(row)?.bitmap.close();
    this.#decoded.delete(row);
  }
}

function untold(): ExplorerError {
  return new ExplorerError("bad_reply", "The answer arrived without this thumbnail.", "Try again.");
}

function undecodable(): ExplorerError {
  return new ExplorerError("picture_undecodable", "The browser cannot decode this thumbnail.", "It may be damaged.");
}
