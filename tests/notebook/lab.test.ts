import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { Explorer, until } from "../browser/kit";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { endKernels, type Lab, Notebook, startLab, writeNotebook } from "../support/lab";
import { newFolder, root, runModule, venvProgram } from "../support/python";

jest.setTimeout(180_000);

let browser: Browser;
let lab: Lab;
let data: string;
let expected: { readonly rows: readonly (readonly [string | null, string | null])[]; readonly good: number };
const tabs: Tab[] = [];
let count = 0;

beforeAll(async () => {
  data = path.join(newFolder("lab-data"), "data");
  runModule("tests.fixtures.datasets", data);
  expected = JSON.parse(readFileSync(path.join(data, "expected.json"), "utf8"));
  [browser, lab] = await Promise.all([startBrowser(), startLab()]);
});

async function closeTabs(): Promise<void> {
  for (const { context, strayRequests, page } of tabs.splice(0)) {
    await page.screenshot({ path: path.join(root, ".cache", "last.png") });
    expect(strayRequests).toEqual([]);
    await context.close();
  }
}

afterEach(closeTabs);

afterAll(async () => {
  await browser.close();
  await lab.running.end();
});

const MAKE = () =>
  `from h5explorer_py import Explorer\nex = Explorer(${JSON.stringify(path.join(data, "lookup.parquet"))})\nex`;

async function open(cells: readonly string[], file?: string): Promise<{ notebook: Notebook; tab: Tab; file: string }> {
  count += 1;
  const at = file ?? writeNotebook(lab.folder, `notebook-${count}.ipynb`, cells);
  const tab = await openTab(browser, { viewport: { width: 1400, height: 1000 } });
  tabs.push(tab);
  const workspace = `auto-${count}`;
  const notebook = await Notebook.open(tab.page, lab.base, at, `?token=${lab.token}&workspace=${workspace}&reset`);
  return { notebook, tab, file: at };
}

const explorerOf = (notebook: Notebook, cell: number, nth = 0) =>
  new Explorer(notebook.page, notebook.explorers(cell).nth(nth), nth);

/** Waits for the picture of a row of the data set. */
async function picture(explorer: Explorer, row: number): Promise<void> {
  const shown = explorer.viewer.getByRole("img", { name: expected.rows[row]?.[0] ?? "" });
  try {
    await shown.waitFor({ timeout: 20_000 });
  } catch (error) {
    await explorer.page.screenshot({ path: path.join(root, ".cache", "failed.png") });
    throw error;
  }
}

const uuidField = (explorer: Explorer, row: number) =>
  explorer.table.getByText(expected.rows[row]?.[0] ?? "").waitFor({ timeout: 20_000 });

test("a cell shows rows, pictures and metadata from the shards", async () => {
  const { notebook, tab } = await open([MAKE()]);
  await notebook.start(0);
  const explorer = explorerOf(notebook, 0);
  await explorer.contents.getByText(`${expected.rows.length} records`).waitFor({ timeout: 30_000 });
  await picture(explorer, 0);
  await explorer.row(8).click();
  await picture(explorer, 7);
  await uuidField(explorer, 7);
  await explorer.table.getByText("9007199254741000").waitFor();
  await explorer.viewer.getByRole("status").getByText("shard_000_images.h5").waitFor();
  await explorer.search.fill("250");
  await explorer.search.press("Enter");
  await picture(explorer, 249);
  expect(tab.complaints.filter((each) => each.includes("h5x") || each.includes("h5explorer"))).toEqual([]);
});

describe("while a cell runs", () => {
  test("the widget answers from its very first message on", async () => {
    const { notebook } = await open([
      `${MAKE()}\nfrom IPython.display import display\nimport time\ndisplay(ex)\ntime.sleep(60)`,
    ]);
    await notebook.start(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    await explorer.row(5).click();
    await picture(explorer, 4);
    await uuidField(explorer, 4);
    expect(await notebook.cell(0).locator(".jp-InputPrompt").textContent()).toContain("*");
  });

  test("and after that cell has set one of its traits", async () => {
    const { notebook } = await open([MAKE(), "import time\nex.current = 42\ntime.sleep(60)"]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    await notebook.start(1);
    await picture(explorer, 42);
    await explorer.slider.focus();
    await explorer.page.keyboard.press("End");
    const last = expected.rows.length;
    await until(
      async () => ((await explorer.row(last).textContent()) ?? "").includes(expected.rows[last - 1]?.[0] ?? "?"),
      "the last row is listed",
    );
    await explorer.search.fill("200");
    await explorer.search.press("Enter");
    await picture(explorer, 199);
    await uuidField(explorer, 199);
    expect(await notebook.cell(1).locator(".jp-InputPrompt").textContent()).toContain("*");
  });
});

test("what is chosen in the page is known in Python, and the other way round", async () => {
  const { notebook } = await open([MAKE(), "print(ex.current, list(ex.selection))"]);
  await notebook.run(0);
  const explorer = explorerOf(notebook, 0);
  await picture(explorer, 0);
  await explorer.row(6).click();
  await picture(explorer, 5);
  expect(await notebook.run(1)).toContain("5 [5]");
  await notebook.evaluate(1, "ex.current = 120; ex.selection = [120, 121, 130]");
  await picture(explorer, 120);
  await explorer.row(122).waitFor();
  expect(await explorer.row(122).getAttribute("aria-selected")).toBe("true");
  expect(await explorer.row(123).getAttribute("aria-selected")).toBe("false");
});

test("rows selected of a filtered view are the same in Python, and its lines make the same view again", async () => {
  const { notebook } = await open([MAKE(), "1", "1"]);
  await notebook.run(0);
  await notebook.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const explorer = explorerOf(notebook, 0);
  await picture(explorer, 0);
  await notebook.evaluate(1, `ex.filter = "filepath LIKE '%shard_001%'"; ex.sort = [("uuid", "desc")]`);
  await explorer.grid.focus();
  const last = Number(await explorer.grid.getAttribute("aria-rowcount"));
  await explorer.row(3).click();
  await explorer.row(6).click({ modifiers: ["Shift"] });
  await explorer.row(4).click({ modifiers: ["Control"] });
  const inputs = () => notebook.page.locator(".jp-Notebook-cell .jp-InputArea").allTextContents();
  const cells = await inputs();
  await notebook.page.keyboard.press("Control+Shift+ArrowDown");
  expect(await inputs()).toEqual(cells); // none has been moved
  await explorer.contents.getByText("4 selected").waitFor();
  expect(await notebook.evaluate(1, "print(ex.current, ex.selection)")).toContain("4 Selection(4 rows: 2:6)");
  expect(await notebook.evaluate(1, "print(ex.selection.to_arrow().equals(ex.rows(2, 6)))")).toContain("True");
  await explorer.grid.press("Control+a");
  await explorer.contents.getByText(`${last} selected`).waitFor();
  await explorer.row(3).click({ modifiers: ["Control"] });
  await explorer.contents.getByRole("button", { name: "Copy as Python" }).click();
  await explorer.contents.getByText("Copied", { exact: true }).waitFor({ state: "attached" });
  const lines = await notebook.page.evaluate(() => navigator.clipboard.readText());
  expect(lines).toContain(`ex.selection = [range(0, 2), range(3, ${last})]`);
  await notebook.evaluate(1, "first = ex");
  await notebook.evaluate(2, lines);
  const again = explorerOf(notebook, 2);
  await again.row(3).waitFor();
  expect(await again.row(3).getAttribute("aria-selected")).toBe("false");
  expect(await again.row(4).getAttribute("aria-selected")).toBe("true");
  await again.contents.getByText(`${last - 1} selected`).waitFor();
  const same = "(ex.filter, ex.sort, ex.selection, ex.current, len(ex), ex.selection.to_arrow())";
  expect(
    await notebook.evaluate(
      1,
      `print(ex is not first, ${same} == ${same.replaceAll("ex.", "first.").replace("(ex)", "(first)")})`,
    ),
  ).toContain("True True");
  await notebook.evaluate(1, "first.selection = range(5)");
  await explorer.contents.getByText("5 selected").waitFor();
});

test("another lookup is opened from either side; a refused one leaves the shown one", async () => {
  const { notebook } = await open([MAKE(), "print(ex.stats['records'])"]);
  await notebook.run(0);
  const explorer = explorerOf(notebook, 0);
  await picture(explorer, 0);
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const field = explorer.contents.getByRole("textbox");
  await field.fill(path.join(data, "wrong_columns.parquet"));
  await field.press("Enter");
  await explorer.contents
    .getByRole("alert")
    .getByText("wrong_columns.parquet has no column 'uuid'. It has: UUID, path.")
    .waitFor();
  await picture(explorer, 0);
  expect(await notebook.run(1)).toContain(String(expected.rows.length));
  await field.fill(path.join(data, "header_only.parquet"));
  await field.press("Enter");
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
  expect(await notebook.run(1)).toContain("0");
  await notebook.evaluate(1, `ex.open(${JSON.stringify(data)})`);
  await explorer.contents.getByText(/\d+ records/).waitFor();
  await explorer.row(2).waitFor();
  expect(await notebook.evaluate(1, `ex.open("nowhere.parquet")`)).toContain("LookupNotFoundError");
  await explorer.row(2).click();
});

test("several widgets and several views of one live side by side", async () => {
  const { notebook } = await open([
    MAKE(),
    "ex",
    `other = Explorer(${JSON.stringify(path.join(data, "shard_001_images.h5"))})\nother`,
    "print(ex.current, other.current)",
  ]);
  for (const cell of [0, 1, 2]) await notebook.run(cell);
  const [first, again, other] = [0, 1, 2].map((cell) => explorerOf(notebook, cell));
  if (first === undefined || again === undefined || other === undefined) throw new Error("there are three views");
  await picture(first, 0);
  await picture(again, 0);
  await other.contents.getByText("100 records").waitFor();
  await first.row(4).click();
  await picture(first, 3);
  await picture(again, 3);
  await other.row(9).click();
  await picture(other, 108);
  await picture(first, 3);
  expect(await notebook.run(3)).toContain("3 8");
});

test("two browser tabs show the same explorer without mixing its answers with another's", async () => {
  const { notebook, file } = await open([
    MAKE(),
    `b = Explorer(${JSON.stringify(path.join(data, "shard_001_images.h5"))}, height=300)\nb`,
  ]);
  await notebook.run(0);
  await notebook.run(1);
  await picture(explorerOf(notebook, 0), 0);
  await notebook.save();
  const second = await open([], file);
  const [a, b] = [explorerOf(second.notebook, 0), explorerOf(second.notebook, 1)];
  await a.root.waitFor({ timeout: 60_000 });
  await picture(a, 0);
  await a.row(10).click();
  await picture(a, 9);
  await b.row(3).click();
  await picture(b, 102);
  await picture(explorerOf(notebook, 0), 9);
  await picture(explorerOf(notebook, 1), 102);
});

describe("when something is missing or broken", () => {
  test("each panel has its sentence, the others go on, and trying again works", async () => {
    const { notebook } = await open([MAKE()]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    const images = path.join(data, "shard_002_images.h5");
    renameSync(images, `${images}.away`);
    await explorer.search.fill("280");
    await explorer.search.press("Enter");
    await explorer.viewer.getByRole("alert").getByText("shard_002_images.h5").waitFor();
    await uuidField(explorer, 279);
    renameSync(`${images}.away`, images);
    await explorer.viewer.getByRole("button", { name: "Try again" }).click();
    await picture(explorer, 279);
    expect(await explorer.viewer.getByRole("alert").count()).toBe(0);
  });

  test("a shard that is replaced while it is shown never shows its old places' bytes", async () => {
    const folder = path.join(newFolder("replaced"), "data");
    runModule("tests.fixtures.replaced", folder, "first");
    const { notebook } = await open([
      `from h5explorer_py import Explorer\nex = Explorer(${JSON.stringify(path.join(folder, "lookup.parquet"))})\nex`,
    ]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    const size = (text: string) => explorer.viewer.getByRole("status").getByText(text).waitFor();
    await size("40 × 30 px");
    await explorer.row(2).click();
    await size("40 × 30 px");
    runModule("tests.fixtures.replaced", folder, "second");
    await explorer.row(3).click();
    await size("24 × 18 px");
    await explorer.row(1).click();
    await size("24 × 18 px");
  });

  test("a restarted kernel is told of, and running the cell again brings the explorer back", async () => {
    const { notebook } = await open([MAKE()]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    await notebook.menu("Kernel", "Restart Kernel…");
    await notebook.page.getByRole("button", { name: "Confirm Kernel Restart" }).click();
    await explorer.root
      .getByRole("alert")
      .getByText("The kernel was restarted. Run the cell again.")
      .waitFor({ timeout: 30_000 });
    await picture(explorer, 0);
    await notebook.idle();
    await notebook.run(0);
    await explorer.row(3).click();
    await picture(explorerOf(notebook, 0), 2);
  });

  test("a kernel that dies is told of", async () => {
    const { notebook } = await open([MAKE(), "import os\nos._exit(1)"]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    await notebook.start(1);
    await explorer.root
      .getByRole("alert")
      .getByText(/^The kernel (died|was restarted)/)
      .waitFor({ timeout: 30_000 });
  });

  test("a closed explorer leaves the page", async () => {
    const { notebook } = await open([MAKE(), "ex.close()"]);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await picture(explorer, 0);
    await notebook.run(1);
    await explorer.root.waitFor({ state: "detached" });
  });
});

test("keys in the widget do not reach the notebook", async () => {
  const { notebook, file } = await open([MAKE(), "1"]);
  await notebook.run(0);
  const explorer = explorerOf(notebook, 0);
  await picture(explorer, 0);
  const cells = await notebook.page.locator(".jp-Notebook-cell").count();
  await explorer.grid.focus();
  for (const key of ["ArrowDown", "a", "b", "d", "d", "x", "m", "End", "Home", "ArrowDown"]) {
    await notebook.page.keyboard.press(key);
  }
  await picture(explorer, 1);
  expect(await notebook.page.locator(".jp-Notebook-cell").count()).toBe(cells);
  await explorer.search.fill("");
  await explorer.search.pressSequentially("abdd 12");
  expect(await explorer.search.inputValue()).toBe("abdd 12");
  expect(readFileSync(file, "utf8")).not.toContain('execution_count": 1');
  await explorer.grid.focus();
  await notebook.page.keyboard.press("Control+S");
  await until(async () => readFileSync(file, "utf8").includes('execution_count": 1'), "JupyterLab's own keys work");
  expect(await notebook.page.locator(".jp-Notebook-cell").count()).toBe(cells);
});

describe("a saved notebook", () => {
  test("grows by a still picture and a sentence, which nbconvert shows", async () => {
    const { notebook, file } = await open([MAKE()]);
    const before = statSync(file).size;
    await notebook.run(0);
    await picture(explorerOf(notebook, 0), 0);
    await explorerOf(notebook, 0).row(8).click();
    await picture(explorerOf(notebook, 0), 7);
    const text = await notebook.save();
    const html: string = JSON.parse(text).cells[0].outputs[0].data["text/html"].toString();
    const still = /<img [^>]*src="data:image\/jpeg;base64,([^"]+)"/.exec(html)?.[1] ?? "";
    expect(Buffer.from(still, "base64").subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    expect(still.length).toBeLessThanOrEqual(100_000);
    expect(statSync(file).size - before - still.length).toBeLessThanOrEqual(20_000);

    execFileSync(venvProgram("jupyter-nbconvert"), ["--to", "html", file], { cwd: lab.folder, stdio: "ignore" });
    const page = await (await browser.newContext()).newPage();
    const converted = file.replace(".ipynb", ".html");
    expect(existsSync(converted)).toBe(true);
    await page.route("https://**", (route) => route.abort());
    await page.goto(`file://${converted}`, { waitUntil: "domcontentloaded" });
    await page.getByText("This is a still picture.").waitFor();
    const shown = await page
      .locator("figure img")
      .evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth);
    expect(shown).toBe(40);
    await page.context().close();
  });

  test("reopened without its kernel shows the still picture, and never in place of a widget that is there", async () => {
    const { notebook, tab, file } = await open([MAKE(), "ex"]);
    await notebook.run(0);
    await notebook.run(1);
    for (const cell of [0, 1]) await picture(explorerOf(notebook, cell), 0);
    const still = (page: Page) => page.getByText("This is a still picture.");
    expect(await still(tab.page).count()).toBe(0);
    await notebook.save();

    const beside = await open([], file); // the kernel lives
    for (const cell of [0, 1]) await picture(explorerOf(beside.notebook, cell), 0);
    expect(await still(beside.tab.page).count()).toBe(0);

    await closeTabs();
    await endKernels(lab);
    const { notebook: later } = await open([], file);
    const { page } = later;
    for (const cell of [0, 1]) {
      const figure = later.cell(cell).locator("figure");
      await figure.getByText("This is a still picture.").waitFor();
      const image = figure.getByRole("img", { name: expected.rows[0]?.[0] ?? "" });
      expect(await image.evaluate((each) => each instanceof HTMLImageElement && each.naturalWidth)).toBe(40);
    }
    await page.waitForTimeout(1_000); // JupyterLab has looked for the models in the new kernel
    expect(await later.explorers(0).count()).toBe(0);
    const complaint = page.getByText(/model not found|Loading widget/).filter({ visible: true });
    expect(await complaint.count()).toBe(0);

    await later.run(0);
    await picture(explorerOf(later, 0), 0);
    expect(await still(page).count()).toBe(1); // that of the other cell
  });
});

test("the widget takes JupyterLab's theme, light, dark and of high contrast, and axe finds nothing in it", async () => {
  const { notebook } = await open([MAKE()]);
  await notebook.run(0);
  const explorer = explorerOf(notebook, 0);
  await picture(explorer, 0);
  const axe = readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8");
  const backs = new Set<string>();
  for (const theme of ["JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"]) {
    await notebook.menu("Settings", "Theme", theme);
    await notebook.page.waitForFunction((name) => document.body.dataset.jpThemeName === name, theme);
    await notebook.page.waitForTimeout(500);
    backs.add(await explorer.root.evaluate((element) => getComputedStyle(element).backgroundColor));
    await notebook.page.evaluate(axe);
    const found: { violations: { id: string; nodes: { html: string }[] }[] } = await notebook.page.evaluate(
      "axe.run('.h5x-root', { resultTypes: ['violations'] })",
    );
    expect(found.violations.map((each) => `${theme}: ${each.id} ${each.nodes[0]?.html}`)).toEqual([]);
  }
  expect(backs.size).toBe(3);
});

describe("in Notebook 7", () => {
  async function openPlain(file: string): Promise<Notebook> {
    const tab = await openTab(browser, { viewport: { width: 1400, height: 1000 } });
    tabs.push(tab);
    return Notebook.openPlain(tab.page, lab, file);
  }

  test("a cell shows rows, pictures and metadata, also while it runs, and a still picture later", async () => {
    count += 1;
    const file = writeNotebook(lab.folder, `notebook-${count}.ipynb`, [MAKE(), "import time\ntime.sleep(60)"]);
    const notebook = await openPlain(file);
    await notebook.run(0);
    const explorer = explorerOf(notebook, 0);
    await explorer.contents.getByText(`${expected.rows.length} records`).waitFor({ timeout: 30_000 });
    await picture(explorer, 0);
    await notebook.save();
    await notebook.start(1);
    await explorer.row(8).click();
    await picture(explorer, 7);
    await uuidField(explorer, 7);
    await explorer.search.fill("250");
    await explorer.search.press("Enter");
    await picture(explorer, 249);
    expect(await notebook.cell(1).locator(".jp-InputPrompt").textContent()).toContain("*");

    await closeTabs();
    await endKernels(lab);
    const later = await openPlain(file);
    await later.cell(0).locator("figure").getByText("This is a still picture.").waitFor();
    await later.run(0);
    await picture(explorerOf(later, 0), 0);
    expect(await later.cell(0).locator("figure").count()).toBe(0);
  });
});

/** The parts of the front end that the browser keeps. */
function keptParts(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const opening = indexedDB.open("h5explorer", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const names = [...opening.result.objectStoreNames];
          if (!names.includes("assets")) return resolve([]);
          const asking = opening.result.transaction("assets").objectStore("assets").getAllKeys();
          asking.onsuccess = () => resolve(asking.result.map(String).sort());
          return undefined;
        };
      }),
  );
}

/** Shows an explorer in a new page of a tab's browser; returns the length of the longest message that came. */
async function longestMessage(tab: Tab, file: string, name: string): Promise<number> {
  const page = await tab.context.newPage();
  let longest = 0;
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      longest = Math.max(longest, payload.length);
    }),
  );
  const notebook = await Notebook.open(page, lab.base, file, `?token=${lab.token}&workspace=auto-${name}&reset`);
  await notebook.run(0);
  await picture(explorerOf(notebook, 0), 0);
  await uuidField(explorerOf(notebook, 0), 0);
  return longest;
}

test("the large parts come from the extension's folder, not from the kernel", async () => {
  const { tab, file } = await open([MAKE()]);
  const served: string[] = [];
  tab.context.on("response", (response) => {
    const name = new URL(response.url()).pathname.split("/h5explorer/static/")[1];
    if (name !== undefined && response.ok()) served.push(name);
  });
  expect(await longestMessage(tab, file, "served")).toBeLessThan(600_000);
  expect(served).toContainEqual(expect.stringMatching(/^decoder\.[0-9a-f]{16}\.js$/));
  expect(served).toContainEqual(expect.stringMatching(/^parquet_wasm_bg\.[0-9a-f]{16}\.wasm$/));
  expect(await keptParts(tab.page)).toEqual([]);
});

test("without that folder they come once, and from the browser's own store after a reload", async () => {
  const { tab, file } = await open([MAKE()]);
  await tab.context.route(/\/h5explorer\/static\/(decoder|parquet_wasm)/, (route) => route.fulfill({ status: 404 }));
  expect(await longestMessage(tab, file, "first")).toBeGreaterThan(1_000_000);
  await until(async () => (await keptParts(tab.page)).length === 2, "the parts are kept");
  expect(await keptParts(tab.page)).toEqual([
    expect.stringMatching(/^decoder\.[0-9a-f]{16}\.js$/),
    expect.stringMatching(/\.wasm$/),
  ]);
  const again = await longestMessage(tab, file, "again");
  expect(again).toBeGreaterThan(1_000);
  expect(again).toBeLessThan(600_000);
});

test("where a host takes small messages alone, two explorers and the large parts come in pieces", async () => {
  const small = `import os\nos.environ["H5EXPLORER_MESSAGE_BYTES"] = "20000"\n${MAKE()}`;
  const file = writeNotebook(lab.folder, "pieces.ipynb", [
    `${small}\nother = Explorer(${JSON.stringify(path.join(data, "lookup.parquet"))}, height=400)\nex`,
    "other",
  ]);
  const tab = await openTab(browser);
  tabs.push(tab);
  await tab.context.route(/\/h5explorer\/static\/(decoder|parquet_wasm)/, (route) => route.fulfill({ status: 404 }));
  expect(await longestMessage(tab, file, "pieces")).toBeLessThan(600_000); // the widget's own code
  const page = tab.context.pages().at(-1);
  if (page === undefined) throw new Error("there is a page");
  const notebook = new Notebook(page, file);
  await notebook.run(1);
  const [first, second] = [explorerOf(notebook, 0), explorerOf(notebook, 1)];
  await picture(second, 0);
  for (const [explorer, row] of [[first, "200"] as const, [second, "250"] as const]) {
    await explorer.search.fill(row);
    await explorer.search.press("Enter");
  }
  await Promise.all([picture(first, 199), uuidField(first, 199), picture(second, 249), uuidField(second, 249)]);
});

test("an explorer whose lookup is refused raises in the cell", async () => {
  writeFileSync(path.join(data, "empty.csv"), "");
  const { notebook } = await open([
    `from h5explorer_py import Explorer\nExplorer(${JSON.stringify(path.join(data, "empty.csv"))})`,
  ]);
  expect(await notebook.run(0)).toContain("LookupUnreadableError: empty.csv is empty.");
});
