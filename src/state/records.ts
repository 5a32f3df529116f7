/** Records that are here. */

import { LruCache } from "../lru";
import type { MetadataRecord, Source } from "../source/api";

const RECORDS_KEPT = 500;

interface Held {
  readonly record: MetadataRecord;
  readonly since: number;
}

/** Gets records from a source, and keeps them. */
export class RecordStore {
  readonly #source: Source;
  readonly #dataset: number;
  readonly #held = new LruCache<number, Held>(RECORDS_KEPT);

  constructor(source: Source, dataset: number) {
    this.#source = source;
    this.#dataset = dataset;
  }

  /** Gets the record of a row; one that is here at once, whether or not its file has changed. */
  async get(row: number, signal: AbortSignal): Promise<MetadataRecord> {
    const held = this.#held.get(row);
    if (held !== undefined) return held.record;
    const record = await this.#source.metadata(this.#dataset, row, signal);
    this.keep(record);
    return record;
  }

  /** Whether the record of a row is here. */
  has(row: number): boolean {
    return this.#held.has(row);
  }

  /** Whether the record of a row was here before a moment, in the page's milliseconds: it may have changed since. */
  isOlder(row: number, than: number): boolean {
    const held = this.#held.peek(row);
    return held !== undefined && held.since < than;
  }

  keep(record: MetadataRecord): void {
    this.#held.set(record.row, { record, since: performance.now() });
  }

  /** Lets go of the record of a row. */
  forget(row: number): void {
    this.#held.delete(row);
  }
}
