/** Choosing rows of the view that is shown, and what Shift goes on from meanwhile. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ExplorerState } from "../state/explorer";
import { countText } from "../text";
import { areSame, MOST_RANGES } from "./ranges";
import { type Act, actOfClick, actOfKey, type Chosen, type Held, perform } from "./selecting";

const REFUSED = `A selection has up to ${countText(MOST_RANGES)} separate ranges of rows. It stays as it was.`;

/** Whether this is a computer on which Command does what Control does elsewhere. */
const isMac = () => /^(Mac|iP)/.test(navigator.platform);

/** Does what a person wants with the rows. */
export class Chooser {
  readonly #state: ExplorerState;
  /** What was chosen when something was refused. */
  readonly #refused = signal<Left | null>(null);
  /** What is chosen since the last thing that was done here. */
  #left: Left | null = null;
  /** Why the last thing that was wanted is not done; `null` where it is, or where something else is chosen since. */
  readonly refusal: ReadonlySignal<string | null>;

  constructor(state: ExplorerState) {
    this.#state = state;
    this.refusal = computed(() => {
      const now = { current: state.current.value, selection: state.selection.value };
      return isLeft(this.#refused.value, now, state.opened.value.dataset) ? REFUSED : null;
    });
  }

  /** Does something, or tells why not; then nothing changes. */
  perform(act: Act): void {
    const { records, dataset } = this.#state.opened.peek();
    const before = this.#chosen();
    const after = perform(before, act, records);
    this.#refused.value = after === null ? { ...before, dataset } : null;
    if (after === null) return;
    this.#left = { ...after, dataset };
    this.#state.select(after);
  }

  /** Takes a click on a row. */
  click(event: Held, row: number): void {
    const act = actOfClick(event, row, isMac());
    if (act !== null) this.perform(act);
  }

  /**
   * Takes a key.
   *
   * @param to - The row that it leads to; `null` for a key that leads to none.
   * @returns Whether it was for the rows.
   */
  key(event: KeyboardEvent, to: number | null): boolean {
    const act = actOfKey(event, this.#chosen(), to, isMac());
    if (act === null) return false;
    this.perform(act);
    return true;
  }

  /** What is chosen; where that is not what was left here, Shift goes on from the current row. */
  #chosen(): Chosen {
    const left = this.#left;
    const now = { current: this.#state.current.peek(), selection: this.#state.selection.peek() };
    return { ...now, anchor: isLeft(left, now, this.#state.opened.peek().dataset) ? left.anchor : null };
  }
}

/** What was chosen at some time, and of which rows. */
interface Left extends Chosen {
  readonly dataset: number;
}

function isLeft(left: Left | null, now: Omit<Chosen, "anchor">, dataset: number): left is Left {
  if (left === null || left.dataset !== dataset) return false;
  return left.current === now.current && areSame(left.selection, now.selection);
}
