/** Setting a filter and an order, and what is known of the columns for that. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import type { Column, ColumnValues, Opened, Sort, Source } from "../source/api";
import { Timer } from "../time";

const LOOK_MS = 400;

/** A filter or order that is being worked out. */
export interface Query {
  readonly filter: string;
  readonly sort: Sort;
  /** The part that has been done, from 0 to 1; `null` where that is not known yet. */
  readonly done: number | null;
}

/** Filters and sorts one explorer. */
export class Filtering {
  readonly #source: Source;
  readonly #opened: ReadonlySignal<Opened>;
  readonly #query = signal<Query | null>(null);
  readonly #error = signal<ExplorerError | null>(null);
  readonly #timer = new Timer();
  #running: AbortController | null = null;
  #lookup = "";
  #columns: Promise<readonly Column[]> | null = null;
  readonly #values = new Map<string, Promise<ColumnValues>>();

  constructor(source: Source, opened: ReadonlySignal<Opened>) {
    this.#source = source;
    this.#opened = opened;
  }

  /** What is being worked out. */
  get query(): ReadonlySignal<Query | null> {
    return this.#query;
  }

  /** Why the last filter or order was refused. */
  get error(): ReadonlySignal<ExplorerError | null> {
    return this.#error;
  }

  /** Has other rows shown; what is shown stays until they are known, or where they are refused. */
  async show(filter: string, sort: Sort): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#error.value = null;
    this.#query.value = { filter, sort, done: null };
    this.#timer.set(LOOK_MS, () => void this.#look(running));
    try {
      await this.#source.show(filter, sort, running.signal);
    } catch (error) {
      if (!isCancelled(error) && this.#running === running) this.#error.value = asExplorerError(error);
    } finally {
      if (this.#running === running) this.#end();
    }
  }

  /** Stops what is being worked out; what is shown stays. */
  stop(): void {
    this.#running?.abort();
    this.#end();
  }

  /** Forgets why the last filter was refused. */
  forgive(): void {
    this.#error.value = null;
  }

  /** The columns that a filter may name. */
  columns(): Promise<readonly Column[]> {
    this.#forgetOthers();
    this.#columns ??= this.#kept(
      this.#source.columns(this.#opened.peek().dataset, new AbortController().signal),
      () => {
        this.#columns = null;
      },
    );
    return this.#columns;
  }

  /** What a column holds. */
  values(column: string): Promise<ColumnValues> {
    this.#forgetOthers();
    const held = this.#values.get(column);
    if (held !== undefined) return held;
    const asked = this.#kept(
      this.#source.values(this.#opened.peek().dataset, column, new AbortController().signal),
      () => this.#values.delete(column),
    );
    this.#values.set(column, asked);
    return asked;
  }

  close(): void {
    this.stop();
  }

  #end(): void {
    this.#running = null;
    this.#timer.clear();
    this.#query.value = null;
  }

  /** What has failed is asked for again the next time. */
  #kept<Value>(asked: Promise<Value>, drop: () => void): Promise<Value> {
    asked.catch(drop);
    return asked;
  }

  /** What is known of columns is of all rows of one lookup, whatever is filtered. */
  #forgetOthers(): void {
    const { location, name, total } = this.#opened.peek();
    const lookup = JSON.stringify([location, name, total]);
    if (lookup === this.#lookup) return;
    this.#lookup = lookup;
    this.#columns = null;
    this.#values.clear();
  }

  async #look(running: AbortController): Promise<void> {
    try {
      const { query } = await this.#source.status(this.#opened.peek().dataset, null, running.signal);
      const before = this.#query.peek();
      if (this.#running === running && before !== null && query !== null)
        this.#query.value = { ...before, done: query };
    } catch {
      // It is looked again.
    }
    if (this.#running === running) this.#timer.set(LOOK_MS, () => void this.#look(running));
  }
}
