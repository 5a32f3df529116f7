/** The browser's own store for parts of the front end, so that a page that was open before starts at once. */

import { inTime } from "./time";

/** Keeps bytes by name. Where the browser allows no store, nothing is kept and nothing fails. */
export interface AssetCache {
  get(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

const DATABASE = "h5explorer";
const STORE = "assets";

/** For how many milliseconds the store is waited for: some browsers never answer where it is blocked. */
export const CACHE_PATIENCE_MS = 2_000;

/** Keeps parts in IndexedDB. Parts of other versions are thrown away when a new one is put. */
export class IndexedDbCache implements AssetCache {
  async get(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const found: unknown = await inTime(
      this.#in("readonly", (store) => store.get(name)),
      CACHE_PATIENCE_MS,
    );
    return found instanceof ArrayBuffer && found.byteLength > 0 ? new Uint8Array(found) : null;
  }

  async put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const copy = bytes.slice().buffer;
    const kind = kindOf(name);
    const names: unknown = await this.#in("readonly", (store) => store.getAllKeys());
    const stale = Array.isArray(names) ? names.filter((each) => typeof each === "string" && each !== name) : [];
    await this.#in("readwrite", (store) => {
      for (const each of stale) if (kindOf(each) === kind) store.delete(each);
      return store.put(copy, name);
    });
  }

  async #in(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
    try {
      const database = await done(openDatabase());
      try {
        return await done(work(database.transaction(STORE, mode).objectStore(STORE)));
      } finally {
        database.close();
      }
    } catch {
      return null; // private windows and full disks have no store; the kernel has the bytes
    }
  }
}

function openDatabase(): IDBOpenDBRequest {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return opening;
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The name without its hash: `parquet_wasm_bg.1a2b3c.wasm` is of the kind `parquet_wasm_bg..wasm`. */
function kindOf(name: string): string {
  return name.replace(/\.[0-9a-f]{8,}\./, "..");
}
