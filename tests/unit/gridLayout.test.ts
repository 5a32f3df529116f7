import fc from "fast-check";
import {
  askedSize,
  CAPTION,
  firstRow,
  gridKeyTarget,
  layOut,
  linesInView,
  MARGIN,
  rowsOfDistance,
  SIZES,
  takeOver,
  wheelRowsOfGrid,
} from "../../src/contents/gridLayout";
import {
  centre,
  columnsOf,
  furthest,
  moveBy,
  moveTo,
  moveToPart,
  moveToSliderValue,
  pageRows,
  reveal,
  rowsInView,
  sliderPart,
  sliderValue,
  thumbLength,
  type View,
} from "../../src/contents/scroll";

const totals = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2_000_000_000 }));
const sizes = fc.integer({ min: SIZES.smallest, max: SIZES.largest });
const lengths = fc.integer({ min: 120, max: 3000 });
const parts = fc.double({ min: 0, max: 1, noNaN: true });

/** A view of thumbnails and how they lie. */
const grids = fc
  .record({ total: totals, width: lengths, height: lengths, size: sizes, part: parts })
  .map(({ total, width, height, size, part }) => {
    const layout = layOut(width, height, size);
    const { columns, lines } = layout;
    const fits = lines * columns;
    const view: View = { total, fits, columns, top: part * furthest(total, fits, columns) };
    return { view, layout, width, height, size };
  });

const seen = (view: View, row: number) => {
  const { start, stop } = rowsInView(view);
  return row >= start && row < stop;
};

test("as many thumbnails lie side by side as there is room for, none wider than it", () => {
  fc.assert(
    fc.property(lengths, lengths, sizes, (width, height, size) => {
      const { columns, side, cellWidth, lineHeight, lines } = layOut(width, height, size);
      expect(columns * (side + 2 * MARGIN)).toBeLessThanOrEqual(width);
      expect((columns + 1) * (side + 2 * MARGIN)).toBeGreaterThan(width);
      expect(columns * cellWidth).toBeCloseTo(width, 6);
      expect(side).toBeLessThanOrEqual(size);
      expect(lineHeight).toBe(side + CAPTION + 2 * MARGIN);
      expect(lines).toBeGreaterThanOrEqual(1);
    }),
  );
  expect(layOut(600, 400, 128)).toMatchObject({ columns: 4, side: 128 });
  expect(layOut(600, 100, 128)).toMatchObject({ columns: 7, side: 72 });
});

test("before anything is measured there is a layout all the same", () => {
  const layout = layOut(0, 0, 128);
  expect(layout).toMatchObject({ columns: 1, lines: 0 });
  expect(linesInView({ total: 10, fits: 0, top: 0 }, layout)).toEqual([]);
});

test("what is asked for is at least as large as it is shown, in few sizes", () => {
  expect([64, 65, 128, 200, 320].map((side) => askedSize(side, 1))).toEqual([64, 96, 128, 256, 384]);
  expect([64, 128, 320].map((side) => askedSize(side, 2))).toEqual([128, 256, 512]);
  expect(askedSize(128, 1.25)).toBe(192);
});

test("the lines in view hold the rows in view, each once, in their order and at their places", () => {
  fc.assert(
    fc.property(grids, ({ view, layout, height }) => {
      const lines = linesInView(view, layout);
      const rows = lines.flatMap(({ first, stop }) => Array.from({ length: stop - first }, (_, at) => first + at));
      const { start, stop } = rowsInView(view);
      expect(rows).toEqual(Array.from({ length: stop - start }, (_, at) => start + at));
      for (const line of lines) {
        expect(line.first).toBe(line.number * layout.columns);
        expect(line.stop - line.first).toBe(Math.min(layout.columns, view.total - line.first));
        expect(line.top).toBeGreaterThan(-layout.lineHeight - 1e-3);
        expect(line.top).toBeLessThan(height + 1e-3);
      }
      for (const [at, line] of lines.entries()) {
        expect(line.top - (lines[0]?.top ?? 0)).toBeCloseTo(at * layout.lineHeight, 2);
      }
      expect(lines.length).toBeLessThanOrEqual(Math.ceil(layout.lines) + 1);
    }),
  );
});

test("the last line is wholly seen at the end, also where it is not full", () => {
  fc.assert(
    fc.property(grids, ({ view, layout, height }) => {
      const end = moveToPart(view, 1);
      const last = linesInView(end, layout).at(-1);
      expect(last?.stop).toBe(view.total);
      expect((last?.top ?? 0) + layout.lineHeight).toBeLessThanOrEqual(height + 1e-3);
      const lineCount = Math.ceil(view.total / layout.columns);
      if (lineCount > layout.lines) expect((last?.top ?? 0) + layout.lineHeight).toBeCloseTo(height, 2);
      expect(rowsInView(moveToPart(view, 0)).start).toBe(0);
    }),
  );
});

test("no move leaves the rows", () => {
  fc.assert(
    fc.property(grids, fc.double(), ({ view }, rows) => {
      for (const moved of [moveBy(view, rows), moveTo(view, rows)]) {
        expect(moved.top).toBeGreaterThanOrEqual(0);
        expect(moved.top).toBeLessThanOrEqual(furthest(view.total, view.fits, columnsOf(view)));
        expect(linesInView(moved, layOut(600, 400, 128)).length).toBeGreaterThan(0);
      }
    }),
  );
});

test("a revealed row has its whole line in view, and one in view does not move the thumbnails", () => {
  fc.assert(
    fc.property(grids, fc.nat(), ({ view, layout, height }, number) => {
      const row = number % view.total;
      for (const move of [reveal, centre]) {
        const moved = move(view, row);
        const line = linesInView(moved, layout).find(({ first, stop }) => row >= first && row < stop);
        expect(line?.top).toBeGreaterThanOrEqual(-1e-2);
        expect((line?.top ?? 0) + layout.lineHeight).toBeLessThanOrEqual(height + 1e-2);
        expect(move(moved, row).top).toBeCloseTo(moved.top, 5);
      }
    }),
  );
});

test("the slider reaches every row, and names one in view", () => {
  fc.assert(
    fc.property(grids, fc.nat(), ({ view }, number) => {
      const value = sliderValue(view);
      expect(value).toBeGreaterThanOrEqual(1);
      expect(value).toBeLessThanOrEqual(view.total);
      expect(seen(view, value - 1)).toBe(true);
      const wanted = 1 + (number % view.total);
      const moved = moveToSliderValue(view, wanted);
      expect(seen(moved, wanted - 1)).toBe(true);
      if (furthest(view.total, view.fits, columnsOf(view)) > 0) expect(sliderValue(moved)).toBe(wanted);
      expect(sliderPart(moveToPart(view, 1))).toBe(furthest(view.total, view.fits, columnsOf(view)) > 0 ? 1 : 0);
    }),
  );
});

test("the slider's thumb fills its way only where all lines are in view", () => {
  const half: View = { total: 41, fits: 24, columns: 4, top: 0 };
  expect(thumbLength(half, 440, 24)).toBe(240);
  expect(thumbLength({ ...half, total: 24 }, 440, 24)).toBe(440);
  expect(thumbLength({ total: 5, fits: 6, columns: 4, top: 0 }, 440, 24)).toBe(330); // the second line is cut
});

test("another layout keeps the first row in the first line, and there is no drift however often it changes", () => {
  fc.assert(
    fc.property(
      grids,
      fc.array(fc.tuple(lengths, lengths, sizes), { minLength: 1, maxLength: 20 }),
      (grid, changes) => {
        const first = firstRow(grid.view);
        let view = grid.view;
        for (const [width, height, size] of changes) {
          const layout = layOut(width, height, size);
          view = takeOver(view, grid.view.total, layout, first, null);
          expect(view.columns).toBe(layout.columns);
          expect(view.fits).toBeCloseTo(layout.lines * layout.columns, 9);
          expect(seen(view, first)).toBe(true);
          const end = furthest(view.total, view.fits, layout.columns);
          if (view.top < end) expect(firstRow(view)).toBe(first - (first % layout.columns));
        }
        const back = takeOver(view, grid.view.total, grid.layout, first, null);
        expect(firstRow(back)).toBe(first);
      },
    ),
  );
});

test("the chosen row stays in view if it was, when the layout changes and when the list takes over", () => {
  fc.assert(
    fc.property(grids, lengths, lengths, sizes, fc.nat(), ({ view }, width, height, size, number) => {
      const row = number % view.total;
      const kept = reveal(view, row);
      const taken = takeOver(kept, view.total, layOut(width, height, size), firstRow(kept), row);
      expect(reveal(taken, row).top).toBeCloseTo(taken.top, 5);
    }),
  );
  const view: View = { total: 1000, fits: 40, columns: 8, top: 80 };
  expect(rowsInView(takeOver(view, 1000, layOut(300, 400, 128), 80, 119))).toEqual({ start: 114, stop: 120 });
  expect(rowsInView(takeOver(view, 1000, layOut(300, 400, 128), 80, 500))).toEqual({ start: 80, stop: 86 });
});

describe("keys", () => {
  const target = (key: string, current: number | null, view: View) =>
    gridKeyTarget({ key, altKey: false }, current, view);
  const view: View = { total: 22, fits: 15, columns: 5, top: 0 };

  test.each([
    ["ArrowRight", 3, 4],
    ["ArrowRight", 4, 5],
    ["ArrowRight", 21, 21],
    ["ArrowLeft", 5, 4],
    ["ArrowLeft", 0, 0],
    ["ArrowDown", 3, 8],
    ["ArrowDown", 16, 21],
    ["ArrowDown", 18, 21], // nothing is below; the last line is not full
    ["ArrowDown", 21, 21],
    ["ArrowUp", 8, 3],
    ["ArrowUp", 3, 3],
    ["PageDown", 0, 10],
    ["PageDown", 13, 21],
    ["PageUp", 13, 3],
    ["PageUp", 7, 2],
    ["Home", 13, 0],
    ["End", 0, 21],
  ])("%s from %d leads to %d", (key, from, to) => expect(target(key, from, view)).toBe(to));

  test("from nowhere they lead to the first row, other keys nowhere", () => {
    for (const key of ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home"]) {
      expect(target(key, null, view)).toBe(0);
    }
    expect(target("End", null, view)).toBe(21);
    expect(target("a", 3, view)).toBeNull();
    expect(gridKeyTarget({ key: "ArrowLeft", altKey: true }, 3, view)).toBeNull();
    expect(target("ArrowDown", null, { ...view, total: 0 })).toBeNull();
  });

  test("never leave the rows, and every key but the ends' is undone by its opposite within them", () => {
    fc.assert(
      fc.property(grids, fc.nat(), ({ view: now, layout }, number) => {
        const from = number % now.total;
        for (const [key, opposite] of [
          ["ArrowRight", "ArrowLeft"],
          ["ArrowDown", "ArrowUp"],
          ["PageDown", "PageUp"],
        ] as const) {
          const to = target(key, from, now) ?? -1;
          expect(to).toBeGreaterThanOrEqual(from);
          expect(to).toBeLessThan(now.total);
          const step = key === "ArrowRight" ? 1 : key === "ArrowDown" ? layout.columns : pageRows(now);
          if (from + step < now.total) expect([to, target(opposite, to, now)]).toEqual([from + step, from]);
        }
      }),
    );
  });
});

test("a wheel moves the thumbnails as far as the list: by pixels, text lines or pages", () => {
  const layout = layOut(600, 624, 128);
  const view: View = { total: 10_000, fits: layout.lines * 4, columns: 4, top: 400 };
  const line = layout.lineHeight;
  expect(rowsOfDistance(line, view, layout)).toBe(4);
  expect(wheelRowsOfGrid({ deltaY: line, deltaMode: 0 }, view, layout)).toBeCloseTo(4, 9);
  expect(wheelRowsOfGrid({ deltaY: 3, deltaMode: 1 }, view, layout)).toBeCloseTo((4 * 3 * 28) / line, 9);
  expect(wheelRowsOfGrid({ deltaY: -1, deltaMode: 2 }, view, layout)).toBe(-pageRows(view));
});

test("200 million rows are walked line by line, exactly", () => {
  const layout = layOut(600, 400, 128);
  let view: View = { total: 213_900_001, fits: layout.lines * 4, columns: 4, top: 0 };
  view = moveToSliderValue(view, 123_456_789);
  expect(sliderValue(view)).toBe(123_456_789);
  let row = 123_456_788;
  for (let step = 1; step <= 50; step += 1) {
    row = gridKeyTarget({ key: "ArrowDown", altKey: false }, row, view) ?? -1;
    view = reveal(view, row);
    expect(row).toBe(123_456_788 + 4 * step);
    expect(seen(view, row)).toBe(true);
  }
  view = reveal(view, 213_900_000);
  expect(linesInView(view, layout).at(-1)).toMatchObject({ first: 213_900_000, stop: 213_900_001 });
});
