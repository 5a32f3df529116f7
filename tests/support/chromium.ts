/** The browser of the tests. */

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import usualPlaces from "./chromium.json";

const PLACES = [process.env.CHROMIUM_PATH ?? "", ...usualPlaces];

/** The browser's program. */
export function chromiumProgram(): string {
  const found = [...PLACES, chromium.executablePath()].find((place) => place !== "" && existsSync(place));
  if (found === undefined) {
    throw new Error("No Chromium was found. Install one (Debian: apt install chromium), or name it in CHROMIUM_PATH.");
  }
  return found;
}

/** Starts the browser. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumProgram(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A tab, and what went wrong in it. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests to other hosts than this machine; each was refused. */
  readonly strayRequests: string[];
  /** Errors that nobody caught, and messages on the console that are errors or warnings. */
  readonly complaints: string[];
}

/** Opens a tab that can reach nothing but this machine. */
export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const strayRequests: string[] = [];
  const complaints: string[] = [];
  await context.route("**/*", (route) => {
    const { hostname, protocol } = new URL(route.request().url());
    if (hostname === "127.0.0.1" || protocol === "blob:" || protocol === "data:") return route.continue();
    if (protocol === "file:" && route.request().isNavigationRequest()) return route.continue(); // the test's own wish
    strayRequests.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on("console", (message) => {
    const ofTheTest = message.text().includes("willReadFrequently"); // the tests look at pixels, the page does not
    if (["error", "warning"].includes(message.type()) && !ofTheTest)
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, context, strayRequests, complaints };
}
