import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { Explorer, until } from "../browser/kit";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { FileBrowser } from "../support/fileBrowser";
import { type Hub, hubServerProgram, KERNEL, OTHER_VERSION, startHub } from "../support/hub";
import { Notebook, writeNotebook } from "../support/lab";
import { newFolder, root, runModule } from "../support/python";

jest.setTimeout(120_000);

/** For how many milliseconds each message between page and kernel is on its way, as a Hub is seldom close by. */
const LINE_MS = 50;

/** A tab, and what went through it. */
interface WatchedTab extends Tab {
  /** Addresses that were asked for. */
  readonly requests: string[];
  /** The large messages of kernels, and the addresses that they came by. */
  readonly large: { readonly address: string; readonly content: Buffer }[];
  /** The widgets' questions that went to where the cells run. */
  readonly toCells: string[];
}

let browser: Browser;
let starting: Promise<Hub>;
let hub: Hub;
let lookup: string;
let uuids: readonly string[];
let signedIn: BrowserContextOptions;
const tabs: WatchedTab[] = [];

async function newTab(options: BrowserContextOptions = {}): Promise<WatchedTab> {
  const tab = await openTab(browser, { viewport: { width: 1400, height: 1000 }, ...options });
  const watched: WatchedTab = { ...tab, requests: [], large: [], toCells: [] };
  tab.page.on("request", (request) => watched.requests.push(request.url()));
  await tab.page.routeWebSocket(/./, (page) => {
    watched.requests.push(page.url());
    const server = page.connectToServer();
    page.onMessage((message) => {
      const [asked] = /"kind":"ask".*/.exec(message.toString()) ?? [];
      if (asked !== undefined && message.includes('"subshell_id":null')) watched.toCells.push(asked);
      setTimeout(() => server.send(message), LINE_MS);
    });
    server.onMessage((message) => {
      if (message.length > 10_000) watched.large.push({ address: page.url(), content: Buffer.from(message) });
      setTimeout(() => page.send(message), LINE_MS);
    });
  });
  tabs.push(watched);
  return watched;
}

async function open(name: string, cells: readonly string[]): Promise<{ notebook: Notebook; tab: WatchedTab }> {
  const file = writeNotebook(hub.folder, name, cells, KERNEL);
  const tab = await newTab(signedIn);
  return { notebook: await Notebook.open(tab.page, hub.user, file, "?reset"), tab };
}

const make = () => `from h5explorer_py import Explorer\nex = Explorer(${JSON.stringify(lookup)})`;
const uuid = (row: number) => uuids[row] ?? "";
const explorerOf = (notebook: Notebook) => new Explorer(notebook.page, notebook.explorers(0), 0);
const picture = (explorer: Explorer, row: number) =>
  explorer.viewer.getByRole("img", { name: uuid(row) }).waitFor({ timeout: 30_000 });
const record = (explorer: Explorer, row: number) =>
  explorer.table.getByText(uuid(row), { exact: true }).waitFor({ timeout: 30_000 });

beforeAll(async () => {
  const data = path.join(newFolder("hub-data"), "data");
  lookup = path.join(data, "lookup.parquet");
  starting = startHub();
  [browser, hub] = await Promise.all([startBrowser(), starting]);
  runModule("tests.fixtures.datasets", data);
  const expected: { rows: [string | null, string | null][] } = JSON.parse(
    readFileSync(path.join(data, "expected.json"), "utf8"),
  );
  uuids = expected.rows.map((row) => row[0] ?? "");
  const { page, context } = await newTab();
  await hub.signIn(page);
  signedIn = { storageState: await context.storageState() };
  await context.close();
}, 300_000);

afterEach(async () => {
  for (const { context, strayRequests, requests, toCells, complaints } of tabs.splice(0)) {
    await context.close();
    expect(strayRequests).toEqual([]);
    const below = new RegExp(`^(http|ws)${hub.base.slice("http".length)}|^(blob|data):`);
    expect(requests.filter((url) => !below.test(url))).toEqual([]);
    expect(toCells).toEqual([]);
    expect(complaints.filter((each) => /h5x|h5explorer|Content Security Policy/.test(each))).toEqual([]);
  }
});

afterAll(async () => {
  const started = await starting.catch(() => undefined); // a Hub that did not start has ended itself
  try {
    await browser?.close();
  } finally {
    await started?.end();
  }
});

test("the Hub's servers have no h5explorer", () => {
  const tried = spawnSync(hubServerProgram("python"), ["-I", "-c", "import anywidget, h5explorer_py"]);
  expect(tried.stderr.toString()).toContain("No module named 'h5explorer_py'");
});

test("a cell shows rows, pictures and metadata, and its large parts come through the kernel's connection", async () => {
  const { notebook, tab } = await open("shown.ipynb", [`${make()}\nex`]);
  await notebook.run(0);
  const explorer = explorerOf(notebook);
  await explorer.contents.getByText(`${uuids.length} records`).waitFor({ timeout: 30_000 });
  await picture(explorer, 0);
  await explorer.row(8).click();
  await picture(explorer, 7);
  await record(explorer, 7);
  await explorer.viewer.getByRole("status").getByText("shard_000_images.h5").waitFor();

  const built = path.join(root, "h5explorer_py/static");
  const parts: Record<string, string> = JSON.parse(readFileSync(path.join(built, "assets.json"), "utf8"));
  expect(Object.keys(parts).sort()).toEqual(["decoder", "wasm"]);
  for (const part of Object.values(parts)) {
    const bytes = readFileSync(path.join(built, `${part}.gz`));
    const carriers = tab.large.filter((each) => each.content.includes(bytes)).map((each) => each.address);
    expect(carriers).toEqual([expect.stringContaining("/some-prefix/user/")]);
    expect(tab.requests.filter((url) => url.includes(part))).toEqual([]);
  }
  const page = await tab.context.request.get(`${hub.user}lab`);
  expect(page.headers()["content-security-policy"]).toContain("frame-ancestors 'none'");
});

test("the widget answers while a cell runs, down to the last row", async () => {
  const { notebook } = await open("busy.ipynb", [
    `${make()}\nfrom IPython.display import display\nimport time\ndisplay(ex)\ntime.sleep(60)`,
  ]);
  await notebook.start(0);
  const explorer = explorerOf(notebook);
  await picture(explorer, 0);
  await explorer.row(5).click();
  await picture(explorer, 4);
  await record(explorer, 4);
  await explorer.slider.focus();
  await notebook.page.keyboard.press("End");
  const last = explorer.row(uuids.length);
  await until(
    async () => ((await last.textContent()) ?? "").includes(uuid(uuids.length - 1)),
    "the last row is listed",
    30_000,
  );
  await last.click();
  await record(explorer, uuids.length - 1);
  expect(await notebook.cell(0).locator(".jp-InputPrompt").textContent()).toContain("*");
});

describe("where the servers find the extension, though their Python has no h5explorer", () => {
  const NAMES = ["by_kernel.parquet", "by_page.parquet", "by_another.parquet"] as const;
  let files: FileBrowser;

  beforeAll(() => {
    cpSync(path.dirname(lookup), path.join(hub.folder, "data"), { recursive: true });
    for (const name of NAMES) cpSync(lookup, path.join(hub.folder, "data", name));
    const extensions = path.join(path.dirname(hub.folder), "data", "labextensions"); // as below any JUPYTER_PATH
    mkdirSync(extensions);
    symlinkSync(path.join(root, "h5explorer_py/labextension"), path.join(extensions, "h5explorer"));
  });

  async function openFile(name: (typeof NAMES)[number]): Promise<void> {
    const { page } = await newTab(signedIn);
    await page.goto(`${hub.user}lab/tree/data?reset`);
    await page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 });
    files = new FileBrowser(page);
    await files.openWith(name);
    await files.tab.getByText("has no h5explorer").waitFor({ timeout: 60_000 });
  }

  test("a file opens in a kernel that has it", async () => {
    await openFile("by_kernel.parquet");
    await files.tab.getByText(`${hubServerProgram("python")} -m pip install h5explorer`, { exact: true }).waitFor();
    await files.tab.getByRole("button", { name: KERNEL, exact: true }).click();
    await picture(files.explorer(), 0);
    await files.explorer().row(8).click();
    await record(files.explorer(), 7);
  });

  test("a file opens without a kernel, through the Hub's prefix", async () => {
    await openFile("by_page.parquet");
    await files.tab.getByRole("button", { name: "Show it without a kernel" }).click();
    await picture(files.explorer(), 0);
    await files.explorer().row(8).click();
    await picture(files.explorer(), 7);
    await record(files.explorer(), 7);
  });

  test("a kernel with another version of h5explorer says so", async () => {
    await openFile("by_another.parquet");
    await files.tab.getByRole("button", { name: OTHER_VERSION, exact: true }).click();
    const alert = files.tab.getByRole("alert");
    await alert
      .getByText(/the kernel's package of 7\.0\.0: they do not understand each other/)
      .waitFor({ timeout: 60_000 });
    await files.tab.getByRole("button", { name: KERNEL, exact: true }).waitFor();
    await alert.getByText("Install the same version in both environments").waitFor();
  });
});
