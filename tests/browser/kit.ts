/** What the browser tests share: a page with explorers, and its parts by role. */

import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { type Site, startSite } from "../support/site";
import type { Setup } from "./page/page";

jest.setTimeout(60_000);

/** Starts a browser and a server for the tests of a file. */
export function useSite(lookup?: () => string): { readonly open: typeof open } {
  let browser: Browser;
  let site: Site;
  const tabs: Tab[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    site = await startSite(lookup?.());
  });

  afterEach(async () => {
    for (const { context, strayRequests, complaints } of tabs.splice(0)) {
      expect(strayRequests).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    }
  });

  afterAll(async () => {
    site.close();
    await browser.close();
  });

  async function open(setup: Setup = {}, options: BrowserContextOptions = {}): Promise<Explorer> {
    const tab = await openTab(browser, options);
    tabs.push(tab);
    await tab.page.goto(site.address);
    await mount(tab.page, setup);
    return new Explorer(tab.page, tab.page.locator(".h5x-root").first(), 0);
  }

  return { open };
}

/** Mounts one more explorer on a page; returns its number. */
export async function mount(page: Page, setup: Setup): Promise<number> {
  return (await page.evaluate((given) => window.mount(given), setup)) - 1;
}

/** One explorer of a page, by the roles that a screen reader finds. */
export class Explorer {
  constructor(
    readonly page: Page,
    readonly root: Locator,
    readonly number: number,
  ) {}

  get contents(): Locator {
    return this.root.getByRole("region", { name: "Dataset Contents" });
  }

  get viewer(): Locator {
    return this.root.getByRole("region", { name: "Image Viewer" });
  }

  get metadata(): Locator {
    return this.root.getByRole("region", { name: "Metadata" });
  }

  get grid(): Locator {
    return this.contents.getByRole("grid");
  }

  get slider(): Locator {
    return this.contents.getByRole("slider", { name: "Row" });
  }

  get search(): Locator {
    return this.contents.getByRole("searchbox");
  }

  get table(): Locator {
    return this.metadata.getByRole("table");
  }

  /** The row of a number, from 1. */
  row(number: number): Locator {
    return this.grid.locator(`[role=row][aria-rowindex="${number}"]`);
  }

  /** The picture of a row counted from 0. */
  picture(row: number): Locator {
    return this.viewer.getByRole("img", { name: uuidOf(row) });
  }

  get thumbnailsButton(): Locator {
    return this.contents.getByRole("button", { name: "Show as thumbnails" });
  }

  /** The small picture of a row counted from 0. */
  thumbnail(row: number): Locator {
    return this.grid.getByRole("img", { name: uuidOf(row), exact: true });
  }

  /** The cell of a row's thumbnail, counted from 0. */
  cell(row: number): Locator {
    return this.grid.locator(`[role=gridcell][id$="-${row}"]`);
  }

  /** The rows that have a cell, counted from 0, in the order of the page. */
  async cells(): Promise<readonly number[]> {
    return this.grid
      .locator("[role=gridcell]")
      .evaluateAll((cells) => cells.map((cell) => Number(cell.id.split("-").at(-1))));
  }

  /** The rows that are listed, by their numbers from 1, and their text. */
  async listed(): Promise<readonly { readonly number: number; readonly text: string }[]> {
    return this.grid
      .locator("[role=row]")
      .evaluateAll((rows) =>
        rows.map((row) => ({ number: Number(row.getAttribute("aria-rowindex")), text: row.textContent ?? "" })),
      );
  }

  /** The colour of a point of the picture's canvas, in CSS pixels from its left upper corner. */
  colourAt(canvas: Locator, x: number, y: number): Promise<readonly number[]> {
    return canvas.evaluate(
      (element, at) => {
        if (!(element instanceof HTMLCanvasElement)) throw new Error("no canvas");
        const context = element.getContext("2d");
        return [...(context?.getImageData(at.x * devicePixelRatio, at.y * devicePixelRatio, 1, 1).data ?? [])];
      },
      { x, y },
    );
  }
}

export const uuidOf = (row: number) => `${(row + 0x10000000).toString(16)}-0000-4000-8000-000000000000`;

/** Waits until a condition holds. */
export async function until(holds: () => Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`It did not come to be in ${ms} ms that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
