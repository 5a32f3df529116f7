import { readFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { Explorer } from "../browser/kit";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { type Marimo, startMarimo } from "../support/marimo";
import { newFolder, root, runModule } from "../support/python";

jest.setTimeout(120_000);

let browser: Browser;
let app: Marimo;
let editor: Marimo;
let uuids: readonly string[];
const tabs: Tab[] = [];

beforeAll(async () => {
  const data = path.join(newFolder("marimo-data"), "data");
  runModule("tests.fixtures.datasets", data);
  const expected: { rows: [string | null, string | null][] } = JSON.parse(
    readFileSync(path.join(data, "expected.json"), "utf8"),
  );
  uuids = expected.rows.map((row) => row[0] ?? "");
  const cells = [
    "import marimo as mo\nfrom h5explorer_py import Explorer",
    `shown = mo.ui.anywidget(Explorer(${JSON.stringify(path.join(data, "lookup.parquet"))}))\nshown`,
    `plain = Explorer(${JSON.stringify(path.join(data, "shard_001_images.h5"))})\nplain`,
    `mo.md(f"Python has {shown.value['current']}")`,
  ];
  [browser, app, editor] = await Promise.all([
    startBrowser(),
    startMarimo("run", cells, "dark"),
    startMarimo("edit", cells, "light"),
  ]);
});

afterEach(async () => {
  for (const { context, page, strayRequests } of tabs.splice(0)) {
    await page.screenshot({ path: path.join(root, ".cache", "last.png") });
    expect(strayRequests).toEqual([]); // marimo's own included
    await context.close();
  }
});

afterAll(async () => {
  await Promise.all([browser.close(), app.running.end(), editor.running.end()]);
});

async function open(address: string): Promise<Page> {
  const tab = await openTab(browser, { viewport: { width: 1400, height: 1000 } });
  tabs.push(tab);
  await tab.page.goto(address);
  return tab.page;
}

const explorerOf = (page: Page, nth: number) => new Explorer(page, page.locator(".h5x-root").nth(nth), nth);
const background = (explorer: Explorer) => explorer.root.evaluate((each) => getComputedStyle(each).backgroundColor);

/** Waits for the picture of a row of the data set. */
const picture = (explorer: Explorer, row: number) =>
  explorer.viewer.getByRole("img", { name: uuids[row] ?? "" }).waitFor({ timeout: 30_000 });
const record = (explorer: Explorer, row: number) =>
  explorer.table.getByText(uuids[row] ?? "", { exact: true }).waitFor({ timeout: 30_000 });

test("an app shows rows, pictures and metadata of both explorers, and Python knows what is chosen", async () => {
  const page = await open(app.address);
  const [shown, plain] = [explorerOf(page, 0), explorerOf(page, 1)];
  await shown.contents.getByText(`${uuids.length} records`).waitFor({ timeout: 60_000 });
  await plain.contents.getByText("100 records").waitFor();
  await picture(shown, 0);
  await picture(plain, 100);
  await shown.row(6).click();
  await picture(shown, 5);
  await record(shown, 5);
  await shown.table.getByText("9007199254740998").waitFor();
  await page.getByText("Python has 5").waitFor();
  await plain.row(4).click();
  await picture(plain, 103);
  await record(plain, 103);
  await shown.search.fill("250");
  await shown.search.press("Enter");
  await picture(shown, 249);
  await page.getByText("Python has 249").waitFor();
  expect(await background(shown)).toBe("rgb(30, 30, 30)"); // the page is dark
});

test("a notebook shows them too, and keeps its cells whatever key is pressed in the widget", async () => {
  const page = await open(editor.address);
  await page.locator(".marimo-cell .cm-content").first().waitFor({ timeout: 60_000 });
  await page.getByTestId("run-button").last().click(); // that of the page, after those of the cells
  const shown = explorerOf(page, 0);
  await picture(shown, 0);
  expect(await background(shown)).toBe("rgb(255, 255, 255)");
  const cells = await page.locator(".marimo-cell").count();
  await shown.row(1).click();
  for (const key of ["ArrowDown", "a", "b", "d", "d", "x", "m", "End", "Home", "ArrowDown"])
    await page.keyboard.press(key);
  await picture(shown, 1);
  await record(shown, 1);
  await shown.search.fill("");
  await shown.search.pressSequentially("abdd 12");
  expect(await shown.search.inputValue()).toBe("abdd 12");
  expect(await page.locator(".marimo-cell").count()).toBe(cells);
});
