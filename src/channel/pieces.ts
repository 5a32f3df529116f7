/**
 * Large messages of hosts that take only small ones, which come in pieces; the twin of `h5explorer_py/pieces.py`.
 *
 * A piece is `{"kind": "piece", "message": name, "at": index, "of": count}`, its bytes beside it; together the pieces
 * of a message are its frame. Those of one message come one behind the other, so that where another begins, the rest
 * of the last one is lost, and what it answered is asked for again.
 */

import { isFields } from "../fields";
import { type Message, unpack } from "./frames";

/** Puts pieces together. */
export class Pieces {
  #name = "";
  #of = 0;
  readonly #parts = new Map<number, Uint8Array<ArrayBuffer>>();

  /**
   * Takes in what has come.
   *
   * @returns The message, whole; `null` while pieces of it are missing.
   */
  take(content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]): Message | null {
    if (!isFields(content) || content.kind !== "piece") return { content, buffers };
    const { message, at, of } = content;
    const [part] = buffers;
    if (typeof message !== "string" || typeof at !== "number" || typeof of !== "number" || part === undefined) {
      return null;
    }
    if (message !== this.#name || of !== this.#of) {
      this.#parts.clear();
      this.#name = message;
      this.#of = of;
    }
    this.#parts.set(at, part);
    return this.#parts.size === of ? this.#whole() : null;
  }

  #whole(): Message | null {
    const parts = Array.from({ length: this.#of }, (_, at) => this.#parts.get(at) ?? new Uint8Array());
    this.#parts.clear();
    const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      frame.set(part, at);
      at += part.length;
    }
    try {
      return unpack(frame);
    } catch (error) {
      console.debug("h5explorer: a message came damaged", error); // what it answered is asked for again
      return null;
    }
  }
}
