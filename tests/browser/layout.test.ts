import { until, useSite } from "./kit";

const { open } = useSite();

test("the panels stand side by side, within the widget", async () => {
  const explorer = await open();
  await explorer.picture(0).waitFor();
  const boxes = await Promise.all(
    [explorer.root, explorer.contents, explorer.viewer, explorer.metadata].map((each) => each.boundingBox()),
  );
  const [root, ...panels] = boxes.map((box) => box ?? { x: 0, y: 0, width: 0, height: 0 });
  if (root === undefined) throw new Error("there is no widget");
  let left = root.x;
  for (const panel of panels) {
    expect(panel.x).toBeGreaterThanOrEqual(left - 1);
    expect(panel.height).toBeLessThanOrEqual(root.height);
    expect(panel.width).toBeGreaterThan(150);
    left = panel.x + panel.width;
  }
  expect(left).toBeLessThanOrEqual(root.x + root.width + 1);
  const spill = await explorer.root.evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(spill).toBe(0);
});

test("a narrow cell stacks them", async () => {
  const explorer = await open({ width: "420px" });
  await explorer.picture(0).waitFor();
  const [first, second, third] = await Promise.all(
    [explorer.contents, explorer.viewer, explorer.metadata].map((each) => each.boundingBox()),
  );
  expect(second?.y).toBeGreaterThanOrEqual((first?.y ?? 0) + (first?.height ?? 0));
  expect(third?.y).toBeGreaterThanOrEqual((second?.y ?? 0) + (second?.height ?? 0));
  expect(first?.width).toBeLessThanOrEqual(420);
  expect((await explorer.listed()).length).toBeGreaterThan(3);
  expect(await explorer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test.each(["300px", "900px", "20rem"])("a height of %s is filled", async (height) => {
  const explorer = await open({ height });
  await explorer.picture(0).waitFor();
  const root = await explorer.root.boundingBox();
  const wanted = await explorer.root.evaluate((element, length) => {
    const probe = document.createElement("div");
    probe.style.height = length;
    element.parentElement?.append(probe);
    const tall = probe.getBoundingClientRect().height;
    probe.remove();
    return tall;
  }, height);
  expect(root?.height).toBeCloseTo(wanted, 0);
  const panel = await explorer.contents.boundingBox();
  expect((panel?.y ?? 0) + (panel?.height ?? 0)).toBeLessThanOrEqual((root?.y ?? 0) + (root?.height ?? 0));
  const [grid, slider] = [await explorer.grid.boundingBox(), await explorer.slider.boundingBox()];
  expect(grid?.height).toBeGreaterThan(50);
  for (const part of [grid, slider]) {
    expect((part?.y ?? 0) + (part?.height ?? 0)).toBeLessThanOrEqual((panel?.y ?? 0) + (panel?.height ?? 0));
    expect((part?.x ?? 0) + (part?.width ?? 0)).toBeLessThanOrEqual((panel?.x ?? 0) + (panel?.width ?? 0));
  }
});

test.each([
  [1280, 900],
  [1280, 720],
])("at %d × %d nothing stands out of its panel or of the window, whatever the list has to say", async (...size) => {
  const [width, height] = size;
  const notices = Array.from({ length: 5 }, (_, number) => `Notice ${number}: ${"a long sentence ".repeat(12)}.`);
  const explorer = await open({ rows: 1_000_000, notices }, { viewport: { width, height } });
  await explorer.picture(0).waitFor();
  const panel = await explorer.contents.boundingBox();
  if (panel === null) throw new Error("there is no panel");
  expect(panel.y + panel.height).toBeLessThanOrEqual(height);
  for (const part of [explorer.grid, explorer.slider, explorer.contents.getByRole("list", { name: "Notices" })]) {
    const box = await part.boundingBox();
    if (box === null) throw new Error("a part is missing");
    expect(box.height).toBeGreaterThan(40);
    expect(box.y + box.height).toBeLessThanOrEqual(panel.y + panel.height + 1);
    expect(box.x + box.width).toBeLessThanOrEqual(panel.x + panel.width + 1);
  }
  expect(await explorer.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test("the splitters are dragged, and moved and put back by keys", async () => {
  const explorer = await open();
  const width = async () => (await explorer.contents.boundingBox())?.width ?? 0;
  const splitter = explorer.root.getByRole("separator", { name: "Between contents and picture" });
  const box = await splitter.boundingBox();
  if (box === null) throw new Error("there is no splitter");
  const before = await width();
  await explorer.page.mouse.move(box.x + 2, box.y + 100);
  await explorer.page.mouse.down();
  await explorer.page.mouse.move(box.x + 82, box.y + 100, { steps: 5 });
  await explorer.page.mouse.up();
  expect(await width()).toBeCloseTo(before + 80, -1);
  const percent = Number(await splitter.getAttribute("aria-valuenow"));
  await splitter.focus();
  await explorer.page.keyboard.press("ArrowLeft");
  await explorer.page.keyboard.press("ArrowLeft");
  await until(async () => Number(await splitter.getAttribute("aria-valuenow")) < percent, "the splitter has moved");
  await explorer.page.keyboard.press("Enter");
  await until(async () => Math.abs((await width()) - before) < 2, "the splitter is back");
  await explorer.page.mouse.move(box.x + 2, box.y + 100);
  await explorer.page.mouse.down();
  await explorer.page.mouse.move(5, box.y + 100, { steps: 5 });
  await explorer.page.mouse.up();
  expect(await width()).toBeGreaterThan(150);
});

test("the tab key goes through the widget and out of it again", async () => {
  const explorer = await open();
  await explorer.picture(0).waitFor();
  await explorer.page.evaluate(() => {
    for (const where of ["afterbegin", "beforeend"] as const) {
      const button = document.createElement("button");
      button.textContent = where;
      document.querySelector("main")?.insertAdjacentElement(where, button);
    }
  });
  await explorer.page.getByRole("button", { name: "afterbegin" }).focus();
  const names: string[] = [];
  for (let press = 0; press < 40; press += 1) {
    await explorer.page.keyboard.press("Tab");
    const name = await explorer.page.evaluate(() => {
      const { activeElement } = document;
      return `${activeElement?.getAttribute("role") ?? activeElement?.tagName.toLowerCase()} ${activeElement?.getAttribute("aria-label") ?? activeElement?.textContent}`;
    });
    names.push(name);
    if (name === "button beforeend") break;
  }
  expect(names.at(-1)).toBe("button beforeend");
  for (const part of [
    "button Open",
    "input Go to",
    "grid Rows",
    "slider Row",
    "group Picture",
    "input Filter",
    "separator Between",
  ]) {
    expect(names.some((name) => name.startsWith(part))).toBe(true);
  }
});

test("focus can be seen wherever it is", async () => {
  const explorer = await open();
  await explorer.picture(0).waitFor();
  await explorer.page.keyboard.press("Tab");
  const bare: string[] = [];
  for (let press = 0; press < 30; press += 1) {
    const seen = await explorer.page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const marks = [element, element.closest(".h5x-field")].map((each) =>
        each === null ? "none" : getComputedStyle(each).outlineStyle,
      );
      const { content, borderStyle } = getComputedStyle(element, "::after"); // a frame above what is in it
      const framed = content === '""' && borderStyle === "solid";
      return { marked: framed || marks.some((style) => style !== "none"), what: element.outerHTML.slice(0, 80) };
    });
    if (seen === null) break;
    if (!seen.marked) bare.push(seen.what);
    await explorer.page.keyboard.press("Tab");
  }
  expect(bare).toEqual([]);
});

test("JupyterLab's shortcuts stay out, and the widget has no colours of its own where a theme has them", async () => {
  const explorer = await open();
  await explorer.grid.focus();
  await explorer.page.keyboard.press("a");
  expect(await explorer.grid.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  await explorer.page.keyboard.press("Control+Shift");
  expect(await explorer.grid.getAttribute("data-lm-suppress-shortcuts")).toBe(null);
  await explorer.page.evaluate(() => {
    document.body.style.setProperty("--jp-layout-color1", "rgb(1, 2, 3)");
    document.body.style.setProperty("--jp-ui-font-color1", "rgb(250, 251, 252)");
  });
  const colours = await explorer.root.evaluate((root) => {
    const { backgroundColor, color } = getComputedStyle(root);
    return [backgroundColor, color];
  });
  expect(colours).toEqual(["rgb(1, 2, 3)", "rgb(250, 251, 252)"]);
});

test("a kernel that is gone, or keeps someone waiting, is told of", async () => {
  const explorer = await open();
  await explorer.picture(0).waitFor();
  await explorer.page.evaluate(() => window.explorers[0]?.setWire({ kind: "busy" }, true));
  await explorer.root.getByText("Waiting for the running cell…").waitFor();
  await explorer.page.evaluate(() => window.explorers[0]?.setWire({ kind: "live" }, true));
  await explorer.root.getByText("Waiting for the kernel…").waitFor();
  await explorer.page.evaluate(() =>
    window.explorers[0]?.setWire(
      { kind: "dead", reason: "The kernel was restarted.", action: "Run the cell again." },
      false,
    ),
  );
  await explorer.root.getByRole("alert").getByText("The kernel was restarted. Run the cell again.").waitFor();
  await explorer.picture(0).waitFor();
});
