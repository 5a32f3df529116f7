import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { type AssetRoads, FOLDER_PATIENCE_MS, loadAsset } from "../../src/assets";
import { bytesOf } from "../../src/bytes";
import { ExplorerError } from "../../src/errors";

type Bytes = Uint8Array<ArrayBuffer>;
type Brought = string | null | Error;

const NAME = "part.0123456789abcdef.wasm";
const bytes = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));
const text = (part: Bytes) => new TextDecoder().decode(part);

const realFetch = globalThis.fetch;
beforeEach(() => jest.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(() => {
  globalThis.fetch = realFetch;
  jest.restoreAllMocks();
});

/** Roads that bring what the test says, and tell which of them were taken. */
function roads(brought: { served?: Brought; kept?: Brought; sent?: Brought; folder?: string | null }) {
  const taken: string[] = [];
  const cached = new Map<string, string>();
  globalThis.fetch = async (url) => {
    taken.push(`fetch ${String(url)}`);
    if (brought.served instanceof Error) throw brought.served;
    return brought.served == null ? new Response("", { status: 404 }) : new Response(brought.served);
  };
  const given: AssetRoads = {
    folder: brought.folder === undefined ? "/lab/extensions/h5explorer/static" : brought.folder,
    cache: {
      async get(name) {
        taken.push(`cache ${name}`);
        if (brought.kept instanceof Error) throw brought.kept;
        return brought.kept == null ? null : bytes(brought.kept);
      },
      async put(name, part) {
        cached.set(name, text(part));
        if (brought.kept instanceof Error) throw brought.kept;
      },
    },
    async ask(name) {
      taken.push(`ask ${name}`);
      if (brought.sent instanceof Error) throw brought.sent;
      return new Uint8Array(gzipSync(bytes(brought.sent ?? "the part")));
    },
  };
  return { given, taken, cached };
}

/** Takes only the part itself, as a compiler does. */
async function onlyThePart(part: Bytes): Promise<string> {
  if (text(part) !== "the part") throw new ExplorerError("decoder_unavailable", "It is not the part.");
  return text(part);
}

const [FETCH, CACHE, ASK] = [`fetch /lab/extensions/h5explorer/static/${NAME}`, `cache ${NAME}`, `ask ${NAME}`];

test("the extension's folder comes first, and nothing else is asked then", async () => {
  const { given, taken, cached } = roads({ served: "the part", kept: "the part" });
  expect(await loadAsset(NAME, given, onlyThePart)).toBe("the part");
  expect(taken).toEqual([FETCH]);
  expect(cached.size).toBe(0);
});

test("then the browser's cache, then the kernel, whose part is kept unpacked", async () => {
  const held = roads({ kept: "the part" });
  await loadAsset(NAME, held.given, onlyThePart);
  expect(held.taken).toEqual([FETCH, CACHE]);

  const bare = roads({});
  await loadAsset(NAME, bare.given, onlyThePart);
  expect(bare.taken).toEqual([FETCH, CACHE, ASK]);
  expect([...bare.cached]).toEqual([[NAME, "the part"]]);
});

test("without the extension nothing is fetched", async () => {
  const { given, taken } = roads({ folder: null, served: "the part" });
  await loadAsset(NAME, given, onlyThePart);
  expect(taken).toEqual([CACHE, ASK]);
});

test.each<[string, Parameters<typeof roads>[0], readonly string[]]>([
  ["a login page instead of the part", { served: "<!doctype html>" }, [FETCH, CACHE, ASK]],
  ["a network that fails", { served: new TypeError("Failed to fetch") }, [FETCH, CACHE, ASK]],
  ["a piece of the part in the cache", { kept: "the pa" }, [FETCH, CACHE, ASK]],
  ["both", { served: "<!doctype html>", kept: "" }, [FETCH, CACHE, ASK]],
  ["a cache that fails at everything", { kept: new Error("blocked") }, [FETCH, CACHE, ASK]],
])("%s: the next road is taken, and what the kernel sends is kept", async (_, brought, wanted) => {
  const { given, taken, cached } = roads(brought);
  expect(await loadAsset(NAME, given, onlyThePart)).toBe("the part");
  expect(taken).toEqual(wanted);
  expect(cached.get(NAME)).toBe("the part");
});

test("whatever the first two roads bring, the part is had as long as one of the three brings it", async () => {
  const brought = fc.oneof(fc.constant("the part"), fc.constant(null), fc.string(), fc.constant(new Error("no")));
  await fc.assert(
    fc.asyncProperty(brought, brought, brought, async (served, kept, sent) => {
      const { given, taken } = roads({ served, kept, sent: sent ?? new Error("no kernel") });
      const first = [served, kept, sent].indexOf("the part");
      const outcome = await loadAsset(NAME, given, onlyThePart).catch(() => "nothing");
      expect(outcome).toBe(first < 0 ? "nothing" : "the part");
      expect(taken).toEqual([FETCH, CACHE, ASK].slice(0, first < 0 ? 3 : first + 1));
    }),
  );
});

test("what the kernel says is told, and what it sends damaged is not kept", async () => {
  const gone = roads({ sent: new ExplorerError("disconnected", "The kernel has died.") });
  await expect(loadAsset(NAME, gone.given, onlyThePart)).rejects.toMatchObject({ code: "disconnected" });

  const other = roads({ sent: "another part" });
  await expect(loadAsset(NAME, other.given, onlyThePart)).rejects.toMatchObject({ message: "It is not the part." });
  expect(other.cached.size).toBe(0);

  const torn = roads({});
  const packed = new Uint8Array(gzipSync(bytes("the part")));
  const halved = { ...torn.given, ask: async () => packed.slice(0, 12) };
  await expect(loadAsset(NAME, halved, onlyThePart)).rejects.toMatchObject({
    code: "decoder_unavailable",
    action: "Try again.",
  });
});

test("what the kernel sends may be a view into a larger buffer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(64), fc.nat(64), async (before, after) => {
      const packed = new Uint8Array(gzipSync(bytes("the part")));
      const whole = new Uint8Array(before + packed.length + after).fill(255);
      whole.set(packed, before);
      const { given } = roads({});
      const ask = async () => bytesOf(new DataView(whole.buffer, before, packed.length));
      expect(await loadAsset(NAME, { ...given, ask }, onlyThePart)).toBe("the part");
    }),
  );
});

test("a folder that does not answer is not waited for without end", async () => {
  const timeout = jest.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
  const { given, taken } = roads({});
  globalThis.fetch = (_, init) => new Promise((_, reject) => init?.signal?.aborted && reject(init.signal.reason));
  expect(await loadAsset(NAME, given, onlyThePart)).toBe("the part");
  expect(taken).toEqual([CACHE, ASK]);
  expect(timeout).toHaveBeenCalledWith(FOLDER_PATIENCE_MS);
});
