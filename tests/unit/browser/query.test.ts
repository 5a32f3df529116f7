import { equalTest, parseQuery, pathTest, uuidTest } from "../../../src/browser/tables/query";
import { TextBuilder } from "../../../src/browser/tables/textBuilder";
import type { ByteTest } from "../../../src/browser/tables/textColumn";

const passes = (test: ByteTest, text: string): boolean => {
  const bytes = new TextEncoder().encode(`before${text}behind`);
  return test(bytes, 6, bytes.length - 6);
};

test("what is typed is a row number, or looked for", () => {
  expect(parseQuery(" 1,234 ").row).toBe(1233);
  expect(parseQuery("uuid: 1234")).toEqual({ text: "1234", inUuid: true, inPath: false, row: null });
  expect(parseQuery("PATH:a")).toEqual({ text: "a", inUuid: false, inPath: true, row: null });
  expect(parseQuery("12a")).toEqual({ text: "12a", inUuid: true, inPath: true, row: null });
  expect(parseQuery("1234567890123456").row).toBeNull();
});

const UUID = "dcf58d53-1d29-5350-843d-b66719a97220";

test.each([
  ["DCF58D53", UUID, true],
  ["cf58", UUID, false],
  [UUID.replaceAll("-", ""), UUID, true],
  [`{${UUID}}`, UUID.toUpperCase(), true],
  [UUID, `${UUID}0`, true],
  ["ÄÖ", "äöü", true],
])("a uuid that begins with %s: %s is %s", (wanted, text, fits) => {
  expect(passes(uuidTest(wanted), text)).toBe(fits);
});

test.each([
  ["Shard_1", "data/SHARD_12", true],
  ["shard_3", "data/shard_12", false],
  ["behind", "data", false],
  ["É", "café", true],
])("a path that holds %s: %s is %s", (wanted, text, fits) => {
  expect(passes(pathTest(wanted), text)).toBe(fits);
});

test("the same is the same, and nothing else is", () => {
  expect(passes(equalTest("a"), "a")).toBe(true);
  expect([passes(equalTest("a"), "A"), passes(equalTest("a"), "ab"), passes(equalTest("é"), "e")]).toEqual([
    false,
    false,
    false,
  ]);
});

test("texts are kept as they are, however many", () => {
  const builder = new TextBuilder();
  const texts = Array.from({ length: 20_000 }, (_, at) => (at % 7 === 0 ? null : `é${at}`.repeat(at % 5)));
  for (const text of texts) builder.add(text);
  const column = builder.build();
  expect(column.length).toBe(texts.length);
  expect(texts.map((_, row) => column.text(row))).toEqual(texts);
  const fits = column.tester(equalTest("é3é3é3"));
  expect(texts.flatMap((_, row) => (fits(row) ? [row] : []))).toEqual([3]);
});
