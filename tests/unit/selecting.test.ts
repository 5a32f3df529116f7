import fc from "fast-check";
import {
  areSame,
  countRows,
  holds,
  inverted,
  MOST_RANGES,
  single,
  withoutRow,
  withRange,
} from "../../src/contents/ranges";
import { type Act, actOfClick, actOfKey, type Chosen, isClear, perform, selected } from "../../src/contents/selecting";
import type { Ranges } from "../../src/state/shared";

const TOTAL = 40;

const rowsOf = (ranges: Ranges) =>
  ranges.flatMap(([start, stop]) => Array.from({ length: stop - start }, (_, at) => start + at));

/** The ranges of a set of rows, found by walking all of them. */
function rangesOf(rows: ReadonlySet<number>, total: number): Ranges {
  const found: [number, number][] = [];
  for (let row = 0; row < total; row += 1) {
    const last = found.at(-1);
    if (!rows.has(row)) continue;
    if (last?.[1] === row) last[1] = row + 1;
    else found.push([row, row + 1]);
  }
  return found;
}

const places = fc.integer({ min: 0, max: TOTAL - 1 });
const sets = fc.array(places).map((rows) => new Set(rows));

test("ranges hold what a set holds", () => {
  fc.assert(
    fc.property(sets, places, places, (rows, one, other) => {
      const ranges = rangesOf(rows, TOTAL);
      const [start, stop] = [Math.min(one, other), Math.max(one, other) + 1];
      expect(countRows(ranges)).toBe(rows.size);
      expect(holds(ranges, one)).toBe(rows.has(one));
      const more = new Set([...rows, ...rowsOf([[start, stop]])]);
      expect(withRange(ranges, start, stop)).toEqual(rangesOf(more, TOTAL));
      const fewer = new Set([...rows].filter((row) => row !== one));
      expect(withoutRow(ranges, one)).toEqual(rangesOf(fewer, TOTAL));
      const others = new Set(rowsOf([[0, TOTAL]]).filter((row) => !rows.has(row)));
      expect(inverted(ranges, TOTAL)).toEqual(rangesOf(others, TOTAL));
      expect(inverted(inverted(ranges, TOTAL), TOTAL)).toEqual(ranges);
      expect(areSame(ranges, rangesOf(new Set([...rows].reverse()), TOTAL))).toBe(true);
      expect(areSame(ranges, withRange(ranges, one, one + 1))).toBe(rows.has(one));
    }),
  );
});

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom("only", "toggle", "extend", "add", "go"), row: places }),
  fc.record({ kind: fc.constantFrom("all", "invert", "clear") }),
);

/** The same with a plain set of rows. */
class Plain {
  current: number | null;
  rows: Set<number>;
  anchor: number | null;

  constructor(chosen: Chosen) {
    this.current = chosen.current;
    this.rows = new Set(rowsOf(chosen.selection));
    this.anchor = chosen.anchor;
    this.#atLeastOne();
  }

  do(act: Act): void {
    if (act.kind === "all") this.rows = new Set(rowsOf([[0, TOTAL]]));
    else if (act.kind === "invert") {
      const before = this.rows;
      this.rows = new Set(rowsOf([[0, TOTAL]]).filter((row) => !before.has(row)));
    } else if (act.kind === "clear") {
      this.rows = new Set();
      this.anchor = this.current;
    } else this.#goTo(act);
    this.#atLeastOne();
  }

  #goTo({ kind, row }: Extract<Act, { row: number }>): void {
    const from = this.anchor ?? this.current ?? row;
    const between = Array.from({ length: Math.abs(row - from) + 1 }, (_, step) => Math.min(from, row) + step);
    this.current = row;
    this.anchor = kind === "only" || kind === "toggle" ? row : from;
    if (kind === "toggle" && this.rows.has(row)) this.rows.delete(row);
    else if (kind === "toggle") this.rows.add(row);
    else if (kind === "only") this.rows = new Set([row]);
    else if (kind === "extend") this.rows = new Set(between);
    else if (kind === "add") for (const each of between) this.rows.add(each);
  }

  /** Where nothing is selected, the current row stands for the selection. */
  #atLeastOne(): void {
    if (this.rows.size === 0 && this.current !== null) this.rows.add(this.current);
  }
}

const beginnings: fc.Arbitrary<Chosen> = fc.record({
  current: fc.option(places),
  selection: sets.map((rows) => rangesOf(rows, TOTAL)),
  anchor: fc.option(places),
});

test("whatever is done in whatever order, the same rows are selected as in a plain set", () => {
  fc.assert(
    fc.property(beginnings, fc.array(acts, { minLength: 1, maxLength: 30 }), (beginning, done) => {
      const plain = new Plain(beginning);
      let chosen = beginning;
      for (const act of done) {
        plain.do(act);
        const after = perform(chosen, act, TOTAL);
        if (after === null) throw new Error("it is refused");
        chosen = after;
        expect(chosen.current).toBe(plain.current);
        expect(chosen.anchor).toBe(plain.anchor);
        expect(selected(chosen)).toEqual(rangesOf(plain.rows, TOTAL));
        expect(isClear(chosen)).toBe(
          chosen.current === null ? plain.rows.size === 0 : plain.rows.size === 1 && plain.rows.has(chosen.current),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test("all of a view and all but a few are a few numbers, however many rows it has", () => {
  const total = 200_000_000;
  const begin: Chosen = { current: 7, selection: [[7, 8]], anchor: null };
  expect(perform(begin, { kind: "all" }, total)?.selection).toEqual([[0, total]]);
  const but = perform(begin, { kind: "invert" }, total);
  expect(but).toMatchObject({
    current: 7,
    selection: [
      [0, 7],
      [8, total],
    ],
  });
  expect(but && countRows(but.selection)).toBe(total - 1);
  expect(but && perform(but, { kind: "toggle", row: total - 1 }, total)?.selection).toEqual([
    [0, 7],
    [8, total - 1],
  ]);
  expect(perform({ current: null, selection: [], anchor: null }, { kind: "all" }, 0)?.selection).toEqual([]);
});

test("what would be more ranges than a selection has is refused, and the same act that makes fewer is not", () => {
  const selection: Ranges = Array.from({ length: MOST_RANGES }, (_, at) => [2 * at, 2 * at + 1]);
  const full: Chosen = { current: 0, selection, anchor: 0 };
  const total = 10_000;
  expect(perform(full, { kind: "toggle", row: 5000 }, total)).toBeNull();
  expect(perform(full, { kind: "add", row: 1 }, total)?.selection).toHaveLength(MOST_RANGES - 1);
  expect(perform(full, { kind: "toggle", row: 1 }, total)?.selection).toHaveLength(MOST_RANGES - 1);
  expect(perform(full, { kind: "invert" }, total)?.selection).toHaveLength(MOST_RANGES);
  const begun = full.selection.map(([start, stop]) => [start + 1, stop + 1] as const);
  expect(perform({ ...full, selection: begun }, { kind: "invert" }, total)).toBeNull();
  expect(perform({ ...full, selection: [[0, 999]] }, { kind: "toggle", row: 5 }, total)?.selection).toHaveLength(2);
});

const held = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };
const [shift, ctrl, meta, alt] = [{ shiftKey: true }, { ctrlKey: true }, { metaKey: true }, { altKey: true }];

test.each([
  [{}, false, "only"],
  [shift, false, "extend"],
  [ctrl, false, "toggle"],
  [{ ...ctrl, ...shift }, false, "add"],
  [meta, false, "only"],
  [meta, true, "toggle"],
  [{ ...meta, ...shift }, true, "add"],
  [ctrl, true, null], // it opens a menu there
])("a click with %j held (on a Mac: %s) is %s", (with_, mac, kind) => {
  expect(actOfClick({ ...held, ...with_ }, 5, mac)).toEqual(kind && { kind, row: 5 });
});

const SEVERAL = { current: 3, selection: [[1, 6]] as Ranges };

test.each([
  ["ArrowDown", 4, {}, { kind: "only", row: 4 }],
  ["ArrowDown", 4, shift, { kind: "extend", row: 4 }],
  ["End", 39, { ...ctrl, ...shift }, { kind: "add", row: 39 }],
  ["PageUp", 0, ctrl, { kind: "go", row: 0 }],
  ["ArrowDown", 4, alt, null],
  ["ArrowDown", 4, meta, null],
  [" ", null, {}, { kind: "toggle", row: 3 }],
  [" ", null, ctrl, { kind: "toggle", row: 3 }],
  [" ", null, shift, { kind: "extend", row: 3 }],
  [" ", null, { ...ctrl, ...shift }, { kind: "add", row: 3 }],
  ["a", null, ctrl, { kind: "all" }],
  ["A", null, ctrl, { kind: "all" }], // with the capitals locked
  ["A", null, { ...ctrl, ...shift }, null],
  ["a", null, {}, null],
  ["a", null, meta, null],
  ["Escape", null, {}, { kind: "clear" }],
  ["Escape", null, ctrl, null],
  ["x", null, {}, null],
  ["Tab", null, {}, null],
])("the key %j that leads to %j, with %j, is %j", (key, to, with_, act) => {
  expect(actOfKey({ ...held, ...with_, key }, SEVERAL, to, false)).toEqual(act);
});

test("on a Mac Command is what Control is elsewhere", () => {
  const act = (key: string, to: number | null, with_: object) =>
    actOfKey({ ...held, ...with_, key }, SEVERAL, to, true);
  expect(act("a", null, meta)).toEqual({ kind: "all" });
  expect(act("ArrowUp", 2, meta)).toEqual({ kind: "go", row: 2 });
  expect(act("ArrowUp", 2, ctrl)).toBeNull();
});

test("a key with nothing to do goes on", () => {
  const key = (name: string, chosen: { current: number | null; selection: Ranges }) =>
    actOfKey({ ...held, key: name }, chosen, null, false);
  expect(key("Escape", { current: 3, selection: [] })).toBeNull();
  expect(key("Escape", { current: 3, selection: single(3) })).toBeNull();
  expect(key("Escape", { current: 3, selection: single(4) })).toEqual({ kind: "clear" });
  expect(key("Escape", { current: null, selection: [] })).toBeNull();
  expect(key(" ", { current: null, selection: [] })).toBeNull();
});
