/** A folder of pictures that was made into shards, as a real `h5explorer open` shows it. */

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Browser } from "playwright-core";
import { openTab, startBrowser } from "../support/chromium";
import { type OpenedServer, startOpen } from "../support/opened";
import { newFolder, runModule } from "../support/python";
import { Explorer } from "./kit";

jest.setTimeout(120_000);

const folder = path.join(newFolder("converted"), "made");
runModule("tests.fixtures.converted", folder);
const rows: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(path.join(folder, "expected.json"), "utf8"),
);

let browser: Browser;
let server: OpenedServer;

beforeAll(async () => {
  browser = await startBrowser();
  server = await startOpen(path.join(folder, "data", "lookup.parquet"));
});

afterAll(async () => {
  await server.running.end();
  await browser.close();
});

test("each row has its picture and its record, and says what is wrong where there is none", async () => {
  const tab = await openTab(browser);
  await tab.page.goto(server.address);
  const explorer = new Explorer(tab.page, tab.page.locator(".h5x-root").first(), 0);
  await explorer.contents.getByText("10 records").waitFor();
  for (const [row, [uuid, name]] of rows.entries()) {
    await explorer.row(row + 1).click();
    await explorer.table.getByText(uuid, { exact: true }).waitFor();
    await explorer.table.getByText(name, { exact: true }).waitFor();
    await explorer.table.getByText(`species of ${name}`, { exact: true }).waitFor();
    await explorer.table.getByText(path.join(folder, "pictures", name), { exact: true }).waitFor();
    if (name === "text.jpg") {
      await explorer.viewer.getByRole("alert").first().waitFor();
      await explorer.table.getByText(/no picture of a known format/).waitFor();
    } else if (name === "deep.tif") {
      await explorer.viewer.getByText(/TIFF/).first().waitFor(); // pages show none
    } else {
      await explorer.viewer.getByRole("img", { name: uuid, exact: true }).waitFor();
    }
  }
  expect(tab.strayRequests).toEqual([]);
  expect(tab.complaints).toEqual([]);
});
