/** A source that lives in a page of a real browser: every call is made there. */

import type { Page } from "playwright-core";
import { ExplorerError } from "../../src/errors";
import { isFields, textOf } from "../../src/fields";
import type { Source } from "../../src/source/api";

let calls = 0;

/** Makes the source; what it gives is what the page's own gives. */
export function pageSource(page: Page): Source {
  const call =
    (method: keyof Source) =>
    (...all: unknown[]) =>
      asked(page, method, all);
  const methods: Record<string, unknown> = {};
  return new Proxy(methods, { get: (_, name: keyof Source) => call(name) }) as unknown as Source;
}

async function asked(page: Page, method: keyof Source, all: readonly unknown[]): Promise<unknown> {
  const signal = all.at(-1);
  if (!(signal instanceof AbortSignal)) throw new Error(`${method} was called without a signal`);
  calls += 1;
  const id = calls;
  await Promise.resolve();
  // What is withdrawn as soon as it is asked is so in the page too, not some messages later.
  const asking = { id, method, args: all.slice(0, -1), atOnce: signal.aborted };
  signal.addEventListener("abort", () => void page.evaluate((which) => window.bare.abort(which), id));
  const outcome = await page.evaluate(({ id, method, args, atOnce }) => {
    const outcome = window.bare.call(id, method, args);
    if (atOnce) window.bare.abort(id);
    return outcome;
  }, asking);
  if ("error" in outcome) {
    const { code, message, action, details } = outcome.error;
    throw new ExplorerError(code, message, action, details);
  }
  return unpacked(outcome.result);
}

function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (!isFields(value)) return value;
  if (typeof value.base64 === "string") return new Uint8Array(Buffer.from(value.base64, "base64"));
  if (isFields(value.failed)) {
    return new ExplorerError(
      textOf(value.failed, "code"),
      textOf(value.failed, "message"),
      textOf(value.failed, "action"),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpacked(each)]));
}
