/** How much memory a browser's tab takes. */

import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { isFields } from "../../src/fields";

/** The memory of the largest renderer in bytes, with what it shares with others; 0 where the system does not tell. */
export async function tabMemory(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter((each: unknown) => isFields(each) && each.type === "renderer");
  return Math.max(0, ...renderers.map(({ id }) => residentOf(id)));
}

function residentOf(pid: number): number {
  try {
    return 1024 * Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
