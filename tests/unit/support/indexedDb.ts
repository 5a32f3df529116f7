/** As much of IndexedDB as the cache uses, with the faults that browsers have. */

/** What is wrong with the store. */
export type Fault = "absent" | "throws" | "refuses" | "silent" | "no store" | "full";

type Work = () => unknown;

class Request {
  onsuccess: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onupgradeneeded: (() => void) | null = null;
  result: unknown;
  error: unknown = null;

  constructor(work: Work, failing: DOMException | null = null, before: (request: Request) => void = () => {}) {
    queueMicrotask(() => {
      if (failing !== null) {
        this.error = failing;
        this.onerror?.();
        return;
      }
      this.result = work();
      before(this);
      this.onsuccess?.();
    });
  }
}

/** Puts a store with this content in place of the browser's; returns the content. */
export function useIndexedDb(fault: Fault | null = null): Map<string, unknown> {
  const held = new Map<string, unknown>();
  const fail = (name: string) => new DOMException("no", name);
  const store = {
    get: (name: string) => new Request(() => held.get(name)),
    getAllKeys: () => new Request(() => [...held.keys()]),
    delete: (name: string) => new Request(() => held.delete(name)),
    put: (value: unknown, name: string) =>
      new Request(() => held.set(name, value), fault === "full" ? fail("QuotaExceededError") : null),
  };
  const database = {
    createObjectStore: () => {},
    close: () => {},
    transaction: () => {
      if (fault === "no store") throw fail("NotFoundError");
      return { objectStore: () => store };
    },
  };
  const open = () => {
    if (fault === "throws") throw fail("SecurityError");
    if (fault === "silent") return {};
    return new Request(
      () => database,
      fault === "refuses" ? fail("InvalidStateError") : null,
      (request) => request.onupgradeneeded?.(),
    );
  };
  Reflect.set(globalThis, "indexedDB", fault === "absent" ? undefined : { open });
  return held;
}
