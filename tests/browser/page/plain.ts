/** The page without a kernel, and its source within the reach of the tests. */

import { h, render } from "preact";
import { PageOpener, USUAL_COLUMNS } from "../../../src/browser/opener";
import { startWorkers, type Workers } from "../../../src/browser/workers";
import { asExplorerError, type ExplorerError } from "../../../src/errors";
import { filesOfInput } from "../../../src/page/dropped";
import { PlainPage } from "../../../src/page/PlainPage";
import type { Opened, Source } from "../../../src/source/api";
import { BrowserSource } from "../../../src/source/browser";

/** What a call came to: JSON, as bytes and errors cannot leave the page as they are. */
export type Outcome = { readonly json: string } | { readonly error: PlainError };
type PlainError = Pick<ExplorerError, "code" | "message" | "action" | "details">;

/** What a source can be asked for. */
export type SourceMethod = Exclude<keyof Source, "hasKernel" | "opensOthers">;

/** The source, as the tests reach it. */
export interface Bare {
  /** Opens an address, or else what the page's first field of files has. */
  open(address: string | null): Promise<Opened>;
  /** Opens one of the chosen files by its name. */
  openNamed(name: string): Promise<Opened>;
  /** Reads a table, and a record of it, by whatever columns it has; returns what that came to. */
  tryTable(name: string): Promise<string>;
  call(id: number, method: SourceMethod, args: readonly unknown[]): Promise<Outcome>;
  abort(id: number): void;
  bytesRead(): number;
}

declare global {
  interface Window {
    bare: Bare;
    mountPlain(patienceMs?: number): void;
  }
}

const running = new Map<number, AbortController>();
const kept: { workers?: Workers; source?: BrowserSource } = {};

const never = new AbortController().signal;

/** What the page's last field of files has. */
function chosen() {
  const field = [...document.querySelectorAll<HTMLInputElement>("input[type=file]")].at(-1);
  return filesOfInput(field?.files ?? new DataTransfer().files);
}

window.mountPlain = (patienceMs) => {
  const place = document.getElementById("h5explorer");
  if (place !== null) render(h(PlainPage, { patienceMs }), place);
};

window.bare = {
  async open(address) {
    kept.workers ??= startWorkers();
    const opener = new PageOpener(kept.workers, chosen());
    const first =
      address === null
        ? await opener.openDropped(USUAL_COLUMNS, never)
        : await opener.open(address, USUAL_COLUMNS, never);
    kept.source = new BrowserSource(kept.workers, opener, first);
    return kept.source.describe();
  },
  async openNamed(name) {
    kept.workers ??= startWorkers();
    const first = await new PageOpener(kept.workers, chosen()).open(name, USUAL_COLUMNS, never);
    kept.source = new BrowserSource(kept.workers, new PageOpener(kept.workers, chosen()), first);
    return kept.source.describe();
  },
  async tryTable(name) {
    kept.workers ??= startWorkers(5_000);
    const ref = chosen().find((file) => file.path === name);
    if (ref === undefined) return "not chosen";
    const { tables } = kept.workers;
    try {
      // Refused for its columns, it names those that there are.
      const from = { table: ref };
      const id = -1 - Math.floor(Math.random() * 1e9);
      const found: unknown = await tables
        .call("open", { lookup: { id, columns: USUAL_COLUMNS, from } }, never)
        .then(() => ["uuid"])
        .catch((error: ExplorerError) => error.details.found ?? Promise.reject(error));
      const column = Array.isArray(found) ? String(found[0]) : "uuid";
      const lookup = { id: id - 1, columns: { uuid: column, filepath: column }, from };
      const { rows } = await tables.call("open", { lookup }, never);
      const { uuids } = await tables.call("rows", { lookup, start: 0, stop: 100 }, never);
      await tables.call("record", { ref, key: uuids[0] ?? "", uuidColumns: [column] }, never);
      return `${rows} rows`;
    } catch (error) {
      return asExplorerError(error).code;
    }
  },
  async call(id, method, args) {
    const control = new AbortController();
    running.set(id, control);
    try {
      const { source } = kept;
      if (source === undefined) throw new Error("nothing is open");
      const result: unknown = await Reflect.apply(source[method], source, [...args, control.signal]);
      return { json: JSON.stringify(packed(result)) };
    } catch (error) {
      const { code, message, action, details } = asExplorerError(error);
      return { error: { code, message, action, details } };
    } finally {
      running.delete(id);
    }
  },
  abort(id) {
    running.get(id)?.abort();
  },
  bytesRead: () => (kept.workers?.shards.bytesRead ?? 0) + (kept.workers?.tables.bytesRead ?? 0),
};

/** Bytes leave the page as text; an error as its facts. */
function packed(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return { base64: btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join("")) };
  if (value instanceof Error) {
    const { code, message, action } = asExplorerError(value);
    return { failed: { code, message, action } };
  }
  if (Array.isArray(value)) return value.map(packed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, packed(each)]));
}
