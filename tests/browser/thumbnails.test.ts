import type { Locator } from "playwright-core";
import { MOST_BATCHES, PATIENCE_MS } from "../../src/state/thumbnailPlan";
import { type Explorer, until, useSite, uuidOf } from "./kit";
import { colourOf } from "./page/bmp";
import type { Setup } from "./page/page";

const { open } = useSite();

/** Opens a page and turns its rows into thumbnails. */
async function openThumbnails(setup: Setup = {}): Promise<Explorer> {
  const explorer = await open({ height: "600px", ...setup });
  await explorer.thumbnailsButton.click();
  await explorer.cell(0).waitFor();
  return explorer;
}

/** The colour of the lower right quarter of what a canvas shows. */
function colour(canvas: Locator): Promise<readonly number[]> {
  return canvas.evaluate((element) => {
    if (!(element instanceof HTMLCanvasElement)) throw new Error("no canvas");
    const [x, y] = [Math.floor(element.width * 0.75), Math.floor(element.height * 0.75)];
    return [...(element.getContext("2d")?.getImageData(x, y, 1, 1).data ?? [])];
  });
}

const trueColour = (row: number) => {
  const { red, green, blue } = colourOf(row);
  return [red, green, blue, 255];
};

/** Waits until every cell shows a thumbnail, and sees that each is that of its row. */
async function allTrue(explorer: Explorer): Promise<readonly number[]> {
  await until(
    async () => (await explorer.grid.locator("[role=gridcell][aria-busy=true]").count()) === 0,
    "all are there",
  );
  const rows = await explorer.cells();
  expect(rows.length).toBeGreaterThan(1);
  for (const row of rows) expect([row, await colour(explorer.thumbnail(row))]).toEqual([row, trueColour(row)]);
  return rows;
}

const asked = (explorer: Explorer) =>
  explorer.page.evaluate(
    () =>
      window.explorers[0]?.calls.filter((call) => call.method === "thumbnails").map((call) => call.rows ?? []) ?? [],
  );
const withdrawn = (explorer: Explorer) =>
  explorer.page.evaluate(() => window.explorers[0]?.withdrawn.filter((call) => call.method === "thumbnails").length);
const current = (explorer: Explorer) => explorer.page.evaluate(() => window.explorers[0]?.current());

test("a button turns the rows into thumbnails and back, and the size can be set only then", async () => {
  const explorer = await open({ rows: 1001, height: "600px" });
  const size = explorer.contents.getByRole("slider", { name: "Thumbnail size" });
  expect(await explorer.thumbnailsButton.getAttribute("aria-pressed")).toBe("false");
  expect(await size.count()).toBe(0);
  expect(await explorer.grid.getAttribute("aria-rowcount")).toBe("1001");
  const place = await explorer.thumbnailsButton.boundingBox();
  await explorer.thumbnailsButton.press("Enter");
  await explorer.cell(0).waitFor();
  expect(await explorer.thumbnailsButton.getAttribute("aria-pressed")).toBe("true");
  expect(await explorer.thumbnailsButton.getAttribute("title")).toBe("Show as list");
  expect(await explorer.thumbnailsButton.boundingBox()).toEqual(place);
  await size.waitFor();
  const columns = Number(await explorer.grid.getAttribute("aria-colcount"));
  expect(columns).toBeGreaterThan(1);
  expect(await explorer.grid.getAttribute("aria-rowcount")).toBe(String(Math.ceil(1001 / columns)));
  expect(await explorer.slider.getAttribute("aria-valuemax")).toBe("1001");
  await allTrue(explorer);
  await explorer.thumbnailsButton.click();
  await explorer.row(5).getByText(uuidOf(4)).waitFor();
  expect(await size.count()).toBe(0);
  expect(await explorer.grid.getAttribute("aria-rowcount")).toBe("1001");
});

test("lines and cells say where they stand, and each cell its number and uuid", async () => {
  const explorer = await openThumbnails({ rows: 5000 });
  await allTrue(explorer);
  const columns = Number(await explorer.grid.getAttribute("aria-colcount"));
  const places = await explorer.grid.locator("[role=gridcell]").evaluateAll((cells) =>
    cells.map((cell) => ({
      row: Number(cell.id.split("-").at(-1)),
      line: Number(cell.parentElement?.getAttribute("aria-rowindex")),
      column: Number(cell.getAttribute("aria-colindex")),
      text: cell.textContent,
    })),
  );
  for (const { row, line, column, text } of places) {
    expect((line - 1) * columns + column - 1).toBe(row);
    expect(text).toContain((row + 1).toLocaleString("en-US"));
  }
  await explorer.grid.getByRole("gridcell", { name: `${uuidOf(1)} 2` }).waitFor();
});

test("a click chooses the row: the picture and the metadata follow", async () => {
  const explorer = await openThumbnails();
  await explorer.thumbnail(2).click();
  await explorer.picture(2).waitFor();
  await explorer.table.getByText("Corvus 2").waitFor();
  expect(await explorer.cell(2).getAttribute("aria-selected")).toBe("true");
  expect(await explorer.cell(0).getAttribute("aria-selected")).toBe("false");
  expect(await explorer.page.evaluate(() => window.explorers[0]?.selection())).toEqual([[2, 3]]);
  await explorer.thumbnailsButton.click();
  await until(async () => (await explorer.row(3).getAttribute("aria-selected")) === "true", "the list has it selected");
});

test("keys walk the thumbnails in all directions, by pages and to the ends of 200 million rows", async () => {
  const explorer = await openThumbnails({ rows: 200_000_001 });
  const columns = Number(await explorer.grid.getAttribute("aria-colcount"));
  await explorer.grid.focus();
  const press = async (key: string) => {
    await explorer.page.keyboard.press(key);
    const row = Number(await current(explorer));
    await explorer.cell(row).waitFor();
    expect(await explorer.grid.getAttribute("aria-activedescendant")).toBe(await explorer.cell(row).getAttribute("id"));
    const [cell, grid] = [await explorer.cell(row).boundingBox(), await explorer.grid.boundingBox()];
    expect(cell?.y ?? 0).toBeGreaterThanOrEqual((grid?.y ?? 0) - 1);
    expect((cell?.y ?? 0) + (cell?.height ?? 0)).toBeLessThanOrEqual((grid?.y ?? 0) + (grid?.height ?? 0) + 1);
    return row;
  };
  expect(await press("ArrowRight")).toBe(1);
  expect(await press("ArrowDown")).toBe(1 + columns);
  expect(await press("ArrowLeft")).toBe(columns);
  expect(await press("ArrowUp")).toBe(0);
  const page = await press("PageDown");
  expect(page % columns).toBe(0);
  expect(page).toBeGreaterThan(0);
  expect(await press("PageUp")).toBe(0);
  expect(await press("End")).toBe(200_000_000);
  await explorer.picture(200_000_000).waitFor();
  await allTrue(explorer);
  expect(await press("ArrowLeft")).toBe(199_999_999);
  expect(await press("Home")).toBe(0);
});

test("the slider leads to the right thumbnails, however far and fast", async () => {
  const explorer = await openThumbnails({ rows: 10_012_001, delay: 25 });
  const { page, slider } = explorer;
  const box = await slider.boundingBox();
  if (box === null) throw new Error("there is no slider");
  const x = box.x + box.width / 2;
  let at = box.y + 5;
  for (let drag = 1; drag <= 8; drag += 1) {
    const target = box.y + ((drag * 5) % 9) * (box.height / 9) + 6;
    await page.mouse.move(x, at);
    await page.mouse.down();
    await page.mouse.move(x, target, { steps: 9 });
    await page.mouse.up();
    at = target;
    const rows = await allTrue(explorer);
    const now = Number(await slider.getAttribute("aria-valuenow"));
    expect(rows).toContain(now - 1);
  }
  await slider.press("End");
  await explorer.cell(10_012_000).waitFor();
  expect(await allTrue(explorer)).toContain(10_012_000);
});

test("the wheel moves the thumbnails", async () => {
  const explorer = await openThumbnails();
  await allTrue(explorer);
  const box = await explorer.cell(0).boundingBox();
  await explorer.grid.hover();
  await explorer.page.mouse.wheel(0, 10 * (box?.height ?? 0));
  const columns = Number(await explorer.grid.getAttribute("aria-colcount"));
  await until(async () => (await explorer.cells())[0] === 10 * columns, "ten lines have gone by");
  await allTrue(explorer);
});

test("what flies by is not asked for, and what had been asked for is withdrawn", async () => {
  const explorer = await openThumbnails({ rows: 1_000_000, held: true });
  await until(async () => (await asked(explorer)).length > 0, "the first are asked for");
  const first = await asked(explorer);
  const frames = 120;
  const took = await explorer.grid.evaluate(async (grid, turns) => {
    const begun = performance.now();
    for (let turn = 0; turn < turns; turn += 1) {
      grid.dispatchEvent(new WheelEvent("wheel", { deltaY: 3_000, cancelable: true }));
      await new Promise(requestAnimationFrame);
    }
    return performance.now() - begun;
  }, frames);
  const seen = await explorer.cells();
  expect(seen[0]).toBeGreaterThan(200);
  await until(async () => {
    const inView = (await asked(explorer)).filter((rows) => rows.some((row) => seen.includes(row)));
    return inView.length > 0 && (await withdrawn(explorer)) === (await asked(explorer)).length - inView.length;
  }, "all that has left the view is withdrawn");
  expect(await withdrawn(explorer)).toBeGreaterThanOrEqual(first.length);
  const most = MOST_BATCHES * (took / PATIENCE_MS + 2);
  expect((await asked(explorer)).length).toBeLessThanOrEqual(most);
  expect(most).toBeLessThan(MOST_BATCHES * frames); // else nothing flew by
  await explorer.page.evaluate(async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      window.explorers[0]?.letGo("all");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await allTrue(explorer);
  expect((await asked(explorer)).flat()).toEqual(expect.arrayContaining([...seen]));
});

test("until its thumbnail is there a cell shows none: never that of another row", async () => {
  const explorer = await openThumbnails({ held: true });
  await explorer.cell(0).getByText("loading").waitFor({ state: "attached" });
  expect(await explorer.grid.getByRole("img").count()).toBe(0);
  await until(async () => (await asked(explorer)).length > 0, "they are asked for");
  await explorer.page.evaluate(() => {
    window.explorers[0]?.letGo("all", "rows");
    window.explorers[0]?.letGo("all", "thumbnails");
  });
  await explorer.thumbnail(1).waitFor();
  await explorer.slider.press("End");
  await explorer.cell(9_999).waitFor();
  expect(await explorer.grid.locator("canvas").count()).toBe(0);
  expect(await explorer.cell(9_999).getAttribute("aria-busy")).toBe("true");
});

test("a row without a picture has a quiet sign with its sentence, and is asked for again by a click", async () => {
  const explorer = await openThumbnails({ badPictures: [1], undecodable: [2] });
  const missing = explorer.cell(1).getByRole("img", { name: /There is no file for row 2\./ });
  await missing.waitFor();
  expect(await missing.getAttribute("title")).toBe("There is no file for row 2.");
  await explorer
    .cell(2)
    .getByRole("img", { name: /cannot decode/ })
    .waitFor();
  expect(await explorer.contents.getByRole("alert").count()).toBe(0);
  expect(await colour(explorer.thumbnail(0))).toEqual(trueColour(0));
  const before = (await asked(explorer)).length;
  await explorer.cell(1).click();
  await explorer.viewer.getByRole("alert").getByText("There is no file for row 2.").waitFor();
  await until(
    async () => (await asked(explorer)).slice(before).some((rows) => rows.includes(1)),
    "it is asked for again",
  );
});

test("another width or size keeps the first row in view, and the chosen one if it was seen", async () => {
  const explorer = await openThumbnails({ rows: 100_000, width: "1200px" });
  const { page } = explorer;
  const widen = (width: string) =>
    page.evaluate((css) => {
      const place = document.querySelector("main > div");
      if (place instanceof HTMLElement) place.style.width = css;
    }, width);
  await explorer.slider.press("End");
  for (let turn = 0; turn < 7; turn += 1) await explorer.slider.press("PageUp");
  const [first = -1] = await explorer.cells();
  expect(first).toBeGreaterThan(1000);
  for (const width of ["800px", "1900px", "330px", "1200px"]) {
    await widen(width);
    await until(async () => {
      const [top = -1] = await explorer.cells();
      const columns = Number(await explorer.grid.getAttribute("aria-colcount"));
      return top === first - (first % columns);
    }, `row ${first} stands in the first line at ${width}`);
    await allTrue(explorer);
  }
  const size = explorer.contents.getByRole("slider", { name: "Thumbnail size" });
  const sizeOf = async () => Math.round((await explorer.cell(first).locator("canvas").boundingBox())?.width ?? 0);
  expect(await sizeOf()).toBe(128);
  await size.focus();
  for (let turn = 0; turn < 3; turn += 1) await page.keyboard.press("ArrowRight");
  await until(async () => (await sizeOf()) === 176, "they are larger");
  expect(await size.getAttribute("aria-valuetext")).toBe("176 pixels");
  expect(await explorer.cells()).toContain(first);
  const chosen = (await explorer.cells()).at(-2) ?? 0;
  await explorer.cell(first).click();
  await page.evaluate((row) => window.explorers[0]?.setCurrent(row), chosen);
  await explorer.thumbnailsButton.click();
  await explorer.row(chosen + 1).waitFor();
  await explorer.thumbnailsButton.click();
  await explorer.cell(chosen).waitFor();
});

test("turning far from the chosen row does not jump to it", async () => {
  const explorer = await open({ rows: 100_000, height: "600px" });
  await explorer.search.fill("50000");
  await explorer.search.press("Enter");
  await explorer.row(50_000).waitFor();
  await explorer.slider.press("Home");
  await explorer.row(1).waitFor();
  await explorer.thumbnailsButton.click();
  await explorer.thumbnail(0).waitFor();
  expect((await explorer.cells())[0]).toBe(0);
  await explorer.thumbnailsButton.click();
  await explorer.row(1).waitFor();
  await explorer.thumbnailsButton.click();
  await explorer.search.fill("70000");
  await explorer.search.press("Enter");
  await explorer.thumbnail(69_999).waitFor();
  await allTrue(explorer);
});

test("when another lookup is opened its thumbnails are shown", async () => {
  const explorer = await openThumbnails();
  await allTrue(explorer);
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const field = explorer.contents.getByRole("textbox", { name: /Path/ });
  await field.fill("other.csv");
  await field.press("Enter");
  await explorer.contents.getByText("42 records").waitFor();
  await explorer.slider.press("End");
  expect(await allTrue(explorer)).toContain(41);
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  await field.fill("empty.csv");
  await field.press("Enter");
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
});
