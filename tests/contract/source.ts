/** What every source must do, tried on all of them with the same data. */

import type { ExplorerError } from "../../src/errors";
import type { Opened, Source } from "../../src/source/api";
import type { Expected } from "./expected";

/** A source that has the contract's lookup open. */
export interface UnderTest {
  readonly source: Source;
  readonly opened: Opened;
  readonly expected: Expected;
  /** The bytes of a good row's picture, from an independent reader. */
  readonly bytesOf: (row: number) => Uint8Array;
  /** A path that can be opened, and what it then is. */
  readonly another: { readonly path: string; readonly records: number };
  /** A path that is refused, with the code. */
  readonly refused: { readonly path: string; readonly code: string };
  close(): void | Promise<void>;
}

const never = new AbortController().signal;

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: ExplorerError) => {
      expect(error.message).toMatch(/\S.*[.!?]$/s);
      return error.code;
    },
  );

/** Declares the contract's tests for one source. */
export function contract(name: string, make: () => Promise<UnderTest>): void {
  describe(`the contract: ${name}`, () => {
    let under: UnderTest;
    beforeAll(async () => {
      under = await make();
    }, 60_000);
    afterAll(() => under.close());
    const dataset = () => under.opened.dataset;

    test("what is open is described", () => {
      expect(under.opened).toMatchObject({ name: "lookup.parquet", records: under.expected.rows.length });
    });

    test.each([
      [0, 1],
      [0, 128],
      [100, 260],
      [250, 400],
    ])("rows %d to %d are the lookup's", async (start, stop) => {
      const rows = await under.source.rows(dataset(), { start, stop }, never);
      const wanted = under.expected.rows.slice(start, stop);
      expect(rows.start).toBe(start);
      expect(rows.uuids).toEqual(wanted.map(([uuid]) => uuid));
      expect(rows.filepaths).toEqual(wanted.map(([, filepath]) => filepath));
    });

    test("beyond the last row there are none", async () => {
      const rows = await under.source.rows(dataset(), { start: 100_000, stop: 100_100 }, never);
      expect([rows.uuids, rows.filepaths]).toEqual([[], []]);
    });

    test("the filepaths are counted, nulls aside", async () => {
      expect(await under.source.filepaths(dataset(), never)).toBe(under.expected.filepaths);
    });

    test("pictures are the stored bytes, whatever their format", async () => {
      for (const row of [0, 1, 2, 3, 4, 150, 299]) {
        const image = await under.source.image(dataset(), row, null, never);
        if (image === null) throw new Error("there is no picture");
        expect(image.row).toBe(row);
        expect(image.key).toBe(under.expected.rows[row]?.[0]);
        expect(Buffer.from(image.bytes).equals(under.bytesOf(row))).toBe(true);
        expect(image.format).toBe(["PNG", "JPEG", "WebP", "GIF", "BMP"][row % 5]);
        expect(image.source).toMatch(/shard_00\d_images\.h5$/);
        expect(image.seconds).toBeGreaterThanOrEqual(0);
        expect(await under.source.image(dataset(), row, image.state, never)).toBeNull();
      }
    });

    test("what is near comes together, as far as there is room", async () => {
      const rows = [10, 11, 200];
      const { images, records } = await under.source.ahead(dataset(), rows, 1 << 20, false, never);
      expect(images.map((image) => image.row)).toEqual(rows);
      for (const image of images) expect(Buffer.from(image.bytes).equals(under.bytesOf(image.row))).toBe(true);
      expect(records.map((record) => record.row)).toEqual(rows);
      for (const record of records) expect(record).toEqual(await under.source.metadata(dataset(), record.row, never));
      const little = await under.source.ahead(dataset(), rows, under.bytesOf(10).length + 1, false, never);
      expect(little.images.map((image) => image.row)).toEqual([10]);
    });

    test("of what is near, what cannot be had is left out", async () => {
      const tiff = under.expected.bad.tiff ?? 0;
      const bare = under.expected.bad.no_metadata ?? 0;
      const { images, records } = await under.source.ahead(dataset(), [tiff, 12, bare, 999_999], 1 << 20, false, never);
      expect(images.map((image) => image.row)).toEqual([12, bare]);
      expect(records.map((record) => record.row)).toEqual([tiff, 12]);
    });

    test("what is easy to have is what lies in files that have been opened", async () => {
      await under.source.image(dataset(), 5, null, never);
      await under.source.metadata(dataset(), 5, never);
      const odd = under.expected.bad.chunked ?? 0;
      const easy = await under.source.ahead(dataset(), [6, 7], 1 << 20, true, never);
      expect(easy.images.map((image) => image.row)).toEqual([6, 7]);
      expect(easy.records.map((record) => record.row)).toEqual([6, 7]);
      expect((await under.source.ahead(dataset(), [6, odd], 0, true, never)).images).toEqual([]);
    });

    test("thumbnails are small pictures of the rows, which say their size", async () => {
      const rows = [3, 0, 299, 150];
      const { made, missing } = await under.source.thumbnails(dataset(), rows, 128, never);
      expect(missing).toEqual([]);
      expect(made.map((each) => each.row)).toEqual(rows);
      for (const { bytes, mediaType, width, height } of made) {
        expect(mediaType).toBe("image/png"); // 40 × 30 pixels are few enough to be kept exactly
        const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        expect(header.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
        expect([header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([width, height]);
        expect([width, height]).toEqual([40, 30]);
      }
      expect(await under.source.thumbnails(dataset(), [], 128, never)).toEqual({ made: [], missing: [] });
    });

    test("of rows without a picture there is no thumbnail but a sentence, and the others come", async () => {
      const codes = {
        no_shard: "shard_not_found",
        no_key: "image_not_found",
        no_filepath: "no_filepath",
        truncated_jpeg: "truncated_image",
        unknown_bytes: "format_not_shown",
        external_link: "outside_data",
      };
      const odd = Object.keys(codes).map((name) => under.expected.bad[name] ?? Number.NaN);
      const { made, missing } = await under.source.thumbnails(dataset(), [7, ...odd, 999_999, 8], 64, never);
      expect(made.map((each) => each.row)).toEqual([7, 8]);
      expect(missing.map((each) => each.row)).toEqual([...odd, 999_999]);
      expect(missing.map((each) => each.error.code)).toEqual([...Object.values(codes), "row_out_of_range"]);
      for (const { error } of missing) expect(error.message).toMatch(/\S.*[.!?]$/s);
    });

    test("metadata has every column in its order, and every value exactly", async () => {
      for (const [row, fields] of Object.entries(under.expected.metadata)) {
        const record = await under.source.metadata(dataset(), Number(row), never);
        expect(record.matches).toBe(1);
        expect(record.fields.map((field) => [field.name, field.value.text])).toEqual([
          ["uuid", under.expected.rows[Number(row)]?.[0]],
          ...fields,
        ]);
        expect(record.fields.every((field) => field.type !== "")).toBe(true);
      }
    });

    test.each([
      ["no_shard", "shard_not_found", "metadata_not_found"],
      ["no_key", "image_not_found", null],
      ["no_filepath", "no_filepath", "no_filepath"],
      ["no_uuid", "key_not_found", "key_not_found"],
      ["no_metadata", null, "metadata_not_found"],
      ["no_record", null, "record_not_found"],
      ["no_group", "no_images_group", "metadata_not_found"],
      ["tiff", "format_not_shown", null],
      ["truncated_jpeg", "truncated_image", null],
      ["truncated_png", "truncated_image", null],
      ["empty", "empty_image", null],
      ["scalar", "not_an_image", null],
      ["raw_array", "array_not_shown", null],
      ["group", "not_an_image", null],
      ["unknown_bytes", "format_not_shown", null],
      ["svg", "format_not_shown", null],
      ["external_storage", "outside_data", null],
      ["external_link", "outside_data", null],
      ["chunked", null, null],
      ["opaque", null, null],
      ["variable", null, null],
      ["filtered", null, null],
    ])("the row %s has a sentence for what is wrong, and the other panel goes on", async (odd, image, metadata) => {
      const row = under.expected.bad[odd];
      if (row === undefined) throw new Error(`there is no row ${odd}`);
      expect(await codeOf(under.source.image(dataset(), row, null, never))).toBe(image ?? "no error");
      expect(await codeOf(under.source.metadata(dataset(), row, never))).toBe(metadata ?? "no error");
    });

    test("16 bits are shown in 8, which is said", async () => {
      const image = await under.source.image(dataset(), under.expected.bad.sixteen_bit ?? 0, null, never);
      expect(image?.notes.join()).toContain("16 bits");
    });

    test("the bytes of a picture that is not shown can be had", async () => {
      const tiff = await under.source.original(dataset(), under.expected.bad.tiff ?? 0, never);
      expect([tiff.format, tiff.mediaType]).toEqual(["TIFF", "image/tiff"]);
      expect(tiff.bytes.length).toBeGreaterThan(1000);
    });

    test("a row that there is not is an error", async () => {
      expect(await codeOf(under.source.image(dataset(), 100_000, null, never))).toBe("row_out_of_range");
      expect(await codeOf(under.source.metadata(dataset(), 100_000, never))).toBe("row_out_of_range");
    });

    test("rows are found by number, uuid, the begin of one, and part of a path; searching goes round", async () => {
      const find = async (text: string, after: number | null = null) =>
        (await under.source.find(dataset(), text, after, never)).row;
      const uuid = under.expected.rows[123]?.[0] ?? "";
      expect(await find("124")).toBe(123);
      expect(await find("0")).toBeNull();
      expect(await find("999,999")).toBeNull();
      expect(await find(uuid)).toBe(123);
      expect(await find(uuid.slice(0, 20).toUpperCase())).toBe(123);
      expect(await find(`uuid:${uuid.slice(0, 20)}`)).toBe(123);
      expect(await find(`path:${uuid.slice(0, 20)}`)).toBeNull();
      expect(await find("path:shard_001")).toBe(100);
      expect(await find("path:shard_001", 100)).toBe(101);
      expect(await find("path:shard_001", 199)).toBe(100);
      expect(await find("nothing like it")).toBeNull();
    });

    test("matches are counted, from any row on", async () => {
      const count = (text: string, start = 0) => under.source.count(dataset(), text, start, never);
      const total = under.expected.rows.length;
      const uuid = under.expected.rows[123]?.[0] ?? "";
      expect(await count("path:shard_001")).toEqual({ count: 100, stop: total });
      expect(await count("path:shard_001", 150)).toEqual({ count: 50, stop: total });
      expect(await count(uuid)).toEqual({ count: 1, stop: total });
      expect(await count("nothing like it")).toEqual({ count: 0, stop: total });
      expect(await count("124")).toEqual({ count: 1, stop: total });
    });

    test("columns that a filter may name, and what they hold", async () => {
      const columns = await under.source.columns(dataset(), never);
      expect(columns.slice(0, 2)).toEqual([
        { name: "uuid", type: "string", source: "lookup" },
        { name: "filepath", type: "string", source: "lookup" },
      ]);
      const { kind, values, nulls } = await under.source.values(dataset(), "filepath", never);
      expect(kind).toBe("values");
      const counts = new Map<string, number>();
      for (const [, path] of under.expected.rows) if (path) counts.set(path, (counts.get(path) ?? 0) + 1);
      expect(new Map(values.map(({ text, count }) => [text, count]))).toEqual(counts);
      expect(nulls).toBe(under.expected.rows.filter(([, path]) => path === null).length);
      expect(values.every(({ text, sql }) => sql === `'${text.replaceAll("'", "''")}'`)).toBe(true);
      expect((await under.source.values(dataset(), "uuid", never)).kind).toBe("none");
      expect(await codeOf(under.source.values(dataset(), "nothing like it", never))).toBe("wrong_columns");
    });

    test("a small lookup has no index", async () => {
      const wishes = ["stop", "begin", null] as const;
      for (const wish of wishes) {
        const { index, query } = await under.source.status(dataset(), wish, never);
        expect({ phase: index.phase, query }).toEqual({ phase: "off", query: null });
      }
    });

    test("what is withdrawn is withdrawn", async () => {
      const control = new AbortController();
      const asked = under.source.rows(dataset(), { start: 0, stop: 10 }, control.signal);
      control.abort();
      await expect(asked).rejects.toMatchObject({ code: "cancelled" });
      const small = new AbortController();
      const thumbnails = under.source.thumbnails(dataset(), [0, 1], 64, small.signal);
      small.abort();
      await expect(thumbnails).rejects.toMatchObject({ code: "cancelled" });
    });

    test("a refused lookup leaves the open one; another one makes questions about the old one stale", async () => {
      expect(await codeOf(under.source.open(under.refused.path, never))).toBe(under.refused.code);
      const before = await under.source.rows(dataset(), { start: 0, stop: 1 }, never);
      expect(before.uuids).toEqual([under.expected.rows[0]?.[0]]);
      const opened = await under.source.open(under.another.path, never);
      expect(opened.records).toBe(under.another.records);
      expect(opened.dataset).not.toBe(dataset());
      expect(await codeOf(under.source.rows(dataset(), { start: 0, stop: 1 }, never))).toBe("stale_dataset");
      expect(await codeOf(under.source.thumbnails(dataset(), [0], 64, never))).toBe("stale_dataset");
      const rows = await under.source.rows(opened.dataset, { start: 0, stop: 10 }, never);
      expect(rows.uuids).toHaveLength(Math.min(10, under.another.records));
    });
  });
}
