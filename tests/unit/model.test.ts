import type { AnyModel } from "@anywidget/types";
import { NO_INDEX } from "../../src/source/noIndex";
import { ModelState, type Traits } from "../../src/state/model";

/** A widget's model without a kernel: keeps values, tells changes, and counts what it would send. */
class Model {
  readonly values: Record<string, unknown> = {
    _opened: {
      dataset: 1,
      name: "a",
      location: "/a",
      records: 100,
      total: 100,
      filter: "",
      sort: [],
      notices: [],
      index: NO_INDEX,
      options: { lookup: "/a", root: null, uuidColumn: "uuid", filepathColumn: "filepath", cache: true },
    },
    current: 0,
    selection: { ranges: [] },
    height: 300,
  };
  readonly sent: Record<string, unknown>[] = [];
  readonly #listeners = new Map<string, Set<() => void>>();
  #unsent: Record<string, unknown> = {};

  get(name: string): unknown {
    return this.values[name];
  }

  set(name: string, value: unknown): void {
    this.#unsent[name] = value;
    this.hear(name, value);
  }

  save_changes(): void {
    this.sent.push(this.#unsent);
    this.#unsent = {};
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: () => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** A change that came from Python. */
  hear(name: string, value: unknown): void {
    this.values[name] = value;
    for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
  }

  asAnyModel(): AnyModel<Traits> {
    return Object.assign(Object.create(null), {
      get: this.get.bind(this),
      set: this.set.bind(this),
      save_changes: this.save_changes.bind(this),
      on: this.on.bind(this),
      off: this.off.bind(this),
    });
  }
}

let model: Model;
let state: ModelState;

beforeEach(() => {
  jest.useFakeTimers();
  model = new Model();
  state = new ModelState(model.asAnyModel());
});

afterEach(() => {
  state.close();
  jest.useRealTimers();
});

test("a choice is seen at once and told to Python a moment later, in one message", () => {
  state.choose({ current: 5, selection: [[5, 6]] });
  expect(state.current.value).toBe(5);
  expect(state.selection.value).toEqual([[5, 6]]);
  expect(model.sent).toEqual([]);
  jest.advanceTimersByTime(50);
  expect(model.sent).toEqual([{ current: 5, selection: { ranges: [[5, 6]] } }]);
});

test("a key that is held down makes a message every 30 ms, the last with the last row", () => {
  for (let row = 1; row <= 100; row += 1) {
    state.choose({ current: row });
    jest.advanceTimersByTime(10);
  }
  jest.advanceTimersByTime(50);
  expect(model.sent.length).toBeLessThanOrEqual(35);
  expect(model.sent.at(-1)).toEqual({ current: 100 });
});

test("what Python sets after a choice holds, and the choice is not told", () => {
  state.choose({ current: 5, selection: [[5, 6]] });
  model.hear("current", 42);
  expect(state.current.value).toBe(42);
  jest.advanceTimersByTime(50);
  expect(state.current.value).toBe(42);
  expect(model.values.current).toBe(42);
  expect(model.sent).toEqual([{ selection: { ranges: [[5, 6]] } }]);
});

test("a choice among the rows of another lookup is void", () => {
  state.choose({ current: 5, selection: [[5, 6]] });
  model.hear("_opened", {
    dataset: 2,
    name: "b",
    location: "/b",
    records: 1,
    total: 100,
    filter: "",
    sort: [],
    notices: [],
    index: NO_INDEX,
    options: { lookup: "/a", root: null, uuidColumn: "uuid", filepathColumn: "filepath", cache: true },
  });
  expect(state.current.value).toBe(0);
  expect(state.selection.value).toEqual([]);
  jest.advanceTimersByTime(50);
  expect(model.sent).toEqual([]);
});

test("two views of one model follow one another", () => {
  const other = new ModelState(model.asAnyModel());
  state.choose({ current: 7 });
  jest.advanceTimersByTime(50);
  expect(other.current.value).toBe(7);
  other.close();
});

test("what is chosen last is told also when the view closes", () => {
  state.choose({ current: 9 });
  state.close();
  expect(model.sent).toEqual([{ current: 9 }]);
});

test("the shares of the panels are told once they rest, and how it looked at first stays", () => {
  const shares = { columns: [0.5, 0.25, 0.25] as const };
  state.keepShares({ columns: [0.4, 0.3, 0.3] });
  state.keepShares(shares);
  expect(model.sent).toEqual([]);
  jest.runAllTimers();
  expect(model.sent).toEqual([{ _look: { rowHeight: 28, prefetch: true, shares } }]);
  expect(state.look.shares).toEqual({});
  state.close();
  state = new ModelState(model.asAnyModel());
  expect(state.look.shares).toEqual(shares);
});
