/** The page of the browser tests: the whole app on a source that the test controls. */

import { signal } from "@preact/signals";
import { render } from "preact";
import { App } from "../../../src/app/App";
import type { WireState } from "../../../src/channel/wire";
import { ExplorerError } from "../../../src/errors";
import type { MetadataField } from "../../../src/metadata/record";
import type { Opened, Source } from "../../../src/source/api";
import { type MockCall, type MockLookup, type MockPicture, MockSource } from "../../../src/source/mock";
import { ExplorerState } from "../../../src/state/explorer";
import { USUAL_LOOK } from "../../../src/state/look";
import type { Choice, Ranges, SharedState } from "../../../src/state/shared";
import { bmp, colourOf } from "./bmp";
import { kernelExplorer } from "./kernel";

/** How an explorer of the page is made. */
export interface Setup {
  readonly rows?: number;
  readonly name?: string;
  readonly height?: string;
  readonly width?: string;
  readonly current?: number | null;
  /** The size of the pictures. */
  readonly picture?: { readonly width: number; readonly height: number };
  /** Rows whose picture, metadata or page of rows fails. */
  readonly badPictures?: readonly number[];
  readonly badMetadata?: readonly number[];
  readonly undecodable?: readonly number[];
  /** How many times files are not counted. */
  readonly failCounts?: number;
  readonly notices?: readonly string[];
  readonly fields?: readonly (readonly [name: string, type: string, text: string])[];
  /** Whether answers wait until the test lets them go. */
  readonly held?: boolean;
  /** Milliseconds after which answers come; or the least and the most, each answer taking its own. */
  readonly delay?: number | readonly [number, number];
  /** Whether the data comes from a kernel's side through the test's server. */
  readonly kernel?: boolean;
}

/** An explorer of the page, as the tests reach it. */
export interface Handle {
  readonly calls: MockCall[];
  /** The calls that were withdrawn before their answer came. */
  readonly withdrawn: MockCall[];
  /** Lets the oldest or newest answer that is held go; by method, if one is named. */
  letGo(which: "oldest" | "newest" | "all", method?: keyof Source): number;
  failRows(times: number): void;
  setCurrent(row: number | null): void;
  current(): number | null;
  selection(): Ranges;
  setSelection(ranges: Ranges): void;
  setWire(state: WireState, waiting: boolean): void;
  changeFile(row: number): void;
  unmount(): void;
}

declare global {
  interface Window {
    mount(setup: Setup): Promise<number>;
    explorers: Handle[];
  }
}

export const uuidOf = (row: number) => `${(row + 0x10000000).toString(16)}-0000-4000-8000-000000000000`;

interface Held {
  readonly call: MockCall;
  readonly letGo: () => void;
}

function lookupOf(setup: Setup, versions: ReadonlyMap<number, number>, name: string, rows: number): MockLookup {
  const { width, height } = setup.picture ?? { width: 60, height: 40 };
  const failed = (code: string, row: number) =>
    new ExplorerError(code, `There is no file for row ${row + 1}.`, "Copy it back.", { savable: true });
  const picture = (row: number): MockPicture | ExplorerError => {
    if (setup.badPictures?.includes(row)) return failed("shard_not_found", row);
    if (setup.undecodable?.includes(row)) {
      return { bytes: new Uint8Array([66, 77, 1]), format: "BMP", mediaType: "image/bmp" };
    }
    const version = versions.get(row) ?? 0;
    const bytes = bmp(width, height, colourOf(row + 1000 * version), true);
    return { bytes, format: "BMP", mediaType: "image/bmp", state: String(version) };
  };
  const fields = (row: number): readonly MetadataField[] | ExplorerError => {
    if (setup.badMetadata?.includes(row)) return failed("metadata_not_found", row);
    const given = setup.fields ?? [
      ["species", "string", `Corvus ${row}`],
      ["count", "int64", String(9_007_199_254_740_993n + BigInt(row))],
      ["note", "string", "A long note. ".repeat(30)],
      ["missing", "null", "null"],
    ];
    return given.map(([field, type, text]) => ({
      name: field,
      type,
      value: { text, kind: type === "null" ? "null" : type.startsWith("int") ? "number" : "text" },
    }));
  };
  return {
    name,
    rows,
    uuid: uuidOf,
    filepath: (row) => `shards/part_${String(Math.floor(row / 1000)).padStart(6, "0")}`,
    filepaths: Math.ceil(rows / 1000),
    picture,
    original: (row) =>
      setup.badPictures?.includes(row) || setup.undecodable?.includes(row)
        ? { bytes: new Uint8Array([1, 2, 3]), format: "TIFF", mediaType: "image/tiff" }
        : picture(row),
    thumbnail: (row, size) => {
      if (setup.undecodable?.includes(row)) {
        return { bytes: new Uint8Array([66, 77, 1]), mediaType: "image/bmp", width: 1, height: 1 };
      }
      const scale = Math.min(1, size / Math.max(width, height));
      const small = { width: Math.round(width * scale), height: Math.round(height * scale) };
      const colour = colourOf(row + 1000 * (versions.get(row) ?? 0));
      return { bytes: bmp(small.width, small.height, colour, true), mediaType: "image/bmp", ...small };
    },
    fields,
    notices: setup.notices ?? [],
  };
}

class PageState implements SharedState {
  readonly opened;
  readonly current;
  readonly selection = signal<Ranges>([]);
  readonly height;
  readonly look = USUAL_LOOK;

  constructor(opened: Opened, current: number | null, height: string | null) {
    this.opened = signal(opened);
    this.current = signal(current);
    this.height = signal(height);
  }

  choose(choice: Choice): void {
    if (choice.current !== undefined) this.current.value = choice.current;
    if (choice.selection !== undefined) this.selection.value = choice.selection;
  }

  keepShares(): void {}

  close(): void {}

  /** Takes over what has been opened, as the traits do. */
  exchange(opened: Opened): void {
    this.opened.value = opened;
    this.selection.value = [];
    this.current.value = opened.records > 0 ? 0 : null;
  }
}

function mockExplorer(setup: Setup) {
  const held: Held[] = [];
  const calls: MockCall[] = [];
  const withdrawn: MockCall[] = [];
  const versions = new Map<number, number>();
  let failRows = 0;
  let failCounts = setup.failCounts ?? 0;
  const rows = setup.rows ?? 10_000;
  const first = setup.name ?? "lookup.parquet";
  const lookups = new Map([
    [first, lookupOf(setup, versions, first, rows)],
    ["other.csv", lookupOf(setup, versions, "other.csv", 42)],
    ["empty.csv", lookupOf(setup, versions, "empty.csv", 0)],
  ]);
  const told: { shared?: PageState } = {};
  const delay = async (call: MockCall, signal: AbortSignal): Promise<void> => {
    calls.push(call);
    signal.addEventListener("abort", () => withdrawn.push(call));
    if (call.method === "rows" && failRows > 0) {
      failRows -= 1;
      throw new ExplorerError("timeout", "This took longer than 60 s and was given up.", "Try again.");
    }
    if (call.method === "filepaths" && failCounts > 0) {
      failCounts -= 1;
      throw new ExplorerError("timeout", "This took longer than 600 s and was given up.", "Try again.");
    }
    const [least, most] = typeof setup.delay === "number" ? [setup.delay, setup.delay] : (setup.delay ?? [0, 0]);
    if (most > 0)
      await new Promise((resolve) => setTimeout(resolve, least + ((calls.length * 61) % (most - least + 1))));
    if (setup.held) await new Promise<void>((letGo) => held.push({ call, letGo }));
  };
  const source = new MockSource(lookups, delay, (opened) => {
    told.shared?.exchange(opened);
  });
  const shared = new PageState(
    source.describe(),
    setup.current === undefined ? (rows > 0 ? 0 : null) : setup.current,
    setup.height ?? null,
  );
  told.shared = shared;
  const letGo: Handle["letGo"] = (which, method) => {
    const fitting = held.filter(({ call }) => method === undefined || call.method === method);
    const chosen = which === "all" ? fitting : which === "oldest" ? fitting.slice(0, 1) : fitting.slice(-1);
    for (const each of chosen) {
      held.splice(held.indexOf(each), 1);
      each.letGo();
    }
    return chosen.length;
  };
  return {
    source,
    shared,
    calls,
    withdrawn,
    letGo,
    failRows: (times: number) => {
      failRows = times;
    },
    changeFile: (row: number) => void versions.set(row, (versions.get(row) ?? 0) + 1),
  };
}

window.explorers = [];

window.mount = async (setup) => {
  const place = document.createElement("div");
  if (setup.width !== undefined) place.style.width = setup.width;
  document.querySelector("main")?.append(place);
  const kernel = setup.kernel === true ? await kernelExplorer() : null;
  const mock = mockExplorer(setup);
  const shared = kernel === null ? mock.shared : new PageState(kernel.opened, 0, setup.height ?? null);
  if (kernel !== null) kernel.source.tell = (opened) => shared.exchange(opened);
  const watchers: { wire?: (state: WireState) => void; waiting?: (waiting: boolean) => void } = {};
  const client = {
    onState: (see: (state: WireState) => void) => {
      watchers.wire = see;
      return () => {};
    },
    onWaiting: (see: (waiting: boolean) => void) => {
      watchers.waiting = see;
      return () => {};
    },
  };
  const state = new ExplorerState(kernel?.source ?? mock.source, shared, client);
  render(<App state={state} />, place);
  return window.explorers.push({
    calls: mock.calls,
    withdrawn: mock.withdrawn,
    letGo: mock.letGo,
    failRows: mock.failRows,
    changeFile: mock.changeFile,
    setCurrent: (row) => shared.choose({ current: row }),
    current: () => shared.current.value,
    selection: () => shared.selection.value,
    setSelection: (selection) => shared.choose({ selection }),
    setWire: (wire, waiting) => {
      watchers.wire?.(wire);
      watchers.waiting?.(waiting);
    },
    unmount: () => {
      render(null, place);
      state.close();
      place.remove();
    },
  });
};
