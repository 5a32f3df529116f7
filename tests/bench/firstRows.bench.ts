/**
 * How long it takes from a lookup of 10 million rows that is given, to its first rows on the screen, and from a row's
 * number to rows deep in it: in the page without a kernel, and in one beside a warm kernel. Writes figures; asserts none.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { openTab, startBrowser } from "../support/chromium";
import { startOpen } from "../support/opened";
import { newFolder, root, runModule } from "../support/python";

jest.setTimeout(900_000);

const ROWS = 10_000_000;
const TURNS = 9;

/** What takes longer than this many milliseconds counts as never. */
const PATIENCE_MS = 20_000;

const DEEP = [9_876_543, 4_321_012, 7_000_001, 1_234_567, 5_555_555, 8_080_808];
const FORMS = { "1Mi groups": "lookup-1mi.parquet", "giant groups": "lookup-giant.parquet" } as const;

const cached = path.join(root, ".cache", "bench");
const folder = path.join(cached, "10m");
const figures: Record<string, number> = {};
const site = path.join(newFolder("bench-page"), "site");
let browser: Browser;
let server: Server;

beforeAll(async () => {
  runModule("h5explorer_py", "page", site);
  for (const form of Object.keys(FORMS)) runModule("tests.bench.figures.lookups", folder, form, String(ROWS));
  browser = await startBrowser();
  server = createServer((request, response) => {
    const name = (request.url ?? "/").split("/").at(-1) || "index.html";
    const type = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" }[path.extname(name)];
    try {
      const body = readFileSync(path.join(site, name));
      response.writeHead(200, { "content-type": type ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  mkdirSync(cached, { recursive: true });
  writeFileSync(path.join(cached, "first-rows.json"), JSON.stringify(figures, null, 2));
  server.close();
  await browser.close();
});

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Has the page measure from the next event of a kind until the rows are painted, the one with a number among them. */
async function watch(page: Page, event: "change" | "keydown", row: number): Promise<() => Promise<number>> {
  const handle = await page.evaluateHandle(
    ({ event, row, total, patience }) => {
      const isPainted = () => {
        const rows = [...document.querySelectorAll("[role=grid] [role=row][aria-busy]")];
        const isThere = rows.some((each) => each.getAttribute("aria-rowindex") === String(row));
        const grid = document.querySelector("[role=grid]")?.getAttribute("aria-rowcount");
        return isThere && grid === total && rows.every((each) => each.getAttribute("aria-busy") === "false");
      };
      return {
        took: new Promise<number>((resolve) => {
          const given = () => {
            const begun = performance.now();
            const look = () => {
              const ms = performance.now() - begun;
              if (isPainted()) requestAnimationFrame(() => resolve(performance.now() - begun));
              else if (ms > patience) resolve(Number.POSITIVE_INFINITY);
              else setTimeout(look, 1);
            };
            setTimeout(look, 1);
          };
          window.addEventListener(event, given, { once: true, capture: true });
        }),
      };
    },
    { event, row, total: String(ROWS), patience: PATIENCE_MS },
  );
  return () => handle.evaluate(({ took }) => took);
}

async function deepRows(page: Page): Promise<number[]> {
  const search = page.getByRole("searchbox", { name: /row number/ });
  const times: number[] = [];
  for (const row of DEEP) {
    await search.fill(String(row));
    const took = await watch(page, "keydown", row);
    await search.press("Enter");
    times.push(await took());
    await page.waitForTimeout(150);
  }
  return times;
}

test.each(Object.entries(FORMS))("%s", async (form, name) => {
  const file = path.join(folder, name);
  const times: Record<"cold" | "again" | "kernel" | "deep" | "kernelDeep", number[]> = {
    cold: [],
    again: [],
    kernel: [],
    deep: [],
    kernelDeep: [],
  };
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { page, context } = await openTab(browser);
    await page.goto(address);
    await page.waitForTimeout(1_500); // a person takes longer to choose a file
    for (const kind of ["cold", "again"] as const) {
      const took = await watch(page, "change", 1);
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Choose files" }).click();
      await (await chooser).setFiles([file]);
      times[kind].push(await took());
      await page.waitForTimeout(300);
      if (kind === "cold") await page.getByRole("button", { name: "Open other files" }).click();
    }
    if (turn < 2) times.deep.push(...(await deepRows(page)));
    await context.close();
  }

  const small = path.join(newFolder("bench-small"), "small");
  runModule("tests.fixtures.datasets", small);
  const opened = await startOpen(path.join(small, "lookup.parquet"), "--no-cache");
  try {
    const { page, context } = await openTab(browser);
    await page.goto(opened.address);
    const openIt = async (which: string) => {
      await page.getByRole("button", { name: "Open", exact: true }).click();
      await page.getByRole("textbox", { name: /^(Path|Address)/ }).fill(which);
      const took = await watch(page, "keydown", 1);
      await page.keyboard.press("Enter");
      return took;
    };
    for (let turn = 0; turn < TURNS + 2; turn += 1) {
      const took = await openIt(file);
      const ms = await took();
      if (turn > 1) times.kernel.push(ms);
      await page.waitForTimeout(300);
      if (turn < 2) times.kernelDeep.push(...(await deepRows(page)));
      await openIt(path.join(small, "lookup.parquet"));
      await page.locator("[role=grid][aria-rowcount='323']").waitFor();
      await page.waitForTimeout(300);
    }
    await context.close();
  } finally {
    await opened.running.end();
  }
  const what = `10 million rows, ${form}`;
  figures[`${what}: page, first rows, ms`] = median(times.cold);
  figures[`${what}: page, opened again, ms`] = median(times.again);
  figures[`${what}: kernel, first rows, ms`] = median(times.kernel);
  figures[`${what}: first rows, page / kernel`] = median(times.cold) / median(times.kernel);
  figures[`${what}: page, deep rows, ms`] = median(times.deep);
  figures[`${what}: kernel, deep rows, ms`] = median(times.kernelDeep);
  figures[`${what}: deep rows, page / kernel`] = median(times.deep) / median(times.kernelDeep);
});
