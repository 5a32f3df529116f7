import fc from "fast-check";
import {
  centre,
  furthest,
  moveBy,
  moveTo,
  moveToPart,
  moveToSliderValue,
  pageRows,
  resize,
  reveal,
  rowsInView,
  sliderPart,
  sliderValue,
  thumbLength,
  type View,
  wheelRows,
} from "../../src/contents/scroll";

const views = fc
  .record({
    total: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2_000_000_000 })),
    fits: fc.double({ min: 1, max: 60, noNaN: true }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ total, fits, part }): View => ({ total, fits, top: part * furthest(total, fits) }));

const wholeRowInView = (view: View, row: number) => row >= view.top - 1e-6 && row + 1 <= view.top + view.fits + 1e-6;
const partlyInView = (view: View, row: number) => row + 1 > view.top - 1e-6 && row < view.top + view.fits + 1e-6;

test("no move leaves the rows", () => {
  fc.assert(
    fc.property(views, fc.double(), (view, rows) => {
      for (const moved of [moveBy(view, rows), moveTo(view, rows)]) {
        expect(moved.top).toBeGreaterThanOrEqual(0);
        expect(moved.top).toBeLessThanOrEqual(furthest(view.total, view.fits));
      }
    }),
  );
});

test("a revealed row is wholly in view, and a row in view does not move the list", () => {
  fc.assert(
    fc.property(views, fc.nat(), (view, number) => {
      const row = number % view.total;
      for (const move of [reveal, centre]) {
        const moved = move(view, row);
        expect(wholeRowInView(moved, row)).toBe(true);
        expect(move(moved, row).top).toBeCloseTo(moved.top, 5);
      }
    }),
  );
});

test("every row is reached by the slider's keys, and named by a number in view", () => {
  fc.assert(
    fc.property(views, (view) => {
      const value = sliderValue(view);
      expect(value).toBeGreaterThanOrEqual(1);
      expect(value).toBeLessThanOrEqual(view.total);
      expect(partlyInView(view, value - 1)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(views, fc.nat(), (view, number) => {
      const value = 1 + (number % view.total);
      const moved = moveToSliderValue(view, value);
      if (furthest(view.total, view.fits) > 0) expect(sliderValue(moved)).toBe(value);
      expect(partlyInView(moved, value - 1)).toBe(true);
    }),
  );
});

test("the ends of the slider are the ends of the list", () => {
  fc.assert(
    fc.property(views, (view) => {
      expect(rowsInView(moveToPart(view, 0)).start).toBe(0);
      expect(rowsInView(moveToPart(view, 1)).stop).toBe(view.total);
      expect(moveToSliderValue(view, 1).top).toBe(0);
      expect(rowsInView(moveToSliderValue(view, view.total)).stop).toBe(view.total);
      expect(sliderPart(moveToPart(view, 0.25))).toBeCloseTo(furthest(view.total, view.fits) > 0 ? 0.25 : 0, 9);
    }),
  );
});

test("200 million rows are walked one by one, exactly", () => {
  let view: View = { total: 213_900_000, fits: 16.5, top: 0 };
  view = moveToSliderValue(view, 123_456_789);
  expect(sliderValue(view)).toBe(123_456_789);
  for (let step = 1; step <= 50; step += 1) {
    view = moveToSliderValue(view, sliderValue(view) + 1);
    expect(sliderValue(view)).toBe(123_456_789 + step);
  }
  view = reveal(view, 213_899_999);
  expect(rowsInView(view)).toEqual({ start: 213_899_983, stop: 213_900_000 });
});

test("rows in view cover the panel and no more", () => {
  fc.assert(
    fc.property(views, (view) => {
      const { start, stop } = rowsInView(view);
      expect(start).toBeLessThanOrEqual(view.top);
      expect(stop).toBeLessThanOrEqual(view.total);
      expect(stop - start).toBeLessThanOrEqual(Math.ceil(view.fits) + 1);
      if (view.total > view.fits) expect(stop).toBeGreaterThanOrEqual(view.top + view.fits - 1e-6);
    }),
  );
});

test("an empty list has no rows and no slider value", () => {
  const empty: View = { total: 0, fits: 10, top: 0 };
  expect(rowsInView(empty)).toEqual({ start: 0, stop: 0 });
  expect(sliderValue(empty)).toBe(0);
  expect(moveToSliderValue(empty, 5).top).toBe(0);
});

test("another size keeps the top row where there are rows for it", () => {
  const view: View = { total: 1000, fits: 10, top: 500 };
  expect(resize(view, 1000, 30).top).toBe(500);
  expect(resize(view, 100, 30).top).toBe(70);
  expect(resize(view, 5, 30).top).toBe(0);
});

test("of a row that does not fit the beginning is revealed", () => {
  expect(reveal({ total: 100, fits: 0.5, top: 0 }, 7).top).toBe(7);
  expect(reveal({ total: 100, fits: 3, columns: 5, top: 0 }, 12).top).toBe(10);
});

test("another size keeps a row in view that was", () => {
  const view: View = { total: 1000, fits: 40, top: 500 };
  expect(resize(view, 1000, 10, 1, 530).top).toBe(521);
  expect(resize(view, 1000, 10, 1, 505).top).toBe(500);
  expect(resize(view, 1000, 10, 1, 600).top).toBe(500);
  expect(resize({ ...view, fits: 0 }, 1000, 10, 1, 700).top).toBe(500);
});

test("the thumb is as long as its part of the rows, but can always be caught", () => {
  expect(thumbLength({ total: 100, fits: 50, top: 0 }, 400, 24)).toBe(200);
  expect(thumbLength({ total: 1e9, fits: 10, top: 0 }, 400, 24)).toBe(24);
  expect(thumbLength({ total: 5, fits: 10, top: 0 }, 400, 24)).toBe(400);
});

test("the wheel's units are pixels, lines and pages", () => {
  const view: View = { total: 1000, fits: 11, top: 0 };
  expect(wheelRows({ deltaY: 56, deltaMode: 0 }, 28, view)).toBe(2);
  expect(wheelRows({ deltaY: 3, deltaMode: 1 }, 28, view)).toBe(3);
  expect(wheelRows({ deltaY: -1, deltaMode: 2 }, 28, view)).toBe(-10);
  expect(pageRows(view)).toBe(10);
});
