import type { BrowserContextOptions } from "playwright-core";
import { violations } from "./axe";
import { type Explorer, until, useSite } from "./kit";
import type { Setup } from "./page/page";

const { open } = useSite();

const loaded = async (explorer: Explorer) => {
  await explorer.picture(0).waitFor();
  await explorer.table.waitFor();
};

type State = readonly [
  name: string,
  setup: Setup,
  reach: (explorer: Explorer) => Promise<unknown>,
  options: BrowserContextOptions,
];

const state = (
  name: string,
  setup: Setup,
  reach: (explorer: Explorer) => Promise<unknown>,
  options: BrowserContextOptions = {},
): State => [name, setup, reach, options];

const states: readonly State[] = [
  state("loaded", {}, loaded),
  state("loading", { held: true }, (explorer) => explorer.row(3).waitFor()),
  state("without rows", { rows: 0 }, (explorer) => explorer.contents.getByText("This lookup has no rows.").waitFor()),
  state("with nothing chosen", { current: null }, (explorer) => explorer.viewer.getByText("Choose a row").waitFor()),
  state("with errors in the picture and the metadata", { badPictures: [0], badMetadata: [0] }, (explorer) =>
    explorer.metadata.getByRole("alert").waitFor(),
  ),
  state("with an error of the rows", { held: true }, async (explorer) => {
    await explorer.page.evaluate(() => {
      window.explorers[0]?.failRows(99);
      window.explorers[0]?.letGo("all");
    });
    await explorer.search.fill("9000");
    await explorer.search.press("Enter");
    await explorer.page.evaluate(() => window.explorers[0]?.letGo("all"));
    await explorer.contents.getByRole("alert").waitFor();
  }),
  state("with the form to open another, refused", {}, async (explorer) => {
    await loaded(explorer);
    await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
    await explorer.contents.getByRole("textbox").fill("nowhere");
    await explorer.contents.getByRole("textbox").press("Enter");
    await explorer.contents.getByRole("alert").waitFor();
  }),
  state("with a search that found nothing", {}, async (explorer) => {
    await explorer.search.fill("zzz");
    await explorer.search.press("Enter");
    await explorer.contents.getByText("Nothing matches").waitFor();
  }),
  state("with values unfolded and filtered", {}, async (explorer) => {
    await loaded(explorer);
    await explorer.table.getByRole("button", { name: /Show all/ }).click();
    await explorer.metadata.getByRole("searchbox").fill("note");
  }),
  state("zoomed", {}, async (explorer) =>
    explorer.viewer.getByRole("button", { name: "Larger" }).click({ clickCount: 3 }),
  ),
  state("with notices", { notices: ["Row 4 has more fields than the header."] }, loaded),
  state(
    "with more notices than fit",
    { notices: [1, 2, 3].map((at) => `${at}. ${"A long one. ".repeat(30)}`) },
    loaded,
  ),
  state("waiting for the kernel", {}, async (explorer) => {
    await loaded(explorer);
    await explorer.page.evaluate(() => window.explorers[0]?.setWire({ kind: "busy" }, true));
  }),
  state("without a kernel", {}, async (explorer) => {
    await loaded(explorer);
    await explorer.page.evaluate(() =>
      window.explorers[0]?.setWire(
        { kind: "dead", reason: "The kernel has died.", action: "Run the cell again." },
        false,
      ),
    );
  }),
  state("as thumbnails", { undecodable: [1], badPictures: [2] }, async (explorer) => {
    await explorer.thumbnailsButton.click();
    await explorer.thumbnail(0).waitFor();
    await explorer
      .cell(2)
      .getByRole("img", { name: /There is no file/ })
      .waitFor();
  }),
  state("as thumbnails that load", { held: true }, async (explorer) => {
    await explorer.thumbnailsButton.click();
    await explorer.cell(0).getByText("loading").waitFor({ state: "attached" });
  }),
  state("with several rows selected, and one range too many wished for", {}, async (explorer) => {
    await loaded(explorer);
    const ranges = Array.from({ length: 500 }, (_, at) => [2 * at + 1, 2 * at + 2] as const);
    await explorer.page.evaluate((given) => window.explorers[0]?.setSelection(given), ranges);
    await explorer.grid.press("Control+Space");
    await explorer.grid.press("End");
    await explorer.page.evaluate((given) => window.explorers[0]?.setSelection(given), ranges);
    await explorer.grid.press("Control+Space");
    await explorer.contents.getByText("up to 500 separate ranges").waitFor();
  }),
  state("narrow", { width: "400px" }, loaded),
  state("at four times the size", {}, loaded, { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 }),
  state("dark", {}, loaded, { colorScheme: "dark" }),
  state("in forced colours", {}, loaded, { forcedColors: "active" }),
];

test.each([...states])("axe finds nothing: %s", async (_, setup, reach, options) => {
  const explorer = await open(setup, options);
  await reach(explorer);
  await until(async () => (await explorer.contents.count()) === 1, "the panel is there");
  expect(await violations(explorer.page)).toEqual([]);
});

test("axe looks at all: it finds what is wrong when something is", async () => {
  const explorer = await open();
  await loaded(explorer);
  await explorer.page.evaluate(() => document.querySelector("canvas")?.removeAttribute("aria-label"));
  expect((await violations(explorer.page)).join()).toContain("role-img-alt");
});
