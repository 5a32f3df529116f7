import { appendFileSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { newFolder, runModule } from "../support/python";
import { type Explorer, until, useSite } from "./kit";

jest.setTimeout(120_000);

const folder = path.join(newFolder("trouble"), "data");
runModule("tests.fixtures.trouble", folder);
const expected: {
  readonly rows: readonly (readonly [string | null, string | null])[];
  readonly bad: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, readonly (readonly [string, string])[]>>;
} = JSON.parse(readFileSync(path.join(folder, "expected.json"), "utf8"));
const { open } = useSite(() => path.join(folder, "lookup.parquet"));

/** Opens the page on the contract's lookup, whatever the test before has opened. */
async function explore(): Promise<Explorer> {
  const explorer = await open({ kernel: true, height: "700px" });
  await openLookup(explorer, "lookup.parquet");
  await explorer.contents.getByRole("textbox", { name: /Path/ }).waitFor({ state: "detached" });
  await explorer.contents.getByText("323 records").waitFor();
  await settled(explorer);
  return explorer;
}

async function openLookup(explorer: Explorer, name: string): Promise<void> {
  const unfold = explorer.contents.getByRole("button", { name: "Open", exact: true });
  if ((await unfold.getAttribute("aria-expanded")) === "false") await unfold.click();
  const field = explorer.contents.getByRole("textbox", { name: /Path/ });
  await field.fill(path.join(folder, name));
  await field.press("Enter");
}

async function choose(explorer: Explorer, row: number): Promise<void> {
  await explorer.page.evaluate((current) => window.explorers[0]?.setCurrent(current), row);
  await settled(explorer);
}

async function settled(explorer: Explorer): Promise<void> {
  const idle = async () =>
    (await explorer.viewer.getAttribute("aria-busy")) === "false" &&
    (await explorer.metadata.getAttribute("aria-busy")) === "false";
  await until(idle, "picture and metadata are there");
}

const odd = (name: string) => expected.bad[name] ?? Number.NaN;

test("every odd row has its sentence in the panel that it concerns, and the other panel goes on", async () => {
  const explorer = await explore();
  const sentences: Readonly<Record<string, readonly [picture: RegExp | null, metadata: RegExp | null]>> = {
    no_shard: [/There is no file .*absent_images\.h5/, /There is no file .*absent_metadata\.parquet/],
    no_key: [/odd_images\.h5 has no image no_key/, null],
    no_filepath: [/names no file/, /names no file/],
    no_uuid: [/has no uuid/, /has no uuid/],
    no_metadata: [null, /There is no file .*lonely_metadata\.parquet/],
    no_record: [null, /no_record/],
    no_group: [/has no group named images\. It has: pictures/, /groupless_metadata\.parquet/],
    tiff: [/TIFF file, which browsers do not show\. It is drawn by a later version/, null],
    truncated_jpeg: [/is cut short/, null],
    truncated_png: [/is cut short/, null],
    empty: [/is empty: it has no bytes/, null],
    scalar: [/a single value of type float64, not a picture/, null],
    raw_array: [/an array of 30 × 40 × 3 values of type uint8.*Arrays are drawn by a later version/, null],
    group: [/is a group, not a picture/, null],
    unknown_bytes: [/no picture of a known format; they begin with 01 02 03 04/, null],
    svg: [/an SVG file, which browsers do not show/, null],
    external_storage: [/which is outside the folder of the shard/, null],
    external_link: [/which is outside the folder of the shard/, null],
    chunked: [null, null],
    opaque: [null, null],
    variable: [null, null],
    filtered: [null, null],
    sixteen_bit: [null, null],
  };
  expect(Object.keys(sentences).sort()).toEqual(Object.keys(expected.bad).sort());
  for (const [name, [picture, metadata]] of Object.entries(sentences)) {
    await choose(explorer, odd(name));
    const [uuid] = expected.rows[odd(name)] ?? [];
    if (picture === null) await explorer.viewer.getByRole("img", { name: uuid ?? "", exact: true }).waitFor();
    else {
      await explorer.viewer.getByRole("alert").getByText(picture).waitFor();
      expect(await explorer.viewer.getByRole("img").count()).toBe(0);
    }
    if (metadata === null) {
      await explorer.table.getByText(`about ${name}`).or(explorer.table.getByText("no such")).waitFor();
    } else {
      await explorer.metadata.getByRole("alert").getByText(metadata).waitFor();
      expect(await explorer.table.count()).toBe(0);
    }
  }
  await choose(explorer, odd("sixteen_bit"));
  await explorer.viewer.getByRole("status").getByText("full depth is drawn by a later version").waitFor();
});

test("every value shows exactly as it is stored, in its column's order", async () => {
  const explorer = await explore();
  for (const [row, fields] of Object.entries(expected.metadata)) {
    await choose(explorer, Number(row));
    for (const more of await explorer.table.getByRole("button", { name: /Show all/ }).all()) await more.click();
    const shown = await explorer.table
      .getByRole("row")
      .evaluateAll((rows) =>
        rows
          .slice(1)
          .map((each) => [
            each.querySelector(".h5x-field-name")?.textContent,
            each.querySelector(".h5x-value-text, .h5x-missing")?.textContent,
          ]),
      );
    expect(shown).toEqual([
      ["uuid", expected.rows[Number(row)]?.[0]],
      ...fields.map(([name, text]) => [name, text === "" ? "empty text" : text]),
    ]);
  }
});

test("as thumbnails every row shows its own picture, or a sign with its sentence", async () => {
  const explorer = await explore();
  await explorer.thumbnailsButton.click();
  /** What a corner of the fixture's pictures is, where no block lies: full red, no green, and a blue of the number. */
  const corner = (row: number) => [248, 0, (row * 37) % 256];
  for (const place of ["1", "151", "290"]) {
    await explorer.search.fill(place);
    await explorer.search.press("Enter");
    await explorer.cell(Number(place) - 1).waitFor();
    const loading = explorer.grid.locator("[role=gridcell][aria-busy=true]");
    await until(async () => (await loading.count()) === 0, "all are there");
    const rows = (await explorer.cells()).filter((row) => row < 300);
    expect(rows.length).toBeGreaterThan(3);
    for (const row of rows) {
      const canvas = explorer.cell(row).getByRole("img", { name: expected.rows[row]?.[0] ?? "", exact: true });
      const found = await canvas.evaluate((element) => {
        if (!(element instanceof HTMLCanvasElement)) throw new Error("no canvas");
        return [element.width, element.height, ...(element.getContext("2d")?.getImageData(38, 0, 1, 1).data ?? [])];
      });
      const [width, height, ...colour] = found;
      expect([row, width, height]).toEqual([row, 40, 30]);
      const away = Math.max(...corner(row).map((value, at) => Math.abs(value - (colour[at] ?? 0))));
      expect([row, away < 48]).toEqual([row, true]); // GIF has few colours, JPEG blurs them
    }
  }
  await explorer.search.fill(String(odd("truncated_jpeg") + 1));
  await explorer.search.press("Enter");
  const cut = explorer.cell(odd("truncated_jpeg"));
  await cut.getByRole("img", { name: /is cut short/ }).waitFor();
  await cut.click();
  await explorer.viewer
    .getByRole("alert")
    .getByText(/is cut short/)
    .waitFor();
  await explorer.slider.press("End");
  await explorer
    .cell(odd("external_link"))
    .getByRole("img", { name: /outside the folder of the shard/ })
    .waitFor();
});

test("ids that look like something else stay the text that they are, and lead to their pictures", async () => {
  const explorer = await explore();
  await openLookup(explorer, "ids.csv");
  await explorer.contents.getByText("11 records").waitFor();
  const ids = ["00777", "777", "1e5", "0x10", "NULL", "nan", "true", "2024-02-29", "9007199254740993", " 5", "-0"];
  for (const [row, id] of ids.entries()) {
    await choose(explorer, row);
    const listed = explorer.row(row + 1).locator(".h5x-row-uuid");
    await until(async () => (await listed.textContent()) === id, `${id} is listed`);
    await until(async () => (await explorer.viewer.locator("canvas").getAttribute("aria-label")) === id, `${id} shows`);
    expect(await explorer.table.locator(".h5x-value-text").allTextContents()).toEqual([id, String(row)]);
  }
});

test.each([
  ["not_a_lookup.parquet", /not_a_lookup\.parquet cannot be read as Parquet/],
  ["wrong_columns.parquet", /has no column 'uuid'\. It has: UUID, path\. The nearest is 'UUID'/],
  ["no_such.parquet", /There is no file .*no_such\.parquet/],
  ["odd_metadata.parquet", /has no column 'filepath'\. It has: uuid, remark/],
  ["groupless_images.h5", /has no group named images\. It has: pictures/],
])("%s is refused with a sentence, and what is shown stays", async (name, sentence) => {
  const explorer = await explore();
  await choose(explorer, 7);
  const before = await explorer.listed();
  await openLookup(explorer, name);
  await explorer.contents.getByRole("alert").getByText(sentence).waitFor();
  await explorer.contents.getByText("323 records").waitFor();
  const after = await explorer.listed();
  expect(after.length).toBeGreaterThan(5);
  expect(after).toEqual(before.slice(0, after.length));
  expect(await explorer.row(8).getAttribute("aria-selected")).toBe("true");
  await explorer.row(3).click();
  await explorer.viewer.getByRole("img", { name: expected.rows[2]?.[0] ?? "" }).waitFor();
});

test("a lookup that has been written anew says so, and is opened again by two keys", async () => {
  const explorer = await explore();
  await openLookup(explorer, "growing.csv");
  await explorer.contents.getByText("3,000 records").waitFor();
  appendFileSync(path.join(folder, "growing.csv"), "last,ids\n");
  await explorer.slider.press("End");
  await explorer.contents.getByRole("alert").getByText("growing.csv has changed since it was opened.").waitFor();
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).press("Enter");
  const field = explorer.contents.getByRole("textbox", { name: /Path/ });
  await until(() => field.evaluate((each) => each === document.activeElement), "the path has the focus");
  await explorer.page.keyboard.press("Enter");
  await explorer.contents.getByText("3,001 records").waitFor();
  await explorer.slider.press("End");
  await explorer.row(3001).getByText("last").waitFor();
  expect(await explorer.root.getByRole("alert").count()).toBe(0);
});

test.each(["header_only.parquet", "header_only.csv"])("%s has no rows, which is said", async (name) => {
  const explorer = await explore();
  await openLookup(explorer, name);
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
  await explorer.contents.getByText("0 unique filepaths").waitFor();
  await explorer.viewer.getByText("There is no picture to show.").waitFor();
  await explorer.metadata.getByText("There is no record to show.").waitFor();
  expect(await explorer.root.getByRole("alert").count()).toBe(0);
});

test("a folder's files that are no shards are left out, and named", async () => {
  const explorer = await explore();
  await openLookup(explorer, "shards");
  await explorer.contents.getByText("4 records").waitFor();
  const notices = explorer.contents.getByRole("list", { name: "Notices" }).getByRole("listitem");
  await until(async () => (await notices.count()) === 2, "both notices are there");
  const texts = await notices.allTextContents();
  expect(texts[0]).toMatch(/^Left out: masks_images\.h5 has no group named images\. It has: masks\.$/);
  expect(texts[1]).toMatch(/^Left out: torn_images\.h5 cannot be read as HDF5: the file is truncated/);
  await explorer.row(4).click();
  await settled(explorer);
  expect(await explorer.viewer.getByRole("img").count()).toBe(1);
});

test("rows that share a uuid are told apart: one is highlighted, and it is the one that was clicked", async () => {
  const explorer = await explore();
  await openLookup(explorer, "repeated.parquet");
  await explorer.contents.getByText("5 records").waitFor();
  await explorer.row(4).click();
  await settled(explorer);
  const selected = explorer.grid.locator("[role=row][aria-selected=true]");
  expect(await selected.evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-rowindex")))).toEqual(["4"]);
});

describe("trying again works", () => {
  const away = (name: string, work: () => Promise<void>) => async () => {
    const file = path.join(folder, name);
    renameSync(file, `${file}.away`);
    try {
      await work();
    } finally {
      renameSync(`${file}.away`, file);
    }
  };

  test.each([
    ["shard_002_images.h5", "viewer"],
    ["shard_002_metadata.parquet", "metadata"],
  ] as const)("when %s is there again", async (name, panel) => {
    const explorer = await explore();
    const alert = explorer[panel].getByRole("alert");
    await away(name, async () => {
      await choose(explorer, 250);
      await alert.getByText(name).waitFor();
      await alert.getByRole("button", { name: "Try again" }).click();
      await settled(explorer);
      await alert.getByText(name).waitFor();
    })();
    await alert.getByRole("button", { name: "Try again" }).click();
    await alert.waitFor({ state: "detached" });
    await settled(explorer);
    await explorer.viewer.getByRole("img", { name: expected.rows[250]?.[0] ?? "" }).waitFor();
    await explorer.table.getByText("name 250").waitFor();
  });

  test.each(["a click on the row", "the Enter key"])("by %s too", async (way) => {
    const explorer = await explore();
    await away("shard_002_images.h5", async () => {
      await choose(explorer, 260);
      await explorer.viewer.getByRole("alert").waitFor();
    })();
    if (way === "the Enter key") await explorer.grid.press("Enter");
    else await explorer.row(261).click();
    await explorer.viewer.getByRole("img", { name: expected.rows[260]?.[0] ?? "" }).waitFor();
    expect(await explorer.root.getByRole("alert").count()).toBe(0);
  });
});
