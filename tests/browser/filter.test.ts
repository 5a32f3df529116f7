import path from "node:path";
import { newFolder, runModule } from "../support/python";
import { type Explorer, until, useSite } from "./kit";

jest.setTimeout(120_000);

const folder = path.join(newFolder("filter"), "data");
runModule("tests.fixtures.datasets", folder);
const { open } = useSite(() => path.join(folder, "lookup.parquet"));

/** Opens the page on the lookup anew, whatever the test before has filtered: the kernel's side is one for all. */
async function explore(): Promise<Explorer> {
  const explorer = await open({ kernel: true, height: "760px" });
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const place = explorer.contents.getByRole("textbox", { name: /Path/ });
  await place.fill(path.join(folder, "lookup.parquet"));
  await place.press("Enter");
  await place.waitFor({ state: "detached" });
  await explorer.contents.getByText("323 records").waitFor();
  await explorer.row(1).waitFor();
  return explorer;
}

/** Takes away all terms of the filter and the order, one after the other. */
async function clear(explorer: Explorer): Promise<void> {
  const removing = explorer.contents.getByRole("button", { name: /^Remove / });
  for (let left = await removing.count(); left > 0; left -= 1) {
    await removing.first().click();
    await until(async () => (await removing.count()) < left, "a term is gone");
  }
}

async function unfold(explorer: Explorer): Promise<void> {
  await explorer.contents.getByRole("button", { name: "Filter", exact: true }).click();
  await explorer.contents.getByRole("list", { name: "Columns" }).waitFor();
}

const field = (explorer: Explorer) => explorer.contents.getByRole("textbox", { name: "Condition in SQL" });

async function apply(explorer: Explorer, condition: string): Promise<void> {
  await field(explorer).fill(condition);
  await field(explorer).press("Enter");
}

const total = async (explorer: Explorer) => Number(await explorer.grid.getAttribute("aria-rowcount"));

async function filtered(explorer: Explorer, rows: number): Promise<void> {
  await until(async () => (await total(explorer)) === rows, `${rows} rows are listed`);
}

test("a condition on the metadata keeps its rows, and both columns and pictures are theirs", async () => {
  const explorer = await explore();
  const all = await total(explorer);
  await unfold(explorer);
  await apply(explorer, "alpha_last BETWEEN 10 AND 14");
  await filtered(explorer, 5);
  await explorer.contents.getByText(`5 of ${all} records`).waitFor();
  await explorer.row(3).click();
  await explorer.table.getByText("name 12", { exact: true }).waitFor();
  await explorer.contents.getByRole("list", { name: "Filter and order" }).getByText("alpha_last: 10 to 14").waitFor();
  await clear(explorer);
  await filtered(explorer, all);
});

test("values are chosen by their names, and are SQL at once", async () => {
  const explorer = await explore();
  const all = await total(explorer);
  await unfold(explorer);
  await explorer.contents.getByRole("button", { name: /^colour/ }).click();
  const values = explorer.contents.getByRole("list", { name: "Values of colour" });
  const red = Number((await values.getByText("red").locator("..").locator(".h5x-value-count").textContent()) ?? "");
  expect(red).toBeGreaterThan(10);
  await values.getByRole("checkbox", { name: /red/ }).check();
  await filtered(explorer, red);
  expect(await field(explorer).inputValue()).toBe("colour = 'red'");
  await explorer.row(2).click();
  await explorer.table.getByText("red", { exact: true }).waitFor();
  await values.getByRole("checkbox", { name: /green/ }).check();
  await until(async () => (await field(explorer).inputValue()) === "colour IN ('red', 'green')", "both are chosen");
  await explorer.contents.getByRole("checkbox", { name: /no value/ }).check();
  await filtered(explorer, all);
});

test("numbers are bounded, and rows sorted", async () => {
  const explorer = await explore();
  await unfold(explorer);
  await explorer.contents.getByRole("button", { name: /^alpha_last/ }).click();
  await explorer.contents.getByRole("img", { name: /How alpha_last is spread/ }).waitFor();
  await explorer.contents.getByRole("textbox", { name: "Least alpha_last" }).fill("20");
  await explorer.contents.getByRole("textbox", { name: "Greatest alpha_last" }).fill("29");
  await explorer.contents.getByRole("textbox", { name: "Greatest alpha_last" }).press("Enter");
  await filtered(explorer, 10);
  await explorer.contents.getByRole("button", { name: /Descending/ }).click();
  await explorer.contents.getByText("↓ alpha_last", { exact: true }).waitFor();
  await explorer.row(1).click();
  await explorer.table.getByText("name 29", { exact: true }).waitFor();
  await explorer.grid.press("End");
  await explorer.table.getByText("name 20", { exact: true }).waitFor();
});

test("a wrong condition says what is wrong under its field, and keeps what is shown", async () => {
  const explorer = await explore();
  await unfold(explorer);
  await apply(explorer, "alpha_last < 3");
  await filtered(explorer, 3);
  for (const [wrong, says] of [
    ["alpha_lost < 3", /alpha_last/],
    ["alpha_last <", /understand/],
    ["1=1; DROP TABLE x", /one expression/],
    ["uuid IN (SELECT uuid FROM read_parquet('/etc/passwd'))", /./],
  ] as const) {
    await apply(explorer, wrong);
    const alert = explorer.contents.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(says);
    expect(await total(explorer)).toBe(3);
    expect(await field(explorer).inputValue()).toBe(wrong);
  }
  await field(explorer).press("Escape");
  expect(await field(explorer).inputValue()).toBe("alpha_last < 3");
});

test("where no row is left it says so, and the filter can be taken away", async () => {
  const explorer = await explore();
  await unfold(explorer);
  await apply(explorer, "uuid = 'nothing like it'");
  await explorer.contents.getByText("No row meets the filter.").waitFor();
  await clear(explorer);
  await explorer.row(1).waitFor();
});

test("the search goes through what is shown", async () => {
  const explorer = await explore();
  await unfold(explorer);
  await apply(explorer, "filepath LIKE '%shard_001'");
  await filtered(explorer, 100);
  await explorer.search.fill("path:shard_001");
  await explorer.search.press("Enter");
  await explorer.contents.getByText("Row 1 of 100 · match 1 of 100").waitFor();
  await explorer.search.press("Enter");
  await explorer.contents.getByText("Row 2 of 100 · match 2 of 100").waitFor();
  await explorer.search.fill("path:shard_002");
  await explorer.search.press("Enter");
  await explorer.contents.getByText(/Nothing matches/).waitFor();
});
