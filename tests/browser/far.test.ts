/** Files that are too large to be loaded, in the page without a kernel: what is read of them, and what it takes. */

import path from "node:path";
import { RequestClient } from "../../src/channel/requests";
import { tabMemory } from "../support/memory";
import { PageSource } from "../support/pageSource";
import { PipeWire } from "../support/pipe";
import { newFolder, runModule } from "../support/python";
import { choose, usePlain } from "./plainKit";

jest.setTimeout(240_000);

const MILLIONS = 10_000_000;
const never = new AbortController().signal;
const folder = newFolder("far");
runModule("tests.fixtures.far", folder, String(MILLIONS));
const { data, open, browser, address } = usePlain(folder);
const file = (name: string) => path.join(folder, name);

test("a shard of 5 GB takes less than 300 MB, and less than 5 MB of it are read", async () => {
  const page = await open();
  await choose(page, file("sparse_images.h5"), file("sparse_metadata.parquet"));
  const opened = await page.evaluate(() => window.bare.open(null));
  expect(opened).toMatchObject({ name: "2 files", records: 20 });
  const source = new PageSource(page);
  for (let row = 0; row < 20; row += 1) {
    const image = await source.image(opened.dataset, row, null, never);
    expect(image?.format).toBe("PNG");
  }
  const read = await page.evaluate(() => window.bare.bytesRead());
  const memory = await tabMemory(browser());
  console.log(`5 GB shard: ${(read / 1e6).toFixed(2)} MB read, tab ${(memory / 1e6).toFixed(0)} MB`);
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(5e6);
  expect(memory).toBeLessThan(300e6);
});

test("a picture in so many pieces that they would fill the memory is refused, and the next one is shown", async () => {
  const page = await open();
  await choose(page, file("bomb_images.h5"));
  const { dataset } = await page.evaluate(() => window.bare.open(null));
  const source = new PageSource(page);
  await expect(source.image(dataset, 0, null, never)).rejects.toMatchObject({
    code: "too_large",
    message: "The image bomb in bomb_images.h5 lies in 400,000 chunks; up to 20,000 are read.",
  });
  expect((await source.image(dataset, 1, null, never))?.key).toBe("good");
  expect(await tabMemory(browser())).toBeLessThan(300e6);
});

test("20 pictures at an address take at most 3 times their own bytes", async () => {
  const page = await open();
  const opened = await page.evaluate((at) => window.bare.open(at), address("far.parquet"));
  const source = new PageSource(page);
  let own = 0;
  for (let row = 0; row < opened.records; row += 1) {
    own += (await source.image(opened.dataset, row, null, never))?.bytes.length ?? 0;
  }
  const given = data.bytesOf("far_images.h5");
  console.log(`20 pictures: ${own} bytes, ${given} given, ${(given / own).toFixed(2)} times`);
  expect(opened.records).toBe(20);
  expect(own).toBeGreaterThan(20 * 36_000);
  expect(given).toBeLessThanOrEqual(3 * own);
});

const WINDOWS = [0, 5_000_000, 9_999_800, 2_500_000, 7_777_777];

test("to open 10 million rows and to look at five places takes at most 3 times what the kernel takes", async () => {
  const page = await open();
  await choose(page, file("millions.parquet"));
  const here = await page.evaluate(async (windows) => {
    const times: number[] = [];
    await window.bare.open(null).catch(() => {}); // the workers start
    const begun = performance.now();
    const { dataset } = await window.bare.open(null);
    times.push(performance.now() - begun);
    for (const [number, start] of windows.entries()) {
      const since = performance.now();
      await window.bare.call(number, "rows", [dataset, { start, stop: start + 128 }]);
      times.push(performance.now() - since);
    }
    return times;
  }, WINDOWS);
  const wire = new PipeWire(file("millions.parquet"));
  await wire.opened();
  const client = new RequestClient(wire);
  const there: number[] = [];
  const path_ = file("millions.parquet");
  const begun = performance.now();
  const { result } = await client.ask("open", { path: path_ });
  there.push(performance.now() - begun);
  for (const start of WINDOWS) {
    const since = performance.now();
    await client.ask("rows", { dataset: Number(result.dataset), start, stop: start + 128 });
    there.push(performance.now() - since);
  }
  client.close();
  wire.end();
  const text = (times: readonly number[]) => times.map((ms) => ms.toFixed(0)).join(" ");
  console.log(`open and windows in ms: page ${text(here)}; kernel ${text(there)}`);
  const sum = (times: readonly number[]) => times.reduce((all, ms) => all + ms, 0);
  expect(sum(here)).toBeLessThan(3 * sum(there) + 100);
});
