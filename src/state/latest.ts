/** Loading the newest thing that is wanted: an older answer is never shown in its place. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";

/** What is shown, and what is on its way. */
export interface Latest<Key, Value> {
  /** What is wanted now. */
  readonly wanted: Key | null;
  /** What was loaded last; it may still be of an earlier key while the wanted one is on its way. */
  readonly value: Value | null;
  /** Why the wanted one cannot be shown; the value is `null` then. */
  readonly error: ExplorerError | null;
  readonly pending: boolean;
}

/** Loads one thing at a time, the newest. */
export class LatestLoader<Key, Value> {
  readonly #state = signal<Latest<Key, Value>>({ wanted: null, value: null, error: null, pending: false });
  #running: AbortController | null = null;

  get state(): ReadonlySignal<Latest<Key, Value>> {
    return this.#state;
  }

  /**
   * Loads what is wanted now; what was on its way before is withdrawn. The value shown stays until the new one is there.
   *
   * @returns A promise that is fulfilled when the outcome is shown, or something else is wanted.
   */
  async load(key: Key, fetch: (signal: AbortSignal) => Promise<Value>): Promise<void> {
    const running = this.#begin(key);
    try {
      const value = await fetch(running.signal);
      if (this.#running === running) this.#end({ wanted: key, value, error: null, pending: false });
    } catch (error) {
      if (this.#running !== running) return;
      if (isCancelled(error)) this.#end({ ...this.#state.peek(), pending: false });
      else this.#end({ wanted: key, value: null, error: asExplorerError(error), pending: false });
    }
  }

  /** Withdraws what is on its way and shows nothing. */
  clear(): void {
    this.#running?.abort();
    this.#end({ wanted: null, value: null, error: null, pending: false });
  }

  #begin(key: Key): AbortController {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#state.value = { ...this.#state.peek(), wanted: key, error: null, pending: true };
    return running;
  }

  #end(state: Latest<Key, Value>): void {
    this.#running = null;
    this.#state.value = state;
  }
}
