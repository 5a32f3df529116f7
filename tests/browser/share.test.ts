/** A shared page as a colleague gets it: one file, opened from the disk, with nothing beside it. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { makeData } from "../contract/expected";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { newFolder, venvProgram } from "../support/python";
import { violations } from "./axe";
import { type Explorer, useSite } from "./kit";
import { explorerOf } from "./plainKit";

jest.setTimeout(120_000);

const { folder, expected } = makeData();
const lookup = path.join(folder, "lookup.parquet");
const file = path.join(newFolder("shared"), "page.html");
const { open } = useSite(() => lookup);
let browser: Browser;
const tabs: Tab[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  const script =
    "import sys; from h5explorer_py import Explorer; ex = Explorer(sys.argv[1], cache=False); ex.share(sys.argv[2], rows='view'); ex.close()";
  execFileSync(venvProgram("python"), ["-c", script, lookup, file]);
});

afterEach(async () => {
  for (const { context, strayRequests, complaints } of tabs.splice(0)) {
    expect(strayRequests).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  }
});

afterAll(() => browser.close());

async function openShared(address = file, colorScheme: "light" | "dark" = "light"): Promise<Explorer> {
  const tab = await openTab(browser, { colorScheme });
  tabs.push(tab);
  await tab.page.goto(pathToFileURL(address).href);
  return explorerOf(tab.page);
}

/** What the metadata panel shows. */
const recordOf = (explorer: Explorer) => explorer.table.getByRole("row").allInnerTexts();

test("it shows rows, pictures and records as the explorer itself does", async () => {
  const shared = await openShared();
  const live = await open({ kernel: true });
  for (const explorer of [shared, live]) await explorer.row(1).waitFor();
  expect(await shared.grid.getAttribute("aria-rowcount")).toBe(await live.grid.getAttribute("aria-rowcount"));
  for (const row of [0, 1, 150]) {
    const [uuid = ""] = expected.rows[row] ?? [];
    for (const explorer of [shared, live]) {
      await explorer.search.fill(`uuid:${uuid}`);
      await explorer.search.press("Enter");
      await explorer.viewer.getByRole("img", { name: uuid ?? "" }).waitFor();
      await explorer.table.getByText(`name ${row}`, { exact: true }).waitFor();
    }
    expect(await recordOf(shared)).toEqual(await recordOf(live));
  }
});

test("what could not be had says why, and the rest goes on", async () => {
  const shared = await openShared();
  await shared.search.fill(String((expected.bad.truncated_jpeg ?? 0) + 1));
  await shared.search.press("Enter");
  await shared.viewer.getByRole("alert").waitFor();
  expect(await shared.viewer.getByRole("alert").textContent()).toMatch(/cut short.*when the page was made/s);
});

test("it has no control that needs more than the page", async () => {
  const shared = await openShared();
  await shared.row(1).waitFor();
  for (const name of ["Open", "Export rows", "Share rows", "Copy as Python"]) {
    expect(await shared.contents.getByRole("button", { name, exact: true }).count()).toBe(0);
  }
  expect(await shared.viewer.getByText(/read in|kernel/).count()).toBe(0);
});

test("rows become thumbnails", async () => {
  const shared = await openShared();
  await shared.contents.getByRole("button", { name: "Show as thumbnails" }).click();
  await shared.contents.locator("canvas[role=img]").first().waitFor();
});

test.each(["light", "dark"] as const)("axe finds nothing, %s", async (scheme) => {
  const shared = await openShared(file, scheme);
  await shared.row(1).waitFor();
  expect(await violations(shared.page)).toEqual([]);
});

test("selected rows are downloaded from the panel, and the file opens", async () => {
  const live = await open({ kernel: true });
  await live.row(3).click();
  await live.row(6).click({ modifiers: ["Shift"] });
  const uuid = await live.row(3).locator("[aria-colindex='2']").getAttribute("title");
  await live.contents.getByRole("button", { name: "Share rows" }).click();
  expect(await live.contents.getByRole("radio", { name: "selected (4)" }).isChecked()).toBe(true);
  const download = live.page.waitForEvent("download");
  await live.contents.getByRole("button", { name: "Download page" }).click();
  const saved = path.join(newFolder("downloads"), "rows.html");
  expect((await download).suggestedFilename()).toBe("lookup-rows.html");
  await (await download).saveAs(saved);
  await live.contents.getByText(/^4 rows in lookup-rows\.html, /).waitFor();
  expect(readFileSync(saved, "utf8").startsWith("<!doctype html>")).toBe(true);
  await live.page.keyboard.press("Escape");
  const shared = await openShared(saved);
  await shared.viewer.getByRole("img", { name: uuid ?? "" }).waitFor();
  expect(await shared.grid.getAttribute("aria-rowcount")).toBe("4");
});
