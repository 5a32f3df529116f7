/** @jest-environment jsdom */
import { archiveOf } from "../../src/share/archive";

const whole = {
  name: "lookup.parquet",
  chosen: 1,
  columns: [],
  rows: [
    {
      uuid: "u",
      filepath: null,
      image: { error: { code: "key_not_found", message: "There is none." } },
      record: { error: { code: "metadata_not_found", message: "There is none." } },
    },
  ],
};

function page(rows: string): Document {
  const made = document.implementation.createHTMLDocument("shared");
  const element = made.createElement("script");
  element.id = "rows";
  element.textContent = rows;
  made.body.append(element);
  return made;
}

test("a shared page is read", () => {
  expect(archiveOf(page(JSON.stringify(whole))).rows[0]?.uuid).toBe("u");
});

test.each([
  ["cut short", JSON.stringify(whole).slice(0, 40)],
  ["without a field", JSON.stringify({ ...whole, name: undefined })],
  ["with a field of another kind", JSON.stringify({ ...whole, rows: [{ uuid: 1 }] })],
  ["no object", "[]"],
])("a damaged one is called so, and nobody is told to restart a kernel that is not there: %s", (_, rows) => {
  expect(() => archiveOf(page(rows))).toThrow(expect.objectContaining({ code: "page_damaged" }));
});

test("one without its rows is damaged too", () => {
  expect(() => archiveOf(document.implementation.createHTMLDocument(""))).toThrow(
    expect.objectContaining({ code: "page_damaged" }),
  );
});
