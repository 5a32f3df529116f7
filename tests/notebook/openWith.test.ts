import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { Browser } from "playwright-core";
import { type Explorer, until } from "../browser/kit";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { FileBrowser, stateOf, writeKernelWithout, writeSettings } from "../support/fileBrowser";
import { type Lab, startLab } from "../support/lab";
import { newFolder, root, runModule, venvProgram } from "../support/python";

jest.setTimeout(120_000);

const BARE = "bare-python";

let browser: Browser;
let lab: Lab;
let home: string;
let data: string;
let uuids: readonly string[];
const tabs: Tab[] = [];
let count = 0;

beforeAll(async () => {
  home = newFolder("files");
  data = path.join(home, "notebooks", "data");
  runModule("tests.fixtures.datasets", data);
  const expected: { rows: [string | null, string | null][] } = JSON.parse(
    readFileSync(path.join(data, "expected.json"), "utf8"),
  );
  uuids = expected.rows.map(([uuid]) => uuid ?? "");
  writeKernelWithout(home, BARE);
  [browser, lab] = await Promise.all([startBrowser(), startLab(home)]);
}, 120_000);

beforeEach(() => writeSettings(home, {}));

afterEach(async () => {
  for (const { context, page, strayRequests, complaints } of tabs.splice(0)) {
    await page.screenshot({
      path: path.join(root, ".cache", "last.png"),
    });
    await context.close();
    expect(strayRequests).toEqual([]);
    expect(complaints.filter((each) => /h5x|(extensions\/|"|^\w+: )h5explorer/.test(each))).toEqual([]);
  }
  for (const { id } of await sessions()) await api(`sessions/${id}`, { method: "DELETE" });
});

afterAll(async () => {
  await browser?.close();
  await lab?.running.end();
});

/** What the server says of a running kernel. */
interface Session {
  readonly id: string;
  readonly path: string;
  readonly kernel: { readonly id: string };
}

function api(what: string, options: RequestInit = {}): Promise<Response> {
  return fetch(`${lab.base}api/${what}`, { ...options, headers: { authorization: `token ${lab.token}` } });
}

async function sessions(): Promise<readonly Session[]> {
  return JSON.parse(await (await api("sessions")).text());
}

/** Opens JupyterLab with a folder in its file browser. */
async function openLab(folder = "data"): Promise<{ readonly files: FileBrowser; readonly tab: Tab }> {
  count += 1;
  const tab = await openTab(browser, { viewport: { width: 1400, height: 900 } });
  tabs.push(tab);
  await tab.page.goto(
    `${lab.base}lab/workspaces/files-${count}${folder && `/tree/${folder}`}?token=${lab.token}&reset`,
  );
  await tab.page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 });
  return { files: new FileBrowser(tab.page), tab };
}

const picture = (explorer: Explorer, row: number) =>
  explorer.viewer.getByRole("img", { name: uuids[row] ?? "" }).waitFor({ timeout: 30_000 });

/** What axe finds in the tab in front. */
async function violations({ page }: Tab): Promise<readonly string[]> {
  await page.evaluate(readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8"));
  const found: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate(
    "axe.run('.h5x-tab:not(.lm-mod-hidden)', { resultTypes: ['violations'] })",
  );
  return found.violations.map((each) => `${each.id} ${each.nodes[0]?.html}`);
}

test("a file opens by the mouse in a tab that it fills, and nothing of it is read or written by JupyterLab", async () => {
  const before = stateOf(data);
  const { files, tab } = await openLab();
  const asked: string[] = [];
  tab.page.on("request", (request) => {
    if (/api\/contents\/data\//.test(request.url())) asked.push(`${request.method()} ${request.url()}`);
  });
  for (const name of ["lookup.parquet", "shard_000_images.h5"]) {
    const explorer = await files.openWith(name);
    await picture(explorer, 0);
    await tab.page.keyboard.press("ArrowDown"); // it has the focus
    await picture(explorer, 1);
    await explorer.row(3).click();
    await picture(explorer, 2);
    const [outer, inner] = [await files.tab.boundingBox(), await explorer.root.boundingBox()];
    expect([inner?.width, inner?.height]).toEqual([outer?.width, outer?.height]);
    await tab.page.keyboard.press("Control+S");
  }
  await tab.page.waitForTimeout(500);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((each) => !/^GET [^?]*\?([^&]*&)*content=0/.test(each))).toEqual([]);
  expect(stateOf(data)).toEqual(before);
  expect((await sessions()).map((each) => each.path).sort()).toEqual([
    "data/lookup.parquet",
    "data/shard_000_images.h5",
  ]);
  await tab.page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").first().click();
  await until(async () => (await sessions()).length === 1, "the kernel of a closed tab ends");
});

test("a tab comes back after a reload as it was, by its kernel or without", async () => {
  const { files, tab } = await openLab();
  const { page } = tab;
  const explorer = await files.openWith("lookup.parquet");
  await picture(explorer, 0);
  await explorer.contents.getByRole("button", { name: "Filter" }).click();
  const condition = explorer.contents.getByRole("textbox", { name: /condition/i });
  await condition.fill("filepath LIKE '%shard_001%'");
  await condition.press("Control+Enter");
  await explorer.contents.getByText(/100 of 323|100 records/).waitFor({ timeout: 20_000 });
  await explorer.row(7).click();
  const splitter = explorer.root.getByRole("separator", { name: "Between contents and picture" });
  await splitter.focus();
  for (let step = 0; step < 5; step += 1) await splitter.press("ArrowRight");
  const shares = await splitter.getAttribute("aria-valuenow");
  const shown = await explorer.row(7).textContent();
  const isAsBefore = async () => {
    const again = files.explorer();
    await again.row(7).waitFor({ timeout: 60_000 });
    await until(async () => (await again.row(7).textContent()) === shown, "the same row is there", 20_000);
    expect(await again.row(7).getAttribute("aria-selected")).toBe("true");
    await again.contents.getByText("shard_001").first().waitFor();
    expect(await again.root.getByRole("separator").first().getAttribute("aria-valuenow")).toBe(shares);
  };
  await page.waitForTimeout(2_000); // JupyterLab keeps its workspace a moment later
  await page.reload();
  await isAsBefore();
  const [session] = await sessions();
  await api(`sessions/${session?.id}`, { method: "DELETE" });
  await files.tab.getByRole("alert").getByText("The kernel has ended").waitFor();
  await page.reload();
  await isAsBefore();
});

test("where the kernel has no h5explorer, the tab says the command, and takes another kernel", async () => {
  writeSettings(home, { kernel: BARE });
  const { files } = await openLab();
  await files.openWith("lookup.parquet");
  await files.tab.getByRole("alert").getByText("The kernel Bare Python has no h5explorer").waitFor({ timeout: 60_000 });
  await files.tab.getByText(`${venvProgram("python")} -m pip install h5explorer`, { exact: true }).waitFor();
  await files.tab.getByRole("button", { name: /Python 3/ }).click();
  await picture(files.explorer(), 0);
  expect(await sessions()).toHaveLength(1);
});

test("where no kernel has h5explorer, the page shows the file by itself, once a person wants it", async () => {
  writeSettings(home, { kernel: BARE, rowHeight: 40, theme: "dark" });
  const before = stateOf(data);
  const { files, tab } = await openLab();
  const read: string[] = [];
  tab.page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/files/")) read.push(`${response.status()} ${pathname}`);
  });
  await files.openWith("lookup.parquet");
  const notice = files.tab.getByRole("region", { name: "Without a kernel" });
  await notice.getByText("files of up to 2 GB").waitFor({ timeout: 60_000 });
  await notice.getByText("Filters, sorting, export, sharing and Python need a kernel").waitFor();
  expect(await violations(tab)).toEqual([]);
  await tab.page.waitForTimeout(500);
  expect(read).toEqual([]);
  await notice.getByRole("button", { name: "Show it without a kernel" }).click();
  const explorer = files.explorer();
  await picture(explorer, 0);
  await tab.page.keyboard.press("ArrowDown"); // it has the focus
  await picture(explorer, 1);
  await explorer.table.getByText(uuids[1] ?? "", { exact: true }).waitFor();
  expect(await explorer.contents.getByText(/323 records/).count()).toBe(1);
  expect(await explorer.contents.getByRole("button", { name: /Filter|Export|Open/ }).count()).toBe(0);
  expect((await explorer.row(1).boundingBox())?.height).toBe(40);
  expect(await explorer.root.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe("rgb(30, 30, 30)");
  expect(await violations(tab)).toEqual([]);
  expect(read.length).toBeGreaterThan(0);
  expect(
    // Jupyter's server calls it no part where that is the whole of a small file.
    read.filter(
      (each) => !/^20[06] \/files\/data\/(lookup|shard_\d+_metadata)\.parquet$|^206 .*_images\.h5$/.test(each),
    ),
  ).toEqual([]);
  expect(stateOf(data)).toEqual(before);
  expect(await sessions()).toEqual([]);
  await files.tab.getByRole("button", { name: "Use a kernel" }).click();
  await notice.waitFor({ timeout: 60_000 });
  await files.openWith("shard_001_images.h5");
  await tab.page.locator(".h5x-tab").first().waitFor({ state: "hidden" }); // the other tab is in front
  await notice.getByRole("button").click();
  await files
    .explorer()
    .contents.getByText(/100 records/)
    .waitFor();
});

test("a kernel that does not answer need not be waited for", async () => {
  const folder = path.join(home, "data", "kernels", "mute");
  mkdirSync(folder);
  const argv = [venvProgram("python"), "-c", "import time; time.sleep(300)", "{connection_file}"];
  writeFileSync(path.join(folder, "kernel.json"), JSON.stringify({ argv, display_name: "Mute", language: "python" }));
  writeSettings(home, { kernel: "mute" });
  const { files } = await openLab();
  await files.openWith("lookup.parquet");
  await files.tab.getByRole("status").getByText("Still waiting for the kernel").waitFor({ timeout: 60_000 });
  await files.tab.getByRole("button", { name: "Show it without a kernel" }).click();
  await picture(files.explorer(), 0);
  rmSync(folder, { recursive: true });
});

test("a file that is too large for that is not offered so", async () => {
  writeSettings(home, { kernel: BARE });
  const huge = path.join(home, "notebooks", "huge.parquet");
  writeFileSync(huge, "");
  truncateSync(huge, 3e9);
  const { files } = await openLab("");
  await files.openWith("huge.parquet");
  const notice = files.tab.getByRole("region", { name: "Without a kernel" });
  await notice.getByText("files of up to 2 GB itself. This one has 3.00 GB.").waitFor({ timeout: 60_000 });
  expect(await notice.getByRole("button").count()).toBe(0);
  rmSync(huge);
});

test("a file's name is never code", async () => {
  const folder = path.join(home, "notebooks", "odd");
  const name = `it's "b" \\n {x} %s é 😀 ") or __import__('os').mkdir('made') or (".parquet`;
  mkdirSync(folder, { recursive: true });
  for (const each of ["shard_000_images.h5", "shard_000_metadata.parquet"]) {
    copyFileSync(path.join(data, each), path.join(folder, each));
  }
  copyFileSync(path.join(data, "lookup.parquet"), path.join(folder, name));
  const { files } = await openLab("odd");
  const explorer = await files.openWith(name);
  await picture(explorer, 0);
  await explorer.contents.getByText(name).first().waitFor();
  expect(existsSync(path.join(folder, "made"))).toBe(false);
});

test("a file that is no data set says why in the tab", async () => {
  const { files } = await openLab();
  await files.openWith("wrong_columns.parquet");
  await files.tab
    .getByRole("alert")
    .getByText(/has no column/)
    .waitFor({ timeout: 60_000 });
  await files.tab.getByRole("button", { name: "Try again" }).waitFor();
});

test("a restarted kernel opens the file again", async () => {
  const { files, tab } = await openLab();
  const explorer = await files.openWith("lookup.parquet");
  await picture(explorer, 0);
  await explorer.row(5).click();
  await picture(explorer, 4);
  await tab.page.waitForTimeout(500);
  await tab.page.keyboard.press("Control+Shift+C");
  await tab.page.locator(".lm-CommandPalette-input").fill("Restart the Kernel of This Tab");
  await tab.page.keyboard.press("Enter");
  await explorer.root.waitFor({ state: "detached" });
  await picture(files.explorer(), 4);
});

test("a kernel that dies opens the file again, but not for ever", async () => {
  const { files, tab } = await openLab();
  await picture(await files.openWith("lookup.parquet"), 0);
  await files.explorer().row(5).click();
  await picture(files.explorer(), 4);
  await tab.page.waitForTimeout(1_000);
  const [session] = await sessions();
  const kill = () => {
    const table = execFileSync("ps", ["-A", "-ww", "-o", "pid=,args="], { encoding: "utf8" });
    const line = table.split("\n").find((each) => each.includes(`kernel-${session?.kernel.id}.json`));
    process.kill(Number.parseInt(line ?? "", 10), "SIGKILL");
  };
  await files.explorer().root.evaluate((element) => element.setAttribute("data-first", ""));
  kill();
  await files.tab.locator(".h5x-root:not([data-first])").waitFor({ timeout: 60_000 });
  await picture(files.explorer(), 4);
  kill();
  await files.tab.getByRole("alert").getByText("The kernel has died again").waitFor({ timeout: 30_000 });
  await files.tab.getByRole("button", { name: "Open again" }).click();
  await picture(files.explorer(), 4);
});

describe("the opener of a double click", () => {
  test("stays JupyterLab's own", async () => {
    copyFileSync(path.join(data, "lookup.parquet"), path.join(home, "notebooks", "a.parquet"));
    writeFileSync(path.join(home, "notebooks", "a.csv"), `uuid,filepath\n${uuids[0]},data/shard_000\n`);
    const { files, tab } = await openLab("");
    await files.item("a.csv").dblclick();
    await tab.page.locator(".jp-CSVViewer").waitFor();
    await files.item("a.parquet").dblclick();
    await tab.page
      .locator(".jp-Dialog")
      .getByText(/a\.parquet/)
      .first()
      .waitFor();
    expect(await files.tab.count()).toBe(0);
  });

  test("is the explorer where a setting of JupyterLab says so", async () => {
    writeSettings(home, { defaultViewers: { csv: "H5 Explorer" } }, "@jupyterlab/docmanager-extension");
    writeFileSync(path.join(home, "notebooks", "a.csv"), `uuid,filepath\n${uuids[0]},data/shard_000\n`);
    const { files } = await openLab("");
    await files.item("a.csv").dblclick();
    await files.explorer().contents.getByText("1 record", { exact: true }).waitFor({ timeout: 60_000 });
  });
});

test("the launcher has a card that asks for the file", async () => {
  const { files, tab } = await openLab("");
  await tab.page.locator(".jp-LauncherCard", { hasText: "H5 Explorer" }).click();
  const dialog = tab.page.locator(".jp-Dialog");
  await dialog.locator(".jp-DirListing-item", { hasText: "data" }).dblclick();
  await dialog.locator(".jp-DirListing-item", { hasText: "lookup.parquet" }).first().click();
  expect(await dialog.locator(".jp-DirListing-item", { hasText: "expected.json" }).count()).toBe(0);
  await dialog.getByRole("button", { name: "Select" }).click();
  await picture(files.explorer(), 0);
});

test("the index's folder and its room, and fetching ahead, are as a person has set them", async () => {
  const folder = path.join(home, "notebooks", "large");
  mkdirSync(folder);
  const code = [
    "import sys, uuid, pyarrow as pa, pyarrow.parquet as pq",
    "rows = pa.table({'uuid': [str(uuid.UUID(int=n * 2**80)) for n in range(100_000)], 'filepath': ['s'] * 100_000})",
    "for path in sys.argv[1:]: pq.write_table(rows, path)",
  ].join("\n");
  const [one, other] = [path.join(folder, "one.parquet"), path.join(folder, "other.parquet")];
  execFileSync(venvProgram("python"), ["-c", code, one, other]);
  for (const shard of ["shard_000", "shard_001"]) {
    for (const each of ["_images.h5", "_metadata.parquet"]) {
      copyFileSync(path.join(data, shard + each), path.join(folder, shard + each));
    }
  }
  const index = path.join(home, "index");
  const opened = async (settings: object) => {
    writeSettings(home, { cacheFolder: index, ...settings });
    const { files, tab } = await openLab("large");
    const ahead: string[] = [];
    tab.page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        ahead.push(...(payload.toString().match(/"ahead"/g) ?? []));
      }),
    );
    return { files, ahead };
  };
  const first = await opened({ prefetch: false });
  await first.files.openWith("one.parquet");
  await first.files
    .explorer()
    .contents.getByText(/^indexed/)
    .waitFor({ timeout: 60_000 });
  const kept = () => readdirSync(path.join(index, "lookups")).map((name) => name.split("-")[0]);
  expect(kept()).toEqual(["one"]);
  await picture(await first.files.openWith("shard_000_images.h5"), 0);
  await first.files.tab.page().waitForTimeout(1_500);
  expect(first.ahead).toEqual([]);

  const second = await opened({ cacheLimit: 0.002 });
  await second.files.openWith("other.parquet");
  const refusal = "The index takes 4.0 MB, and the cache is limited to 2.0 MB.";
  await second.files.explorer().contents.getByText(refusal).first().waitFor({ timeout: 60_000 });
  await second.files.explorer().row(3).waitFor();
  expect(kept()).toEqual(["one"]);
  await second.files.openWith("shard_001_images.h5");
  await until(async () => second.ahead.length > 0, "something is fetched ahead", 20_000);
});

test("the tab takes JupyterLab's theme or one of its own, and axe finds nothing in it or its notices", async () => {
  const { files, tab } = await openLab();
  const explorer = await files.openWith("lookup.parquet");
  await picture(explorer, 0);
  await files.openWith("wrong_columns.parquet");
  await files.tab.getByRole("alert").waitFor({ timeout: 60_000 });
  const tabOf = (name: string) => tab.page.locator(".lm-TabBar-tabLabel", { hasText: name }).click();
  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    for (const each of ["Settings", "Theme", theme]) {
      const kind = each === "Settings" ? ".lm-MenuBar-item" : ".lm-Menu-item";
      await tab.page.locator(kind, { hasText: each }).first().click();
    }
    await tab.page.waitForFunction((name) => document.body.dataset.jpThemeName === name, theme);
    for (const name of ["lookup.parquet", "wrong_columns.parquet"]) {
      await tabOf(name);
      await tab.page.waitForTimeout(500);
      expect((await violations(tab)).map((each) => `${theme}: ${each}`)).toEqual([]);
    }
  }
  writeSettings(home, { theme: "dark", rowHeight: 40 });
  const own = await openLab();
  const dark = await own.files.openWith("lookup.parquet");
  await picture(dark, 0);
  expect(await dark.root.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe("rgb(30, 30, 30)");
  expect((await dark.row(1).boundingBox())?.height).toBe(40);
});
