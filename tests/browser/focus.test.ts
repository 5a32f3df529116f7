import { type Explorer, until, useSite } from "./kit";

const { open } = useSite();

/** Where the focus is: the region that holds it, and what it is on; "lost" where it fell to the page. */
const focus = (explorer: Explorer) =>
  explorer.page.evaluate(() => {
    const active = document.activeElement;
    if (active === null || active === document.body) return "lost";
    const region = active.closest("section")?.getAttribute("aria-label") ?? "none";
    return `${region}: ${active.getAttribute("aria-label") ?? active.textContent}`;
  });

test.each([
  ["Image Viewer", { badPictures: [0] }],
  ["Metadata", { badMetadata: [0] }],
] as const)("trying again by the keyboard keeps the focus in the panel %s", async (panel, bad) => {
  const explorer = await open(bad);
  const region = explorer.root.getByRole("region", { name: panel });
  const again = region.getByRole("button", { name: "Try again" });
  await again.focus();
  await explorer.page.keyboard.press("Enter");
  await until(async () => (await region.getAttribute("aria-busy")) === "false", "it has been tried");
  await region.getByRole("alert").waitFor();
  expect(await focus(explorer)).toMatch(new RegExp(`^${panel}: `));
});

test("trying rows again by the keyboard keeps the focus in the panel", async () => {
  const explorer = await open({ held: true });
  await explorer.page.evaluate(() => {
    window.explorers[0]?.failRows(1);
    window.explorers[0]?.letGo("all");
  });
  await explorer.search.fill("9000");
  await explorer.search.press("Enter");
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
  const alert = explorer.contents.getByRole("alert");
  await alert.getByRole("button", { name: "Try again" }).focus();
  await explorer.page.keyboard.press("Enter");
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
  await alert.waitFor({ state: "detached" });
  expect(await focus(explorer)).toMatch(/^Dataset Contents: /);
});

test("counting files again by the keyboard keeps the focus in the panel", async () => {
  const explorer = await open({ failCounts: 1 });
  const again = explorer.contents.getByRole("button", { name: "files not counted: try again" });
  await again.focus();
  await explorer.page.keyboard.press("Enter");
  await explorer.contents.getByText("10 unique filepaths").waitFor();
  expect(await focus(explorer)).toMatch(/^Dataset Contents: /);
});

test("stopping a search leads back to its box", async () => {
  const explorer = await open({ held: true });
  await explorer.search.fill("part_000009");
  await explorer.search.press("Enter");
  await explorer.contents.getByRole("button", { name: "Stop" }).focus();
  await explorer.page.keyboard.press("Enter");
  await explorer.contents.getByText("Stopped.").waitFor();
  expect(await focus(explorer)).toBe("Dataset Contents: Go to a row number, uuid or path");
});

test("opening by the button keeps the focus, refused or not", async () => {
  const explorer = await open({ delay: 300 });
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).press("Enter");
  const path = explorer.contents.getByRole("textbox", { name: /Path/ });
  await path.fill("nowhere.parquet");
  await explorer.page.keyboard.press("Tab");
  await explorer.page.keyboard.press("Enter");
  await explorer.contents.getByRole("alert").waitFor();
  expect(await focus(explorer)).toBe("Dataset Contents: Open lookup");
  await path.fill("other.csv");
  await explorer.page.keyboard.press("Tab");
  await explorer.page.keyboard.press("Enter");
  await explorer.contents.getByText("42 records").waitFor();
  await until(async () => (await focus(explorer)) === "Dataset Contents: Open", "the focus is on Open");
});

test("saving by the keyboard keeps the focus on the button", async () => {
  const explorer = await open({ undecodable: [0], delay: 300 });
  await explorer.viewer.getByRole("alert").waitFor();
  const save = explorer.viewer.getByRole("button", { name: "Save the original bytes" });
  await save.focus();
  await Promise.all([explorer.page.waitForEvent("download"), explorer.page.keyboard.press("Enter")]);
  expect(await focus(explorer)).toBe("Image Viewer: Save the original bytes");
});

test("the lookup that was asked for last is the one that opens", async () => {
  const explorer = await open({ held: true });
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const path = explorer.contents.getByRole("textbox", { name: /Path/ });
  await path.fill("other.csv");
  await path.press("Enter");
  await path.fill("empty.csv");
  await path.press("Enter");
  const letGo = (which: "oldest" | "newest") =>
    explorer.page.evaluate((a) => window.explorers[0]?.letGo(a, "open"), which);
  await until(async () => (await letGo("newest")) === 1, "the newer is let go");
  await explorer.contents.getByText("0 records").waitFor();
  await letGo("oldest");
  await explorer.page.waitForTimeout(200);
  await explorer.contents.getByText("0 records").waitFor();
  await path.waitFor({ state: "detached" });
});

test("a lookup whose opening is cancelled does not open", async () => {
  const explorer = await open({ held: true });
  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const path = explorer.contents.getByRole("textbox", { name: /Path/ });
  await path.fill("other.csv");
  await path.press("Enter");
  await explorer.contents.getByRole("button", { name: "Opening…" }).waitFor();
  await explorer.contents.getByRole("button", { name: "Cancel" }).click();
  await explorer.page.evaluate(() => window.explorers[0]?.letGo("all", "open"));
  await explorer.page.waitForTimeout(200);
  await explorer.contents.getByText("10,000 records").waitFor();
  expect(await focus(explorer)).toBe("Dataset Contents: Open");
});
