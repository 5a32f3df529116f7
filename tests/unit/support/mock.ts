/** A lookup for tests of what stands on a source, and answers that come when the test says so. */

import { ExplorerError } from "../../../src/errors";
import type { MockCall, MockDelay, MockLookup } from "../../../src/source/mock";

export const uuidOf = (row: number) => `00000000-0000-4000-8000-${row.toString(16).padStart(12, "0")}`;

export function lookup(rows: number, changed: Partial<MockLookup> = {}): MockLookup {
  return {
    name: "lookup.parquet",
    rows,
    uuid: uuidOf,
    filepath: (row) => `shard_${Math.floor(row / 100)}`,
    filepaths: Math.ceil(rows / 100),
    picture: (row) => ({ bytes: new Uint8Array([row % 256]), format: "PNG", mediaType: "image/png", state: "1" }),
    fields: (row) => [{ name: "row", type: "int64", value: { text: String(row), kind: "number" } }],
    ...changed,
  };
}

/** Holds answers back until they are let go, in any order. */
export class Gate {
  readonly calls: (MockCall & { readonly letGo: () => void; readonly fail: (error: ExplorerError) => void })[] = [];
  open = false;

  readonly delay: MockDelay = (call) => {
    if (this.open) {
      this.calls.push({ ...call, letGo: () => {}, fail: () => {} });
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.calls.push({ ...call, letGo: resolve, fail: reject }));
  };

  /** The calls of a method, oldest first. */
  of(method: MockCall["method"]) {
    return this.calls.filter((call) => call.method === method);
  }

  letAllGo(): void {
    this.open = true;
    for (const call of this.calls) call.letGo();
  }
}

/** Waits until nothing more happens without time passing. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export const failure = (code: string) => new ExplorerError(code, `It is ${code}.`);
