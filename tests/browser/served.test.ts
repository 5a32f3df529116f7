/** The page without a kernel as `h5explorer page` writes it, behind a plain server of files with a strict policy. */

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Browser } from "playwright-core";
import { makeData } from "../contract/expected";
import { openTab, startBrowser } from "../support/chromium";
import { newFolder, runModule } from "../support/python";
import { explorerOf } from "./plainKit";

jest.setTimeout(120_000);

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
].join("; ");
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const { folder, expected } = makeData();
const page = path.join(newFolder("page"), "site");
runModule("h5explorer_py", "page", page);
let browser: Browser;
let server: Server;

beforeAll(async () => {
  browser = await startBrowser();
  server = createServer((request, response) => {
    const name = (request.url ?? "/").split("/").at(-1) || "index.html";
    try {
      const body = readFileSync(path.join(page, name));
      const type = TYPES[path.extname(name)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
    } catch {
      response.writeHead(name === "favicon.ico" ? 204 : 404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  server.close();
  await browser.close();
});

test("it shows a folder, a picture behind an HDF5 filter too, and breaks no policy", async () => {
  const tab = await openTab(browser);
  const { port } = server.address() as AddressInfo;
  await tab.page.goto(`http://127.0.0.1:${port}/some/prefix/`);
  const chooser = tab.page.waitForEvent("filechooser");
  await tab.page.getByRole("button", { name: "Choose a folder" }).click();
  await (await chooser).setFiles(folder);
  const explorer = explorerOf(tab.page);
  const picture = (row: number) => explorer.viewer.getByRole("img", { name: expected.rows[row]?.[0] ?? "" });
  await picture(0).waitFor();
  await explorer.table.getByText("name 0").waitFor();
  const filtered = expected.bad.filtered ?? 0;
  await explorer.search.fill(String(filtered + 1));
  await explorer.search.press("Enter");
  await picture(filtered).waitFor();
  expect(tab.strayRequests).toEqual([]);
  expect(tab.complaints).toEqual([]);
});
