/** Collecting texts in little room: millions of them as texts of the language would take gigabytes. */

import { ByteColumn, type TextColumn } from "./textColumn";

const ENCODER = new TextEncoder();

/** Adds texts one behind the other. */
export class TextBuilder {
  #bytes = new Uint8Array(1 << 16);
  #ends = new Float64Array(1 << 12);
  #absent = new Set<number>();
  #length = 0;

  /** Adds a text, or that there is none. */
  add(text: string | null): void {
    const start = this.#length === 0 ? 0 : (this.#ends[this.#length - 1] ?? 0);
    const value = text ?? "";
    if (start + 3 * value.length > this.#bytes.length) this.#bytes = grown(this.#bytes, start + 3 * value.length);
    const { written } = ENCODER.encodeInto(value, this.#bytes.subarray(start));
    if (this.#length === this.#ends.length) {
      const more = new Float64Array(2 * this.#ends.length);
      more.set(this.#ends);
      this.#ends = more;
    }
    if (text === null) this.#absent.add(this.#length);
    this.#ends[this.#length] = start + written;
    this.#length += 1;
  }

  build(): TextColumn {
    const ends = this.#ends;
    const absent = this.#absent;
    const offset = (row: number) => (row === 0 ? 0 : (ends[row - 1] ?? 0));
    return new ByteColumn(this.#length, this.#bytes, offset, (row) => !absent.has(row));
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, least: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(Math.max(2 * bytes.length, least));
  more.set(bytes);
  return more;
}
