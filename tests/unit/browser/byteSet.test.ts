import fc from "fast-check";
import { ByteSet } from "../../../src/browser/tables/byteSet";

const size = (texts: readonly string[]) => {
  const set = new ByteSet();
  const encoder = new TextEncoder();
  for (const text of texts) {
    const bytes = encoder.encode(`<${text}>`);
    set.add(bytes, 1, bytes.length - 1);
  }
  return set.size;
};

test("it counts what is different", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 3 })), (texts) => {
      const whole = texts.map((text) => new TextDecoder().decode(new TextEncoder().encode(text)));
      expect(size(texts)).toBe(new Set(whole).size);
    }),
  );
});

test("it grows", () => {
  const texts = Array.from({ length: 60_000 }, (_, at) => `/some/folder/shard_${at % 20_000}`);
  expect(size(texts)).toBe(20_000);
});
