import { useSite } from "./kit";

const { open } = useSite();

const FIELDS = [
  ["zulu", "string", "last letter first"],
  ["alpha", "int64", "9007199254740993"],
  ["note", "string", "A long note. ".repeat(40)],
  ["alpha", "string", "the same name again"],
  ["empty", "string", ""],
  ["nothing", "null", "null"],
] as const;

test("every column is there, in its own order, with its type", async () => {
  const explorer = await open({ fields: FIELDS });
  await explorer.table.waitFor();
  const rows = await explorer.table
    .getByRole("row")
    .evaluateAll((all) =>
      all
        .slice(1)
        .map((row) =>
          [...row.querySelectorAll(".h5x-field-name, .h5x-field-type, .h5x-value-text, .h5x-missing")].map(
            (each) => each.textContent,
          ),
        ),
    );
  expect(rows.map((row) => row.slice(0, 2))).toEqual(FIELDS.map(([name, type]) => [name, type]));
  expect(rows[1]?.[2]).toBe("9007199254740993");
  expect(rows[4]?.[2]).toBe("empty text");
  expect(rows[5]?.[2]).toBe("null");
  await explorer.metadata.getByText("6 fields").waitFor();
  expect(await explorer.table.getByRole("rowheader").count()).toBe(6);
});

test("the filter looks into names and values", async () => {
  const explorer = await open({ fields: FIELDS });
  const filter = explorer.metadata.getByRole("searchbox");
  await filter.fill("ALPHA");
  await explorer.metadata.getByText("2 of 6 fields").waitFor();
  await filter.fill("letter");
  await explorer.table.getByText("zulu").waitFor();
  await filter.fill("zzz");
  await explorer.metadata.getByText("Nothing matches “zzz”.").waitFor();
  await filter.fill("");
  await explorer.metadata.getByText("6 fields").waitFor();
});

test("long values are folded, and unfold", async () => {
  const explorer = await open({ fields: FIELDS });
  const cell = explorer.table.getByRole("cell").nth(2);
  expect((await cell.textContent())?.length).toBeLessThan(260);
  await cell.getByRole("button", { name: "Show all 520 characters" }).click();
  expect(await cell.textContent()).toContain("A long note. ".repeat(39));
  await cell.getByRole("button", { name: "Show less" }).click();
  expect((await cell.textContent())?.length).toBeLessThan(260);
});

test("a value is copied whole, folded or not", async () => {
  const explorer = await open({ fields: FIELDS }, { permissions: ["clipboard-read", "clipboard-write"] });
  const cell = explorer.table.getByRole("cell").nth(2);
  await cell.hover();
  await cell.getByRole("button", { name: "Copy the value of note" }).click();
  await cell.getByRole("button", { name: "Copied" }).waitFor();
  expect(await explorer.page.evaluate(() => navigator.clipboard.readText())).toBe("A long note. ".repeat(40));
});

test("the filter stays when the row changes", async () => {
  const explorer = await open({});
  await explorer.metadata.getByRole("searchbox").fill("species");
  await explorer.row(4).click();
  await explorer.table.getByText("Corvus 3").waitFor();
  await explorer.metadata.getByText("1 of 4 fields").waitFor();
});
