import fc from "fast-check";
import { BlockReader } from "../../../src/browser/blocks";

const FILE = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) % 251);

function reader(block: number, kept: number) {
  const asked: (readonly [number, number])[] = [];
  const read = (start: number, stop: number) => {
    asked.push([start, stop]);
    return FILE.slice(start, stop);
  };
  return { blocks: new BlockReader(FILE.length, read, block, kept), asked };
}

test("whatever is read, however it is cut into blocks, is the file's", () => {
  const ranges = fc.array(fc.tuple(fc.integer({ min: -5, max: 1100 }), fc.integer({ min: 0, max: 400 })));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 9 }), ranges, (block, kept, reads) => {
      const { blocks, asked } = reader(block, kept);
      for (const [position, length] of reads) {
        const start = Math.max(0, Math.min(position, FILE.length));
        expect([...blocks.read(position, length)]).toEqual([...FILE.slice(start, start + length)]);
      }
      for (const [start, stop] of asked) expect(start >= 0 && stop <= FILE.length && stop > start).toBe(true);
    }),
  );
});

test("small reads near each other cost one block, large ones exactly themselves", () => {
  const { blocks, asked } = reader(100, 4);
  blocks.read(10, 8);
  blocks.read(50, 50);
  expect(asked).toEqual([[0, 100]]);
  blocks.read(205, 300);
  expect(asked).toEqual([
    [0, 100],
    [205, 505],
  ]);
  blocks.read(990, 50);
  expect(asked.at(-1)).toEqual([900, 1000]);
});
