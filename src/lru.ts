/** A cache with a bound: what was used longest ago goes first. */
export class LruCache<Key, Value> {
  readonly #held = new Map<Key, Value>();
  readonly #room: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #dropped: (value: Value) => void;
  #size = 0;

  /**
   * @param room - The sum of sizes that is kept. The newest value is kept even where it is larger.
   * @param sizeOf - A value's size; 1 each if not given.
   * @param dropped - Is told of every value that leaves the cache.
   */
  constructor(room: number, sizeOf: (value: Value) => number = () => 1, dropped: (value: Value) => void = () => {}) {
    this.#room = room;
    this.#sizeOf = sizeOf;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#held.size;
  }

  has(key: Key): boolean {
    return this.#held.has(key);
  }

  /** Looks a value up, without counting that as a use. */
  peek(key: Key): Value | undefined {
    return this.#held.get(key);
  }

  get(key: Key): Value | undefined {
    const value = this.#held.get(key);
    if (value !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, value);
    }
    return value;
  }

  set(key: Key, value: Value): void {
    this.delete(key);
    this.#held.set(key, value);
    this.#size += this.#sizeOf(value);
    for (const oldest of this.#held.keys()) {
      if (this.#size <= this.#room || this.#held.size <= 1) break;
      this.delete(oldest);
    }
  }

  delete(key: Key): void {
    const value = this.#held.get(key);
    if (value === undefined) return;
    this.#held.delete(key);
    this.#size -= this.#sizeOf(value);
    this.#dropped(value);
  }

  clear(): void {
    for (const key of [...this.#held.keys()]) this.delete(key);
  }
}
