import fc from "fast-check";
import {
  MOST_ON_WAY,
  nextStep,
  PAGE_ROWS,
  PATIENCE_MS,
  pageOf,
  rowsOfPages,
  type Situation,
} from "../../src/contents/pages";

const situation = (changed: Partial<Situation>): Situation => ({
  total: 1_000_000,
  inView: { start: 0, stop: 20 },
  has: () => false,
  failed: () => false,
  onWay: [],
  ...changed,
});

test("what is in view is asked for first, then what is around it", () => {
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 } }))).toEqual({
    kind: "ask",
    first: 7,
    last: 7,
    withdraw: false,
  });
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 }, has: (page) => page === 7 }))).toEqual({
    kind: "ask",
    first: 8,
    last: 8,
    withdraw: false,
  });
  const here = (page: number) => page === 7 || page === 8;
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 }, has: here }))).toEqual({ kind: "nothing" });
});

test("an answer that will be of use is waited for", () => {
  const onWay = [{ first: 7, last: 8, forMs: 10_000 }];
  expect(nextStep(situation({ inView: { start: 1020, stop: 1040 }, onWay }))).toEqual({ kind: "nothing" });
});

test("of no use they are let go on; a second one is asked at once, a third when the oldest has had its time", () => {
  const inView = { start: 500_000, stop: 500_020 };
  const ask = { kind: "ask", first: pageOf(500_000), last: pageOf(500_000) };
  const one = { first: 7, last: 7, forMs: 20 };
  expect(nextStep(situation({ inView, onWay: [one] }))).toEqual({ ...ask, withdraw: false });
  expect(nextStep(situation({ inView, onWay: [one, { first: 9, last: 9, forMs: 1 }] }))).toEqual({
    kind: "wait",
    ms: PATIENCE_MS - 20,
  });
  const old = { ...one, forMs: PATIENCE_MS };
  expect(nextStep(situation({ inView, onWay: [old, one] }))).toEqual({ ...ask, withdraw: true });
});

test("a page that is there, or has failed, is not asked for with those on both sides of it", () => {
  const inView = { start: 5 * PAGE_ROWS, stop: 8 * PAGE_ROWS };
  const ask = (page: number) => ({ kind: "ask", first: page, last: page, withdraw: false });
  const isSixth = (page: number) => page === 6;
  for (const six of [{ has: isSixth }, { failed: isSixth }]) {
    expect(nextStep(situation({ inView, ...six }))).toEqual(ask(5));
    const fifth = { first: 5, last: 5, forMs: PATIENCE_MS };
    expect(nextStep(situation({ inView, ...six, onWay: [fifth] }))).toEqual(ask(7));
    const useless = { first: 90, last: 90, forMs: 0 };
    expect(nextStep(situation({ inView, ...six, onWay: [fifth, useless] }))).toEqual({ kind: "nothing" });
    expect(nextStep(situation({ inView, ...six, onWay: [fifth, { ...fifth, first: 7, last: 7 }] }))).toEqual({
      kind: "nothing",
    });
  }
});

test("what is around is only asked for when nothing is on its way", () => {
  const here = (page: number) => page === 7;
  const onWay = [{ first: 90, last: 90, forMs: 0 }];
  expect(nextStep(situation({ inView: { start: 1000, stop: 1020 }, has: here, onWay }))).toEqual({ kind: "nothing" });
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

test("whatever a drag does, it ends with the rows in view, and never has three questions on their way", () => {
  fc.assert(
    fc.property(events, (played: readonly Event[]) => {
      const pages = new Set<number>();
      const failed = new Set<number>();
      let way: Situation["onWay"] = [];
      let inView = { start: 0, stop: 20 };
      let asked = 0;

      const step = () => {
        const next = nextStep({
          total: 1_000_000,
          inView,
          has: (page) => pages.has(page),
          failed: (page) => failed.has(page),
          onWay: way,
        });
        if (next.kind === "ask") {
          way = [...(next.withdraw ? way.slice(1) : way), { first: next.first, last: next.last, forMs: 0 }];
          expect(way.length).toBeLessThanOrEqual(MOST_ON_WAY);
          asked += 1;
        }
        return next;
      };
      const answer = (right: boolean) => {
        const [oldest] = way;
        if (oldest === undefined) return;
        for (let page = oldest.first; page <= oldest.last; page += 1) (right ? pages : failed).add(page);
        way = way.slice(1);
      };

      for (const event of played) {
        if (event.kind === "move") inView = { start: event.row, stop: event.row + 20 };
        else if (event.kind === "pass") {
          way = way.map((each) => ({ ...each, forMs: PATIENCE_MS }));
        } else answer(event.kind === "answer");
        step();
      }
      expect(asked).toBeLessThanOrEqual(played.length);

      failed.clear(); // as the retry after a while does
      for (let turn = 0; turn < 10; turn += 1) {
        const next = step();
        if (next.kind === "wait") way = way.map((each) => ({ ...each, forMs: PATIENCE_MS }));
        else answer(true);
      }
      for (let row = inView.start; row < inView.stop; row += 1) expect(pages.has(pageOf(row))).toBe(true);
    }),
  );
});
