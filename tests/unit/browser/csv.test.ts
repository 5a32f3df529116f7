import fc from "fast-check";
import { DelimitedReader, delimiterOf } from "../../../src/browser/tables/csv";

function read(text: string, delimiter = ",", cuts: readonly number[] = []): readonly (readonly string[])[] {
  const records: (readonly string[])[] = [];
  const reader = new DelimitedReader(delimiter, (fields) => records.push([...fields]));
  const places = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort((a, b) => a - b);
  for (let at = 1; at < places.length; at += 1) reader.push(text.slice(places[at - 1], places[at]));
  return reader.finish() ? records : [["not closed"]];
}

test.each([
  [
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "a,b\r\n1,2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  ["a\rb\r", [["a"], ["b"]]],
  ["a\n\n\nb", [["a"], ["b"]]],
  ['"a ""b""","c,\nd"\n', [['a "b"', "c,\nd"]]],
  ['5" disk,x\n', [['5" disk', "x"]]],
  [",\n", [["", ""]]],
  ['"",x\n', [["", "x"]]],
  ['"a"b,c\n', [["ab", "c"]]],
  ["", []],
  ['"open', [["not closed"]]],
])("%j", (text, records) => {
  expect(read(text)).toEqual(records);
});

const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", ";", "é", " "), maxLength: 6 });

test("what is written by the rules is read back, wherever the pieces are cut", () => {
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
  const end = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(table, end, fc.array(fc.nat(), { maxLength: 8 }), (records, lineEnd, cuts) => {
      const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
      const text = records.map((record) => record.map(quoted).join(",") + lineEnd).join("");
      expect(read(text, ",", cuts)).toEqual(records);
    }),
  );
});

test("the delimiter is the one that the first line has most of", () => {
  expect(delimiterOf("uuid,filepath", "a.csv")).toBe(",");
  expect(delimiterOf("uuid;filepath", "a.csv")).toBe(";");
  expect(delimiterOf("uuid", "a.tsv.gz")).toBe("\t");
});
