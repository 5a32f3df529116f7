/** Lookups and metadata that are Parquet files, as the worker reads them. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { initSync } from "parquet-wasm/esm";
import type { DroppedFile } from "../../../src/browser/fileRef";
import { ParquetLookup } from "../../../src/browser/tables/parquetLookup";
import { Records } from "../../../src/browser/tables/records";
import { i64, struct, structs, structsIn, ThriftReader, written } from "../../../src/browser/tables/thrift";
import { newFolder, root, runModule } from "../../support/python";

jest.setTimeout(60_000);

const folder = path.join(newFolder("tables"), "data");
runModule("tests.fixtures.pages", folder);
const names = { uuid: "uuid", filepath: "filepath" };
const { plain }: { readonly plain: Readonly<Record<string, readonly string[]>> } = JSON.parse(
  readFileSync(path.join(folder, "expected.json"), "utf8"),
);

beforeAll(() => {
  initSync({ module: readFileSync(path.join(root, "node_modules/parquet-wasm/esm/parquet_wasm_bg.wasm")) });
});

/** A file that counts how often it is read. */
class CountedFile extends File {
  reads = 0;

  override slice(...part: Parameters<File["slice"]>): Blob {
    this.reads += 1;
    return super.slice(...part);
  }
}

function dropped(name: string, bytes: Uint8Array = readFileSync(path.join(folder, name))) {
  const file = new CountedFile([Uint8Array.from(bytes)], name, { lastModified: 1 });
  return { ref: { kind: "dropped", path: name, file } satisfies DroppedFile, file };
}

/** The same file, whose row groups say that they are of so many bytes. */
function claiming(name: string, size: number): Uint8Array {
  const bytes = readFileSync(path.join(folder, name));
  const length = bytes.readUInt32LE(bytes.length - 8);
  const begin = bytes.length - 8 - length;
  const fields = new ThriftReader(bytes.subarray(begin, bytes.length - 8)).struct();
  const groups = structsIn(fields, 4).map((group) => struct(Object.fromEntries([...group, [2, i64(size)]])));
  const footer = written(new Map([...fields].map(([id, value]) => [id, id === 4 ? structs(groups) : value])));
  const end = Buffer.alloc(8);
  end.writeUInt32LE(footer.length);
  end.write("PAR1", 4);
  return Buffer.concat([bytes.subarray(0, begin), footer, end]);
}

test("a large row group is read and gone through by its pages, however large it is", async () => {
  const { ref } = dropped("000.parquet", claiming("000.parquet", 2 ** 31));
  const lookup = await ParquetLookup.open(ref, names);
  for (const [start, stop] of [
    [0, 10],
    [3_990, 4_010],
    [5_999, 6_000],
  ] as const) {
    const keys = await lookup.keys(start, stop);
    expect(keys.uuids).toEqual(plain.uuid?.slice(start, stop));
    expect(keys.filepaths).toEqual(plain.filepath?.slice(start, stop));
  }
  const passed: (string | null)[] = [];
  for await (const { start, uuid, filepath } of lookup.pass(3_900, { uuid: true, filepath: true })) {
    expect(start).toBe(3_900 + passed.length);
    expect(filepath.text(0)).toBe(plain.filepath?.[start]);
    for (let row = 0; row < uuid.length; row += 1) passed.push(uuid.text(row));
  }
  expect(passed).toEqual(plain.uuid?.slice(3_900));
  let at = 0;
  for await (const numbers of lookup.values("number")) {
    expect(numbers.kind).toBe("numbers");
    for (let row = 0; row < numbers.length; row += 1, at += 1) expect(Number(numbers.value(row))).toBe(at);
  }
  expect(at).toBe(6_000);
});

test("what has no such pages is refused where its row group is too large, and else read as a whole", async () => {
  const large = await ParquetLookup.open(dropped("nested.parquet", claiming("nested.parquet", 2 ** 31)).ref, names);
  expect((await large.keys(0, 5)).uuids).toHaveLength(5);
  await expect(large.values("before").next()).rejects.toMatchObject({ code: "too_large" });
  const whole = await ParquetLookup.open(dropped("nested.parquet", claiming("nested.parquet", 2 ** 24)).ref, names);
  let rows = 0;
  for await (const { length, kind } of whole.values("before")) {
    expect(kind).toBe("none");
    rows += length;
  }
  expect(rows).toBe(6_000);
});

test("the uuids of metadata files are kept as long as all of them have few rows", async () => {
  const [one, other] = [dropped("000.parquet"), dropped("004.parquet")];
  const asked = (file: typeof one) => ({ ref: file.ref, key: plain.uuid?.[7] ?? "", uuidColumns: ["uuid"] });
  for (const [kept, again] of [
    [20_000, false],
    [11_000, true],
  ] as const) {
    const records = new Records(kept);
    await records.record(asked(one));
    await records.record(asked(other));
    const before = one.file.reads;
    const found = await records.record(asked(one));
    expect(found.fields[0]?.value.text).toBe(plain.uuid?.[7]);
    expect(one.file.reads > before).toBe(again);
  }
});
