/** The shared state of a page that shares it with nobody. */

import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Opened } from "../source/api";
import { type KeptShares, keptSharesOf, type Look, USUAL_LOOK } from "./look";
import type { Choice, Ranges, SharedState } from "./shared";

const SHARES = "h5explorer.shares";

/** Keeps the state in the page. */
export class LocalState implements SharedState {
  readonly #opened: Signal<Opened>;
  readonly #current = signal<number | null>(null);
  readonly #selection = signal<Ranges>([]);
  readonly height: ReadonlySignal<string | null>;
  readonly look: Look;

  /**
   * @param height - The height of the explorer as a CSS length.
   * @param look - What a person has set, other than the panels' shares.
   */
  constructor(opened: Opened, height: string, look: Partial<Omit<Look, "shares">> = {}) {
    this.#opened = signal(opened);
    this.height = signal(height);
    this.look = { ...USUAL_LOOK, ...look, shares: rememberedShares() };
    if (opened.records > 0) this.#current.value = 0;
  }

  get opened(): ReadonlySignal<Opened> {
    return this.#opened;
  }

  get current(): ReadonlySignal<number | null> {
    return this.#current;
  }

  get selection(): ReadonlySignal<Ranges> {
    return this.#selection;
  }

  choose(choice: Choice): void {
    batch(() => {
      if (choice.current !== undefined) this.#current.value = choice.current;
      if (choice.selection !== undefined) this.#selection.value = choice.selection;
    });
  }

  /** Takes over what has been opened: rows of the lookup before mean nothing in this one. */
  exchange(opened: Opened): void {
    batch(() => {
      this.#opened.value = opened;
      this.#current.value = opened.records > 0 ? 0 : null;
      this.#selection.value = [];
    });
  }

  keepShares(shares: KeptShares): void {
    try {
      localStorage.setItem(SHARES, JSON.stringify(shares));
    } catch {
      // The browser keeps nothing; the shares hold until the page is closed.
    }
  }

  close(): void {}
}

function rememberedShares(): KeptShares {
  try {
    return keptSharesOf(JSON.parse(localStorage.getItem(SHARES) ?? "null"));
  } catch {
    return {};
  }
}
