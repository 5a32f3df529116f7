import fc from "fast-check";
import { MockSource } from "../../src/source/mock";
import { AheadLoader, batchesAhead, neighbours } from "../../src/state/ahead";
import { PictureStore } from "../../src/state/pictures";
import { RecordStore } from "../../src/state/records";
import { failure, Gate, lookup, settle } from "./support/mock";

const never = new AbortController().signal;

beforeEach(() => {
  globalThis.createImageBitmap = async () => ({ width: 10, height: 10, close: () => {} });
});

test("neighbours are those ahead first", () => {
  expect(neighbours(10, 1, 100)).toEqual([11, 9, 12, 8, 13, 14]);
  expect(neighbours(10, -1, 100)).toEqual([9, 11, 8, 12, 7, 6]);
  expect(neighbours(0, 1, 2)).toEqual([1]);
  expect(neighbours(99, 1, 100)).toEqual([98, 97]);
});

test("near rows come first, then the others in view, each once, in small parts, and not the one that is shown", () => {
  const total = 1_000;
  const rows = fc.integer({ min: 0, max: total - 1 });
  fc.assert(
    fc.property(fc.option(rows), fc.constantFrom(1, -1), rows, fc.nat(200), (row, direction, start, length) => {
      const inView = { start, stop: Math.min(total, start + length) };
      const batches = batchesAhead(row, direction === 1 ? 1 : -1, inView, total);
      const all = batches.flatMap((batch) => batch.rows);
      expect(new Set(all).size).toBe(all.length);
      expect(all).not.toContain(row);
      expect(all.every((each) => each >= 0 && each < total)).toBe(true);
      expect(batches.every((batch) => batch.rows.length > 0 && batch.rows.length <= 6)).toBe(true);
      expect(batches.map((batch) => batch.near)).toEqual([...batches.map((batch) => batch.near)].sort().reverse());
      expect(all.length).toBeLessThanOrEqual(6 + 48);
      if (length <= 48) {
        const wanted = Array.from({ length: inView.stop - start }, (_, index) => start + index);
        expect(wanted.filter((each) => each !== row && !all.includes(each))).toEqual([]);
      }
    }),
  );
});

function loader(gate: Gate) {
  const source = new MockSource(new Map([["a", lookup(1_000)]]), gate.delay);
  const [pictures, records] = [new PictureStore(source, 1), new RecordStore(source, 1)];
  return { pictures, records, ahead: new AheadLoader(source, 1, pictures, records) };
}

test("what was fetched ahead is there at once", async () => {
  const gate = new Gate();
  gate.letAllGo();
  const { pictures, records, ahead } = loader(gate);
  await Promise.all([pictures.get(5, never), records.get(5, never)]);
  await ahead.load(5, { start: 0, stop: 30 }, 1_000);
  gate.open = false;
  for (let row = 0; row < 30; row += 1) {
    expect((await pictures.get(row, never)).image.row).toBe(row);
    expect((await records.get(row, never)).fields[0]?.value.text).toBe(String(row));
  }
  expect(gate.of("image").map((call) => call.row)).toEqual([5]);
  expect(gate.of("metadata").map((call) => call.row)).toEqual([5]);
});

test("what lies in files that are not open is not fetched for being in view, until one is", async () => {
  const gate = new Gate();
  gate.letAllGo();
  const { pictures, records, ahead } = loader(gate);
  await Promise.all([pictures.get(95, never), records.get(95, never)]);
  await ahead.load(95, { start: 80, stop: 120 }, 1_000);
  const here = Array.from({ length: 40 }, (_, index) => 80 + index).filter((row) => pictures.has(row));
  expect(here).toEqual(Array.from({ length: 20 }, (_, index) => 80 + index)); // 95 and 4 forth are of the first shard
  await pictures.get(150, never);
  await ahead.load(95, { start: 80, stop: 120 }, 1_000);
  expect([100, 110, 119].map((row) => pictures.has(row))).toEqual([true, true, true]);
});

test("what cannot be shown is not asked for again and again", async () => {
  const gate = new Gate();
  gate.letAllGo();
  const bad = lookup(1_000, { picture: () => failure("format_not_shown") });
  const source = new MockSource(new Map([["a", bad]]), gate.delay);
  const [pictures, records] = [new PictureStore(source, 1), new RecordStore(source, 1)];
  const ahead = new AheadLoader(source, 1, pictures, records);
  await records.get(50, never);
  await ahead.load(null, { start: 40, stop: 60 }, 1_000);
  const asked = gate.of("ahead").length;
  expect(asked).toBeGreaterThan(0);
  await ahead.load(null, { start: 40, stop: 60 }, 1_000);
  expect(gate.of("ahead")).toHaveLength(asked);
});

test("it is withdrawn when something is waited for", async () => {
  const gate = new Gate();
  const { pictures, ahead } = loader(gate);
  void ahead.load(5, { start: 0, stop: 30 }, 1_000);
  await settle();
  ahead.stop();
  gate.letAllGo();
  await settle();
  expect(gate.of("ahead")).toHaveLength(1);
  expect(pictures.has(6)).toBe(false);
});

test("on a slow line only what is near is fetched", async () => {
  const now = jest.spyOn(performance, "now");
  let clock = 0;
  now.mockImplementation(() => clock);
  const gate = new Gate();
  const { pictures, ahead } = loader(gate);
  const loading = ahead.load(5, { start: 0, stop: 30 }, 1_000);
  await settle();
  clock = 400;
  gate.letAllGo();
  await loading;
  expect(gate.of("ahead")).toHaveLength(1);
  expect([6, 4, 9].map((row) => pictures.has(row))).toEqual([true, true, true]);
  expect(pictures.has(20)).toBe(false);
  now.mockRestore();
});

test("a failure is no one's concern", async () => {
  const gate = new Gate();
  const { ahead } = loader(gate);
  const loading = ahead.load(5, { start: 0, stop: 30 }, 1_000);
  const debug = jest.spyOn(console, "debug").mockImplementation(() => {});
  await settle();
  gate.calls[0]?.fail(Object.assign(new Error("no"), { code: "internal" }) as never);
  await loading;
  expect(debug).toHaveBeenCalled();
  debug.mockRestore();
});
