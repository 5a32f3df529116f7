import { Explorer, mount, until, useSite, uuidOf } from "./kit";

const { open } = useSite();

test("the panel tells the totals, and lists rows with uuid and file", async () => {
  const explorer = await open({ rows: 12_345 });
  await explorer.contents.getByText("12,345 records").waitFor();
  await explorer.contents.getByText("13 unique filepaths").waitFor();
  expect(await explorer.grid.getAttribute("aria-rowcount")).toBe("12345");
  await explorer.row(1).getByText("part_000000").waitFor();
  expect(await explorer.row(1).textContent()).toBe(`1${uuidOf(0)}part_000000`);
  expect(await explorer.row(1).getAttribute("aria-selected")).toBe("true");
  expect(await explorer.slider.getAttribute("aria-valuemin")).toBe("1");
  expect(await explorer.slider.getAttribute("aria-valuemax")).toBe("12345");
  expect(await explorer.slider.getAttribute("aria-valuetext")).toBe("Row 1 of 12,345");
});

test("a click chooses the row, and the picture and metadata follow", async () => {
  const explorer = await open();
  await explorer.row(5).click();
  await explorer.picture(4).waitFor();
  await explorer.table.getByText("Corvus 4").waitFor();
  expect(await explorer.row(5).getAttribute("aria-selected")).toBe("true");
  expect(await explorer.row(1).getAttribute("aria-selected")).toBe("false");
  expect(await explorer.page.evaluate(() => window.explorers[0]?.selection())).toEqual([[4, 5]]);
});

test("keys walk the rows one by one, by pages and to the ends", async () => {
  const explorer = await open({ rows: 200_000_000 });
  await explorer.grid.focus();
  const current = () => explorer.page.evaluate(() => window.explorers[0]?.current());
  const visible = async () => {
    const row = Number(await current()) + 1;
    await explorer.row(row).waitFor();
    expect(await explorer.grid.getAttribute("aria-activedescendant")).toBe(await explorer.row(row).getAttribute("id"));
    return row;
  };
  await explorer.page.keyboard.press("ArrowDown");
  expect(await visible()).toBe(2);
  await explorer.page.keyboard.press("PageDown");
  const page = await visible();
  expect(page).toBeGreaterThan(5);
  await explorer.page.keyboard.press("PageUp");
  expect(await visible()).toBe(2);
  await explorer.page.keyboard.press("End");
  expect(await visible()).toBe(200_000_000);
  await explorer.picture(199_999_999).waitFor();
  await explorer.page.keyboard.press("ArrowUp");
  expect(await visible()).toBe(199_999_999);
  await explorer.page.keyboard.press("Home");
  expect(await visible()).toBe(1);
});

test("the slider's keys reach every row, and its ends are the first and the last", async () => {
  const explorer = await open({ rows: 200_000_000 });
  await explorer.slider.focus();
  const value = async () => Number(await explorer.slider.getAttribute("aria-valuenow"));
  const listedNumbers = async () => (await explorer.listed()).map((row) => row.number);
  await explorer.page.keyboard.press("End");
  await until(async () => (await value()) === 200_000_000, "the slider is at its end");
  expect(Math.max(...(await listedNumbers()))).toBe(200_000_000);
  for (let step = 1; step <= 5; step += 1) {
    await explorer.page.keyboard.press("ArrowUp");
    await until(async () => (await value()) === 200_000_000 - step, `the slider is ${step} before its end`);
  }
  await explorer.page.keyboard.press("PageUp");
  await until(async () => (await value()) < 199_999_990, "a page is walked");
  await explorer.page.keyboard.press("Home");
  await until(async () => (await value()) === 1, "the slider is at its begin");
  expect(Math.min(...(await listedNumbers()))).toBe(1);
});

test("the row that the slider names is chosen by Enter", async () => {
  const explorer = await open({ rows: 1_000_000 });
  await explorer.slider.focus();
  await explorer.page.keyboard.press("End");
  await explorer.page.keyboard.press("ArrowUp");
  await explorer.page.keyboard.press("Enter");
  await explorer.picture(999_998).waitFor();
  expect(await explorer.row(999_999).getAttribute("aria-selected")).toBe("true");
  expect(await explorer.slider.getAttribute("aria-valuenow")).toBe("999999");
});

test("a fast drag of the slider ends on the right rows, 50 times of 50", async () => {
  const explorer = await open({ rows: 10_012_000, delay: 25 });
  const { page, slider } = explorer;
  const box = await slider.boundingBox();
  if (box === null) throw new Error("there is no slider");
  const x = box.x + box.width / 2;
  let random = 12_345;
  const next = () => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random / 2_147_483_648;
  };
  let at = box.y + 5;
  for (let drag = 0; drag < 50; drag += 1) {
    const target = box.y + next() * box.height;
    await page.mouse.move(x, at);
    await page.mouse.down();
    await page.mouse.move(x, target, { steps: 3 + Math.floor(next() * 12) });
    await page.mouse.up();
    at = target;
    await until(async () => {
      const rows = await explorer.listed();
      return rows.length > 5 && rows.every(({ number, text }) => text.includes(uuidOf(number - 1)));
    }, `the rows of drag ${drag} are there`);
    const now = Number(await slider.getAttribute("aria-valuenow"));
    expect((await explorer.listed()).some(({ number }) => number === now)).toBe(true);
  }
});

test("drags that are not waited for, with answers in any order, end on the right rows", async () => {
  const explorer = await open({ rows: 10_012_000, delay: [0, 400] });
  const { page, slider } = explorer;
  const box = await slider.boundingBox();
  if (box === null) throw new Error("there is no slider");
  const x = box.x + box.width / 2;
  for (let drag = 1; drag <= 12; drag += 1) {
    await page.mouse.move(x, box.y + ((drag * 7) % 13) * (box.height / 13) + 4);
    await page.mouse.down();
    await page.mouse.move(x, box.y + ((drag * 5 + 3) % 13) * (box.height / 13) + 4, { steps: 8 });
    await page.mouse.up();
    if (drag % 4 !== 0) continue;
    await until(async () => {
      const rows = await explorer.listed();
      return rows.length > 5 && rows.every(({ number, text }) => text.includes(uuidOf(number - 1)));
    }, `the rows of drag ${drag} are there`);
  }
});

test("the selection stays when the list is moved away from it", async () => {
  const explorer = await open({ rows: 100_000 });
  await explorer.row(4).click();
  await explorer.picture(3).waitFor();
  await explorer.grid.hover();
  await explorer.page.mouse.wheel(0, 5_000);
  await explorer.row(4).waitFor({ state: "detached" });
  await explorer.picture(3).waitFor();
  await explorer.page.mouse.wheel(0, -5_000);
  await until(async () => (await explorer.row(4).getAttribute("aria-selected")) === "true", "row 4 is selected");
  expect(await explorer.grid.locator("[aria-selected=true]").count()).toBe(1);
});

test("a drag asks for few pages", async () => {
  const explorer = await open({ rows: 200_000_000, delay: 50 });
  const box = await explorer.slider.boundingBox();
  if (box === null) throw new Error("there is no slider");
  const begun = performance.now();
  await explorer.page.mouse.move(box.x + 8, box.y + 5);
  await explorer.page.mouse.down();
  await explorer.page.mouse.move(box.x + 8, box.y + box.height - 5, { steps: 120 });
  await explorer.page.mouse.up();
  await until(async () => (await explorer.listed()).every(({ text }) => !text.includes("loading")), "rows are there");
  const atATime = 2;
  const most = (atATime * (performance.now() - begun)) / 50 + 5;
  const calls = await explorer.page.evaluate(() => window.explorers[0]?.calls.filter((call) => call.method === "rows"));
  expect(calls?.length).toBeLessThan(Math.min(most, 120));
});

test("the wheel moves the list by pixels, and lets the page scroll on at its ends", async () => {
  const explorer = await open({ rows: 1000 });
  await explorer.row(1).hover();
  await explorer.page.mouse.wheel(0, 280);
  await until(async () => (await explorer.listed())[0]?.number === 11, "the list has moved by ten rows");
  await explorer.page.mouse.wheel(0, -10_000);
  await until(async () => (await explorer.listed())[0]?.number === 1, "the list is back");
  const prevented = await explorer.grid.evaluate((grid) => {
    const turn = (deltaY: number) =>
      !grid.dispatchEvent(new WheelEvent("wheel", { deltaY, cancelable: true, bubbles: true }));
    return [turn(-50), turn(50)];
  });
  expect(prevented).toEqual([false, true]);
});

test("a list that a finger has thrown runs on, and stops under the next touch", async () => {
  const explorer = await open({ rows: 1_000_000 });
  await explorer.picture(0).waitFor();
  const touch = (type: string, y: number) =>
    explorer.grid.evaluate(
      (grid, [name, clientY]) =>
        grid.dispatchEvent(new PointerEvent(name, { pointerType: "touch", pointerId: 7, clientY, bubbles: true })),
      [type, y] as const,
    );
  const first = async () => (await explorer.listed())[0]?.number ?? 0;
  await touch("pointerdown", 400);
  for (let y = 390; y >= 200; y -= 19) await touch("pointermove", y);
  await touch("pointerup", 200);
  const thrown = await first();
  await until(async () => (await first()) > thrown, "the list runs on");
  await touch("pointerdown", 300);
  const held = await first();
  await explorer.page.waitForTimeout(300);
  expect(await first()).toBe(held);
  await touch("pointerup", 300);
  await explorer.page.waitForTimeout(300);
  expect(await first()).toBe(held);
});

test("rows are skeletons until they are there", async () => {
  const explorer = await open({ held: true });
  expect(await explorer.row(3).getAttribute("aria-busy")).toBe("true");
  expect(await explorer.row(3).textContent()).toContain("loading");
  expect(await explorer.row(3).textContent()).toMatch(/^3/);
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all", "rows"));
  await explorer.row(3).getByText("part_000000").waitFor();
  expect(await explorer.row(3).getAttribute("aria-busy")).toBe("false");
});

test("a row number, a uuid or part of a path leads to its row", async () => {
  const explorer = await open({ rows: 5000 });
  const go = async (text: string) => {
    await explorer.search.fill(text);
    await explorer.search.press("Enter");
  };
  await go("4,321");
  await explorer.row(4321).waitFor();
  await explorer.picture(4320).waitFor();
  await explorer.contents.getByText("Row 4,321 of 5,000").waitFor();
  await go(uuidOf(777).slice(0, 10));
  await explorer.picture(777).waitFor();
  await go("part_000003");
  await explorer.picture(3000).waitFor();
  await explorer.search.press("Enter");
  await explorer.picture(3001).waitFor();
  await go("no such thing");
  await explorer.contents.getByText("Nothing matches “no such thing”.").waitFor();
  await explorer.picture(3001).waitFor();
});

test("a search that takes long can be stopped", async () => {
  const explorer = await open({ held: true });
  await explorer.search.fill("part_000009");
  await explorer.search.press("Enter");
  await explorer.contents.getByText("Searching…").waitFor();
  await explorer.contents.getByRole("button", { name: "Stop" }).click();
  await explorer.contents.getByText("Stopped.").waitFor();
});

test("a lookup without rows says so", async () => {
  const explorer = await open({ rows: 0 });
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
  await explorer.contents.getByText("0 records").waitFor();
  await explorer.viewer.getByText("There is no picture to show.").waitFor();
  await explorer.metadata.getByText("There is no record to show.").waitFor();
});

test("another lookup is opened by its path; a refused one leaves the shown one in place", async () => {
  const explorer = await open();
  await explorer.row(3).click();
  await explorer.picture(2).waitFor();
  const unfold = explorer.contents.getByRole("button", { name: "Open", exact: true });
  await unfold.click();
  const path = explorer.contents.getByRole("textbox", { name: /Path/ });
  expect(await path.evaluate((field) => field === document.activeElement)).toBe(true);
  expect(await path.inputValue()).toBe("/data/lookup.parquet");
  expect(await explorer.page.evaluate(() => String(getSelection()))).toBe("/data/lookup.parquet");
  await path.fill("nowhere.parquet");
  await path.press("Enter");
  await explorer.contents.getByRole("alert").getByText("There is no file nowhere.parquet.").waitFor();
  await explorer.contents.getByText("10,000 records").waitFor();
  expect(await explorer.row(3).getAttribute("aria-selected")).toBe("true");
  await explorer.picture(2).waitFor();

  await path.fill("other.csv");
  await path.press("Enter");
  await explorer.contents.getByText("42 records").waitFor();
  await explorer.contents.getByText("other.csv").waitFor();
  await explorer.row(42).waitFor({ state: "detached" });
  expect(await explorer.grid.getAttribute("aria-rowcount")).toBe("42");
  expect(await explorer.slider.getAttribute("aria-valuemax")).toBe("42");
  expect(await unfold.evaluate((button) => button === document.activeElement)).toBe(true);
  await unfold.click();
  await path.press("Escape");
  await path.waitFor({ state: "detached" });
});

test("rows that fail are told, and tried again", async () => {
  const explorer = await open({ held: true });
  await explorer.page.evaluate(() => {
    window.explorers[0]?.failRows(2);
    window.explorers[0]?.letGo("all");
  });
  await explorer.search.fill("9000");
  await explorer.search.press("Enter");
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
  await explorer.contents.getByRole("alert").getByText("This took longer than 60 s").waitFor();
  await explorer.contents.getByRole("button", { name: "Try again" }).click();
  await until(async () => {
    await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
    return (await explorer.contents.getByRole("alert").count()) === 0;
  }, "the alert has gone");
  await until(async () => {
    await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
    return ((await explorer.row(9000).textContent()) ?? "").includes("part_000008");
  }, "row 9000 is there");
});

test("Python's choice is followed, and brought into view", async () => {
  const explorer = await open({ rows: 100_000, current: 50_000 });
  await explorer.row(50_001).waitFor();
  await explorer.picture(50_000).waitFor();
  await explorer.page.evaluate(() => window.explorers[0]?.setCurrent(99_999));
  await explorer.row(100_000).waitFor();
  await explorer.picture(99_999).waitFor();
  await explorer.page.evaluate(() => window.explorers[0]?.setCurrent(null));
  await explorer.viewer.getByText("Choose a row to see its picture.").waitFor();
});

test("notices about the lookup are listed", async () => {
  const explorer = await open({
    notices: ["Row 4 of a.csv has more fields than the header; the surplus is left out."],
  });
  const told = explorer.contents.getByRole("status").filter({ has: explorer.page.getByRole("list") });
  await told.getByRole("list", { name: "Notices" }).getByText("Row 4 of a.csv").waitFor();
});

test("two explorers of a page do not mix", async () => {
  const first = await open({ rows: 100, name: "first.parquet" });
  await mount(first.page, { rows: 200_000, name: "second.parquet" });
  const second = new Explorer(first.page, first.page.locator(".h5x-root").nth(1), 1);
  await second.search.fill("150000");
  await second.search.press("Enter");
  await second.picture(149_999).waitFor();
  await first.row(7).click();
  await first.picture(6).waitFor();
  await second.picture(149_999).waitFor();
  expect(await first.grid.getAttribute("aria-rowcount")).toBe("100");
  expect(await second.grid.getAttribute("aria-rowcount")).toBe("200000");
  const ids = await first.page.locator("[id]").evaluateAll((all) => all.map((each) => each.id));
  expect(new Set(ids).size).toBe(ids.length);
});
