/** What the tests of the page without a kernel share. */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { FileServer } from "../support/files";
import { type Site, startSite } from "../support/site";
import { Explorer } from "./kit";

/** Starts a browser, and a server of the page and of the files of a folder. */
export function usePlain(folder: string) {
  const data = new FileServer(folder);
  const started: { browser?: Browser; site?: Site } = {};
  const tabs: Tab[] = [];

  beforeAll(async () => {
    started.browser = await startBrowser();
    started.site = await startSite(undefined, "", data);
  });

  afterEach(async () => {
    for (const { context, strayRequests, complaints } of tabs.splice(0)) {
      expect(strayRequests).toEqual([]);
      // A file that is not there is asked for all the same, and the browser notes that; a policy that is broken, too.
      expect(complaints.filter((text) => !/status of (404|503)/.test(text))).toEqual([]);
      await context.close();
    }
  });

  afterAll(async () => {
    started.site?.close();
    await started.browser?.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const tab = await openTab(browser(), options);
    tabs.push(tab);
    await tab.page.goto(`${site()}plain`);
    return tab.page;
  }

  /** Opens the page with its first screen. */
  async function openScreen(options: BrowserContextOptions = {}, patienceMs?: number): Promise<Page> {
    const page = await open(options);
    await page.evaluate((ms) => window.mountPlain(ms), patienceMs);
    return page;
  }

  function browser(): Browser {
    if (started.browser === undefined) throw new Error("the browser has not started");
    return started.browser;
  }

  const site = () => started.site?.address ?? "";
  return { data, open, openScreen, browser, address: (file: string) => `${site()}data/${file}` };
}

/** The explorer of a page, once something is open. */
export function explorerOf(page: Page): Explorer {
  return new Explorer(page, page.locator(".h5x-columns, .h5x-stack").first(), 0);
}

/** Has a page without a screen choose files, for its bare source. */
export async function choose(page: Page, ...files: readonly string[]): Promise<void> {
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    document.body.append(input);
  });
  await page.setInputFiles("input[type=file]", files);
}
