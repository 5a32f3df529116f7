/** The shared state as the traits of a widget model, or of what stands for one. */

import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { isFields } from "../fields";
import type { Opened } from "../source/api";
import { openedOf } from "../source/kernel";
import { type KeptShares, type Look, lookOf } from "./look";
import type { Choice, Ranges, SharedState } from "./shared";

/** The traits of the Python class that the page knows. */
export interface Traits extends Record<string, unknown> {
  _opened: unknown;
  _assets: unknown;
  current: unknown;
  selection: unknown;
  height: unknown;
  _look: unknown;
}

/** What keeps the traits. */
export interface TraitModel {
  get(name: keyof Traits & string): unknown;
  set(name: keyof Traits & string, value: unknown): void;
  save_changes(): void;
  on(event: `change:${string}`, listener: () => void): void;
  off(event: `change:${string}`, listener: () => void): void;
}

/**
 * After how many milliseconds Python is told of a choice: the picture and the record, which are asked for in the same
 * moment, go first, and a key that is held down makes fewer messages.
 */
const TELL_AFTER_MS = 30;

/** Keeps the state in the traits of a model. */
export class ModelState implements SharedState {
  readonly #model: TraitModel;
  readonly #ends: (() => void)[] = [];
  readonly #current = signal<number | null>(null);
  readonly #selection = signal<Ranges>([]);
  readonly opened: ReadonlySignal<Opened>;
  readonly height: ReadonlySignal<string | null>;
  readonly look: Look;
  #untold: Choice = {};
  #untoldShares: KeptShares | null = null;
  #telling: ReturnType<typeof setTimeout> | null = null;

  constructor(model: TraitModel) {
    this.#model = model;
    const opened = signal(readOpened(model.get("_opened")));
    const height = signal<string | null>(null);
    this.opened = opened;
    this.height = height;
    this.look = lookOf(model.get("_look"));
    this.#follow("_opened", (value) => {
      const now = readOpened(value);
      if (now.dataset === opened.peek().dataset) {
        opened.value = now; // more rows of the same
        return;
      }
      this.#untold = {}; // rows of the lookup before mean nothing in this one
      batch(() => {
        opened.value = now;
        this.#current.value = rowOf(model.get("current"));
        this.#selection.value = rangesOf(model.get("selection"));
      });
    });
    this.#follow("height", (value) => {
      height.value = lengthOf(value);
    });
    this.#follow("current", (value) => {
      const { current: _, ...rest } = this.#untold;
      this.#untold = rest;
      this.#current.value = rowOf(value);
    });
    this.#follow("selection", (value) => {
      const { selection: _, ...rest } = this.#untold;
      this.#untold = rest;
      this.#selection.value = rangesOf(value);
    });
  }

  get current(): ReadonlySignal<number | null> {
    return this.#current;
  }

  get selection(): ReadonlySignal<Ranges> {
    return this.#selection;
  }

  choose(choice: Choice): void {
    this.#untold = { ...this.#untold, ...choice };
    batch(() => {
      if (choice.current !== undefined) this.#current.value = choice.current;
      if (choice.selection !== undefined) this.#selection.value = choice.selection;
    });
    this.#telling ??= setTimeout(() => this.#tell(), TELL_AFTER_MS);
  }

  keepShares(shares: KeptShares): void {
    this.#untoldShares = shares;
    this.#telling ??= setTimeout(() => this.#tell(), TELL_AFTER_MS);
  }

  close(): void {
    this.#tell();
    for (const end of this.#ends) end();
  }

  #tell(): void {
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    const { current, selection } = this.#untold;
    const shares = this.#untoldShares;
    this.#untold = {};
    this.#untoldShares = null;
    if (current === undefined && selection === undefined && shares === null) return;
    if (current !== undefined) this.#model.set("current", current);
    if (selection !== undefined) this.#model.set("selection", { ranges: selection });
    if (shares !== null) this.#model.set("_look", { ...this.look, shares });
    this.#model.save_changes();
  }

  /** Has a trait's value shown, now and whenever the model changes it; what was chosen before and not told is void. */
  #follow(name: keyof Traits & string, show: (value: unknown) => void): void {
    const changed = () => show(this.#model.get(name));
    changed();
    this.#model.on(`change:${name}`, changed);
    this.#ends.push(() => this.#model.off(`change:${name}`, changed));
  }
}

function readOpened(value: unknown): Opened {
  return openedOf(isFields(value) ? value : {});
}

function rowOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
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
