/** The page without a kernel, as a person uses it. */

import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { makeData } from "../contract/expected";
import { newFolder, root } from "../support/python";
import { until } from "./kit";
import { explorerOf, usePlain } from "./plainKit";

jest.setTimeout(120_000);

const { folder, expected } = makeData();
const { data, openScreen, address } = usePlain(folder);
const screens = path.join(root, ".cache", "screens");
mkdirSync(screens, { recursive: true });

const pictureOf = (page: Page, row: number) =>
  explorerOf(page).viewer.getByRole("img", { name: expected.rows[row]?.[0] ?? "" });

async function chooseFolder(page: Page, place = folder): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a folder" }).click();
  await (await chooser).setFiles(place);
}

async function openAddress(page: Page, at: string): Promise<void> {
  await page.getByRole("textbox", { name: "Address of a lookup or a shard" }).fill(at);
  await page.keyboard.press("Enter");
}

test("a folder is chosen: rows, picture and metadata are there, and all of the panels works on", async () => {
  const page = await openScreen();
  await chooseFolder(page);
  const explorer = explorerOf(page);
  await pictureOf(page, 0).waitFor();
  await explorer.viewer.getByText(/^read in /).waitFor();
  for (const name of ["Filter", "Export", "Copy as Python"]) {
    expect(await explorer.contents.getByRole("button", { name }).count()).toBe(0); // these need a kernel
  }
  await explorer.table.getByText("name 0").waitFor();
  await explorer.search.fill("path:shard_002");
  await explorer.search.press("Enter");
  await pictureOf(page, 200).waitFor();
  await explorer.table.getByText("name 200").waitFor();
  await explorer.thumbnailsButton.click();
  await explorer.grid.getByRole("img", { name: expected.rows[198]?.[0] ?? "", exact: true }).waitFor();
  await explorer.contents.getByText("Not among the dropped files: absent_images.h5", { exact: false }).waitFor();
});

test("files are dropped: the pictures come, and what is missing is said", async () => {
  const page = await openScreen();
  const files = ["lookup.parquet", "shard_000_images.h5"].map((name) => path.join(folder, name));
  const transfer = await page.evaluateHandle(() => new DataTransfer());
  // A drop cannot be played with files of the disk; the page's own reading of it is the same.
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.id = "source";
    input.multiple = true;
    document.body.append(input);
  });
  await page.setInputFiles("#source", files);
  await page.evaluate((into) => {
    const input = document.querySelector<HTMLInputElement>("#source");
    for (const file of input?.files ?? []) into.items.add(file);
    input?.remove();
  }, transfer);
  await page.getByRole("main", { name: "Open a data set" }).dispatchEvent("drop", { dataTransfer: transfer });
  const explorer = explorerOf(page);
  await pictureOf(page, 0).waitFor();
  await explorer.metadata.getByRole("alert").getByText("shard_000_metadata.parquet", { exact: false }).waitFor();
  await explorer.search.fill("150");
  await explorer.search.press("Enter");
  await explorer.viewer
    .getByRole("alert")
    .getByText("There is no file shard_001_images.h5 among the dropped files.")
    .waitFor();
});

test("an address is typed; Open in the panel takes another one", async () => {
  const page = await openScreen();
  await openAddress(page, address("lookup.parquet"));
  await pictureOf(page, 0).waitFor();
  const explorer = explorerOf(page);
  await explorer.table.getByText("name 0").waitFor();
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  await explorer.contents
    .getByRole("textbox", { name: "Address or name of a lookup or a shard" })
    .fill(address("shard_001_images.h5"));
  await page.keyboard.press("Enter");
  await explorer.contents.getByText("shard_001_images.h5").first().waitFor();
  await explorer.contents.getByText("100 records").waitFor();
  await page.getByRole("button", { name: "Open other files" }).click();
  await page.getByRole("button", { name: "Choose files" }).waitFor();
});

test("one shard alone: its names are the rows", async () => {
  const page = await openScreen();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  await (await chooser).setFiles([path.join(folder, "shard_002_images.h5")]);
  await explorerOf(page).contents.getByText("100 records").waitFor();
  await explorerOf(page).viewer.getByRole("img").first().waitFor();
});

test("a CSV is read: ids stay text, quotes are understood", async () => {
  const place = newFolder("csv");
  copyFileSync(path.join(folder, "shard_000_images.h5"), path.join(place, "shard_000_images.h5"));
  const [uuid] = expected.rows[3] ?? [];
  writeFileSync(
    path.join(place, "rows.csv"),
    `uuid,note,filepath\r\n00777,"a ""b"", c",none\r\n${uuid},,shard_000\r\n`,
  );
  const page = await openScreen();
  await chooseFolder(page, place);
  const explorer = explorerOf(page);
  await explorer.row(1).getByText("00777").waitFor();
  await explorer.row(2).click();
  await pictureOf(page, 3).waitFor();
});

test("what cannot be opened is said, and the next is opened", async () => {
  const page = await openScreen();
  const alert = page.getByRole("alert");
  await openAddress(page, address("nowhere.parquet"));
  await alert.getByText("There is no file at", { exact: false }).waitFor();
  await openAddress(page, address("wrong_columns.parquet"));
  await alert.getByText("has no column 'uuid'", { exact: false }).waitFor();
  await openAddress(page, address("not_a_lookup.parquet"));
  await alert.getByText("cannot be read as Parquet", { exact: false }).waitFor();
  data.ranges = false;
  try {
    await openAddress(page, address("lookup.parquet"));
    await alert.getByText("does not give parts of files", { exact: false }).waitFor();
  } finally {
    data.ranges = true;
  }
  await openAddress(page, address("lookup.parquet"));
  await pictureOf(page, 0).waitFor();
});

test("a file that is never answered ends its worker, not the page; the others go on, and it can be tried again", async () => {
  const page = await openScreen({}, 1_500);
  await openAddress(page, address("lookup.parquet"));
  await pictureOf(page, 0).waitFor();
  const explorer = explorerOf(page);
  const goTo = async (row: number) => {
    await explorer.search.fill(String(row + 1));
    await explorer.search.press("Enter");
  };
  // Known to be there before it falls silent: within the library's own read, which nothing can stop.
  await goTo(250);
  await pictureOf(page, 250).waitFor();
  await goTo(120);
  await pictureOf(page, 120).waitFor();
  data.stuck = "shard_002_images.h5";
  await goTo(299);
  await explorer.viewer.getByRole("alert").getByText("was given up", { exact: false }).waitFor();
  await goTo(50);
  await pictureOf(page, 50).waitFor();
  data.stuck = "";
  await goTo(299);
  await pictureOf(page, 299).waitFor();
});

const corpus = path.join(root, "../shared/corpora/hdf5");
(existsSync(corpus) ? test : test.skip)(
  "hostile files are refused by a sentence each, and the good shard beside them is shown (skipped where there are none)",
  async () => {
    const place = newFolder("hostile-shards");
    const names = readdirSync(corpus).filter((name) => name.startsWith("cve"));
    for (const name of names) copyFileSync(path.join(corpus, name), path.join(place, `${name}_images.h5`));
    cpSync(path.join(folder, "shard_000_images.h5"), path.join(place, "shard_000_images.h5"));
    const [uuid] = expected.rows[0] ?? [];
    const rows = [...names.map((name) => `a,${name}`), `${uuid},shard_000`];
    writeFileSync(path.join(place, "lookup.csv"), `uuid,filepath\n${rows.join("\n")}\n`);
    const page = await openScreen({}, 5_000);
    await chooseFolder(page, place);
    const explorer = explorerOf(page);
    for (const [number, name] of names.entries()) {
      await explorer.search.fill(String(number + 1));
      await explorer.search.press("Enter");
      await until(async () => {
        const alert = explorer.viewer.getByRole("alert");
        return (await alert.count()) === 1 && ((await alert.textContent()) ?? "").includes(name);
      }, `the sentence for ${name} is there`);
    }
    await explorer.search.fill(String(rows.length));
    await explorer.search.press("Enter");
    await pictureOf(page, 0).waitFor();
    expect(names.length).toBeGreaterThan(50);
  },
);

const tables = path.join(root, "../shared/corpora/parquet");
(existsSync(tables) ? test : test.skip)(
  "hostile tables are refused or shown, and the page opens the good one after them (skipped where there are none)",
  async () => {
    const place = newFolder("hostile-tables");
    const names = readdirSync(tables).filter((name) => !/\.(md|txt)$/.test(name));
    for (const name of names) copyFileSync(path.join(tables, name), path.join(place, `${name}.parquet`));
    for (const name of ["lookup.parquet", "shard_000_images.h5"]) {
      copyFileSync(path.join(folder, name), path.join(place, `good_${name}`));
    }
    const page = await openScreen({}, 5_000);
    await page.evaluate(() => {
      const input = document.createElement("input");
      input.type = "file";
      input.multiple = true;
      input.id = "source";
      document.body.append(input);
    });
    await page.setInputFiles(
      "#source",
      [...names.map((name) => `${name}.parquet`), "good_lookup.parquet"].map((name) => path.join(place, name)),
    );
    const outcomes = await page.evaluate(async (all) => {
      const codes: Record<string, string> = {};
      for (const name of all) {
        // The key columns are any that are there: what is hostile is to be decoded.
        codes[name] = await window.bare.tryTable(`${name}.parquet`);
      }
      return codes;
    }, names);
    const opened = await page.evaluate(() => window.bare.openNamed("good_lookup.parquet"));
    expect(opened.records).toBe(expected.rows.length);
    expect(Object.keys(outcomes)).toHaveLength(names.length);
    expect(names.length).toBeGreaterThan(50);
    const codes = new Set(Object.values(outcomes));
    expect(codes).toContain("reader_failed"); // these end the decoder itself; what comes after them has another
    expect(codes).not.toContain("internal");
  },
);

/** What axe finds wrong with a page. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8"));
  const results: AxeResults = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations.map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`,
  );
}

test("axe finds nothing wrong with the first screen, with an error on it, and with what is opened", async () => {
  const page = await openScreen();
  expect(await violations(page)).toEqual([]);
  await page.getByText("Column names").click();
  await openAddress(page, address("nowhere.parquet"));
  await page.getByRole("alert").waitFor();
  expect(await violations(page)).toEqual([]);
  await openAddress(page, address("lookup.parquet"));
  await pictureOf(page, 0).waitFor();
  await explorerOf(page).table.waitFor();
  expect(await violations(page)).toEqual([]);
});

test("the first screen is worked by keyboard alone", async () => {
  const page = await openScreen();
  const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.ariaLabel);
  const seen: unknown[] = [];
  for (let step = 0; step < 4; step += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
  }
  expect(seen).toEqual(["Choose files", "Choose a folder", "Address of a lookup or a shard", "Column names"]);
});

test.each([
  ["light", 1280],
  ["dark", 1280],
  ["light", 420],
  ["dark", 420],
] as const)("the first screen and what is opened fit: %s, %d pixels wide", async (colorScheme, width) => {
  const page = await openScreen({ colorScheme, viewport: { width, height: 800 } });
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  await page.screenshot({ path: path.join(screens, `drop-${colorScheme}-${width}.png`) });
  const overflow = () =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await openAddress(page, address("nowhere.parquet"));
  await page.getByRole("alert").waitFor();
  await page.screenshot({ path: path.join(screens, `drop-error-${colorScheme}-${width}.png`) });
  await chooseFolder(page);
  await pictureOf(page, 0).waitFor();
  await explorerOf(page).table.waitFor();
  await page.screenshot({ path: path.join(screens, `open-${colorScheme}-${width}.png`) });
  expect(await overflow()).toBeLessThanOrEqual(0);
});
