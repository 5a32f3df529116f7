/** A source that lives in a page of a real browser: every call is made there. */

import type { Page } from "playwright-core";
import { ExplorerError } from "../../src/errors";
import { isFields, textOf } from "../../src/fields";
import type { Source } from "../../src/source/api";
import type { SourceMethod } from "../browser/page/plain";

let calls = 0;

/** Gives what the page's own source gives. */
export class PageSource implements Source {
  readonly hasKernel = false;
  readonly opensOthers = true;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  rows(...all: Parameters<Source["rows"]>): ReturnType<Source["rows"]> {
    return this.#ask("rows", all);
  }

  filepaths(...all: Parameters<Source["filepaths"]>): ReturnType<Source["filepaths"]> {
    return this.#ask("filepaths", all);
  }

  image(...all: Parameters<Source["image"]>): ReturnType<Source["image"]> {
    return this.#ask("image", all);
  }

  original(...all: Parameters<Source["original"]>): ReturnType<Source["original"]> {
    return this.#ask("original", all);
  }

  ahead(...all: Parameters<Source["ahead"]>): ReturnType<Source["ahead"]> {
    return this.#ask("ahead", all);
  }

  thumbnails(...all: Parameters<Source["thumbnails"]>): ReturnType<Source["thumbnails"]> {
    return this.#ask("thumbnails", all);
  }

  metadata(...all: Parameters<Source["metadata"]>): ReturnType<Source["metadata"]> {
    return this.#ask("metadata", all);
  }

  find(...all: Parameters<Source["find"]>): ReturnType<Source["find"]> {
    return this.#ask("find", all);
  }

  count(...all: Parameters<Source["count"]>): ReturnType<Source["count"]> {
    return this.#ask("count", all);
  }

  status(...all: Parameters<Source["status"]>): ReturnType<Source["status"]> {
    return this.#ask("status", all);
  }

  show(...all: Parameters<Source["show"]>): ReturnType<Source["show"]> {
    return this.#ask("show", all);
  }

  share(...all: Parameters<Source["share"]>): ReturnType<Source["share"]> {
    return this.#ask("share", all);
  }

  export(...all: Parameters<Source["export"]>): ReturnType<Source["export"]> {
    return this.#ask("export", all);
  }

  columns(...all: Parameters<Source["columns"]>): ReturnType<Source["columns"]> {
    return this.#ask("columns", all);
  }

  values(...all: Parameters<Source["values"]>): ReturnType<Source["values"]> {
    return this.#ask("values", all);
  }

  open(...all: Parameters<Source["open"]>): ReturnType<Source["open"]> {
    return this.#ask("open", all);
  }

  async #ask<Result>(method: SourceMethod, all: readonly unknown[]): Promise<Result> {
    const signal = all.at(-1);
    if (!(signal instanceof AbortSignal)) throw new Error(`${method} was called without a signal`);
    calls += 1;
    const id = calls;
    await Promise.resolve();
    // What is withdrawn as soon as it is asked is so in the page too, not some messages later.
    const asking = { id, method, args: all.slice(0, -1), atOnce: signal.aborted };
    const withdraw = () => void this.#page.evaluate((which) => window.bare.abort(which), id);
    signal.addEventListener("abort", withdraw);
    const outcome = await this.#page.evaluate(({ id, method, args, atOnce }) => {
      const outcome = window.bare.call(id, method, args);
      if (atOnce) window.bare.abort(id);
      return outcome;
    }, asking);
    signal.removeEventListener("abort", withdraw);
    if ("error" in outcome) {
      const { code, message, action, details } = outcome.error;
      throw new ExplorerError(code, message, action, details);
    }
    const result: Result = JSON.parse(outcome.json, (_, value: unknown) => unpacked(value));
    return result;
  }
}

function unpacked(value: unknown): unknown {
  if (!isFields(value)) return value;
  if (typeof value.base64 === "string") return new Uint8Array(Buffer.from(value.base64, "base64"));
  if (!isFields(value.failed)) return value;
  const text = (name: string) => textOf(isFields(value.failed) ? value.failed : {}, name);
  return new ExplorerError(text("code"), text("message"), text("action"));
}
