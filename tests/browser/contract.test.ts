/** The contract on the source of a page without a kernel, in a real browser: dropped files, and files at an address. */

import type { Browser, Page } from "playwright-core";
import { type Expected, makeData } from "../contract/expected";
import { readPictures } from "../contract/pictures";
import { contract, type UnderTest } from "../contract/source";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { FileServer } from "../support/files";
import { PageSource } from "../support/pageSource";
import { type Site, startSite } from "../support/site";

jest.setTimeout(60_000);

const { folder, expected } = makeData();
const pictures = readPictures(folder, expected);
const data = new FileServer(folder);
let browser: Browser;
let site: Site;
const tabs: Tab[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  site = await startSite(undefined, "", data);
});

afterAll(async () => {
  site.close();
  await browser.close();
});

async function openPage(): Promise<Page> {
  const tab = await openTab(browser);
  tabs.push(tab);
  await tab.page.goto(`${site.address}plain`);
  return tab.page;
}

const bytesOf = (row: number): Uint8Array => {
  const bytes = pictures.get(row);
  if (bytes === undefined) throw new Error(`row ${row} has no picture`);
  return bytes;
};

function under(page: Page, opened: UnderTest["opened"], base: string): UnderTest {
  return {
    source: new PageSource(page),
    opened,
    expected: expected satisfies Expected,
    bytesOf,
    another: { path: `${base}header_only.parquet`, records: 0 },
    refused: { path: `${base}wrong_columns.parquet`, code: "wrong_columns" },
    close: () => void page.close(),
  };
}

contract("the browser, of dropped files", async () => {
  const page = await openPage();
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.webkitdirectory = true;
    document.body.append(input);
  });
  await page.setInputFiles("input[type=file]", folder);
  return under(page, await page.evaluate(() => window.bare.open(null)), "data/");
});

contract("the browser, of files at an address", async () => {
  const page = await openPage();
  const base = `${site.address}data/`;
  return under(page, await page.evaluate((address) => window.bare.open(address), `${base}lookup.parquet`), base);
});

test("the policy of the page was never broken, and no other host was asked", () => {
  for (const { strayRequests, complaints } of tabs) {
    expect(strayRequests).toEqual([]);
    // Files that are not there are asked for all the same.
    expect(complaints.filter((text) => !text.includes("404 (Not Found)"))).toEqual([]);
  }
});
