import type { Locator } from "playwright-core";
import { type Explorer, until, useSite } from "./kit";

const { open } = useSite();

const selection = (explorer: Explorer) => explorer.page.evaluate(() => window.explorers[0]?.selection());
const current = (explorer: Explorer) => explorer.page.evaluate(() => window.explorers[0]?.current());

const bar = (explorer: Explorer) => explorer.contents.getByRole("group", { name: "Selection" });
const button = (explorer: Explorer, name: string) => bar(explorer).getByRole("button", { name });

/** The rows, from 0, that are told to be selected, of those in view. */
const told = (explorer: Explorer) =>
  explorer.grid
    .locator("[aria-selected=true]")
    .evaluateAll((rows) => rows.map((row) => Number(row.id.split("-").at(-1))).sort((one, other) => one - other));

const from = (start: number, stop: number) => Array.from({ length: stop - start }, (_, at) => start + at);

/** Both ways to show the rows: each opens a page and finds a row, counted from 0. */
const ways = [
  ["list", async (explorer: Explorer) => explorer, (explorer: Explorer, row: number) => explorer.row(row + 1)],
  [
    "grid",
    async (explorer: Explorer) => {
      await explorer.thumbnailsButton.click();
      await explorer.cell(0).waitFor();
      return explorer;
    },
    (explorer: Explorer, row: number) => explorer.cell(row),
  ],
] as const satisfies readonly (readonly [
  string,
  (explorer: Explorer) => Promise<Explorer>,
  (explorer: Explorer, row: number) => Locator,
])[];

describe.each(ways)("in the %s", (where, show, at) => {
  const opened = async (rows = 60_000_000) => show(await open({ rows, height: "600px", width: "1400px" }));

  test("clicks with Control and Shift select as in a list of files", async () => {
    const explorer = await opened();
    expect(await explorer.grid.getAttribute("aria-multiselectable")).toBe("true");
    await at(explorer, 1).click();
    await at(explorer, 4).click({ modifiers: ["Shift"] });
    expect(await told(explorer)).toEqual([1, 2, 3, 4]);
    expect(await current(explorer)).toBe(4);
    await at(explorer, 2).click({ modifiers: ["Control"] });
    expect(await told(explorer)).toEqual([1, 3, 4]);
    expect(await at(explorer, 2).getAttribute("aria-selected")).toBe("false");
    await at(explorer, 0).click({ modifiers: ["Control"] });
    await at(explorer, 5).click({ modifiers: ["Control"] });
    expect(await selection(explorer)).toEqual([
      [0, 2],
      [3, 6],
    ]);
    await at(explorer, 3).click();
    expect(await told(explorer)).toEqual([3]);
    await at(explorer, 0).click({ modifiers: ["Shift"] });
    expect(await told(explorer)).toEqual([0, 1, 2, 3]);
    await at(explorer, 5).click({ modifiers: ["Shift"] });
    expect(await told(explorer)).toEqual([3, 4, 5]);
    await at(explorer, 0).click({ modifiers: ["Control"] });
    await at(explorer, 1).click({ modifiers: ["Control", "Shift"] });
    expect(await told(explorer)).toEqual([0, 1, 3, 4, 5]);
    await explorer.picture(1).waitFor();
    expect(await explorer.page.evaluate(() => getSelection()?.toString())).toBe("");
  });

  test("keys select, extend and add, and go without selecting", async () => {
    const explorer = await opened();
    const { keyboard } = explorer.page;
    const [next, before] = where === "list" ? ["ArrowDown", "ArrowUp"] : ["ArrowRight", "ArrowLeft"];
    await explorer.grid.focus();
    await keyboard.press(next);
    expect(await told(explorer)).toEqual([1]);
    await keyboard.press(`Shift+${next}`);
    await keyboard.press(`Shift+${next}`);
    expect(await told(explorer)).toEqual([1, 2, 3]);
    await keyboard.press(`Shift+${before}`);
    expect(await told(explorer)).toEqual([1, 2]);
    await keyboard.press(`Control+${next}`);
    await keyboard.press(`Control+${next}`);
    expect(await told(explorer)).toEqual([1, 2]);
    expect(await current(explorer)).toBe(4);
    expect(await explorer.grid.getAttribute("aria-activedescendant")).toBe(await at(explorer, 4).getAttribute("id"));
    await explorer.picture(4).waitFor();
    await keyboard.press("Space");
    expect(await told(explorer)).toEqual([1, 2, 4]);
    await keyboard.press(`Control+Shift+${next}`);
    expect(await told(explorer)).toEqual([1, 2, 4, 5]);
    await keyboard.press("Control+Space");
    expect(await told(explorer)).toEqual([1, 2, 4]);
    await keyboard.press("Escape");
    expect(await told(explorer)).toEqual([5]);
    expect(await selection(explorer)).toEqual([[5, 6]]);
    await keyboard.press("Shift+Home");
    expect(await told(explorer)).toEqual(from(0, 6));
    await keyboard.press(next);
    await keyboard.press("Shift+PageDown");
    const [[start, stop] = [0, 0]] = (await selection(explorer)) ?? [];
    expect([start, stop]).toEqual([1, Number(await current(explorer)) + 1]);
    expect(stop).toBeGreaterThan(3);
    await keyboard.press("Shift+PageUp");
    expect(await selection(explorer)).toEqual([[1, 2]]);
    await keyboard.press("Shift+End");
    expect(await selection(explorer)).toEqual([[1, 60_000_000]]);
    expect(await current(explorer)).toBe(59_999_999);
    await explorer.picture(59_999_999).waitFor();
    await keyboard.press("Control+a");
    expect(await selection(explorer)).toEqual([[0, 60_000_000]]);
    await bar(explorer).getByText("60,000,000 selected").waitFor();
    expect(await explorer.grid.locator("[aria-selected=false]").count()).toBe(0);
  });

  test("all, all but a few, and none again, of 60 million rows", async () => {
    const explorer = await opened();
    await at(explorer, 3).click();
    const box = await explorer.grid.boundingBox();
    await button(explorer, "Select all rows").click();
    expect(await selection(explorer)).toEqual([[0, 60_000_000]]);
    await bar(explorer).getByRole("status").getByText("60,000,000 selected").waitFor();
    expect(await explorer.grid.boundingBox()).toEqual(box);
    await at(explorer, 1).click({ modifiers: ["Control"] });
    await bar(explorer).getByText("59,999,999 selected").waitFor();
    await button(explorer, "Invert the selection").click();
    expect(await selection(explorer)).toEqual([[1, 2]]);
    expect(await current(explorer)).toBe(1);
    await button(explorer, "Invert the selection").press("Enter");
    expect(await selection(explorer)).toEqual([
      [0, 1],
      [2, 60_000_000],
    ]);
    expect(await at(explorer, 1).getAttribute("aria-selected")).toBe("false");
    await button(explorer, "Clear the selection").press("Enter");
    expect(await told(explorer)).toEqual([1]);
    expect(await bar(explorer).getByText("selected").count()).toBe(0);
    expect(await button(explorer, "Clear the selection").getAttribute("aria-disabled")).toBe("true");
    const focused = () => explorer.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    expect(await focused()).toBe("Clear the selection");
  });

  test("a finger that is held on a row selects it too, and a tap chooses it alone", async () => {
    const explorer = await show(await open({ rows: 5000, height: "600px", width: "1400px" }, { hasTouch: true }));
    const cdp = await explorer.page.context().newCDPSession(explorer.page);
    const press = async (row: number, ms: number, way = 0) => {
      const box = await at(explorer, row).boundingBox();
      if (box === null) throw new Error("it is not there");
      const point = { x: box.x + 40, y: box.y + box.height / 2 };
      await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point] });
      if (way > 0) {
        const touchPoints = [{ x: point.x, y: point.y - way }];
        await cdp.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints });
      }
      await explorer.page.waitForTimeout(ms);
      await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await press(1, 20);
    await until(async () => (await current(explorer)) === 1, "a tap chooses");
    await press(3, 700);
    await until(async () => (await told(explorer)).join() === "1,3", "a hold adds");
    await explorer.page.waitForTimeout(500); // no click comes behind it
    expect(await told(explorer)).toEqual([1, 3]);
    await press(1, 700);
    await until(async () => (await told(explorer)).join() === "3", "a hold takes away");
    await press(2, 20);
    await until(async () => (await told(explorer)).join() === "2", "a tap chooses alone");
    await press(4, 700, 40); // a finger that moves the list
    await explorer.page.waitForTimeout(100);
    expect(await selection(explorer)).toEqual([[2, 3]]);
  });
});

test("Escape goes on where there is nothing to do", async () => {
  const explorer = await open();
  await explorer.row(3).click();
  await explorer.page.evaluate(() => {
    document.addEventListener("keydown", (event) => {
      document.title = `${event.key} ${event.defaultPrevented}`;
    });
  });
  await explorer.page.keyboard.press("Shift+ArrowDown");
  await explorer.page.keyboard.press("Escape");
  expect(await explorer.page.title()).toBe("Escape true");
  await explorer.page.keyboard.press("Escape");
  expect(await explorer.page.title()).toBe("Escape false");
});

test("Shift goes on from the row that was chosen last, by whatever way", async () => {
  const explorer = await open({ height: "600px" });
  await explorer.row(2).click();
  await explorer.row(3).click({ modifiers: ["Shift"] });
  await explorer.page.evaluate(() => window.explorers[0]?.setCurrent(6)); // from Python
  await explorer.row(9).click({ modifiers: ["Shift"] });
  expect(await selection(explorer)).toEqual([[6, 9]]);
  await explorer.search.fill("5");
  await explorer.search.press("Enter");
  await until(async () => (await current(explorer)) === 4, "it is found");
  await explorer.grid.focus();
  await explorer.page.keyboard.press("Shift+ArrowUp");
  expect(await selection(explorer)).toEqual([[3, 5]]);
});

test("what Python selects shows, with how many there are", async () => {
  const explorer = await open({ height: "600px" });
  await explorer.page.evaluate(() =>
    window.explorers[0]?.setSelection([
      [1, 3],
      [5, 1000],
    ]),
  );
  await bar(explorer).getByText("997 selected").waitFor();
  const rows = await told(explorer);
  expect(rows.slice(0, 4)).toEqual([1, 2, 5, 6]);
  expect(await explorer.row(1).getAttribute("aria-selected")).toBe("false");
});

test("one range too many is refused with a sentence, and nothing is lost", async () => {
  const explorer = await open({ rows: 5000, height: "600px" });
  await explorer.page.evaluate(() => {
    const ranges = Array.from({ length: 500 }, (_, at) => [2 * at + 4, 2 * at + 5] as const);
    window.explorers[0]?.setSelection(ranges);
  });
  await bar(explorer).getByText("500 selected").waitFor();
  const before = await selection(explorer);
  const told_ = bar(explorer).getByRole("status").getByText("up to 500 separate ranges");
  await explorer.row(1).click({ modifiers: ["Control"] });
  await told_.waitFor();
  expect(await selection(explorer)).toEqual(before);
  expect(await current(explorer)).toBe(0);
  await explorer.row(5).click({ modifiers: ["Control"] });
  await told_.waitFor({ state: "detached" });
  expect(await selection(explorer)).toEqual(before?.slice(1));
});

test("the view is copied as Python, which is announced", async () => {
  const explorer = await open({ rows: 5000 }, { permissions: ["clipboard-read", "clipboard-write"] });
  const copied = async () => {
    await button(explorer, "Copy as Python").press("Enter");
    await bar(explorer).getByRole("status").getByText("Copied", { exact: true }).waitFor({ state: "attached" });
    return explorer.page.evaluate(() => navigator.clipboard.readText());
  };
  expect(await copied()).toBe('from h5explorer_py import Explorer\n\nex = Explorer("/data/lookup.parquet")\nex');
  await bar(explorer).getByText("Copied", { exact: true }).waitFor({ state: "detached" });
  await explorer.row(3).click();
  await explorer.row(5).click({ modifiers: ["Shift"] });
  expect((await copied()).split("\n").slice(3)).toEqual(["ex.selection = range(2, 5)", "ex.current = 4", "ex"]);
});

test("the line stays in a lookup without rows, and does nothing there", async () => {
  const explorer = await open({ rows: 0 });
  for (const name of ["Select all rows", "Invert the selection", "Clear the selection"]) {
    expect(await button(explorer, name).getAttribute("aria-disabled")).toBe("true");
    await button(explorer, name).press("Enter");
  }
  expect(await selection(explorer)).toEqual([]);
});
