/**
 * What the server tells of its state, as the traits of a widget's model; the twin of `h5explorer_py/serve/state.py`.
 *
 * A message of either side is `{"kind": "state", "dataset": number, "state": {name: value, ...}}`.
 */

import { ExplorerError } from "../errors";
import { type Fields, isFields } from "../fields";
import type { Wire } from "./wire";

const KIND = "state";

/** Keeps what has been told by its names, and tells what is set. */
export class ToldModel {
  readonly #wire: Wire;
  readonly #end: () => void;
  readonly #listeners = new Map<string, Set<() => void>>();
  #values: Fields;
  #dataset = 0;
  #unsent: Record<string, unknown> = {};

  /**
   * Is there when the server has told its state for the first time.
   *
   * @param own - What the page alone knows.
   */
  static async first(wire: Wire, own: Fields): Promise<ToldModel> {
    const model = new ToldModel(wire, own);
    if (model.#dataset > 0) return model;
    return new Promise((resolve, reject) => {
      const end = wire.watch((state) => {
        if (state.kind !== "dead") return;
        model.close();
        reject(new ExplorerError("disconnected", state.reason, state.action));
      });
      model.on("change:_opened", function told() {
        end();
        model.off("change:_opened", told);
        resolve(model);
      });
    });
  }

  private constructor(wire: Wire, own: Fields) {
    this.#wire = wire;
    this.#values = own;
    this.#end = wire.listen((content) => this.#hear(content));
  }

  get(name: string): unknown {
    return this.#values[name];
  }

  set(name: string, value: unknown): void {
    this.#unsent[name] = value;
    this.#change({ [name]: value });
  }

  save_changes(): void {
    const state = this.#unsent;
    this.#unsent = {};
    try {
      this.#wire.send({ kind: KIND, dataset: this.#dataset, state });
    } catch {
      // The connection is lost, which the page says.
    }
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: () => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** Listens no more. */
  close(): void {
    this.#end();
  }

  #hear(content: unknown): void {
    if (!isFields(content) || content.kind !== KIND || !isFields(content.state)) return;
    if (typeof content.dataset === "number") this.#dataset = content.dataset;
    this.#change(content.state);
  }

  /** Takes over all values before anyone is told of one: they belong together. */
  #change(values: Fields): void {
    this.#values = { ...this.#values, ...values };
    for (const name of Object.keys(values)) {
      for (const listener of [...(this.#listeners.get(`change:${name}`) ?? [])]) listener();
    }
  }
}
