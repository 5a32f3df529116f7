/** Not waiting without end. */

/** What a promise gives; `null` where it fails or takes longer than so many milliseconds. */
export function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    promise.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  });
}

/** Waits for so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Does one thing later: the last that it was given. */
export class Timer {
  #timer: ReturnType<typeof setTimeout> | null = null;

  set(ms: number, act: () => void): void {
    this.clear();
    this.#timer = setTimeout(act, ms);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
