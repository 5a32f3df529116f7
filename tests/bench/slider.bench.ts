/**
 * How long it takes from the slider's release to its rows on the screen, in lookups of 10 and 200 million rows, against
 * a widget that has the same bytes at hand; and what a drag over all rows costs. Writes figures; asserts no times.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { openTab, startBrowser } from "../support/chromium";
import { type Lab, Notebook, startLab, writeNotebook } from "../support/lab";
import { root } from "../support/python";

jest.setTimeout(900_000);

const RELEASES = 24;
const figures: Record<string, number> = {};
const cached = path.join(root, ".cache", "bench");
let browser: Browser;
let lab: Lab;

beforeAll(async () => {
  [browser, lab] = await Promise.all([startBrowser(), startLab()]);
});

afterAll(async () => {
  mkdirSync(cached, { recursive: true });
  writeFileSync(path.join(cached, "slider.json"), JSON.stringify(figures));
  await browser.close();
  await lab.running.end();
});

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const median = (numbers: readonly number[]) => sorted(numbers)[Math.floor(numbers.length / 2)] ?? 0;
const python = (value: unknown) => JSON.stringify(value);

/** Has the page measure from the next release of the pointer until something is true and painted. */
async function watch(page: Page, painted: string): Promise<() => Promise<number>> {
  const handle = await page.evaluateHandle((source) => {
    const isPainted: unknown = new Function(`return ${source}`)();
    if (typeof isPainted !== "function") throw new Error("no function");
    return {
      took: new Promise<number>((resolve) => {
        const release = () => {
          const begun = performance.now();
          const look = () => {
            if (isPainted()) requestAnimationFrame(() => resolve(performance.now() - begun));
            else setTimeout(look, 2);
          };
          look();
        };
        window.addEventListener("pointerup", release, { once: true, capture: true });
      }),
    };
  }, painted);
  return () => handle.evaluate(({ took }) => took);
}

async function drag(page: Page, track: Locator, vertical: boolean, from: number, to: number, steps: number) {
  const box = await track.boundingBox();
  if (box === null) throw new Error("there is no slider");
  const at = (part: number) =>
    vertical
      ? ([box.x + box.width / 2, box.y + 12 + part * (box.height - 24)] as const)
      : ([box.x + 8 + part * (box.width - 16), box.y + box.height / 2] as const);
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps });
}

// As lookups are, indexed; and of rows whose uuids repeat, read without an index: 200 million take little room so.
test.each([
  { rows: 10_000_000, indexed: true },
  { rows: 200_000_000, indexed: false },
])("slider released to rows painted, $rows rows", async ({ rows, indexed }) => {
  const file = path.join(cached, `rows-${rows / 1e6}m.parquet`);
  const folder = path.join(cached, "10m");
  const lookup = indexed
    ? `make_lookup(Path(${python(folder)}), "1Mi groups", ${rows})`
    : `make_repeating(${python(file)}, ${rows})`;
  const { page } = await openTab(browser, { viewport: { width: 1500, height: 1600 } });
  const first = `import sys\nsys.path.insert(0, ${python(root)})\nfrom pathlib import Path\nfrom tests.bench.rows import MinimalRows, make_repeating\nfrom tests.bench.figures.lookups import make_lookup\nfrom h5explorer_py import Explorer\nlookup = ${lookup}`;
  const cache = indexed ? python(path.join(folder, "cache")) : "False";
  const prepared = indexed ? "ex.prepare()\n" : "";
  const cells = [first, `ex = Explorer(lookup, cache=${cache}, height=600)\n${prepared}ex`, `MinimalRows(${rows})`];
  const notebookFile = writeNotebook(lab.folder, `slider-${rows}.ipynb`, cells);
  const notebook = await Notebook.open(
    page,
    lab.base,
    notebookFile,
    `?token=${lab.token}&workspace=auto-s${rows}&reset`,
  );
  for (const cell of [0, 1, 2]) await notebook.run(cell);
  const explorer = notebook.explorers(1);
  const slider = explorer.getByRole("slider", { name: "Row" });
  await explorer.locator("[role=row][aria-busy=false]").first().waitFor();
  const minimal = page.locator(".baseline.rows input");
  await minimal.waitFor();
  const times: Record<"explorer" | "minimal", number[]> = { explorer: [], minimal: [] };
  const painted = {
    explorer: `() => { const rows = [...document.querySelectorAll(".h5x-root [role=row]")]; return rows.length > 3 && rows.every((row) => row.getAttribute("aria-busy") === "false") && Math.abs(Number(rows[0].getAttribute("aria-rowindex")) - Number(document.querySelector(".h5x-root [role=slider]").getAttribute("aria-valuenow"))) < 40; }`,
    minimal: `() => document.querySelector(".baseline.rows div").dataset.start === document.querySelector(".baseline.rows input").value`,
  };
  for (let turn = 0; turn < RELEASES; turn += 1) {
    const to = 0.03 + (((turn * 37) % 89) / 89) * 0.94;
    for (const [kind, track, vertical] of [
      ["minimal", minimal, false],
      ["explorer", slider, true],
    ] as const) {
      await track.scrollIntoViewIfNeeded();
      const took = await watch(page, painted[kind]);
      await drag(page, track, vertical, 0.5, to, 3);
      await page.mouse.up();
      const ms = await took();
      if (turn > 1) times[kind].push(ms);
      await page.waitForTimeout(120);
    }
  }
  const name = `slider, ${rows / 1e6} million rows`;
  figures[`${name}: explorer, ms`] = median(times.explorer);
  figures[`${name}: minimal, ms`] = median(times.minimal);
  figures[`${name}: explorer / minimal widget`] = median(times.explorer) / median(times.minimal);

  await slider.scrollIntoViewIfNeeded();
  const counted = await page.evaluateHandle(() => {
    const frames: number[] = [];
    const count = (now: number) => {
      frames.push(now);
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    return frames;
  });
  await drag(page, slider, true, 0.02, 0.98, 180);
  await page.mouse.up();
  const frames = await counted.evaluate((all) => all);
  const gaps = frames.slice(1).map((now, at) => now - (frames[at] ?? now));
  figures[`${name}: frames a second in a drag`] = (1000 * gaps.length) / gaps.reduce((sum, gap) => sum + gap, 0);
  await page.context().close();
});
