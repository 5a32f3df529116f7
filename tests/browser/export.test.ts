import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { newFolder, runModule } from "../support/python";
import { type Explorer, useSite } from "./kit";

jest.setTimeout(120_000);

const folder = path.join(newFolder("export"), "data");
runModule("tests.fixtures.datasets", folder);
const { open } = useSite(() => path.join(folder, "lookup.parquet"));

/** Opens the page on the lookup anew, whatever the test before has shown: the kernel's side is one for all. */
async function explore(): Promise<Explorer> {
  const explorer = await open({ kernel: true, height: "760px" });
  await openLookup(explorer, path.join(folder, "lookup.parquet"));
  await explorer.row(1).waitFor();
  return explorer;
}

async function openLookup(explorer: Explorer, file: string): Promise<void> {
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const place = explorer.contents.getByRole("textbox", { name: /Path/ });
  await place.fill(file);
  await place.press("Enter");
  await place.waitFor({ state: "detached" });
}

const exportButton = (explorer: Explorer) => explorer.contents.getByRole("button", { name: "Export rows" });
const field = (explorer: Explorer) => explorer.contents.getByRole("textbox", { name: "File or folder to write" });

test("the rows that are shown become a table; what is there is not replaced unasked", async () => {
  const explorer = await explore();
  await exportButton(explorer).click();
  const file = path.join(folder, "subset.csv");
  await field(explorer).fill(file);
  await field(explorer).press("Enter");
  await explorer.contents.getByText(`323 rows in ${file}.`).waitFor();
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(lines.length).toBe(324);
  expect(lines[0]).toContain("uuid");
  await field(explorer).press("Enter");
  await explorer.contents.getByRole("alert").waitFor();
  await explorer.contents.getByRole("button", { name: "Replace" }).click();
  await explorer.contents.getByText(`323 rows in ${file}.`).waitFor();
});

test("selected rows become a data set that the explorer opens", async () => {
  const explorer = await explore();
  await explorer.row(3).click();
  await explorer.row(7).click({ modifiers: ["Shift"] });
  const uuid = await explorer.row(3).locator("[aria-colindex='2']").getAttribute("title");
  await exportButton(explorer).click();
  expect(await explorer.contents.getByRole("radio", { name: "selected (5)" }).isChecked()).toBe(true);
  const target = path.join(folder, "few");
  await field(explorer).fill(target);
  await explorer.contents.getByRole("button", { name: "Write" }).click();
  await explorer.contents.getByText(/^5 rows in/).waitFor();
  expect(existsSync(path.join(target, "lookup.parquet"))).toBe(true);
  await field(explorer).press("Escape");
  await openLookup(explorer, path.join(target, "lookup.parquet"));
  await explorer.contents.getByText("5 records").waitFor();
  await explorer.row(1).locator(`[title="${uuid}"]`).waitFor();
  await explorer.viewer.getByText(/few.*_images\.h5/).waitFor();
});

test("what cannot be written says why", async () => {
  const explorer = await explore();
  await exportButton(explorer).click();
  await field(explorer).fill(path.join(folder, "lookup.parquet", "below.csv"));
  await field(explorer).press("Enter");
  await explorer.contents.getByRole("alert").waitFor();
});
