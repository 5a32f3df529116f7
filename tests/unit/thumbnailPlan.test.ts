import fc from "fast-check";
import {
  aroundOf,
  BATCH_ROWS,
  MOST_BATCHES,
  PATIENCE_MS,
  planBatches,
  type Situation,
} from "../../src/state/thumbnailPlan";

const rowsFrom = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

const situation = (changed: Partial<Situation> = {}): Situation => ({
  total: 1_000_000,
  inView: { start: 600, stop: 660 },
  wanted: () => 2,
  onWay: [],
  ...changed,
});

test("what is in view is asked for from its first row on, in a few batches", () => {
  const { ask, withdraw, waitMs } = planBatches(situation());
  expect(ask).toEqual([rowsFrom(600, 12), rowsFrom(612, 12), rowsFrom(624, 12)]);
  expect([withdraw, waitMs]).toEqual([[], null]);
});

test("what is on the way is not asked for again", () => {
  const onWay = [{ rows: rowsFrom(600, 12), forMs: 5 }];
  expect(planBatches(situation({ onWay })).ask).toEqual([rowsFrom(612, 12), rowsFrom(624, 12)]);
});

test("rows of which there is nothing go before those that are wanted better", () => {
  const wanted = (row: number) => (row % 2 === 0 ? 1 : 2);
  const { ask } = planBatches(situation({ inView: { start: 0, stop: 20 }, wanted }));
  expect(ask.flat()).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
});

test("what has left the view is withdrawn after a while, and what is in view asked for in its place", () => {
  const old = [0, 12, 24].map((row) => ({ rows: rowsFrom(row, 12), forMs: 0 }));
  const young = planBatches(situation({ onWay: old }));
  expect(young).toEqual({ withdraw: [], ask: [], waitMs: PATIENCE_MS });
  const aged = old.map((each, at) => ({ ...each, forMs: PATIENCE_MS - 10 + 10 * at }));
  const later = planBatches(situation({ onWay: aged }));
  expect(later.withdraw).toEqual([1, 2]);
  expect(later.ask).toEqual([rowsFrom(600, 12), rowsFrom(612, 12)]);
  expect(later.waitMs).toBe(10);
});

test("a batch with one row in view is let come", () => {
  const onWay = [{ rows: rowsFrom(589, 12), forMs: 10_000 }];
  const { withdraw, ask } = planBatches(situation({ onWay }));
  expect(withdraw).toEqual([]);
  expect(ask[0]).toEqual(rowsFrom(601, 12));
});

test("when nothing is missing in view, a screen behind it and then one before it are fetched, a batch at a time", () => {
  const have = new Set(rowsFrom(600, 60));
  const wanted = (row: number) => (have.has(row) ? 0 : 2);
  const asked: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const { ask } = planBatches(situation({ wanted }));
    expect(ask.length).toBeLessThanOrEqual(1);
    for (const row of ask.flat()) {
      have.add(row);
      asked.push(row);
    }
  }
  expect(asked).toEqual([...rowsFrom(660, 60), ...rowsFrom(540, 60).reverse()]);
  const busy = [{ rows: rowsFrom(660, 12), forMs: 10_000 }];
  expect(planBatches(situation({ wanted: (row) => (row < 660 ? 0 : 2), onWay: busy }))).toEqual({
    withdraw: [],
    ask: [],
    waitMs: null,
  });
});

test("what was fetched ahead gives way to what is in view", () => {
  const onWay = [{ rows: rowsFrom(660, 12), forMs: PATIENCE_MS }];
  expect(planBatches(situation({ onWay })).withdraw).toEqual([0]);
});

test("around the view there are as many rows again on either side", () => {
  expect(aroundOf({ start: 10, stop: 40 }, 50)).toEqual({ start: 0, stop: 50 });
  expect(aroundOf({ start: 100, stop: 130 }, 1000)).toEqual({ start: 70, stop: 160 });
});

const ranges = fc
  .record({ start: fc.nat(500), count: fc.integer({ min: 1, max: 90 }) })
  .map(({ start, count }) => ({ start, stop: start + count }));

test("whatever happens, no more is on the way than may be, nothing twice, and in the end all is there", () => {
  fc.assert(
    fc.property(fc.array(ranges, { minLength: 1, maxLength: 15 }), fc.infiniteStream(fc.nat(3)), (views, chances) => {
      const here = new Set<number>();
      let onWay: { rows: readonly number[]; since: number }[] = [];
      let now = 0;
      let inView = { start: 0, stop: 0 };
      const step = () => {
        const plan = planBatches({
          total: 600,
          inView,
          wanted: (row) => (here.has(row) ? 0 : 2),
          onWay: onWay.map(({ rows, since }) => ({ rows, forMs: now - since })),
        });
        for (const at of plan.withdraw)
          expect(onWay[at]?.rows.some((row) => row >= inView.start && row < inView.stop)).toBe(false);
        onWay = onWay.filter((_, at) => !plan.withdraw.includes(at));
        onWay.push(...plan.ask.map((rows) => ({ rows, since: now })));
        expect(onWay.length).toBeLessThanOrEqual(MOST_BATCHES);
        const rows = onWay.flatMap((each) => each.rows);
        expect(new Set(rows).size).toBe(rows.length);
        for (const batch of plan.ask) {
          expect(batch.length).toBeLessThanOrEqual(BATCH_ROWS);
          expect(batch.every((row) => row >= 0 && row < 600 && !here.has(row))).toBe(true);
        }
        return plan.waitMs;
      };
      for (const view of views) {
        inView = view;
        step();
        now += 30;
        if (chances.next().value === 0) {
          for (const row of onWay.shift()?.rows ?? []) here.add(row);
          step();
        }
      }
      for (let turn = 0; turn < 100; turn += 1) {
        const waitMs = step();
        if (waitMs !== null) {
          now += waitMs;
          step();
        }
        for (const row of onWay.shift()?.rows ?? []) here.add(row);
      }
      for (let row = inView.start; row < inView.stop; row += 1) expect(here.has(row)).toBe(true);
    }),
  );
});
