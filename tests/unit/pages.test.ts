import fc from "fast-check";
import { nextStep, PAGE_ROWS, PATIENCE_MS, pageOf, rowsOfPages, type Situation } from "../../src/contents/pages";

const situation = (changed: Partial<Situation>): Situation => ({
  total: 1_000_000,
  inView: { start: 0, stop: 20 },
  has: () => false,
  failed: () => false,
  onWay: null,
  ...changed,
});

test("what is in view is asked for first, then what is around it", () => {
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 } }))).toEqual({ kind: "ask", first: 7, last: 7 });
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 }, has: (page) => page === 7 }))).toEqual({
    kind: "ask",
    first: 8,
    last: 8,
  });
  const here = (page: number) => page === 7 || page === 8;
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 }, has: here }))).toEqual({ kind: "nothing" });
});

test("an answer that will be of use is waited for", () => {
  const onWay = { first: 7, last: 8, forMs: 10_000 };
  expect(nextStep(situation({ inView: { start: 1020, stop: 1040 }, onWay }))).toEqual({ kind: "nothing" });
});

test("one of no use is let go on for a moment, then withdrawn", () => {
  const inView = { start: 500_000, stop: 500_020 };
  const wait = nextStep(situation({ inView, onWay: { first: 7, last: 7, forMs: 20 } }));
  expect(wait).toEqual({ kind: "wait", ms: PATIENCE_MS - 20 });
  const ask = nextStep(situation({ inView, onWay: { first: 7, last: 7, forMs: PATIENCE_MS } }));
  expect(ask).toEqual({ kind: "ask", first: pageOf(500_000), last: pageOf(500_000) });
});

test("a page that has failed is not asked for again by itself", () => {
  expect(nextStep(situation({ failed: () => true }))).toEqual({ kind: "nothing" });
});

test("nothing is asked for where there are no rows", () => {
  expect(nextStep(situation({ total: 0, inView: { start: 0, stop: 0 } }))).toEqual({ kind: "nothing" });
});

test("pages end with the rows", () => {
  expect(rowsOfPages(7, 8, 1100)).toEqual({ start: 7 * PAGE_ROWS, stop: 1100 });
});

/** Plays a drag: moves and answers in any order, and time that passes. */
type Event = { readonly kind: "move"; readonly row: number } | { readonly kind: "answer" | "fail" | "pass" };

const events = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("move" as const), row: fc.nat(999_000) }),
    fc.record({ kind: fc.constantFrom("answer" as const, "fail" as const, "pass" as const) }),
  ),
  { maxLength: 60 },
);

test("whatever a drag does, it ends with the rows in view, and never has two questions on their way", () => {
  fc.assert(
    fc.property(events, (played: readonly Event[]) => {
      const pages = new Set<number>();
      const failed = new Set<number>();
      const way: { on: Situation["onWay"] } = { on: null };
      let inView = { start: 0, stop: 20 };
      let asked = 0;

      const step = () => {
        const next = nextStep({
          total: 1_000_000,
          inView,
          has: (page) => pages.has(page),
          failed: (page) => failed.has(page),
          onWay: way.on,
        });
        if (next.kind === "ask") {
          way.on = { first: next.first, last: next.last, forMs: 0 };
          asked += 1;
        }
        return next;
      };
      const answer = (right: boolean) => {
        if (way.on === null) return;
        for (let page = way.on.first; page <= way.on.last; page += 1) (right ? pages : failed).add(page);
        way.on = null;
      };

      for (const event of played) {
        if (event.kind === "move") inView = { start: event.row, stop: event.row + 20 };
        else if (event.kind === "pass") {
          if (way.on !== null) way.on = { ...way.on, forMs: PATIENCE_MS };
        } else answer(event.kind === "answer");
        step();
      }
      expect(asked).toBeLessThanOrEqual(played.length);

      failed.clear(); // as the retry after a while does
      for (let turn = 0; turn < 10; turn += 1) {
        const next = step();
        if (next.kind === "wait" && way.on !== null) way.on = { ...way.on, forMs: PATIENCE_MS };
        else answer(true);
      }
      for (let row = inView.start; row < inView.stop; row += 1) expect(pages.has(pageOf(row))).toBe(true);
    }),
  );
});
