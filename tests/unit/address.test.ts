import fc from "fast-check";
import { type Place, placeOf, searchOf } from "../../src/page/address";

const NOTHING: Place = { lookup: null, filter: "", sort: [], row: null };

test("an address that says nothing of what is shown says no place", () => {
  expect(placeOf("")).toBeNull();
  expect(placeOf("?token=abc")).toBeNull();
  expect(searchOf(NOTHING)).toBe("");
});

test("a place is read as a person may write it", () => {
  expect(placeOf("?row=57")).toEqual({ ...NOTHING, row: 57 });
  expect(placeOf("?filter=width+%3E%3D+512&sort=date:desc&sort=uuid")).toEqual({
    ...NOTHING,
    filter: "width >= 512",
    sort: [
      ["date", "desc"],
      ["uuid", "asc"],
    ],
  });
  expect(placeOf("?sort=a:b:asc")?.sort).toEqual([["a:b", "asc"]]);
});

test.each(["-1", "1.5", "1e3", "abc", "", "9".repeat(40), " 7"])("%j is no row", (row) => {
  expect(placeOf(`?row=${encodeURIComponent(row)}`)?.row).toBeNull();
});

test("whatever is shown comes back from its address", () => {
  const sort = fc.array(fc.tuple(fc.string(), fc.constantFrom("asc" as const, "desc" as const)), { maxLength: 3 });
  const text = fc.string({ unit: "grapheme" });
  const place = fc.record({
    lookup: fc.option(text),
    filter: text,
    sort,
    row: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(place, (shown) => {
      const search = searchOf(shown);
      expect(placeOf(search) ?? NOTHING).toEqual(shown);
    }),
  );
});
