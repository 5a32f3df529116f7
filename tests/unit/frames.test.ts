import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { pack, unpack } from "../../src/channel/frames";
import { ExplorerError } from "../../src/errors";

const SAMPLES: {
  readonly frames: readonly {
    readonly name: string;
    readonly content: object;
    readonly buffers: readonly string[];
    readonly frame: string;
  }[];
  readonly bad: readonly { readonly name: string; readonly frame: string }[];
} = JSON.parse(readFileSync(path.join(__dirname, "../fixtures/frames.json"), "utf8"));

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

test.each(SAMPLES.frames)("$name", ({ content, buffers, frame }) => {
  expect(unpack(bytes(frame))).toEqual({ content, buffers: buffers.map(bytes) });
  expect(unpack(pack(content, buffers.map(bytes)))).toEqual({ content, buffers: buffers.map(bytes) });
});

test("what the page sends is what Python packs, but for signs beyond ASCII", () => {
  for (const { name, content, buffers, frame } of SAMPLES.frames) {
    if (name === "text of every script") continue;
    expect(Buffer.from(pack(content, buffers.map(bytes))).toString("hex")).toBe(frame);
  }
});

test.each(SAMPLES.bad)("refused: $name", ({ frame }) => {
  expect(() => unpack(bytes(frame))).toThrow(ExplorerError);
});

test("whatever is packed comes out again, also from the middle of a larger buffer", () => {
  const buffers = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), buffers, (content, parts) => {
      const frame = pack(content, parts);
      const held = new Uint8Array(frame.length + 7);
      held.set(frame, 3);
      const message = unpack(held.subarray(3, 3 + frame.length));
      expect(JSON.stringify(message.content)).toBe(JSON.stringify(content));
      expect(message.buffers.map((each) => [...each])).toEqual(parts.map((each) => [...each]));
    }),
  );
});

test("any bytes are a message or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (some) => {
      try {
        unpack(new Uint8Array(some));
      } catch (error) {
        expect(error).toBeInstanceOf(ExplorerError);
      }
    }),
  );
});
