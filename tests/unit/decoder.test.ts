import { gzipSync } from "node:zlib";
import type { AskForAsset, AssetRoads } from "../../src/assets";
import { type DecoderParts, OTHERS_PATIENCE_MS, pagesDecoder } from "../../src/decode/decoder";
import { ExplorerError } from "../../src/errors";

const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const SCRIPT = new TextEncoder().encode("the decoder's module");

let started = 0;
let revoked: string[] = [];
let imported: unknown;
let names = 0;
let parts: DecoderParts;

/** The page's import of an address; the address is known only when it is made. */
function importing(url: string): string {
  jest.doMock(url, () => imported, { virtual: true });
  return url;
}

beforeEach(() => {
  names += 1;
  started = 0;
  revoked = [];
  parts = { script: `decoder.${names}.js`, wasm: `wasm.${names}.wasm` };
  imported = {
    __esModule: true,
    default: {
      start: async (compiled: unknown) => {
        expect(compiled).toBeInstanceOf(WebAssembly.Module);
        started += 1;
      },
      keys: () => ({ uuids: [], filepaths: [] }),
      record: () => [],
    },
  };
  let blobs = 0;
  jest.spyOn(URL, "createObjectURL").mockImplementation(() => {
    blobs += 1;
    return importing(`blob:${names}-${blobs}`);
  });
  jest.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
  jest.spyOn(console, "debug").mockImplementation(() => {});
});
afterEach(() => jest.restoreAllMocks());

/** The roads of one widget: only its kernel has the parts. */
function widget(change: AskForAsset = async () => new Uint8Array()): { roads: AssetRoads; asked: string[] } {
  const asked: string[] = [];
  const ask: AskForAsset = async (name) => {
    asked.push(name);
    const changed = await change(name);
    return changed.length > 0 ? changed : new Uint8Array(gzipSync(name.endsWith(".wasm") ? EMPTY_WASM : SCRIPT));
  };
  return { roads: { folder: null, cache: { get: async () => null, put: async () => {} }, ask }, asked };
}

const gone = async () => {
  throw new ExplorerError("disconnected", "The kernel has died.");
};

test("one load serves all callers of all widgets of the page", async () => {
  const [first, second] = [widget(), widget()];
  const loading = [first, first, second, first].map(({ roads }) => pagesDecoder(parts, roads));
  const decoders = await Promise.all(loading);
  expect(new Set(decoders).size).toBe(1);
  expect(await pagesDecoder(parts, second.roads)).toBe(decoders[0]);
  expect([first.asked.length, second.asked.length, started]).toEqual([2, 0, 1]);
});

test("one load serves the widgets of another bundle on the same page too", async () => {
  const first = widget();
  const decoder = await pagesDecoder(parts, first.roads);
  let other: typeof pagesDecoder | null = null;
  jest.isolateModules(() => {
    other = jest.requireActual<typeof import("../../src/decode/decoder")>("../../src/decode/decoder").pagesDecoder;
  });
  expect(other).not.toBe(pagesDecoder);
  const second = widget(gone);
  expect(await (other ?? pagesDecoder)(parts, second.roads)).toBe(decoder);
  expect(second.asked).toEqual([]);
});

test("other parts are another decoder", async () => {
  await pagesDecoder(parts, widget().roads);
  const next = widget();
  await pagesDecoder({ ...parts, wasm: `other.${parts.wasm}` }, next.roads);
  expect(next.asked).toHaveLength(2);
});

test("a failure is told, and forgotten: the next call tries again", async () => {
  let dead = true;
  const { roads } = widget(async () => (dead ? gone() : new Uint8Array()));
  await expect(pagesDecoder(parts, roads)).rejects.toMatchObject({ code: "disconnected" });
  dead = false;
  await pagesDecoder(parts, roads);
  expect(started).toBe(1);
});

test("a widget that waits for another's load goes its own way when that fails", async () => {
  const [dying, living, third] = [widget(gone), widget(), widget()];
  const loads = [dying, living, third].map(({ roads }) => pagesDecoder(parts, roads));
  await expect(loads[0]).rejects.toMatchObject({ code: "disconnected" });
  const [decoder, same] = await Promise.all(loads.slice(1));
  expect(decoder).toBeDefined();
  expect(same).toBe(decoder);
  expect([living.asked.length, third.asked.length]).toEqual([2, 0]);
});

test("a widget does not wait without end for another whose kernel is at work", async () => {
  const [busy, idle] = [widget(() => new Promise(() => {})), widget()];
  jest.useFakeTimers({ now: 0, doNotFake: ["queueMicrotask", "nextTick", "setImmediate"] });
  try {
    void pagesDecoder(parts, busy.roads);
    const [one, two] = [pagesDecoder(parts, idle.roads), pagesDecoder(parts, idle.roads)];
    await jest.advanceTimersByTimeAsync(OTHERS_PATIENCE_MS);
    jest.useRealTimers();
    expect(await one).toBe(await two);
    expect(idle.asked).toHaveLength(2);
  } finally {
    jest.useRealTimers();
  }
});

test("where all fail each is told, and none waits without end", async () => {
  const loads = [widget(gone), widget(gone), widget(gone)].map(({ roads }) => pagesDecoder(parts, roads));
  for (const outcome of await Promise.allSettled(loads)) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "disconnected" } });
  }
});

test("a script that is not the decoder is refused with a sentence, and let go of", async () => {
  imported = { __esModule: true, default: { start: "no function" } };
  await expect(pagesDecoder(parts, widget().roads)).rejects.toMatchObject({
    code: "decoder_unavailable",
    message: expect.stringContaining("its module is not the one that was asked for"),
    action: expect.stringContaining("content security policy"),
  });
  expect(revoked).toHaveLength(1);
});

test("a page that forbids WebAssembly says what its policy must allow", async () => {
  const refusal = new WebAssembly.CompileError("Refused to compile: 'wasm-unsafe-eval'");
  jest.spyOn(WebAssembly, "compile").mockRejectedValue(refusal);
  await expect(pagesDecoder(parts, widget().roads)).rejects.toMatchObject({
    code: "decoder_unavailable",
    message: expect.stringContaining("Refused to compile"),
  });
});

test("a damaged part in the cache is got again from the kernel, and replaced", async () => {
  const kept = new Map([
    [parts.wasm, EMPTY_WASM.slice(0, 5)],
    [parts.script, new TextEncoder().encode("")],
  ]);
  const { roads, asked } = widget();
  let imports = 0;
  const good = imported;
  jest.spyOn(URL, "createObjectURL").mockImplementation(() => {
    imports += 1;
    imported = imports === 1 ? {} : good;
    return importing(`blob:damaged-${imports}`);
  });
  const cache = {
    get: async (name: string) => kept.get(name) ?? null,
    put: async (name: string, bytes: Uint8Array<ArrayBuffer>) => void kept.set(name, bytes),
  };
  await pagesDecoder(parts, { ...roads, cache });
  expect(asked.sort()).toEqual([parts.script, parts.wasm].sort());
  expect(kept.get(parts.wasm)).toEqual(EMPTY_WASM);
  expect(kept.get(parts.script)).toEqual(SCRIPT);
  expect(started).toBe(1);
});
