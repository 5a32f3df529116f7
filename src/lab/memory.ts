/** What a tab remembers of a file, should its kernel be gone when the page is loaded again. */

import type { IStateDB } from "@jupyterlab/statedb";
import type { ReadonlyJSONObject } from "@lumino/coreutils";
import { isFields } from "../fields";
import { type KeptShares, keptSharesOf } from "../state/look";
import { Timer } from "../time";
import type { ShownModel } from "./widgets";

/** What is remembered. */
export interface Remembered {
  /** The name of its kernel; empty for none. */
  readonly kernel: string;
  readonly filter: string;
  readonly sort: readonly (readonly [string, string])[];
  readonly row: number | null;
  readonly shares: KeptShares;
}

const NOTHING: Remembered = { kernel: "", filter: "", sort: [], row: null, shares: {} };

/** Small changes that follow each other are kept as one. */
const KEEP_AFTER_MS = 300;

/** Keeps what is remembered in JupyterLab's own store. */
export class TabMemory {
  readonly #store: IStateDB | null;
  readonly #timer = new Timer();
  #path: string;
  #keep: (() => void) | null = null;
  #isForgotten = false;

  constructor(store: IStateDB | null, path: string) {
    this.#store = store;
    this.#path = path;
  }

  async recall(): Promise<Remembered> {
    return rememberedOf(await this.#store?.fetch(keyOf(this.#path)).catch(() => null));
  }

  /** Keeps what a model shows, whenever that changes; not while another file is open in it. */
  follow(model: ShownModel, kernel: string): void {
    const own = fileOf(model);
    const keep = () => {
      if (fileOf(model) !== own) return;
      this.#save(shownOf(model, kernel));
    };
    this.#keep = keep;
    model.on("change", () => this.#timer.set(KEEP_AFTER_MS, keep));
    this.#timer.set(KEEP_AFTER_MS, keep);
  }

  /** Follows the file to another name, with what is kept of it. */
  rename(path: string): void {
    const before = this.#path;
    this.#path = path;
    void this.#move(before);
  }

  async #move(before: string): Promise<void> {
    const kept: unknown = await this.#store?.fetch(keyOf(before)).catch(() => null);
    void this.#store?.remove(keyOf(before));
    if (this.#isForgotten || !isFields(kept)) return;
    this.#save(rememberedOf(kept));
    this.#keep?.(); // what has changed since
  }

  #save({ shares, ...rest }: Remembered): void {
    void this.#store?.save(keyOf(this.#path), { ...rest, shares: { ...shares } } satisfies ReadonlyJSONObject);
  }

  /** Has nothing more kept of what went before. */
  stop(): void {
    this.#keep = null;
    this.#timer.clear();
  }

  /** Forgets the file: its tab has been closed. */
  forget(): void {
    this.stop();
    this.#isForgotten = true;
    void this.#store?.remove(keyOf(this.#path));
  }
}

/** Other than the keys by which JupyterLab itself keeps the tabs. */
const keyOf = (path: string) => `h5explorer-shown:${path}`;

function fileOf(model: ShownModel): string {
  const opened = model.get("_opened");
  const options = isFields(opened) ? opened.options : null;
  return JSON.stringify(isFields(options) ? options.lookup : null);
}

function shownOf(model: ShownModel, kernel: string): Remembered {
  const look = model.get("_look");
  return rememberedOf({
    kernel,
    filter: model.get("filter"),
    sort: model.get("sort"),
    row: model.get("current"),
    shares: isFields(look) ? look.shares : {},
  });
}

/** Reads what was kept; what is missing or no good is left out. */
export function rememberedOf(value: unknown): Remembered {
  if (!isFields(value)) return NOTHING;
  const sort: readonly unknown[] = Array.isArray(value.sort) ? value.sort : [];
  return {
    kernel: typeof value.kernel === "string" ? value.kernel : "",
    filter: typeof value.filter === "string" ? value.filter : "",
    sort: sort.flatMap((each) => {
      const [column, order]: unknown[] = Array.isArray(each) ? each : [];
      return typeof column === "string" && typeof order === "string" ? [[column, order] as const] : [];
    }),
    row: typeof value.row === "number" ? value.row : null,
    shares: keptSharesOf(value.shares),
  };
}
