/** The kernel's side of an explorer, reached through the test's server: messages are posted, answers come back framed. */

import { RequestClient } from "../../../src/channel/requests";
import type { Wire, WireState } from "../../../src/channel/wire";
import tables from "../../../src/decode/tables";
import { isFields } from "../../../src/fields";
import type { Opened, Sort } from "../../../src/source/api";
import { KernelSource, openedOf } from "../../../src/source/kernel";

type Hear = (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void;

class PostWire implements Wire {
  readonly #hearers = new Set<Hear>();

  send(content: object): void {
    void this.#post(content);
  }

  listen(hear: Hear): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  watch(see: (state: WireState) => void): () => void {
    see({ kind: "live" });
    return () => {};
  }

  /** Posts a message; the answer's body holds the replies: each its length, JSON with the buffers' lengths, buffers. */
  async #post(content: object): Promise<void> {
    const response = await fetch("/kernel", { method: "POST", body: JSON.stringify(content) });
    const body = await response.arrayBuffer();
    let at = 0;
    while (at < body.byteLength) {
      const length = new DataView(body, at).getUint32(0, true);
      const head: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(body, at + 4, length)));
      at += 4 + length;
      if (!isFields(head) || !Array.isArray(head.buffers)) throw new Error("strange answer");
      const buffers = head.buffers.map((size) => {
        const bytes = new Uint8Array(body, at, Number(size));
        at += Number(size);
        return bytes;
      });
      for (const hear of [...this.#hearers]) hear(head.content, buffers);
    }
  }
}

/** A kernel's side that tells what has been opened, as it does by its traits in a notebook. */
class TellingSource extends KernelSource {
  tell: (opened: Opened) => void = () => {};

  override async show(filter: string, sort: Sort, signal: AbortSignal): Promise<Opened> {
    const opened = await super.show(filter, sort, signal);
    this.tell(opened);
    return opened;
  }

  override async open(path: string, signal: AbortSignal): Promise<Opened> {
    const opened = await super.open(path, signal);
    this.tell(opened);
    return opened;
  }
}

/** Connects to the kernel's side that the test's server has started. */
export async function kernelExplorer(): Promise<{ readonly source: TellingSource; readonly opened: Opened }> {
  const [described, wasm] = await Promise.all([fetch("/opened"), fetch("/parquet.wasm")]);
  await tables.start(await WebAssembly.compileStreaming(wasm));
  const fields: unknown = await described.json();
  if (!isFields(fields)) throw new Error("strange description");
  return { source: new TellingSource(new RequestClient(new PostWire()), async () => tables), opened: openedOf(fields) };
}
