/** Different texts as bytes: millions of rows are told apart without a text being made of each. */

const NONE = 0;

/** Counts different stretches of bytes. */
export class ByteSet {
  #slots = new Uint32Array(1 << 10);
  #hashes = new Int32Array(1 << 9);
  #ends = new Float64Array(1 << 9);
  #bytes = new Uint8Array(1 << 14);
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes, unless they are there. */
  add(bytes: Uint8Array, start: number, stop: number): void {
    const hash = hashOf(bytes, start, stop);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] ?? NONE) - 1;
      if (this.#hashes[entry] === hash && this.#isEqual(entry, bytes, start, stop)) return;
    }
    this.#keep(hash, bytes, start, stop);
    this.#slots[slot] = this.#size;
    if (2 * this.#size > this.#slots.length) this.#spread();
  }

  #beginOf(entry: number): number {
    return entry === 0 ? 0 : (this.#ends[entry - 1] ?? 0);
  }

  #isEqual(entry: number, bytes: Uint8Array, start: number, stop: number): boolean {
    const begin = this.#beginOf(entry);
    if ((this.#ends[entry] ?? 0) - begin !== stop - start) return false;
    for (let at = 0; at < stop - start; at += 1) if (this.#bytes[begin + at] !== bytes[start + at]) return false;
    return true;
  }

  #keep(hash: number, bytes: Uint8Array, start: number, stop: number): void {
    const begin = this.#beginOf(this.#size);
    const end = begin + stop - start;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.max(2 * this.#bytes.length, end));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    if (this.#size === this.#ends.length) {
      const [ends, hashes] = [new Float64Array(2 * this.#size), new Int32Array(2 * this.#size)];
      ends.set(this.#ends);
      hashes.set(this.#hashes);
      [this.#ends, this.#hashes] = [ends, hashes];
    }
    this.#bytes.set(bytes.subarray(start, stop), begin);
    this.#ends[this.#size] = end;
    this.#hashes[this.#size] = hash;
    this.#size += 1;
  }

  #spread(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#size; entry += 1) {
      let slot = (this.#hashes[entry] ?? 0) & mask;
      while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, stop: number): number {
  let hash = stop - start;
  for (let at = start; at < stop; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
