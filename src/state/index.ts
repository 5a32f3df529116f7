/** How far the index of a lookup is, looked at as long as it grows. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { isCancelled } from "../errors";
import type { IndexProgress, Source } from "../source/api";
import { Timer } from "../time";

const LOOK_MS = 700;

/** Follows the index of one lookup. */
export class IndexWatch {
  readonly #source: Source;
  readonly #dataset: number;
  readonly #progress;
  readonly #timer = new Timer();
  readonly #closed = new AbortController();

  /** @param begun - How far it was when the lookup was opened. */
  constructor(source: Source, dataset: number, begun: IndexProgress) {
    this.#source = source;
    this.#dataset = dataset;
    this.#progress = signal(begun);
    this.#goOn();
  }

  get progress(): ReadonlySignal<IndexProgress> {
    return this.#progress;
  }

  /** Stops it; it is gone on with by `begin`. */
  stop(): void {
    void this.#look("stop");
  }

  /** Has it begun, or gone on with. */
  begin(): void {
    void this.#look("begin");
  }

  close(): void {
    this.#timer.clear();
    this.#closed.abort();
  }

  #goOn(): void {
    const { phase } = this.#progress.peek();
    if (phase === "waiting" || phase === "packing") this.#timer.set(LOOK_MS, () => void this.#look(null));
  }

  async #look(wish: "stop" | "begin" | null): Promise<void> {
    this.#timer.clear();
    try {
      this.#progress.value = (await this.#source.status(this.#dataset, wish, this.#closed.signal)).index;
    } catch (error) {
      if (isCancelled(error) || this.#closed.signal.aborted) return; // else it is looked for again: it goes on meanwhile
    }
    // What was wished takes a moment to be done.
    if (wish === null) this.#goOn();
    else if (!this.#closed.signal.aborted) this.#timer.set(LOOK_MS, () => void this.#look(null));
  }
}
