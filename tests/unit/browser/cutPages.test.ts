/** Rows read by the pages that hold them, against what was written: every encoding, compression and version of page. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { initSync, readParquet } from "parquet-wasm/esm";
import { type Amounts, Pages } from "../../../src/browser/tables/pages";
import { textColumn } from "../../../src/browser/tables/textColumn";
import { newFolder, root, runModule } from "../../support/python";

jest.setTimeout(120_000);

interface Facts {
  readonly rows: number;
  readonly files: readonly { readonly name: string; readonly what: string; readonly nulls: boolean }[];
  readonly plain: Readonly<Record<string, readonly (string | null)[]>>;
  readonly nulls: Readonly<Record<string, readonly (string | null)[]>>;
  readonly packed: readonly string[];
}

const GROUP = 4_000;
const folder = path.join(newFolder("pages"), "data");
runModule("tests.fixtures.pages", folder);
const facts: Facts = JSON.parse(readFileSync(path.join(folder, "expected.json"), "utf8"));

beforeAll(() => {
  initSync({ module: readFileSync(path.join(root, "node_modules/parquet-wasm/esm/parquet_wasm_bg.wasm")) });
});

/** As if every column were large: its pages are looked for one by one. */
const LARGE: Amounts = { small: 0, first: 300, block: 300 };

/** A file, and how many of its bytes have been read. */
function opened(name: string, amounts?: Amounts, bytes: Uint8Array = readFileSync(path.join(folder, name))) {
  const counted = { bytes: 0, reads: 0 };
  const read = async (start: number, stop: number) => {
    counted.bytes += stop - start;
    counted.reads += 1;
    return bytes.subarray(start, stop);
  };
  return { pages: new Pages(read, bytes.length, amounts), counted, size: bytes.length };
}

/** The texts of some rows of a group; nothing where they are to be read with the whole. */
async function read(pages: Pages, group: number, column: string, start: number, rows: number) {
  const found = await pages.window(group, column, start, rows);
  if (found === null) return null;
  const table = tableFromIPC(readParquet(found.file, { offset: found.skipped, limit: rows }).intoIPCStream());
  const vector = table.getChild(column);
  if (vector === null) throw new Error("no such column");
  const texts = textColumn(vector);
  return Array.from({ length: vector.length }, (_, row) => texts.text(row));
}

const windows = fc.record({
  group: fc.nat(1),
  column: fc.constantFrom("uuid", "filepath"),
  start: fc.nat(GROUP - 1),
  rows: fc.integer({ min: 1, max: 700 }),
});

function expectedOf(nulls: boolean, column: string, group: number, start: number, stop: number) {
  return (nulls ? facts.nulls : facts.plain)[column]?.slice(group * GROUP + start, group * GROUP + stop);
}

test.each(facts.files)("$name: $what", async ({ name, nulls }) => {
  const both = [opened(name), opened(name, LARGE)];
  const seen = { cut: 0 };
  await fc.assert(
    fc.asyncProperty(windows, async ({ group, column, start, rows }) => {
      const inGroup = Math.min(GROUP, facts.rows - group * GROUP);
      const [first, stop] = [Math.min(start, inGroup - 1), Math.min(start + rows, inGroup)];
      if (stop <= first) return;
      const expected = expectedOf(nulls, column, group, first, stop);
      const [whole, walked] = await Promise.all(
        both.map(({ pages }) => read(pages, group, column, first, stop - first)),
      );
      expect(whole).toEqual(expected);
      // Where there is much to look for, it is read with the whole.
      if (walked !== null) expect(walked).toEqual(expected);
      if (walked !== null) seen.cut += 1;
    }),
    { numRuns: 8 },
  );
  expect(seen.cut).toBeGreaterThan(0);
});

test.each(["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"])("uuids of 16 bytes: %s", async (encoding) => {
  const { pages } = opened(`fixed-${encoding}.parquet`, LARGE);
  const wanted = facts.packed.slice(GROUP + 1_500, GROUP + 1_600);
  const found = await read(pages, 1, "uuid", 1_500, 100);
  expect(found?.map((text) => text?.replaceAll("-", ""))).toEqual(wanted);
});

test("numbers are cut too; what is nested, absent, or beyond the end is not", async () => {
  const numbers = opened("001.parquet").pages;
  expect(await read(numbers, 1, "number", 10, 2)).toEqual(["4010", "4011"]);
  const { pages } = opened("nested.parquet");
  expect(await read(pages, 1, "uuid", 900, 300)).toEqual(facts.nulls.uuid?.slice(4_900, 5_200));
  expect(await read(pages, 0, "filepath", 3_990, 10)).toEqual(facts.nulls.filepath?.slice(3_990, 4_000));
  for (const column of ["before", "pair", "b", "nothing"]) expect(await read(pages, 0, column, 0, 5)).toBeNull();
  for (const [group, start, rows] of [
    [0, 3_999, 2],
    [0, 0, 0],
    [0, -1, 2],
    [2, 0, 1],
  ] as const) {
    expect(await read(pages, group, "uuid", start, rows)).toBeNull();
  }
});

test("a window costs its pages: by the list of them at once, else by going through the headers before it, once", async () => {
  const listed = opened("072.parquet", LARGE); // every third file lists its pages
  expect(await read(listed.pages, 0, "uuid", 3_600, 50)).not.toBeNull();
  expect(listed.counted.reads).toBe(3); // the footer, the list, the pages
  const walked = opened("002.parquet", { small: 0, first: 20_000, block: 2_000 });
  expect(await read(walked.pages, 0, "uuid", 3_600, 50)).not.toBeNull();
  const before = { ...walked.counted };
  expect(await read(walked.pages, 0, "uuid", 3_000, 50)).not.toBeNull();
  expect(walked.counted.reads - before.reads).toBe(1);
  expect(walked.counted.bytes - before.bytes).toBeLessThan(100_000);
});

test("a file of few small pages is not looked through for longer than reading it takes", async () => {
  const { pages, counted } = opened("001.parquet", { small: 0, first: 300, block: 40_000 });
  expect(await read(pages, 0, "uuid", 3_900, 50)).toBeNull();
  expect(counted.reads).toBeLessThan(6);
});

test("damage is left to the decoder of the whole: nothing is thrown, and nothing goes on for ever", async () => {
  const names = facts.files.map(({ name }) => name);
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), damage, fc.boolean(), windows, async (name, changes, inFooter, at) => {
      const bytes = Uint8Array.from(readFileSync(path.join(folder, name)));
      const length = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
      const [first, room] = inFooter ? [bytes.length - 8 - length, length] : [0, bytes.length];
      for (const [place, value] of changes) bytes[first + Math.floor(place * (room - 1))] = value;
      const { pages } = opened(name, at.rows % 2 === 0 ? LARGE : undefined, bytes);
      const found = await pages.window(at.group, at.column, at.start, at.rows);
      if (found !== null) expect(found.skipped).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

test("what cannot be read is said, and tried again the next time", async () => {
  const bytes = readFileSync(path.join(folder, "000.parquet"));
  const server = { fails: true };
  const pages = new Pages(async (start, stop) => {
    if (server.fails) throw new Error("the network is gone");
    return bytes.subarray(start, stop);
  }, bytes.length);
  await expect(pages.window(0, "uuid", 0, 5)).rejects.toThrow("the network is gone");
  server.fails = false;
  expect(await read(pages, 0, "uuid", 0, 5)).toEqual(facts.plain.uuid?.slice(0, 5));
});
