import { readFileSync } from "node:fs";
import path from "node:path";
import { RequestClient } from "../../src/channel/requests";
import { ToldModel } from "../../src/channel/told";
import { SocketWire } from "../../src/channel/websocket";
import type { Wire } from "../../src/channel/wire";
import tables from "../../src/decode/tables";
import { ExplorerError } from "../../src/errors";
import type { Opened } from "../../src/source/api";
import { KernelSource, openedOf } from "../../src/source/kernel";
import { type MockLookup, type MockPicture, MockSource } from "../../src/source/mock";
import { ModelState } from "../../src/state/model";
import { connect, startOpen } from "../support/opened";
import { PipeWire } from "../support/pipe";
import { root } from "../support/python";
import { makeData } from "./expected";
import { readPictures } from "./pictures";
import { contract, type UnderTest } from "./source";

let data: ReturnType<typeof makeData> | null = null;

function shared(): ReturnType<typeof makeData> {
  data ??= makeData();
  return data;
}

function bytesFrom(pictures: ReadonlyMap<number, Buffer>): (row: number) => Uint8Array {
  return (row) => {
    const bytes = pictures.get(row);
    if (bytes === undefined) throw new Error(`row ${row} has no picture`);
    return bytes;
  };
}

async function startTables(): Promise<void> {
  const wasm = readFileSync(path.join(root, "node_modules/parquet-wasm/esm/parquet_wasm_bg.wasm"));
  await tables.start(await WebAssembly.compile(wasm));
}

/** The kernel's side behind a wire, with the contract's lookup open. */
async function kernelUnderTest(wire: Wire, opened: Opened, end: () => void | Promise<void>): Promise<UnderTest> {
  const { folder, expected } = shared();
  await startTables();
  const client = new RequestClient(wire);
  return {
    source: new KernelSource(client, async () => tables),
    opened,
    expected,
    bytesOf: bytesFrom(readPictures(folder, expected)),
    another: { path: path.join(folder, "header_only.parquet"), records: 0 },
    refused: { path: path.join(folder, "wrong_columns.parquet"), code: "wrong_columns" },
    close() {
      client.close();
      return end();
    },
  };
}

for (const [name, side, env] of [
  ["the kernel, over pipes", "kernel_side", {}],
  ["a real kernel, over its comm", "comm_side", {}],
  ["a real kernel whose messages are cut in pieces", "comm_side", { H5EXPLORER_MESSAGE_BYTES: "1000" }],
] as const) {
  contract(name, async (): Promise<UnderTest> => {
    const wire = new PipeWire(path.join(shared().folder, "lookup.parquet"), side, env);
    return kernelUnderTest(wire, openedOf(await wire.opened()), () => wire.end());
  });
}

contract("h5explorer open, over its websocket", async (): Promise<UnderTest> => {
  const server = await startOpen(path.join(shared().folder, "lookup.parquet"));
  const wire = new SocketWire(await connect(server), () => {});
  const state = new ModelState(await ToldModel.first(wire, {}));
  return kernelUnderTest(wire, state.opened.peek(), () => {
    wire.close();
    return server.running.end();
  });
});

const MOCK_FORMATS = [
  ["PNG", "image/png"],
  ["JPEG", "image/jpeg"],
  ["WebP", "image/webp"],
  ["GIF", "image/gif"],
  ["BMP", "image/bmp"],
] as const;

/** What is odd about a row, said the way the kernel would. */
const MOCK_ODD: Readonly<Record<string, readonly [image: string | null, metadata: string | null]>> = {
  no_shard: ["shard_not_found", "metadata_not_found"],
  no_key: ["image_not_found", null],
  no_filepath: ["no_filepath", "no_filepath"],
  no_uuid: ["key_not_found", "key_not_found"],
  no_metadata: [null, "metadata_not_found"],
  no_record: [null, "record_not_found"],
  no_group: ["no_images_group", "metadata_not_found"],
  tiff: ["format_not_shown", null],
  truncated_jpeg: ["truncated_image", null],
  truncated_png: ["truncated_image", null],
  empty: ["empty_image", null],
  scalar: ["not_an_image", null],
  raw_array: ["array_not_shown", null],
  group: ["not_an_image", null],
  unknown_bytes: ["format_not_shown", null],
  svg: ["format_not_shown", null],
  external_storage: ["outside_data", null],
  external_link: ["outside_data", null],
};

contract("the mock", async (): Promise<UnderTest> => {
  const { folder, expected } = shared();
  const pictures = readPictures(folder, expected);
  const nameOf = new Map(Object.entries(expected.bad).map(([name, row]) => [row, name]));
  const odd = (row: number, which: 0 | 1) => {
    const code = MOCK_ODD[nameOf.get(row) ?? ""]?.[which] ?? null;
    return code === null ? null : new ExplorerError(code, "It is odd.");
  };
  const picture = (row: number): MockPicture | ExplorerError => {
    const error = odd(row, 0);
    if (error !== null) return error;
    const [format, mediaType] = MOCK_FORMATS[row % MOCK_FORMATS.length] ?? MOCK_FORMATS[0];
    const notes = nameOf.get(row) === "sixteen_bit" ? ["16 bits a channel"] : [];
    return { bytes: new Uint8Array(pictures.get(row) ?? [row % 256]), format, mediaType, notes, state: "1" };
  };
  const lookup: MockLookup = {
    name: "lookup.parquet",
    rows: expected.rows.length,
    uuid: (row) => expected.rows[row]?.[0] ?? null,
    filepath: (row) => expected.rows[row]?.[1] ?? null,
    filepaths: expected.filepaths,
    picture,
    original: (row) =>
      nameOf.get(row) === "tiff"
        ? { bytes: new Uint8Array(2000), format: "TIFF", mediaType: "image/tiff" }
        : picture(row),
    thumbnail: (row) => ({
      bytes: new Uint8Array(pictures.get(row - (row % MOCK_FORMATS.length)) ?? []),
      ...{ mediaType: "image/png", width: 40, height: 30 },
    }),
    fields: (row) =>
      odd(row, 1) ??
      [["uuid", expected.rows[row]?.[0] ?? ""] as const, ...(expected.metadata[String(row)] ?? [])].map(
        ([name, text]) => ({ name, type: "string", value: { text, kind: "text" as const } }),
      ),
  };
  const empty: MockLookup = { ...lookup, name: "header_only.parquet", rows: 0 };
  const source = new MockSource(
    new Map([
      ["lookup.parquet", lookup],
      ["header_only.parquet", empty],
    ]),
  );
  return {
    source,
    opened: source.describe(),
    expected,
    bytesOf: bytesFrom(pictures),
    another: { path: "header_only.parquet", records: 0 },
    refused: { path: "nowhere", code: "lookup_not_found" },
    close() {},
  };
});
