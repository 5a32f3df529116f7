/** The page of a real `h5explorer open`, in a browser. */

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Browser, BrowserContextOptions, WebSocketRoute } from "playwright-core";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { type OpenedServer, startOpen } from "../support/opened";
import { newFolder, runModule } from "../support/python";
import { violations } from "./axe";
import { Explorer, until } from "./kit";

jest.setTimeout(120_000);

const folder = path.join(newFolder("open"), "data");
runModule("tests.fixtures.datasets", folder);
const lookup = path.join(folder, "lookup.parquet");
const { rows }: { readonly rows: readonly (readonly [string, string])[] } = JSON.parse(
  readFileSync(path.join(folder, "expected.json"), "utf8"),
);

let browser: Browser;
const servers: OpenedServer[] = [];
const tabs: Tab[] = [];

beforeAll(async () => {
  browser = await startBrowser();
});

afterEach(async () => {
  for (const { context, strayRequests, complaints } of tabs.splice(0)) {
    expect(strayRequests).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  }
  for (const server of servers.splice(0)) await server.running.end();
});

afterAll(() => browser.close());

async function open(args: readonly string[] = [], options: BrowserContextOptions = {}) {
  const server = await startOpen(lookup, ...args);
  servers.push(server);
  const tab = await openTab(browser, options);
  tabs.push(tab);
  await tab.page.goto(server.address);
  const explorer = new Explorer(tab.page, tab.page.locator(".h5x-root").first(), 0);
  await explorer.grid.waitFor();
  return { server, tab, page: tab.page, explorer };
}

/** The picture of a row of the lookup, counted from 0. */
const picture = (explorer: Explorer, row: number) =>
  explorer.viewer.getByRole("img", { name: rows[row]?.[0] ?? "", exact: true });

test("rows, picture and metadata are shown, and the token is out of the address", async () => {
  const { page, explorer } = await open();
  await explorer.contents.getByText("323 records").waitFor();
  expect(new URL(page.url()).search).not.toContain("token");
  await until(async () => (await page.title()) === "lookup.parquet – h5explorer", "the title names the lookup");
  for (const row of [0, 4, 12]) {
    await explorer.row(row + 1).click();
    await picture(explorer, row).waitFor();
    await explorer.table.getByText(rows[row]?.[0] ?? "", { exact: true }).waitFor();
  }
  const { width = 0, height = 0 } = (await explorer.root.boundingBox()) ?? {};
  expect([width, height]).toEqual([1280, 800]);
});

test("a reload comes back to the row, the filter, the order and the lookup", async () => {
  const { page, explorer } = await open(["--row", "5"]);
  await picture(explorer, 5).waitFor();
  const chosen = [2, 7, 9, 11].map((row) => rows[row]?.[0] ?? "");
  await explorer.contents.getByRole("button", { name: "Filter", exact: true }).click();
  const field = explorer.contents.getByRole("textbox", { name: /condition/i });
  await field.fill(`uuid IN (${chosen.map((uuid) => `'${uuid}'`).join(", ")})`);
  await field.press("Enter");
  await explorer.contents.getByText("4 of 323 records").waitFor();
  await explorer.row(3).click();
  await picture(explorer, 9).waitFor();
  await until(async () => new URL(page.url()).searchParams.get("row") === "2", "the address has the row");
  await page.reload();
  await explorer.contents.getByText("4 of 323 records").waitFor();
  await picture(explorer, 9).waitFor();
  await until(async () => (await explorer.row(3).getAttribute("aria-selected")) !== null, "the row is there");

  await explorer.contents.getByRole("button", { name: "Open", exact: true }).click();
  const where = explorer.contents.getByRole("textbox", { name: /Path/ });
  await where.fill(path.join(folder, "header_only.parquet"));
  await where.press("Enter");
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
  await until(async () => new URL(page.url()).searchParams.has("lookup"), "the address has the other lookup");
  await page.reload();
  await explorer.contents.getByText("This lookup has no rows.").waitFor();
  expect(await page.title()).toBe("header_only.parquet – h5explorer");
});

test("a condition of the address that is wrong is told, and the rows are shown", async () => {
  const { server, page, explorer } = await open();
  await page.goto(`${server.base}?filter=${encodeURIComponent("nocolumn = 1")}&row=3`);
  await explorer.grid.waitFor();
  await explorer.contents
    .getByText(/nocolumn/)
    .first()
    .waitFor();
  await explorer.contents.getByText("323 records").waitFor();
});

test("two tabs of one browser are two explorers", async () => {
  const { server, tab, explorer } = await open();
  await picture(explorer, 0).waitFor();
  const page = await tab.context.newPage();
  await page.goto(server.base);
  const other = new Explorer(page, page.locator(".h5x-root").first(), 0);
  await other.row(7).click();
  await picture(other, 6).waitFor();
  await picture(explorer, 0).waitFor();
});

test("another browser is not let in by the same address, nor without", async () => {
  const { server } = await open();
  const tab = await openTab(browser);
  for (const address of [server.address, server.base]) {
    const response = await tab.page.goto(address);
    expect(response?.status()).toBe(403);
    await tab.page.getByText("h5explorer open").waitFor();
  }
  await tab.context.close();
});

test("a server that is ended says so, and what was shown stays", async () => {
  const { server, explorer, tab } = await open();
  await picture(explorer, 0).waitFor();
  await explorer.table.waitFor(); // else parts of the page may still be on their way
  server.running.process.kill("SIGINT");
  await explorer.page.getByRole("alert").getByText("h5explorer has been ended in the terminal.").waitFor();
  await explorer.page.getByText("open the address that it prints").waitFor();
  await picture(explorer, 0).waitFor();
  expect(tab.complaints).toEqual([]);
});

test("a lost connection can be made anew, and comes back to the row", async () => {
  const server = await startOpen(lookup);
  servers.push(server);
  const tab = await openTab(browser);
  tabs.push(tab);
  const sockets: WebSocketRoute[] = [];
  await tab.page.routeWebSocket(/socket$/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  await tab.page.goto(server.address);
  const explorer = new Explorer(tab.page, tab.page.locator(".h5x-root").first(), 0);
  await explorer.row(8).click();
  await picture(explorer, 7).waitFor();
  await until(async () => tab.page.url().includes("row=7"), "the address has the row");
  await sockets[0]?.close({ code: 4000 });
  const lost = tab.page.getByRole("alert");
  await lost.getByText("The connection to h5explorer is lost.").waitFor();
  await picture(explorer, 7).waitFor();
  await lost.getByRole("button", { name: "Try again" }).click();
  await lost.waitFor({ state: "detached" });
  await explorer.row(9).click();
  await picture(explorer, 8).waitFor();
  expect(sockets).toHaveLength(2);
});

test.each(["light", "dark"] as const)("in the %s colours of the system every text can be read", async (scheme) => {
  const { page, explorer } = await open([], { colorScheme: scheme });
  await picture(explorer, 0).waitFor();
  const luminance = () =>
    page.evaluate(() => {
      const [red = 0, green = 0, blue = 0] = (getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? []).map(
        Number,
      );
      return (red + green + blue) / 3;
    });
  expect((await luminance()) > 128).toBe(scheme === "light");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: scheme === "light" ? "Dark colours" : "Light colours" }).click();
  expect((await luminance()) > 128).toBe(scheme === "dark");
  expect(await violations(page)).toEqual([]);
  await page.reload();
  await explorer.grid.waitFor();
  expect((await luminance()) > 128).toBe(scheme === "dark"); // the choice is remembered
});

test("in a narrow window the panels are stacked, and the page scrolls no further sideways", async () => {
  const { page, explorer } = await open([], { viewport: { width: 420, height: 700 } });
  await picture(explorer, 0).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(420);
  for (const panel of [explorer.contents, explorer.viewer, explorer.metadata]) {
    expect((await panel.boundingBox())?.height).toBeGreaterThan(120);
  }
});
