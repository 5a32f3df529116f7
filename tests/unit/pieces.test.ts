import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { pack } from "../../src/channel/frames";
import { Pieces } from "../../src/channel/pieces";

const SAMPLES: readonly {
  readonly name: string;
  readonly content: object;
  readonly buffers: readonly string[];
  readonly pieces: readonly { readonly content: object; readonly buffer: string }[];
}[] = JSON.parse(readFileSync(path.join(__dirname, "../fixtures/pieces.json"), "utf8"));

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

interface Piece {
  readonly content: unknown;
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

/** Cuts as the kernel does. */
function cut(content: object, buffers: readonly Uint8Array[], message: string, most: number): readonly Piece[] {
  const frame = pack(content, buffers);
  const of = Math.ceil(frame.length / most);
  return Array.from({ length: of }, (_, at) => ({
    content: { kind: "piece", message, at, of },
    buffers: [frame.slice(at * most, (at + 1) * most)],
  }));
}

test.each(SAMPLES)("$name", ({ content, buffers, pieces }) => {
  const held = new Pieces();
  const taken = pieces.map((piece) => held.take(piece.content, [bytes(piece.buffer)]));
  expect(taken.slice(0, -1).filter((each) => each !== null)).toEqual([]);
  expect(taken.at(-1)).toEqual({ content, buffers: buffers.map(bytes) });
});

test("what is no piece is handed on as it is", () => {
  const held = new Pieces();
  const buffers = [new Uint8Array([1])];
  for (const content of [null, 3, "piece", [], {}, { kind: "reply" }]) {
    const message = held.take(content, buffers);
    expect(message?.content).toBe(content);
    expect(message?.buffers).toBe(buffers);
  }
});

const parts = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 });
const messages = fc.array(fc.tuple(fc.dictionary(fc.string(), fc.string()), parts, fc.boolean()), { maxLength: 5 });

test("messages come out whole in their order, but those of which a piece is lost", () => {
  fc.assert(
    fc.property(messages, fc.integer({ min: 5, max: 80 }), fc.integer({ min: 0 }), (all, most, seed) => {
      const held = new Pieces();
      const got: unknown[] = [];
      const wanted: unknown[] = [];
      for (const [nth, [fields, buffers, lost]] of all.entries()) {
        const content = { ...fields, kind: "reply" };
        const pieces = [...cut(content, buffers, String(nth), most)];
        if (lost) pieces.splice(seed % pieces.length, 1);
        else wanted.push(JSON.stringify([content, buffers.map((each) => [...each])]));
        if (seed % 2 === 1) pieces.reverse(); // whatever way they come
        for (const piece of pieces) {
          const message = held.take(piece.content, piece.buffers);
          if (message !== null) got.push(JSON.stringify([message.content, message.buffers.map((each) => [...each])]));
        }
      }
      expect(got).toEqual(wanted);
    }),
  );
});

test("pieces that are none, and those that make no message, are passed over", () => {
  const debug = jest.spyOn(console, "debug").mockImplementation(() => {});
  const held = new Pieces();
  const part = new Uint8Array([1, 2, 3]);
  for (const content of [
    { kind: "piece" },
    { kind: "piece", message: 1, at: 0, of: 1 },
    { kind: "piece", message: "a", at: "0", of: 1 },
    { kind: "piece", message: "a", at: 0 },
    { kind: "piece", message: "a", at: 0, of: 1 },
    { kind: "piece", message: "b", at: 7, of: 1 },
    { kind: "piece", message: "c", at: 0, of: -1 },
    { kind: "piece", message: "d", at: 0, of: 0.5 },
    { kind: "piece", message: "e", at: 0, of: 1e12 },
  ]) {
    expect(held.take(content, [part])).toBeNull();
  }
  expect(held.take({ kind: "piece", message: "a", at: 0, of: 1 }, [])).toBeNull();
  const [whole] = cut({ kind: "reply" }, [part], "z", 1000);
  expect(held.take(whole?.content, whole?.buffers ?? [])).toEqual({ content: { kind: "reply" }, buffers: [part] });
  debug.mockRestore();
});
