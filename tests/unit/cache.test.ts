import { CACHE_PATIENCE_MS, IndexedDbCache } from "../../src/cache";
import { type Fault, useIndexedDb } from "./support/indexedDb";

const NAME = "decoder.0123456789abcdef.js";
const PART = new Uint8Array([1, 2, 3]);

afterEach(() => Reflect.deleteProperty(globalThis, "indexedDB"));

test("what is put is got, by every widget of the page", async () => {
  useIndexedDb();
  expect(await new IndexedDbCache().get(NAME)).toBeNull();
  await new IndexedDbCache().put(NAME, PART);
  expect(await new IndexedDbCache().get(NAME)).toEqual(PART);
});

test("only the part is kept of a larger buffer that it is a view into", async () => {
  const held = useIndexedDb();
  await new IndexedDbCache().put(NAME, new Uint8Array(new Uint8Array([9, 1, 2, 3, 9]).buffer, 1, 3));
  const kept = held.get(NAME);
  expect(kept instanceof ArrayBuffer && [...new Uint8Array(kept)]).toEqual([1, 2, 3]);
});

test("another version of a part takes the place of the old one, and of nothing else", async () => {
  const held = useIndexedDb();
  const cache = new IndexedDbCache();
  const names = ["decoder.0123456789abcdef.js", "wasm.0123456789abcdef.wasm", "wasm.fedcba9876543210.wasm"] as const;
  for (const name of names) await cache.put(name, PART);
  expect([...held.keys()].sort()).toEqual([names[0], names[2]]);
  await cache.put(names[2], PART);
  expect([...held.keys()].sort()).toEqual([names[0], names[2]]);
});

test.each([null, "text", 3, {}, new Uint8Array([1]), new ArrayBuffer(0)])(
  "what is no part is passed over (%#)",
  async (strange) => {
    useIndexedDb().set(NAME, strange);
    expect(await new IndexedDbCache().get(NAME)).toBeNull();
  },
);

test.each<Fault>(["absent", "throws", "refuses", "no store", "full"])(
  "a browser whose store %s has nothing kept, and nothing fails",
  async (fault) => {
    useIndexedDb(fault);
    const cache = new IndexedDbCache();
    await cache.put(NAME, PART);
    expect(await cache.get(NAME)).toBeNull();
  },
);

test("a store that never answers is not waited for without end", async () => {
  jest.useFakeTimers();
  try {
    useIndexedDb("silent");
    const got = new IndexedDbCache().get(NAME);
    await jest.advanceTimersByTimeAsync(CACHE_PATIENCE_MS);
    expect(await got).toBeNull();
  } finally {
    jest.useRealTimers();
  }
});
