import { readFileSync } from "node:fs";
import { until, useSite, uuidOf } from "./kit";
import { bmp, colourOf } from "./page/bmp";

const { open } = useSite();

const rgba = (row: number) => {
  const { red, green, blue } = colourOf(row);
  return [red, green, blue, 255];
};

test("the picture of the row is what is drawn, named by its uuid", async () => {
  const explorer = await open({ picture: { width: 60, height: 40 } });
  for (const row of [0, 1, 17]) {
    await explorer.search.fill(String(row + 1));
    await explorer.search.press("Enter");
    const canvas = explorer.picture(row);
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error("there is no canvas");
    const [middle, top] = [Math.round(box.width / 2), Math.round(box.height / 2)];
    expect(await explorer.colourAt(canvas, middle + 20, top + 10)).toEqual(rgba(row));
    expect(await explorer.colourAt(canvas, middle - 20, top - 10)).toEqual([0, 0, 0, 255]);
    expect(await explorer.colourAt(canvas, middle + 31, top)).toEqual([0, 0, 0, 0]);
  }
});

test("format, size, bytes, times and source are told", async () => {
  const explorer = await open();
  await explorer.row(3).click();
  await explorer.picture(2).waitFor();
  const status = explorer.viewer.getByRole("status");
  await status.getByText("BMP").waitFor();
  await status.getByText("60 × 40 px").waitFor();
  await status.getByText("7.25 kB").waitFor();
  await status.getByText("kernel 1.2 ms").waitFor();
  await status.getByText(/^shown in [\d.]+ m?s$/).waitFor();
  expect(await status.textContent()).toContain("/data/shards/part_000000_images.h5");
});

test("the picture before stays until the next one can be drawn, and is never under a later choice's name", async () => {
  const explorer = await open({ held: true });
  const letGo = (which: "oldest" | "newest" | "all", method: "image" | "metadata" | "rows") =>
    explorer.page.evaluate(([a, b]) => window.explorers[0]?.letGo(a, b), [which, method] as const);
  await letGo("all", "rows");
  await letGo("all", "image");
  await explorer.picture(0).waitFor();
  await explorer.row(11).click();
  expect(await explorer.viewer.getAttribute("aria-busy")).toBe("true");
  await explorer.picture(0).waitFor();
  await explorer.row(12).click();
  await until(async () => (await letGo("newest", "image")) === 1, "the newer answer is let go");
  await explorer.picture(11).waitFor();
  await letGo("all", "image");
  await explorer.page.waitForTimeout(200);
  await explorer.picture(11).waitFor();
  const canvas = explorer.picture(11);
  const box = await canvas.boundingBox();
  if (box === null) throw new Error("there is no canvas");
  expect(await explorer.colourAt(canvas, box.width / 2 + 20, box.height / 2 + 10)).toEqual(rgba(11));
});

test("a late answer of the metadata never shows under a later choice", async () => {
  const explorer = await open({ held: true });
  const letGo = (which: "oldest" | "newest" | "all") =>
    explorer.page.evaluate((a) => window.explorers[0]?.letGo(a, "metadata"), which);
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all", "rows"));
  await letGo("all");
  await explorer.table.getByText("Corvus 0").waitFor();
  await explorer.row(2).click();
  await explorer.row(3).click();
  await until(async () => (await letGo("newest")) === 1, "the newer answer is let go");
  await explorer.table.getByText("Corvus 2").waitFor();
  await letGo("all");
  await explorer.page.waitForTimeout(200);
  await explorer.table.getByText("Corvus 2").waitFor();
  expect(await explorer.table.getByText("Corvus 1").count()).toBe(0);
});

test("a picture that fails has a sentence, the other panels go on, and it can be tried again", async () => {
  const explorer = await open({ badPictures: [1], badMetadata: [2] });
  await explorer.row(2).click();
  await explorer.viewer.getByRole("alert").getByText("There is no file for row 2.").waitFor();
  expect(await explorer.viewer.getByRole("img").count()).toBe(0);
  await explorer.table.getByText("Corvus 1").waitFor();
  const before = await explorer.page.evaluate(() => window.explorers[0]?.calls.length ?? 0);
  await explorer.viewer.getByRole("button", { name: "Try again" }).click();
  await until(
    async () => ((await explorer.page.evaluate(() => window.explorers[0]?.calls.length)) ?? 0) > before,
    "it is asked for again",
  );
  await explorer.viewer.getByRole("alert").waitFor();
  await explorer.row(3).click();
  await explorer.picture(2).waitFor();
  await explorer.metadata.getByRole("alert").getByText("There is no file for row 3.").waitFor();
  await explorer.row(4).click();
  await explorer.table.getByText("Corvus 3").waitFor();
  expect(await explorer.root.getByRole("alert").count()).toBe(0);
});

test("one that the browser cannot decode says so, and its bytes can be saved", async () => {
  const explorer = await open({ undecodable: [1] });
  await explorer.row(2).click();
  await explorer.viewer
    .getByRole("alert")
    .getByText("The browser cannot decode this BMP picture of 3 bytes.")
    .waitFor();
  const [download] = await Promise.all([
    explorer.page.waitForEvent("download"),
    explorer.viewer.getByRole("button", { name: "Save the original bytes" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${uuidOf(1)}.tif`);
  expect([...readFileSync(await download.path())]).toEqual([1, 2, 3]);
});

test("the original bytes are saved under the uuid's name", async () => {
  const explorer = await open();
  await explorer.row(4).click();
  await explorer.picture(3).waitFor();
  const [download] = await Promise.all([
    explorer.page.waitForEvent("download"),
    explorer.viewer.getByRole("button", { name: "Save the original bytes" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${uuidOf(3)}.bmp`);
  expect(readFileSync(await download.path()).equals(Buffer.from(bmp(60, 40, colourOf(3), true)))).toBe(true);
});

test.each([[["clipboard-read", "clipboard-write"]], [[]]])(
  "the uuid is copied, with the browser's clipboard or without it (%j)",
  async (permissions) => {
    const explorer = await open({}, { permissions });
    if (permissions.length === 0) {
      await explorer.page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    }
    await explorer.row(6).click();
    await explorer.picture(5).waitFor();
    await explorer.viewer.getByRole("button", { name: "Copy uuid" }).click();
    await explorer.viewer.getByRole("button", { name: "Copied" }).waitFor();
    await explorer.search.focus();
    await explorer.page.keyboard.press("Control+V");
    expect(await explorer.search.inputValue()).toBe(uuidOf(5));
  },
);

test("neighbours are fetched ahead, so that the next picture is not asked for", async () => {
  const explorer = await open();
  await explorer.row(5).click();
  await explorer.picture(4).waitFor();
  const calls = (method: string) =>
    explorer.page.evaluate(
      (name) => window.explorers[0]?.calls.filter((call) => call.method === name).map((call) => call.row) ?? [],
      method,
    );
  await until(async () => (await calls("ahead")).length > 0, "neighbours are fetched");
  await explorer.page.waitForTimeout(500);
  const before = await calls("image");
  await explorer.grid.focus();
  await explorer.page.keyboard.press("ArrowDown");
  await explorer.picture(5).waitFor();
  expect(await calls("image")).toEqual(before);
});

test("a file that has changed is noticed when its picture is come back to", async () => {
  const explorer = await open();
  await explorer.row(5).click();
  await explorer.picture(4).waitFor();
  await explorer.page.waitForTimeout(2_200);
  await explorer.row(9).click();
  await explorer.picture(8).waitFor();
  await explorer.page.evaluate(() => window.explorers[0]?.changeFile(4));
  await explorer.row(5).click();
  const canvas = explorer.picture(4);
  await until(async () => {
    const box = await canvas.boundingBox();
    if (box === null) return false;
    const seen = await explorer.colourAt(canvas, box.width / 2 + 20, box.height / 2 + 10);
    return JSON.stringify(seen) === JSON.stringify(rgba(1004));
  }, "the new picture is there");
});

describe("zooming", () => {
  const scale = async (explorer: Awaited<ReturnType<typeof open>>) =>
    Number(await explorer.viewer.locator("canvas").getAttribute("data-scale"));

  test("fit shows all of a large picture, one to one its pixels", async () => {
    const explorer = await open({ picture: { width: 1500, height: 1000 } });
    await explorer.picture(0).waitFor();
    expect(await scale(explorer)).toBeLessThan(1);
    await explorer.viewer.getByRole("button", { name: /^1:1/ }).click();
    expect(await scale(explorer)).toBe(1);
    await explorer.viewer.getByRole("button", { name: "Fit to the panel" }).click();
    expect(await scale(explorer)).toBeLessThan(1);
    expect(await explorer.viewer.getByRole("button", { name: "Fit to the panel" }).getAttribute("aria-pressed")).toBe(
      "true",
    );
  });

  test("the wheel zooms to the pointer, and magnified pixels have crisp edges", async () => {
    const explorer = await open({ picture: { width: 60, height: 40 } });
    const canvas = explorer.picture(0);
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error("there is no canvas");
    const edge = { x: Math.round(box.width / 2), y: Math.round(box.height / 2) };
    await explorer.page.mouse.move(box.x + edge.x, box.y + edge.y - 4);
    await explorer.page.mouse.move(box.x + edge.x, box.y + edge.y - 5);
    for (let turn = 0; turn < 20; turn += 1) await explorer.page.mouse.wheel(0, -100);
    await until(async () => (await scale(explorer)) > 20, "the picture is magnified");
    const colours = await canvas.evaluate(
      (element, at) => {
        const context = element instanceof HTMLCanvasElement ? element.getContext("2d") : null;
        const row = context?.getImageData(at.x - 60, at.y - 20, 120, 1).data ?? new Uint8ClampedArray();
        return Array.from({ length: 120 }, (_, x) => row.slice(x * 4, x * 4 + 3).join());
      },
      { x: edge.x, y: edge.y },
    );
    expect(new Set(colours).size).toBe(2); // black beside the colour, and nothing between
    expect(colours.indexOf(rgba(0).slice(0, 3).join())).toBeGreaterThan(55);
    expect(colours.indexOf(rgba(0).slice(0, 3).join())).toBeLessThan(65);
  });

  test("a picture larger than the panel is moved by the mouse, within its edges", async () => {
    const explorer = await open({ picture: { width: 1500, height: 1000 } });
    const canvas = explorer.picture(0);
    await canvas.waitFor();
    await explorer.viewer.getByRole("button", { name: /^1:1/ }).click();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error("there is no canvas");
    const at = [box.x + box.width / 2, box.y + box.height / 2] as const;
    expect(await explorer.colourAt(canvas, 2, 2)).toEqual([0, 0, 0, 255]);
    for (let times = 0; times < 6; times += 1) {
      await explorer.page.mouse.move(at[0] + 100, at[1] + 100);
      await explorer.page.mouse.down();
      await explorer.page.mouse.move(at[0] - 100, at[1] - 100, { steps: 4 });
      await explorer.page.mouse.up();
    }
    expect(await explorer.colourAt(canvas, 2, 2)).toEqual(rgba(0));
    expect(await explorer.colourAt(canvas, box.width - 2, box.height - 2)).toEqual(rgba(0));
  });

  test("keys zoom, fit, move, and walk to the next picture", async () => {
    const explorer = await open({ picture: { width: 1500, height: 1000 } });
    await explorer.picture(0).waitFor();
    const stage = explorer.viewer.getByRole("group", { name: /^Picture/ });
    await stage.focus();
    await explorer.page.keyboard.press("1");
    expect(await scale(explorer)).toBe(1);
    await explorer.page.keyboard.press("-");
    expect(await scale(explorer)).toBeCloseTo(0.8, 5);
    await explorer.page.keyboard.press("+");
    await explorer.page.keyboard.press("+");
    expect(await scale(explorer)).toBeCloseTo(1.25, 5);
    for (let press = 0; press < 40; press += 1) await explorer.page.keyboard.press("ArrowRight");
    await explorer.picture(0).waitFor();
    expect(await explorer.colourAt(explorer.picture(0), 2, 2)).toEqual(rgba(0));
    await explorer.page.keyboard.press("0");
    await explorer.page.keyboard.press("ArrowRight");
    await explorer.picture(1).waitFor();
    await explorer.page.keyboard.press("ArrowLeft");
    await explorer.picture(0).waitFor();
    await explorer.page.keyboard.press("PageDown");
    await explorer.picture(1).waitFor();
  });

  test("a double click goes between fit and one to one", async () => {
    const explorer = await open({ picture: { width: 1500, height: 1000 } });
    await explorer.picture(0).waitFor();
    await explorer.picture(0).dblclick();
    expect(await scale(explorer)).toBe(1);
    await explorer.picture(0).dblclick();
    expect(await scale(explorer)).toBeLessThan(1);
  });

  test("a notebook that scrolls under a still pointer scrolls on", async () => {
    const explorer = await open({ picture: { width: 1500, height: 1000 } });
    await explorer.picture(0).waitFor();
    const prevented = await explorer.viewer
      .getByRole("group", { name: /^Picture/ })
      .evaluate((stage) => !stage.dispatchEvent(new WheelEvent("wheel", { deltaY: 50, cancelable: true })));
    expect(prevented).toBe(false);
  });
});
