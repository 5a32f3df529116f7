import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { openTab, startBrowser, type Tab } from "../support/chromium";
import { root } from "../support/python";
import { until } from "./kit";

jest.setTimeout(60_000);

const built = path.join(root, "h5explorer_py", "static");
const names: { decoder: string; wasm: string } = JSON.parse(readFileSync(path.join(built, "assets.json"), "utf8"));
const parts = { script: names.decoder, wasm: names.wasm };
const packed = (name: string) => readFileSync(path.join(built, `${name}.gz`));
const sizes = [names.decoder, names.wasm].map((name) => gunzipSync(packed(name)).length);
const PLACE = "http://127.0.0.1:9"; // nothing listens there; the test answers

let browser: Browser;
let tab: Tab | null = null;

beforeAll(async () => {
  browser = await startBrowser();
});
afterEach(async () => {
  await tab?.context.close();
  tab = null;
});
afterAll(() => browser.close());

/** Opens the page; what is asked of the folder and of the kernel is told. */
async function open(folder: (name: string) => string | null = () => null, policy = "blob: 'wasm-unsafe-eval'") {
  tab = await openTab(browser);
  const { context, page } = tab;
  const asked: string[] = [];
  const script = readFileSync(path.join(root, ".cache/browser/parts.js"));
  await context.route(`${PLACE}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    const name = path.basename(pathname);
    if (pathname === "/parts.js") return route.fulfill({ body: script, contentType: "text/javascript" });
    if (pathname.startsWith("/kernel/") || pathname.startsWith("/static/")) {
      asked.push(pathname);
      if (pathname.startsWith("/kernel/")) return route.fulfill({ body: packed(name) });
      const body = folder(name);
      return body === null ? route.fulfill({ status: 404 }) : route.fulfill({ body });
    }
    const headers = {
      "content-security-policy": `default-src 'none'; connect-src 'self'; script-src 'self' ${policy}`,
    };
    const body = "<!doctype html><title>Parts</title><script src=/parts.js></script>";
    return route.fulfill({ body, contentType: "text/html", headers });
  });
  await page.goto(`${PLACE}/`);
  return { page, asked };
}

const load = (page: Page, folder: string | null = null) =>
  page.evaluate(([given, where]) => window.loadDecoder(given, where), [parts, folder] as const);

const kept = async (page: Page) => [
  await page.evaluate((name) => window.kept(name), names.decoder),
  await page.evaluate((name) => window.kept(name), names.wasm),
];

test("the kernel is asked once; after a reload the browser has the parts", async () => {
  const { page, asked } = await open();
  expect(await Promise.all([load(page), load(page)])).toEqual(["function", "function"]);
  expect(asked.sort()).toEqual([`/kernel/${names.decoder}`, `/kernel/${names.wasm}`]);
  await until(async () => JSON.stringify(await kept(page)) === JSON.stringify(sizes), "both parts are kept");
  await page.reload();
  expect(await load(page)).toBe("function");
  expect(asked).toHaveLength(2);
});

test("pieces of the parts in the cache, and of older versions, are replaced", async () => {
  const { page, asked } = await open();
  const old = names.wasm.replace(/\.[0-9a-f]{16}\./, ".0123456789abcdef.");
  await page.evaluate((name) => window.keep(name, [1]), old);
  await page.evaluate((name) => window.keep(name, [0, 97, 115, 109, 1, 0, 0, 0, 1]), names.wasm);
  await page.evaluate((name) => window.keep(name, [...new TextEncoder().encode("const a = (")]), names.decoder);
  expect(await page.evaluate((name) => window.kept(name), old)).toBeNull();
  expect(await load(page)).toBe("function");
  expect(asked).toHaveLength(2);
  await until(async () => JSON.stringify(await kept(page)) === JSON.stringify(sizes), "both parts are whole");
});

test("a login page in place of the extension's folder is passed over", async () => {
  const { page, asked } = await open(() => "<!doctype html><form>Sign in</form>");
  expect(await load(page, "/static")).toBe("function");
  expect(asked.filter((each) => each.startsWith("/static/"))).toHaveLength(2);
  expect(asked.filter((each) => each.startsWith("/kernel/"))).toHaveLength(2);
});

test.each(["blob:", "'wasm-unsafe-eval'"])("a page that allows %s only is told what it must allow", async (policy) => {
  const { page } = await open(undefined, policy);
  expect(await load(page)).toContain("This page does not let the table decoder start");
});
