import { ExplorerError } from "../../src/errors";
import { type MockLookup, MockSource } from "../../src/source/mock";
import { BATCH_ROWS, MOST_BATCHES, PATIENCE_MS } from "../../src/state/thumbnailPlan";
import { ThumbnailStore } from "../../src/state/thumbnails";
import { failure, Gate, lookup, settle } from "./support/mock";

interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** The row that it shows, by the bytes it was decoded from. */
  readonly row: number;
  closed: boolean;
  close(): void;
}

let bitmaps: Bitmap[] = [];

beforeEach(() => {
  bitmaps = [];
  globalThis.createImageBitmap = async (blob: unknown) => {
    const bytes = new Uint8Array(await (blob as Blob).arrayBuffer());
    if (bytes[0] === 255) throw new DOMException("damaged", "InvalidStateError");
    const bitmap: Bitmap = {
      width: 10,
      height: 10,
      row: ((bytes[1] ?? 0) << 16) + ((bytes[2] ?? 0) << 8) + (bytes[3] ?? 0),
      closed: false,
      close: () => {
        bitmap.closed = true;
      },
    };
    bitmaps.push(bitmap);
    return bitmap;
  };
});

const small = (row: number, size: number, first = 0) => ({
  bytes: new Uint8Array([first, row >> 16, row >> 8, row]),
  mediaType: "image/jpeg",
  width: size,
  height: Math.ceil(size / 2),
});

function make(total = 100_000, changed: Partial<MockLookup> = {}) {
  const gate = new Gate();
  const source = new MockSource(new Map([["a", lookup(total, { thumbnail: small, ...changed })]]), gate.delay);
  return { gate, store: new ThumbnailStore(source, 1, total) };
}

const rowShown = (store: ThumbnailStore, row: number) => {
  const shown = store.get(row);
  if (shown === null || shown instanceof ExplorerError) return shown;
  const bitmap = bitmaps.find((each) => each === (shown.bitmap as unknown));
  expect(bitmap?.closed).toBe(false);
  return bitmap?.row;
};

test("what is in view comes in batches, each under its own row, then a screen on either side", async () => {
  const { gate, store } = make();
  store.show({ start: 300, stop: 340 }, 128);
  expect(gate.of("thumbnails").map((call) => call.rows?.length)).toEqual([12, 12, 12]);
  expect(store.get(300)).toBeNull();
  gate.letAllGo();
  await settle();
  for (let row = 300; row < 340; row += 1) expect(rowShown(store, row)).toBe(row);
  await settle();
  for (const row of [260, 299, 340, 379]) expect(rowShown(store, row)).toBe(row);
  expect(store.get(380)).toBeNull();
  store.close();
});

test("a fast drag over everything asks for little, withdraws what has left the view, and ends with what is in view", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] }); // the drag takes no time, however busy the machine is
  const total = 200_000_000;
  const { gate, store } = make(total);
  for (let row = 0; row < total - 40; row += 1_000_000) store.show({ start: row, stop: row + 40 }, 128);
  const end = { start: total - 40, stop: total };
  store.show(end, 128);
  expect(gate.of("thumbnails")).toHaveLength(MOST_BATCHES);
  await jest.advanceTimersByTimeAsync(PATIENCE_MS + 60);
  jest.useRealTimers();
  const later = gate.of("thumbnails").slice(MOST_BATCHES);
  expect(later.map((call) => call.row)).toEqual([end.start, end.start + BATCH_ROWS, end.start + 2 * BATCH_ROWS]);
  gate.letAllGo();
  await settle();
  for (let row = end.start; row < end.stop; row += 1) expect(rowShown(store, row)).toBe(row & 0xffffff);
  expect(store.get(0)).toBeNull();
  store.close();
});

test("what was withdrawn is never shown, and takes up no place", async () => {
  const { gate, store } = make();
  store.show({ start: 0, stop: 12 }, 128);
  store.hide();
  store.show({ start: 5_000, stop: 5_012 }, 128);
  gate.letAllGo();
  await settle();
  expect(store.get(0)).toBeNull();
  expect(rowShown(store, 5_000)).toBe(5_000);
  store.close();
});

test("coming back costs nothing: no question, and what was decoded is still there", async () => {
  const { gate, store } = make();
  gate.letAllGo();
  store.show({ start: 0, stop: 20 }, 128);
  await settle();
  store.show({ start: 20, stop: 40 }, 128);
  await settle();
  const before = gate.of("thumbnails").length;
  store.show({ start: 0, stop: 20 }, 128);
  for (let row = 0; row < 20; row += 1) expect(rowShown(store, row)).toBe(row);
  await settle();
  expect(gate.of("thumbnails").length).toBe(before);
  store.close();
});

test("hidden and shown again they are decoded anew, without a question; what was decoded is let go of", async () => {
  const { gate, store } = make(20);
  gate.letAllGo();
  store.show({ start: 0, stop: 20 }, 128);
  await settle();
  const before = gate.of("thumbnails").length;
  store.hide();
  expect(bitmaps.every((bitmap) => bitmap.closed)).toBe(true);
  expect(store.get(3)).toBeNull();
  store.show({ start: 0, stop: 20 }, 128);
  await settle();
  expect(rowShown(store, 3)).toBe(3);
  expect(gate.of("thumbnails").length).toBe(before);
  store.close();
  expect(bitmaps.every((bitmap) => bitmap.closed)).toBe(true);
});

test("a larger size is asked for, the smaller one is shown until it comes; a smaller size is not asked for", async () => {
  const { gate, store } = make(10);
  gate.letAllGo();
  store.show({ start: 0, stop: 10 }, 128);
  await settle();
  store.show({ start: 0, stop: 10 }, 64);
  await settle();
  expect(gate.of("thumbnails")).toHaveLength(1);
  gate.open = false;
  store.show({ start: 0, stop: 10 }, 256);
  expect(gate.of("thumbnails")).toHaveLength(2);
  expect(store.get(4)).toMatchObject({ width: 128 });
  gate.letAllGo();
  await settle();
  expect(store.get(4)).toMatchObject({ width: 256 });
  expect(rowShown(store, 4)).toBe(4);
  expect(bitmaps.filter((bitmap) => !bitmap.closed)).toHaveLength(10);
  store.close();
});

test("a picture that is smaller than was asked for is not asked for again in a larger size", async () => {
  const { gate, store } = make(10, { thumbnail: (row) => small(row, 40) });
  gate.letAllGo();
  store.show({ start: 0, stop: 10 }, 128);
  await settle();
  store.show({ start: 0, stop: 10 }, 512);
  await settle();
  expect(gate.of("thumbnails")).toHaveLength(1);
  store.close();
});

test("a row without a thumbnail says why, the others come; it is asked for again on demand", async () => {
  let bad = true;
  const { gate, store } = make(10, {
    thumbnail: (row, size) => (bad && row === 4 ? failure("truncated_image") : small(row, size)),
  });
  gate.letAllGo();
  store.show({ start: 0, stop: 10 }, 128);
  await settle();
  expect(store.get(4)).toMatchObject({ code: "truncated_image" });
  expect(rowShown(store, 5)).toBe(5);
  store.show({ start: 0, stop: 9 }, 128);
  await settle();
  expect(gate.of("thumbnails")).toHaveLength(1);
  bad = false;
  store.retry(4);
  expect(store.get(4)).toBeNull();
  await settle();
  expect(rowShown(store, 4)).toBe(4);
  store.close();
});

test("one that the browser cannot decode says so", async () => {
  const { gate, store } = make(10, { thumbnail: (row, size) => small(row, size, row === 4 ? 255 : 0) });
  gate.letAllGo();
  store.show({ start: 0, stop: 10 }, 128);
  await settle();
  expect(store.get(4)).toMatchObject({ code: "picture_undecodable" });
  expect(rowShown(store, 3)).toBe(3);
  store.close();
});

test("a batch that fails is told, and asked for again by itself", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "performance"] });
  try {
    const { gate, store } = make(10);
    store.show({ start: 0, stop: 10 }, 128);
    gate.calls[0]?.fail(failure("timeout"));
    await settle();
    expect(store.get(4)).toMatchObject({ code: "timeout" });
    expect(gate.calls).toHaveLength(1);
    gate.open = true;
    await jest.advanceTimersByTimeAsync(1_000);
    await settle();
    expect(rowShown(store, 4)).toBe(4);
    store.close();
  } finally {
    jest.useRealTimers();
  }
});

test.each(["stale_dataset", "disconnected"])("after %s nothing is asked for again by itself", async (code) => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "performance"] });
  try {
    const { gate, store } = make(10);
    store.show({ start: 0, stop: 10 }, 128);
    gate.calls[0]?.fail(failure(code));
    await settle();
    await jest.advanceTimersByTimeAsync(120_000);
    expect(gate.calls).toHaveLength(1);
    expect(store.get(4)).toMatchObject({ code });
    store.close();
  } finally {
    jest.useRealTimers();
  }
});

test("an answer that leaves a row out does not have it asked for without end", async () => {
  const { gate, store } = make(10);
  const source = new MockSource(new Map([["a", lookup(10, { thumbnail: small })]]), gate.delay);
  const lacking = Object.assign(Object.create(source), {
    thumbnails: async (...[, rows]: Parameters<MockSource["thumbnails"]>) => {
      await gate.delay({ method: "thumbnails", row: rows[0] ?? null, rows }, new AbortController().signal);
      return { made: [{ ...small(3, 64), row: 3 }], missing: [] };
    },
  });
  store.close();
  const other = new ThumbnailStore(lacking, 1, 10);
  gate.letAllGo();
  other.show({ start: 0, stop: 10 }, 128);
  await settle();
  expect(gate.calls).toHaveLength(1);
  expect(other.get(0)).toMatchObject({ code: "bad_reply" });
  expect(rowShown(other, 3)).toBe(3);
  other.close();
});

test("after a minute what comes into view is asked for again, as the files may have changed", async () => {
  let version = 0;
  const { gate, store } = make(10, { thumbnail: (row, size) => small(row + 1000 * version, size) });
  gate.letAllGo();
  const now = jest.spyOn(performance, "now");
  try {
    now.mockReturnValue(1_000);
    store.show({ start: 0, stop: 10 }, 128);
    await settle();
    version = 1;
    now.mockReturnValue(50_000);
    store.show({ start: 0, stop: 10 }, 128);
    await settle();
    expect(rowShown(store, 4)).toBe(4);
    now.mockReturnValue(70_000);
    store.show({ start: 0, stop: 10 }, 128);
    expect(rowShown(store, 4)).toBe(4); // until the other is there
    await settle();
    expect(rowShown(store, 4)).toBe(1004);
    expect(gate.of("thumbnails")).toHaveLength(2);
  } finally {
    now.mockRestore();
  }
  store.close();
});

test("what is decoded stays within bounds, but for what is in view", async () => {
  const large = (row: number) => ({ ...small(row, 512), height: 512 }); // 1 MiB each, decoded
  const { gate, store } = make(1_000, { thumbnail: large });
  gate.letAllGo();
  for (let start = 0; start < 600; start += 60) {
    store.show({ start, stop: start + 60 }, 512);
    await settle();
    await settle();
  }
  const left = bitmaps.filter((bitmap) => !bitmap.closed);
  expect(left.length).toBeLessThanOrEqual(128);
  for (let row = 540; row < 600; row += 1) expect(rowShown(store, row)).toBe(row);
  store.show({ start: 400, stop: 600 }, 512);
  await settle();
  await settle();
  for (let row = 400; row < 600; row += 1) expect(rowShown(store, row)).toBe(row);
  store.close();
});
