import { signal } from "@preact/signals";
import { ExplorerError } from "../../src/errors";
import type { MockLookup } from "../../src/source/mock";
import { MockSource } from "../../src/source/mock";
import { ExplorerState } from "../../src/state/explorer";
import { LatestLoader } from "../../src/state/latest";
import { USUAL_LOOK } from "../../src/state/look";
import { PictureStore } from "../../src/state/pictures";
import { RowStore } from "../../src/state/rows";
import type { Choice, Ranges, SharedState } from "../../src/state/shared";
import { failure, Gate, lookup, settle, uuidOf } from "./support/mock";

const never = new AbortController().signal;

beforeEach(() => {
  globalThis.createImageBitmap = async (blob: unknown) => {
    const bytes = new Uint8Array(await (blob as Blob).arrayBuffer());
    if (bytes[0] === 255) throw new DOMException("damaged", "InvalidStateError");
    return { width: 10, height: 10, close: () => {} };
  };
});

describe("the newest wins", () => {
  test("an older answer that comes late is never shown", async () => {
    const loader = new LatestLoader<number, string>();
    const later: ((value: string) => void)[] = [];
    const ask = (key: number) => loader.load(key, () => new Promise((resolve) => later.push(resolve)));
    const [first, second] = [ask(1), ask(2)];
    later[1]?.("two");
    await second;
    later[0]?.("one");
    await first;
    expect(loader.state.value).toEqual({ wanted: 2, value: "two", error: null, pending: false });
  });

  test("the older one's fetching is withdrawn", async () => {
    const loader = new LatestLoader<number, string>();
    const signals: AbortSignal[] = [];
    const ask = (key: number) =>
      loader.load(key, (each) => {
        signals.push(each);
        return new Promise(() => {});
      });
    void ask(1);
    void ask(2);
    expect(signals.map((each) => each.aborted)).toEqual([true, false]);
    loader.clear();
    expect(signals[1]?.aborted).toBe(true);
    expect(loader.state.value.wanted).toBeNull();
  });

  test("what is shown stays until the next is there, but not under an error", async () => {
    const loader = new LatestLoader<number, string>();
    await loader.load(1, async () => "one");
    const second = loader.load(2, async () => {
      expect(loader.state.value).toEqual({ wanted: 2, value: "one", error: null, pending: true });
      throw failure("shard_not_found");
    });
    await second;
    expect(loader.state.value).toMatchObject({ wanted: 2, value: null, error: { code: "shard_not_found" } });
  });
});

describe("the rows", () => {
  test("come by pages for what is in view, and what is around", async () => {
    const gate = new Gate();
    const store = new RowStore(new MockSource(new Map([["a", lookup(1000)]]), gate.delay), 1, 1000);
    gate.letAllGo();
    store.show({ start: 300, stop: 320 });
    expect(store.get(300)).toBeNull();
    await settle();
    expect(store.get(300)).toEqual({ uuid: uuidOf(300), filepath: "shard_3" });
    expect(store.get(383)).not.toBeNull();
    expect(store.get(999)).toBeNull();
    expect(gate.of("rows").map((call) => call.row)).toEqual([256, 128]);
    store.close();
  });

  test("a drag over everything asks little and ends with the rows in view", async () => {
    const gate = new Gate();
    const total = 200_000_000;
    const store = new RowStore(new MockSource(new Map([["a", lookup(total)]]), gate.delay), 1, total);
    for (let row = 0; row < total - 20; row += 1_000_000) store.show({ start: row, stop: row + 20 });
    store.show({ start: total - 20, stop: total });
    expect(gate.of("rows").length).toBeLessThanOrEqual(5); // two at a time, however long the drag takes here
    gate.letAllGo();
    await settle();
    expect(gate.of("rows").length).toBeLessThanOrEqual(7);
    for (let row = total - 20; row < total; row += 1) expect(store.get(row)?.uuid).toBe(uuidOf(row));
    store.close();
  });

  test("an answer that never comes does not stick the list", async () => {
    const gate = new Gate();
    const store = new RowStore(new MockSource(new Map([["a", lookup(10_000)]]), gate.delay), 1, 10_000);
    store.show({ start: 0, stop: 20 });
    store.show({ start: 5000, stop: 5020 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    gate.letAllGo();
    await settle();
    expect(store.get(5000)?.uuid).toBe(uuidOf(5000));
    store.close();
  });

  test("a failure is told, tried again by itself, and on demand", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "performance"] });
    try {
      const gate = new Gate();
      const store = new RowStore(new MockSource(new Map([["a", lookup(100)]]), gate.delay), 1, 100);
      store.show({ start: 0, stop: 20 });
      gate.calls[0]?.fail(failure("timeout"));
      await settle();
      expect(store.error.value).toMatchObject({ code: "timeout" });
      expect(gate.calls).toHaveLength(1);
      await jest.advanceTimersByTimeAsync(1_100);
      expect(gate.calls).toHaveLength(2);
      gate.calls[1]?.fail(failure("timeout"));
      await settle();
      store.retry();
      gate.letAllGo();
      await settle();
      expect(store.error.value).toBeNull();
      expect(store.get(0)?.uuid).toBe(uuidOf(0));
      store.close();
    } finally {
      jest.useRealTimers();
    }
  });

  test("a page that has got more rows while it was on its way is asked for again", async () => {
    const gate = new Gate();
    const store = new RowStore(new MockSource(new Map([["a", lookup(120)]]), gate.delay), 1, 100);
    store.show({ start: 80, stop: 100 });
    store.grow(120);
    gate.letAllGo();
    await settle();
    expect(store.get(99)?.uuid).toBe(uuidOf(99));
    expect(store.get(119)?.uuid).toBe(uuidOf(119));
    store.close();
  });

  test("notices come with the rows", async () => {
    const source = new MockSource(new Map([["a", lookup(5, { notices: ["Row 3 has more fields."] })]]));
    const store = new RowStore(source, 1, 5);
    store.show({ start: 0, stop: 5 });
    await settle();
    expect(store.notices.value).toEqual(["Row 3 has more fields."]);
    store.close();
  });
});

describe("the pictures", () => {
  test("one that was got before is there at once", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const store = new PictureStore(new MockSource(new Map([["a", lookup(100)]]), gate.delay), 1);
    await store.get(5, never);
    await store.get(5, never);
    expect(gate.of("image").map((call) => call.row)).toEqual([5]);
    store.close();
  });

  test("a changed file is noticed, and its picture got again", async () => {
    let state = "1";
    const source = new MockSource(
      new Map([
        [
          "a",
          lookup(10, {
            picture: () => ({ bytes: new Uint8Array([Number(state)]), format: "PNG", mediaType: "image/png", state }),
          }),
        ],
      ]),
    );
    const store = new PictureStore(source, 1);
    const now = jest.spyOn(performance, "now").mockReturnValue(0);
    expect((await store.get(3, never)).image.bytes[0]).toBe(1);
    expect(await store.hasChanged(3, 10)).toBe(false);
    state = "2";
    now.mockReturnValue(20);
    expect((await store.get(3, never)).image.bytes[0]).toBe(1);
    expect(await store.hasChanged(3, 0)).toBe(false); // got since then
    expect(await store.hasChanged(3, 20)).toBe(true);
    expect((await store.get(3, never)).image.bytes[0]).toBe(2);
    now.mockRestore();
    store.close();
  });

  test("one that the browser cannot decode is an error with a sentence", async () => {
    const source = new MockSource(
      new Map([
        ["a", lookup(1, { picture: () => ({ bytes: new Uint8Array([255]), format: "PNG", mediaType: "image/png" }) })],
      ]),
    );
    const store = new PictureStore(source, 1);
    await expect(store.get(0, never)).rejects.toMatchObject({ code: "picture_undecodable" });
    store.close();
  });
});

/** A shared state that no other end changes but the test. */
class TestShared implements SharedState {
  readonly opened;
  readonly current = signal<number | null>(0);
  readonly selection = signal<Ranges>([]);
  readonly height = signal<string | null>(null);
  readonly look = USUAL_LOOK;

  constructor(source: MockSource) {
    this.opened = signal(source.describe());
  }

  choose(choice: Choice): void {
    if (choice.current !== undefined) this.current.value = choice.current;
    if (choice.selection !== undefined) this.selection.value = choice.selection;
  }

  keepShares(): void {}

  close(): void {}
}

function explorer(lookups: Record<string, MockLookup>, gate: Gate) {
  const told: { shared?: TestShared } = {};
  const source = new MockSource(new Map(Object.entries(lookups)), gate.delay, (opened) => {
    if (told.shared !== undefined) {
      told.shared.opened.value = opened;
      told.shared.current.value = opened.records > 0 ? 0 : null;
    }
  });
  const shared = new TestShared(source);
  told.shared = shared;
  return { state: new ExplorerState(source, shared), shared };
}

describe("the explorer", () => {
  test("shows the current row's picture and metadata, whoever chose it", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state, shared } = explorer({ a: lookup(500) }, gate);
    await settle();
    expect(state.picture.value.value?.image.row).toBe(0);
    state.choose(7);
    expect(shared.selection.value).toEqual([[7, 8]]);
    await settle();
    shared.current.value = 9; // as Python does
    await settle();
    expect(state.picture.value.value?.image.row).toBe(9);
    expect(state.metadata.value.value?.row).toBe(9);
    expect(state.filepaths.value).toBe(5);
    state.close();
  });

  test("A answered late does not show under B", async () => {
    const gate = new Gate();
    const { state } = explorer({ a: lookup(500) }, gate);
    state.choose(1);
    state.choose(2);
    for (const call of [...gate.calls].reverse()) {
      call.letGo();
      await settle();
      const shown = state.picture.value.value;
      if (shown !== null) expect(shown.image.row).toBe(2);
      const record = state.metadata.value.value;
      if (record !== null) expect(record.row).toBe(2);
    }
    expect(state.picture.value.value?.image.row).toBe(2);
    state.close();
  });

  test("a picture that fails leaves the metadata, and the other way round", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const broken = lookup(10, {
      picture: (row) =>
        row === 1
          ? failure("shard_not_found")
          : { bytes: new Uint8Array([row]), format: "PNG", mediaType: "image/png" },
      fields: (row) => (row === 2 ? failure("metadata_not_found") : []),
    });
    const { state } = explorer({ a: broken }, gate);
    state.choose(1);
    await settle();
    expect(state.picture.value).toMatchObject({ value: null, error: { code: "shard_not_found" } });
    expect(state.metadata.value.value?.row).toBe(1);
    state.choose(2);
    await settle();
    expect(state.picture.value.value?.image.row).toBe(2);
    expect(state.metadata.value).toMatchObject({ value: null, error: { code: "metadata_not_found" } });
    state.close();
  });

  test("the current row can be looked at again: what failed is got, what has changed is shown", async () => {
    const gate = new Gate();
    gate.letAllGo();
    let present = false;
    const repaired = lookup(10, {
      picture: (row) =>
        present
          ? { bytes: new Uint8Array([row]), format: "PNG", mediaType: "image/png", state: "1" }
          : failure("shard_not_found"),
      fields: () => (present ? [] : failure("metadata_not_found")),
    });
    const { state } = explorer({ a: repaired }, gate);
    await settle();
    expect(state.picture.value.error?.code).toBe("shard_not_found");
    present = true;
    state.refresh();
    await settle();
    expect(state.picture.value.value?.image.row).toBe(0);
    expect(state.metadata.value.value?.row).toBe(0);
    state.close();
  });

  test("only a choice of another row is timed", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state, shared } = explorer({ a: lookup(10) }, gate);
    const painted = () => {
      const picture = state.picture.value.value;
      if (picture !== null) state.painted(picture);
      return state.timing.value;
    };
    await settle();
    state.choose(3);
    await settle();
    expect(painted()).toEqual({ row: 3, paintedMs: expect.any(Number) });
    state.choose(3);
    shared.current.value = 5; // as Python does
    await settle();
    expect(painted()).toEqual({ row: 5, paintedMs: null });
    state.close();
  });

  test("once it is closed nothing is asked for any more", async () => {
    const gate = new Gate();
    const { state } = explorer({ a: lookup(100) }, gate);
    state.choose(50);
    state.close();
    gate.letAllGo();
    const asked = gate.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(gate.calls).toHaveLength(asked);
  });

  test("choosing beyond the ends chooses the ends", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state, shared } = explorer({ a: lookup(5) }, gate);
    state.choose(99);
    expect(shared.current.value).toBe(4);
    state.choose(-3);
    expect(shared.current.value).toBe(0);
    await settle();
    state.close();
  });

  test("another lookup starts everything anew; a refused one changes nothing", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state } = explorer({ a: lookup(500), b: lookup(3, { name: "b.csv", filepaths: 1 }) }, gate);
    state.choose(400);
    await settle();
    await expect(state.open("nowhere", never)).rejects.toMatchObject({ code: "lookup_not_found" });
    expect(state.opened.value.name).toBe("lookup.parquet");
    expect(state.picture.value.value?.image.row).toBe(400);
    await state.open("b", never);
    await settle();
    expect(state.opened.value).toMatchObject({ name: "b.csv", records: 3 });
    expect(state.current.value).toBe(0);
    expect(state.picture.value.value?.image.row).toBe(0);
    expect(state.filepaths.value).toBe(1);
    state.close();
  });

  test("a lookup without rows asks for nothing", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state, shared } = explorer({ a: lookup(0) }, gate);
    shared.current.value = null;
    state.choose(0);
    await settle();
    expect(gate.of("image")).toEqual([]);
    expect(state.picture.value.error).toBeNull();
    state.close();
  });

  test("a search chooses what it finds", async () => {
    const gate = new Gate();
    gate.letAllGo();
    const { state } = explorer({ a: lookup(500) }, gate);
    expect(await state.find("path:shard_3", null, never)).toEqual({ row: 300, byNumber: false });
    expect(state.current.value).toBe(300);
    expect(await state.find("nothing", null, never)).toEqual({ row: null, byNumber: false });
    expect(state.current.value).toBe(300);
    state.close();
  });

  test("a count that fails can be tried again", async () => {
    const gate = new Gate();
    const { state } = explorer({ a: lookup(500) }, gate);
    gate.of("filepaths")[0]?.fail(failure("timeout"));
    await settle();
    expect(state.filepaths.value).toBeInstanceOf(ExplorerError);
    state.retryCount();
    gate.letAllGo();
    await settle();
    expect(state.filepaths.value).toBe(5);
    state.close();
  });

  test("a record that does not come holds up neither neighbours nor anything else", async () => {
    const gate = new Gate();
    const { state } = explorer({ a: lookup(100) }, gate);
    await settle();
    for (const call of gate.calls.filter((each) => each.method !== "metadata")) call.letGo();
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(state.metadata.value.pending).toBe(true);
    expect(gate.of("ahead").length).toBeGreaterThan(0);
    state.close();
  });

  test("tells that the page's larger parts take long, until they are there or fail", async () => {
    jest.useFakeTimers();
    try {
      for (const end of ["resolve", "reject"] as const) {
        let finish = () => {};
        const parts = new Promise<void>((resolve, reject) => {
          finish = end === "resolve" ? resolve : () => reject(failure("decoder_unavailable"));
        });
        const source = new MockSource(new Map([["a", lookup(5)]]), new Gate().delay);
        const state = new ExplorerState(source, new TestShared(source), undefined, parts);
        await jest.advanceTimersByTimeAsync(1_000);
        expect(state.connection.value.loading).toBe(false);
        await jest.advanceTimersByTimeAsync(1_000);
        expect(state.connection.value.loading).toBe(true);
        finish();
        await jest.advanceTimersByTimeAsync(0);
        expect(state.connection.value.loading).toBe(false);
        state.close();
      }
    } finally {
      jest.useRealTimers();
    }
  });
});
