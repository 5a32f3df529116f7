import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { newFolder, root, runModule } from "../support/python";
import { type Explorer, until, useSite } from "./kit";

jest.setTimeout(240_000);

const folder = newFolder("hostile");
const lookup = runModule("tests.fixtures.hostile", folder).trim();
const strings: readonly string[] = JSON.parse(readFileSync(path.join(folder, "hostile.json"), "utf8"));
const { open } = useSite(() => lookup);

const OURS = new Set(
  "H1 DIV SPAN SECTION HEADER STRONG P BUTTON SVG PATH SEARCH FORM INPUT UL LI CANVAS TABLE THEAD TBODY TR TH TD".split(
    " ",
  ),
);

/** What has become of the page that text should not make of it. */
async function harm(explorer: Explorer): Promise<readonly string[]> {
  return explorer.page.evaluate(
    (ours) => {
      const found = [...document.querySelectorAll("main *")].map((each) => each.tagName.toUpperCase());
      const odd = found.filter((name) => !ours.includes(name));
      const handlers = [...document.querySelectorAll("*")].flatMap((each) =>
        [...each.attributes]
          .map((attribute) => attribute.name)
          .filter((name) => /^on|^srcdoc$|^href$|^src$/.test(name)),
      );
      const own = handlers.length - 3; // the page's own two style sheets and its script
      return [...odd, ...(own > 0 ? [`${own} attributes`] : []), ...(Reflect.has(window, "hacked") ? ["it ran"] : [])];
    },
    [...OURS],
  );
}

const cellsOf = (explorer: Explorer) =>
  explorer.grid.locator("[role=row]").evaluateAll((rows) =>
    rows.map((row) => ({
      number: Number(row.getAttribute("aria-rowindex")),
      busy: row.getAttribute("aria-busy") === "true",
      uuid: row.querySelector(".h5x-row-uuid")?.textContent,
      uuidTitle: row.querySelector(".h5x-row-uuid")?.getAttribute("title"),
      pathTitle: row.querySelector(".h5x-row-file")?.getAttribute("title"),
    })),
  );

test("uuids, filepaths and the lookup's name stay text", async () => {
  const explorer = await open({ kernel: true, height: "2000px" });
  await explorer.contents.getByText("<img src=x onerror=window.hacked=1>&quot;.parquet").waitFor();
  const wanted = [
    ["names", "names"],
    ...strings.map((text) => [text, "values"]),
    ...strings.map((text) => ["a", text]),
  ];
  for (let first = 0; first < wanted.length; first += 40) {
    const target = Math.min(first + 20, wanted.length);
    await explorer.search.fill(String(target));
    await explorer.search.press("Enter");
    let cells: Awaited<ReturnType<typeof cellsOf>> = [];
    await until(async () => {
      cells = await cellsOf(explorer);
      return cells.some(({ number }) => number === target) && cells.every(({ busy }) => !busy);
    }, `the rows about ${target} are there`);
    for (const { number, uuid, uuidTitle, pathTitle } of cells) {
      expect([uuid, uuidTitle, pathTitle]).toEqual([
        wanted[number - 1]?.[0],
        wanted[number - 1]?.[0],
        wanted[number - 1]?.[1],
      ]);
    }
  }
  expect(await harm(explorer)).toEqual([]);
});

test("names of columns stay text, every one of them", async () => {
  const explorer = await open({ kernel: true });
  await explorer.row(1).click();
  await explorer.table.waitFor();
  const seen = await explorer.table
    .getByRole("rowheader")
    .evaluateAll((headers) =>
      headers.map((header) => [
        header.querySelector(".h5x-field-name")?.textContent,
        header.parentElement?.querySelector(".h5x-value-text")?.textContent,
      ]),
    );
  expect(seen.map(([name]) => name)).toEqual(["uuid", ...strings]);
  for (const [name, value] of seen.slice(1))
    expect((name ?? "").startsWith((value ?? "").replace(/…$/, ""))).toBe(true);
  expect(await harm(explorer)).toEqual([]);
});

test("values stay text, in the table, in sentences and in the picture's name", async () => {
  const explorer = await open({ kernel: true });
  const sample = strings.filter((_, index) => index < 60 || index % 6 === 0);
  for (const text of sample) {
    const row = 1 + strings.indexOf(text);
    await explorer.page.evaluate((current) => window.explorers[0]?.setCurrent(current), row);
    const value = explorer.table.locator("tr").nth(2).locator(".h5x-value-text");
    await until(
      async () => {
        if ((await explorer.metadata.getAttribute("aria-busy")) === "true") return false;
        const shown = (await value.count()) > 0 ? await value.textContent() : null;
        return shown !== null && (shown === text || (shown.endsWith("…") && text.startsWith(shown.slice(0, -1))));
      },
      `the value of row ${row} is shown as it is: ${JSON.stringify(text)}`,
    );
    await until(async () => (await explorer.viewer.getAttribute("aria-busy")) === "false", `row ${row} is shown`);
    const canvas = explorer.viewer.locator("canvas");
    if ((await canvas.count()) > 0) expect(await canvas.getAttribute("aria-label")).toBe(text);
    else expect((await explorer.viewer.getByRole("alert").count()) > 0).toBe(true);
    expect(await harm(explorer)).toEqual([]);
  }
});

test("every one of them stays text in a sentence about a file", async () => {
  const explorer = await open({ kernel: true });
  for (let number = 0; number < strings.length; number += 1) {
    const row = 1 + strings.length + number;
    await explorer.page.evaluate((current) => window.explorers[0]?.setCurrent(current), row);
    await until(
      async () =>
        (await explorer.viewer.getAttribute("aria-busy")) === "false" &&
        (await explorer.viewer.getByRole("alert").count()) === 1,
      `row ${row} has its sentence`,
    );
  }
  expect(await harm(explorer)).toEqual([]);
});

const collection = existsSync(path.join(root, "../shared/corpora/hostile_strings.json"));
(collection ? test : test.skip)(
  "the collection beside the checkout is among them (it is skipped where there is none)",
  () => {
    const kinds: Record<string, string[]> = JSON.parse(
      readFileSync(path.join(root, "../shared/corpora/hostile_strings.json"), "utf8"),
    );
    const all = Object.values(kinds).flat();
    const left = all.filter((text) => text !== "" && Buffer.from(text).toString() === text && !strings.includes(text));
    expect(left).toEqual([]);
    expect(all.length).toBeGreaterThan(500);
  },
);

test("a path that is markup stays text in the error", async () => {
  const explorer = await open({ kernel: true });
  const row = 1 + strings.length + strings.indexOf("<img src=x onerror=window.hacked=1>");
  await explorer.page.evaluate((current) => window.explorers[0]?.setCurrent(current), row);
  await explorer.viewer.getByRole("alert").getByText("<img src=x onerror=window.hacked=1>_images.h5").waitFor();
  await explorer.metadata
    .getByRole("alert")
    .getByText("<img src=x onerror=window.hacked=1>_metadata.parquet")
    .waitFor();
  expect(await harm(explorer)).toEqual([]);
});
