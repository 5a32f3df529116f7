/** Fetching what a person may come to next, before it is asked for. */

import { isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { RowRange, Source } from "../source/api";
import type { PictureStore } from "./pictures";
import type { RecordStore } from "./records";

/** How many rows in the direction of the last move, and against it, are fetched whatever it takes. */
const FORTH = 4;
const BACK = 2;

/** How many rows in view are fetched at most, as far as that is easy. */
const IN_VIEW = 48;

/** Rows in one request: what a person asks for meanwhile waits for one of them. */
const AT_A_TIME = 6;

/** Bytes in the answer to one request. */
const ROOM = { near: 8 << 20, inView: 2 << 20 };

/** After an answer that took longer than this many milliseconds, what is in view is left for when it is asked for. */
const SLOW_MS = 250;

/** Bytes of pictures that are decoded ahead at a time. */
const DECODED_AHEAD = 48 << 20;

const TRIED_KEPT = 5_000;

/** Rows that are fetched in one request. */
export interface Batch {
  readonly rows: readonly number[];
  readonly near: boolean;
}

/** Fetches ahead for one lookup. */
export class AheadLoader {
  readonly #source: Source;
  readonly #dataset: number;
  readonly #pictures: PictureStore;
  readonly #records: RecordStore;
  readonly #tried = new LruCache<number, true>(TRIED_KEPT);
  #running: AbortController | null = null;
  #last = 0;

  constructor(source: Source, dataset: number, pictures: PictureStore, records: RecordStore) {
    this.#source = source;
    this.#dataset = dataset;
    this.#pictures = pictures;
    this.#records = records;
  }

  /**
   * Fetches what is near a row, then what else is in view.
   *
   * @param row - The row that is shown; `null` if none is.
   * @param total - The number of rows.
   */
  async load(row: number | null, inView: RowRange, total: number): Promise<void> {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    const batches = batchesAhead(row, row !== null && row < this.#last ? -1 : 1, inView, total);
    this.#last = row ?? this.#last;
    try {
      for (const { rows, near } of batches) {
        const begun = performance.now();
        await this.#fetch(rows, near, running.signal);
        if (performance.now() - begun > SLOW_MS) break;
      }
      await this.#decode(batches, running.signal);
    } catch (error) {
      // What cannot be fetched ahead is asked for again, and its error shown, when a person comes to it.
      if (!isCancelled(error)) console.debug("h5explorer: what is near could not be fetched", error);
    }
  }

  /** Withdraws what is on its way. */
  stop(): void {
    this.#running?.abort();
  }

  async #fetch(rows: readonly number[], near: boolean, signal: AbortSignal): Promise<void> {
    const missing = rows.filter(
      (row) => !(this.#pictures.has(row) && this.#records.has(row)) && (near || !this.#tried.has(row)),
    );
    if (missing.length === 0) return;
    const room = near ? ROOM.near : ROOM.inView;
    const { images, records } = await this.#source.ahead(this.#dataset, missing, room, !near, signal);
    // Of a row in a file that is not open nothing comes; it may be open the next time.
    for (const { row } of [...images, ...records]) this.#tried.set(row, true);
    for (const image of [...images].reverse()) this.#pictures.keep(image);
    for (const record of records) this.#records.keep(record);
  }

  async #decode(batches: readonly Batch[], signal: AbortSignal): Promise<void> {
    let decoded = 0;
    for (const row of batches.flatMap((batch) => batch.rows)) {
      if (signal.aborted || decoded > DECODED_AHEAD) return;
      decoded += await this.#pictures.decodeAhead(row);
    }
  }
}

/** What to fetch ahead, in the order of requests. */
export function batchesAhead(row: number | null, direction: 1 | -1, inView: RowRange, total: number): readonly Batch[] {
  const near = row === null ? [] : neighbours(row, direction, total);
  const known = new Set(row === null ? near : [row, ...near]);
  const others = rowsOf(inView, total).filter((each) => !known.has(each));
  return [
    ...split(near).map((rows) => ({ rows, near: true })),
    ...split(others.slice(0, IN_VIEW)).map((rows) => ({ rows, near: false })),
  ];
}

/** The rows around one: first the next in the direction of the move, then the one behind, and so on. */
export function neighbours(row: number, direction: 1 | -1, total: number): readonly number[] {
  const rows: number[] = [];
  for (let distance = 1; distance <= FORTH; distance += 1) {
    rows.push(row + distance * direction);
    if (distance <= BACK) rows.push(row - distance * direction);
  }
  return rows.filter((each) => each >= 0 && each < total);
}

function rowsOf({ start, stop }: RowRange, total: number): readonly number[] {
  const first = Math.max(0, start);
  return Array.from({ length: Math.max(0, Math.min(stop, total) - first) }, (_, index) => first + index);
}

function split(rows: readonly number[]): readonly (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  for (let at = 0; at < rows.length; at += AT_A_TIME) parts.push(rows.slice(at, at + AT_A_TIME));
  return parts;
}
