/**
 * How long it takes from a click to the screen, and from a cell to its first rows, in a real JupyterLab: the explorer
 * against other widgets in the same page, turn by turn. Writes figures and ratios; asserts no times.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { until } from "../browser/kit";
import { openTab, startBrowser } from "../support/chromium";
import { type Lab, Notebook, startLab, writeNotebook } from "../support/lab";
import { root } from "../support/python";

jest.setTimeout(900_000);

const CLICKS = 48;
const RUNS = 7;
const figures: Record<string, number> = {};
const cached = path.join(root, ".cache", "bench");
let browser: Browser;
let lab: Lab;

beforeAll(async () => {
  [browser, lab] = await Promise.all([startBrowser(), startLab()]);
});

afterAll(async () => {
  mkdirSync(cached, { recursive: true });
  writeFileSync(path.join(cached, "widgets.json"), JSON.stringify(figures));
  await browser.close();
  await lab.running.end();
});

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const python = (value: unknown) => JSON.stringify(value);

async function open(name: string, cells: readonly string[]): Promise<{ page: Page; notebook: Notebook }> {
  const { page } = await openTab(browser, { viewport: { width: 1500, height: 2600 } });
  const first = `import os, sys\nsys.path.insert(0, ${python(root)})\nfrom tests.bench.baselines import Ancestor, Empty, Minimal\nfrom h5explorer_py import Explorer`;
  const file = writeNotebook(lab.folder, `${name}.ipynb`, [first, ...cells]);
  const notebook = await Notebook.open(page, lab.base, file, `?token=${lab.token}&workspace=auto-${name}&reset`);
  await notebook.run(0);
  return { page, notebook };
}

/** Clicks a widget's row in the page; milliseconds until what tells that it is painted, and until the next frame. */
function clickAndWait(page: Page, widget: "explorer" | "minimal" | "ancestor", row: number): Promise<number> {
  return page.evaluate(
    ([kind, number]) =>
      new Promise<number>((resolve, reject) => {
        const frame = document.querySelector(kind === "explorer" ? ".h5x-root" : `.baseline.${kind}`);
        const target = frame?.querySelector<HTMLElement>(
          kind === "explorer" ? `[role=row][aria-rowindex="${Number(number) + 1}"]` : `[data-row="${number}"]`,
        );
        if (!frame || !target) {
          reject(new Error(`no row ${number} in ${kind}`));
          return;
        }
        const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(target.textContent ?? "")?.[0] ?? "?";
        const shown = () =>
          kind === "explorer"
            ? frame.querySelector("[role=img]")?.getAttribute("aria-label") === uuid &&
              (frame.querySelector("table")?.textContent ?? "").includes(uuid)
            : frame.querySelector("table")?.dataset.row === String(number);
        const begun = performance.now();
        const end = () => {
          watching.disconnect();
          clearTimeout(late);
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port2.onmessage = () => resolve(performance.now() - begun);
            port1.postMessage(null);
          });
        };
        const watching = new MutationObserver(() => {
          if (shown()) end();
        });
        watching.observe(frame, { subtree: true, childList: true, attributes: true, characterData: true });
        const late = setTimeout(() => reject(new Error(`row ${number} of ${kind} is not shown`)), 10_000);
        target.click();
        if (shown()) end();
      }),
    [widget, row] as const,
  );
}

describe.each([
  ["demo shards", path.join(root, "demo-data"), 1_000],
  ["100,000 images", path.join(cached, "large"), 100_000],
] as const)("click to picture and metadata painted, %s", (name, folder, total) => {
  test("is measured", async () => {
    const places = Array.from({ length: 2 + CLICKS / 2 }, (_, index) => 20 + Math.floor((index * (total - 60)) / 30));
    const rows = places.flatMap((place) => [place, place + 1]);
    const { page, notebook } = await open(`click-${total}`, [
      `Explorer(${python(path.join(folder, "lookup.parquet"))})`,
      `Minimal(${python(folder)}, ${python(rows)})`,
      `Ancestor(${python(folder)}, ${python(rows)})`,
    ]);
    for (const cell of [1, 2, 3]) await notebook.run(cell);
    const explorer = notebook.explorers(1);
    const search = explorer.getByRole("searchbox", { name: "Go to" });
    await search.waitFor();
    const times: Record<"explorer" | "minimal" | "ancestor" | "explorer at once", number[]> = {
      explorer: [],
      minimal: [],
      ancestor: [],
      "explorer at once": [],
    };
    /** Goes to a row; returns the rows that are listed then, from 0. */
    const goTo = async (row: number): Promise<readonly number[]> => {
      await search.fill(String(row + 1));
      await search.press("Enter");
      const listed = explorer.locator("[role=row][aria-busy=false]");
      let numbers: number[] = [];
      await until(async () => {
        numbers = await listed.evaluateAll((all) => all.map((each) => Number(each.getAttribute("aria-rowindex")) - 1));
        return numbers.includes(row) && numbers.length > 12;
      }, `rows near ${row} are listed`);
      return numbers.sort((left, right) => left - right);
    };
    const farFrom = (row: number, listed: readonly number[]) => {
      const far = listed.slice(1, -1).filter((each) => Math.abs(each - row) > 4);
      return [far[0] ?? 0, far.at(-1) ?? 0] as const;
    };
    for (const [turn, place] of places.entries()) {
      const [first, last] = farFrom(place, await goTo(place));
      await page.waitForTimeout(400);
      for (const [index, row] of [first, last].entries()) {
        for (const kind of ["minimal", "explorer", "ancestor"] as const) {
          const time = await clickAndWait(page, kind, kind === "explorer" ? row : place + index);
          if (turn >= 2) times[kind].push(time);
          await page.waitForTimeout(150);
        }
      }
      const [other] = farFrom(place + 24, await goTo(place + 24));
      if (turn >= 2) times["explorer at once"].push(await clickAndWait(page, "explorer", other));
    }
    for (const [kind, all] of Object.entries(times)) figures[`click, ${name}: ${kind}, ms`] = median(all);
    figures[`click, ${name}: explorer / minimal widget`] = median(times.explorer) / median(times.minimal);
    figures[`click, ${name}: explorer / ancestor's method`] = median(times.explorer) / median(times.ancestor);
    await page.context().close();
  });
});

test("cell run to first rows painted, against an empty widget", async () => {
  const { page, notebook } = await open("first", [
    "Empty()",
    `Explorer(${python(path.join(root, "demo-data", "lookup.parquet"))})`,
  ]);
  const run = async (cell: number, selector: string, text: RegExp) => {
    await page.evaluate(
      ([css, source]) => {
        const pattern = new RegExp(source);
        const before = new Set(document.querySelectorAll(css));
        const pressed = new AbortController();
        window.addEventListener(
          "keydown",
          (event) => {
            if (event.key !== "Enter") return;
            pressed.abort();
            const begun = performance.now();
            const look = () => {
              const found = [...document.querySelectorAll(css)].some(
                (each) => !before.has(each) && pattern.test(each.textContent ?? ""),
              );
              if (found)
                requestAnimationFrame(() => document.body.setAttribute("data-took", String(performance.now() - begun)));
              else setTimeout(look, 4);
            };
            look();
          },
          { signal: pressed.signal, capture: true },
        );
        document.body.removeAttribute("data-took");
      },
      [selector, text.source] as const,
    );
    await notebook.cell(cell).locator(".cm-content").click();
    await page.keyboard.press("Control+Enter");
    let took = "";
    await until(async () => {
      took = (await page.locator("body").getAttribute("data-took")) ?? "";
      return took !== "";
    }, "the widget shows");
    await notebook.idle();
    return Number(took);
  };
  const empty: number[] = [];
  const explorer: number[] = [];
  for (let turn = 0; turn < RUNS; turn += 1) {
    empty.push(await run(1, ".empty-widget", /here/));
    explorer.push(await run(2, ".h5x-root [role=row]", /[0-9a-f]{8}-/));
  }
  figures["first rows: empty widget, ms"] = median(empty);
  figures["first rows: explorer, first of this kernel, ms"] = explorer[0] ?? 0;
  figures["first rows: explorer, ms"] = median(explorer);
  figures["first rows: explorer - empty widget, ms"] = median(explorer) - median(empty);
  await page.context().close();
});
