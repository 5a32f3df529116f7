/** Not waiting without end. */

/** What a promise gives; `null` where it fails or takes longer than so many milliseconds. */
export function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    promise.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  });
}
