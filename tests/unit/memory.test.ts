import type { ReadonlyPartialJSONValue } from "@lumino/coreutils";
import { rememberedOf, TabMemory } from "../../src/lab/memory";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** JupyterLab's store of small states. */
function store() {
  const kept = new Map<string, ReadonlyPartialJSONValue>();
  const nothing = async () => {};
  return {
    kept,
    given: {
      fetch: async (id: string) => kept.get(id),
      save: async (id: string, value: ReadonlyPartialJSONValue) => void kept.set(id, value),
      remove: async (id: string) => void kept.delete(id),
      list: async () => ({ ids: [], values: [] }),
      clear: nothing,
      toJSON: async () => ({}),
    },
  };
}

function model(values: Record<string, unknown>) {
  const listeners: (() => void)[] = [];
  return {
    values,
    get: (name: string) => values[name],
    on: (_: string, listener: () => void) => void listeners.push(listener),
    change(changed: Record<string, unknown>) {
      Object.assign(values, changed);
      for (const listener of listeners) listener();
    },
  };
}

const opened = (lookup: string) => ({ options: { lookup } });

test("what a tab shows is kept, some time after it has changed", async () => {
  const { kept, given } = store();
  const memory = new TabMemory(given, "a.parquet");
  const shown = model({ _opened: opened("/a"), _look: {}, filter: "", sort: [], current: 0 });
  memory.follow(shown, "python3");
  shown.change({ current: 7 });
  shown.change({ filter: "width > 1", sort: [["uuid", "desc"]], current: 3 });
  expect(kept.size).toBe(0);
  jest.runAllTimers();
  expect(await memory.recall()).toEqual({
    kernel: "python3",
    filter: "width > 1",
    sort: [["uuid", "desc"]],
    row: 3,
    shares: {},
  });
  memory.forget();
  expect(kept.size).toBe(0);
});

test("another file that is open in the tab meanwhile is not mistaken for its own", async () => {
  const { given } = store();
  const memory = new TabMemory(given, "a.parquet");
  const shown = model({ _opened: opened("/a"), _look: {}, filter: "", sort: [], current: 5 });
  memory.follow(shown, "python3");
  jest.runAllTimers();
  shown.change({ _opened: opened("/b"), current: 99 });
  jest.runAllTimers();
  expect((await memory.recall()).row).toBe(5);
});

test("a file that is renamed takes along what is kept, and leaves nothing behind", async () => {
  const { kept, given } = store();
  const memory = new TabMemory(given, "a.parquet");
  const shown = model({ _opened: opened("/a"), filter: "width > 1", current: 5 });
  memory.follow(shown, "");
  jest.runAllTimers();
  memory.rename("b.parquet");
  await jest.advanceTimersByTimeAsync(0);
  expect([...kept.keys()]).toEqual(["h5explorer-shown:b.parquet"]);
  expect(await memory.recall()).toMatchObject({ filter: "width > 1", row: 5 });
  memory.rename("c.parquet");
  memory.rename("d.parquet");
  shown.change({ current: 6 });
  await jest.advanceTimersByTimeAsync(0);
  expect([...kept.keys()]).toEqual(["h5explorer-shown:d.parquet"]);
  expect(await memory.recall()).toMatchObject({ filter: "width > 1", row: 6 });
});

test("what another file is open in is renamed with what was kept of its own", async () => {
  const { given } = store();
  const memory = new TabMemory(given, "a.parquet");
  const shown = model({ _opened: opened("/a"), current: 5 });
  memory.follow(shown, "");
  jest.runAllTimers();
  shown.change({ _opened: opened("/b"), current: 99 });
  memory.rename("c.parquet");
  await jest.advanceTimersByTimeAsync(0);
  expect((await memory.recall()).row).toBe(5);
});

test("a file that is closed while it is renamed is forgotten", async () => {
  const { kept, given } = store();
  const memory = new TabMemory(given, "a.parquet");
  memory.follow(model({ _opened: opened("/a"), current: 5 }), "");
  jest.runAllTimers();
  memory.rename("b.parquet");
  memory.forget();
  await jest.advanceTimersByTimeAsync(0);
  expect(kept.size).toBe(0);
});

test("what was kept is read with care, and nothing is kept without a store", async () => {
  const nothing = { kernel: "", filter: "", sort: [], row: null, shares: {} };
  for (const each of [null, undefined, 1, [], { sort: [["a"], "b"], row: "1", filter: 2 }]) {
    expect(rememberedOf(each)).toEqual(nothing);
  }
  expect(await new TabMemory(null, "a").recall()).toEqual(nothing);
});
