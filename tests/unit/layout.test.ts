import fc from "fast-check";
import { arrangementFor, FIRST_SHARES, moveSplitter, NARROW, type Shares, splitterPercent } from "../../src/app/layout";

const shares = fc
  .tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }))
  .map(([a, b, c]): Shares => [a / (a + b + c), b / (a + b + c), c / (a + b + c)]);

test("panels are stacked where there is little room", () => {
  expect(arrangementFor(NARROW - 1)).toBe("stack");
  expect(arrangementFor(NARROW)).toBe("columns");
});

test("a splitter shares out what its two panels have, and leaves the third alone", () => {
  fc.assert(
    fc.property(shares, fc.constantFrom<0 | 1>(0, 1), fc.integer({ min: -3000, max: 3000 }), (now, which, distance) => {
      const moved = moveSplitter(now, which, distance, 1200, 160);
      expect(moved[0] + moved[1] + moved[2]).toBeCloseTo(1, 9);
      const third = which === 0 ? 2 : 0;
      expect(moved[third]).toBeCloseTo(now[third], 9);
      for (const share of moved) expect(share).toBeGreaterThan(0);
    }),
  );
});

test("no panel is made smaller than it may be", () => {
  const moved = moveSplitter(FIRST_SHARES.columns, 0, -5000, 1000, 160);
  expect(moved[0]).toBeCloseTo(0.16, 9);
  expect(splitterPercent(moved, 0)).toBe(16);
  expect(moveSplitter(FIRST_SHARES.columns, 1, 5000, 1000, 160)[2]).toBeCloseTo(0.16, 9);
});

test("nothing moves where there is no room yet", () => {
  expect(moveSplitter(FIRST_SHARES.columns, 0, 50, 0, 160)).toBe(FIRST_SHARES.columns);
});
