/** Reading a file by its ranges: small reads from blocks that are kept, large ones exactly as they are asked for. */

import { LruCache } from "../lru";

/** Gets bytes `start` to `stop` of a file. */
export type ReadRange = (start: number, stop: number) => Uint8Array;

/** Bytes of a block. HDF5 reads what it needs to know in pieces of a few hundred bytes, many of them near each other. */
export const BLOCK = 16 << 10;

/** Blocks kept of one file: as much as the B-tree and names of a group of 100,000 images. */
const BLOCKS_KEPT = 1024;

/** Reads a file that does not change. */
export class BlockReader {
  readonly size: number;
  readonly #readRange: ReadRange;
  readonly #block: number;
  readonly #blocks: LruCache<number, Uint8Array>;

  /** @param block - The size of a block; reads that are as large or larger are not kept. */
  constructor(size: number, readRange: ReadRange, block = BLOCK, kept = BLOCKS_KEPT) {
    this.size = size;
    this.#readRange = readRange;
    this.#block = block;
    this.#blocks = new LruCache(kept);
  }

  /** Reads up to so many bytes from a place on; fewer at the file's end. */
  read(position: number, length: number): Uint8Array {
    const start = Math.max(0, Math.min(position, this.size));
    const stop = Math.min(start + length, this.size);
    if (stop <= start) return new Uint8Array(0);
    const held = this.#fromBlocks(start, stop);
    if (held !== null) return held;
    return stop - start >= this.#block ? this.#readRange(start, stop) : this.#throughBlocks(start, stop);
  }

  /** Whether a range can be had without reading the file. */
  holds(start: number, stop: number): boolean {
    for (let at = this.#number(start); at <= this.#number(stop - 1); at += 1) if (!this.#blocks.has(at)) return false;
    return true;
  }

  #number(position: number): number {
    return Math.floor(position / this.#block);
  }

  #fromBlocks(start: number, stop: number): Uint8Array | null {
    return stop - start <= 4 * this.#block && this.holds(start, stop) ? this.#throughBlocks(start, stop) : null;
  }

  #throughBlocks(start: number, stop: number): Uint8Array {
    const bytes = new Uint8Array(stop - start);
    for (let number = this.#number(start); number <= this.#number(stop - 1); number += 1) {
      const first = number * this.#block;
      const block = this.#get(number);
      const from = Math.max(start, first);
      bytes.set(block.subarray(from - first, Math.min(stop, first + block.length) - first), from - start);
    }
    return bytes;
  }

  #get(number: number): Uint8Array {
    const held = this.#blocks.get(number);
    if (held !== undefined) return held;
    const first = number * this.#block;
    const block = this.#readRange(first, Math.min(first + this.#block, this.size));
    this.#blocks.set(number, block);
    return block;
  }
}
