/** The rows that are here, and asking for those that come into view. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { nextStep, PAGE_ROWS, PAGES_KEPT, pageOf, rowsOfPages } from "../contents/pages";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import { LruCache } from "../lru";
import type { RowRange, Rows, Source } from "../source/api";

/** One row of the lookup as it is listed. */
export interface ListedRow {
  readonly uuid: string | null;
  readonly filepath: string | null;
}

/** After how many milliseconds a failed page is asked for again by itself; then twice as long each time. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Gives out rows at once if they are here, and fetches those in view if not. */
export class RowStore {
  readonly #source: Source;
  readonly #dataset: number;
  #total: number;
  readonly #pages = new LruCache<number, Rows>(PAGES_KEPT);
  readonly #failed = new Set<number>();
  readonly #changes = signal(0);
  readonly #error = signal<ExplorerError | null>(null);
  readonly #notices = signal<readonly string[]>([]);
  readonly #inView = signal<RowRange>({ start: 0, stop: 0 });
  #onWay: readonly { first: number; last: number; since: number; control: AbortController }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retryMs = RETRY_MS;
  #closed = false;

  constructor(source: Source, dataset: number, total: number) {
    this.#source = source;
    this.#dataset = dataset;
    this.#total = total;
  }

  /** Changes whenever rows arrive. */
  get changes(): ReadonlySignal<number> {
    return this.#changes;
  }

  /** The rows in view. */
  get inView(): ReadonlySignal<RowRange> {
    return this.#inView;
  }

  /** Why the rows in view cannot be shown. */
  get error(): ReadonlySignal<ExplorerError | null> {
    return this.#error;
  }

  /** Sentences about what is odd in the lookup. */
  get notices(): ReadonlySignal<readonly string[]> {
    return this.#notices;
  }

  /** Returns a row if it is here; asks for nothing. */
  get(row: number): ListedRow | null {
    const page = this.#pages.peek(pageOf(row));
    if (page === undefined || row - page.start >= page.uuids.length) return null;
    return { uuid: page.uuids[row - page.start] ?? null, filepath: page.filepaths[row - page.start] ?? null };
  }

  /** Says which rows are in view; those that are missing are asked for. */
  show(rows: RowRange): void {
    this.#inView.value = rows;
    for (let page = pageOf(rows.start); page <= pageOf(Math.max(rows.start, rows.stop - 1)); page += 1) {
      this.#pages.get(page); // counts as a use
    }
    this.#step();
  }

  /** Takes over that there are more rows. */
  grow(total: number): void {
    if (total === this.#total) return;
    this.#pages.delete(pageOf(this.#total)); // it has more rows now
    this.#total = total;
    this.#changes.value += 1;
    this.#step();
  }

  /** Asks again for what has failed. */
  retry(): void {
    this.#failed.clear();
    this.#error.value = null;
    this.#step();
  }

  /** Withdraws what is on its way. */
  close(): void {
    this.#closed = true;
    for (const { control } of this.#onWay) control.abort();
    this.#setTimer(null);
  }

  #step(): void {
    if (this.#closed) return;
    const now = performance.now();
    const step = nextStep({
      total: this.#total,
      inView: this.#inView.peek(),
      has: (page) => this.#pages.has(page),
      failed: (page) => this.#failed.has(page),
      onWay: this.#onWay.map(({ first, last, since }) => ({ first, last, forMs: now - since })),
    });
    if (step.kind === "wait") this.#setTimer(step.ms);
    if (step.kind !== "ask") return;
    if (step.withdraw) this.#onWay[0]?.control.abort();
    void this.#ask(step.first, step.last);
  }

  async #ask(first: number, last: number): Promise<void> {
    const asked = { first, last, since: performance.now(), control: new AbortController() };
    this.#onWay = [...this.#onWay.filter(({ control }) => !control.signal.aborted), asked];
    const total = this.#total;
    try {
      const rows = await this.#source.rows(this.#dataset, rowsOfPages(first, last, total), asked.control.signal);
      this.#take(rows, first, last, total);
    } catch (error) {
      if (!isCancelled(error)) this.#fail(first, last, asExplorerError(error));
    } finally {
      const left = this.#onWay.filter((other) => other !== asked);
      if (left.length < this.#onWay.length) {
        this.#onWay = left;
        this.#step();
      }
    }
  }

  #take(rows: Rows, first: number, last: number, totalThen: number): void {
    for (let page = first; page <= last; page += 1) {
      if (totalThen !== this.#total && page === pageOf(totalThen)) continue; // it has more rows now
      const from = page * PAGE_ROWS - rows.start;
      this.#pages.set(page, {
        ...rows,
        start: page * PAGE_ROWS,
        uuids: rows.uuids.slice(from, from + PAGE_ROWS),
        filepaths: rows.filepaths.slice(from, from + PAGE_ROWS),
      });
      this.#failed.delete(page);
    }
    this.#retryMs = RETRY_MS;
    this.#error.value = null;
    if (rows.notices.length > 0) this.#notices.value = rows.notices;
    this.#changes.value += 1;
  }

  #fail(first: number, last: number, error: ExplorerError): void {
    for (let page = first; page <= last; page += 1) this.#failed.add(page);
    this.#error.value = error;
    if (error.code === "stale_dataset" || error.code === "disconnected") return;
    this.#setTimer(this.#retryMs, () => this.#failed.clear());
    if (error.code !== "not_ready") this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
  }

  #setTimer(ms: number | null, before: () => void = () => {}): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer =
      ms === null
        ? null
        : setTimeout(() => {
            this.#timer = null;
            before();
            this.#step();
          }, ms);
  }
}
