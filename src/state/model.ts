/** The shared state as the traits of a widget model. */

import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, signal } from "@preact/signals";
import { isFields } from "../fields";
import type { Opened } from "../source/api";
import { openedOf } from "../source/kernel";
import type { Choice, Ranges, SharedState } from "./shared";

/** The traits of the Python class that the page knows. */
export interface Traits extends Record<string, unknown> {
  _opened: unknown;
  _assets: unknown;
  current: unknown;
  selection: unknown;
  height: unknown;
}

/** Keeps the state in the traits of a model. */
export class ModelState implements SharedState {
  readonly #model: AnyModel<Traits>;
  readonly #ends: (() => void)[] = [];
  readonly opened: ReadonlySignal<Opened>;
  readonly current: ReadonlySignal<number | null>;
  readonly selection: ReadonlySignal<Ranges>;
  readonly height: ReadonlySignal<string | null>;

  constructor(model: AnyModel<Traits>) {
    this.#model = model;
    this.opened = this.#trait("_opened", (value) => openedOf(isFields(value) ? value : {}));
    this.current = this.#trait("current", (value) => (typeof value === "number" ? value : null));
    this.selection = this.#trait("selection", rangesOf);
    this.height = this.#trait("height", lengthOf);
  }

  choose(choice: Choice): void {
    if (choice.current !== undefined) this.#model.set("current", choice.current);
    if (choice.selection !== undefined) this.#model.set("selection", { ranges: choice.selection });
    this.#model.save_changes();
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #trait<Value>(name: keyof Traits & string, read: (value: unknown) => Value): ReadonlySignal<Value> {
    const state = signal(read(this.#model.get(name)));
    const changed = () => {
      state.value = read(this.#model.get(name));
    };
    this.#model.on(`change:${name}`, changed);
    this.#ends.push(() => this.#model.off(`change:${name}`, changed));
    return state;
  }
}

function rangesOf(value: unknown): Ranges {
  const ranges: unknown = isFields(value) ? value.ranges : null;
  if (!Array.isArray(ranges)) return [];
  return ranges.flatMap((each: unknown) => {
    if (!Array.isArray(each)) return [];
    const [start, stop]: unknown[] = each;
    return typeof start === "number" && typeof stop === "number" ? [[start, stop] as const] : [];
  });
}

function lengthOf(value: unknown): string | null {
  if (typeof value === "number") return `${value}px`;
  return typeof value === "string" ? value : null;
}
