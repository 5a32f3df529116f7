/** Rows read by the pages that hold them, against what was written: every encoding, compression and version of page. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { initSync, readParquet } from "parquet-wasm/esm";
import { Pages } from "../../../src/browser/tables/pages";
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

/** A file, and how many of its bytes have been read. */
function opened(name: string, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
  const bytes = change(readFileSync(path.join(folder, name)));
  const counted = { bytes: 0, reads: 0 };
  const pages = new Pages(async (start, stop) => {
    counted.bytes += stop - start;
    counted.reads += 1;
    return bytes.subarray(start, stop);
  }, bytes.length);
  return { pages, counted, size: bytes.length };
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

test.each(facts.files)("$name: $what", async ({ name, nulls }) => {
  const { pages } = opened(name);
  await fc.assert(
    fc.asyncProperty(windows, async ({ group, column, start, rows }) => {
      const inGroup = Math.min(GROUP, facts.rows - group * GROUP);
      const [first, stop] = [Math.min(start, inGroup - 1), Math.min(start + rows, inGroup)];
      const expected = (nulls ? facts.nulls : facts.plain)[column]?.slice(group * GROUP + first, group * GROUP + stop);
      if (stop <= first) return;
      expect(await read(pages, group, column, first, stop - first)).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});
