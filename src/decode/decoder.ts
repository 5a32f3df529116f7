/** Loading the table decoder: its module and its WebAssembly, once a page, when first needed. */

import { type AssetRoads, loadAsset } from "../assets";
import { ExplorerError } from "../errors";
import { isFields } from "../fields";
import { inTime } from "../time";
import type { TableDecoder } from "./tables";

/** The names of the decoder's parts, each with a hash of its content. */
export interface DecoderParts {
  readonly script: string;
  readonly wasm: string;
}

/** Gives the decoder, started. A failure is forgotten, so that the next call tries again. */
export type GetDecoder = () => Promise<TableDecoder>;

/** For how many milliseconds a load that another widget has begun is waited for. */
export const OTHERS_PATIENCE_MS = 10_000;

const PAGE = Symbol.for("h5explorer.decoders");

type Decoders = Map<string, Promise<TableDecoder>>;

/** Decoders of this page, whichever widget loaded them: each widget's code is its own, a decoder is shared. */
function decodersOfPage(): Decoders {
  const held: unknown = Reflect.get(globalThis, PAGE);
  if (held instanceof Map) return held;
  const made: Decoders = new Map();
  Reflect.set(globalThis, PAGE, made);
  return made;
}

/**
 * Gets the page's decoder, or loads it.
 *
 * @throws ExplorerError - `decoder_unavailable` where the page does not let it start, or as the kernel says.
 */
export async function pagesDecoder(parts: DecoderParts, roads: AssetRoads): Promise<TableDecoder> {
  const decoders = decodersOfPage();
  const key = `${parts.script} ${parts.wasm}`;
  const known = decoders.get(key);
  if (known !== undefined) {
    // Another widget's kernel may have ended, or may be at work for hours; this one has its own.
    const decoder = await inTime(known, OTHERS_PATIENCE_MS);
    if (decoder !== null) return decoder;
    if (decoders.get(key) !== known) return pagesDecoder(parts, roads);
  }
  const loading = load(parts, roads);
  decoders.set(key, loading);
  return loading;
}

async function load(parts: DecoderParts, roads: AssetRoads): Promise<TableDecoder> {
  const [decoder, module] = await Promise.all([
    loadAsset(parts.script, roads, (script) => asked(() => importModule(script))),
    loadAsset(parts.wasm, roads, (wasm) => asked(() => WebAssembly.compile(wasm))),
  ]);
  await asked(() => decoder.start(module));
  return decoder;
}

/** Asks the browser for what a page may forbid. */
async function asked<Value>(of: () => Promise<Value>): Promise<Value> {
  try {
    return await of();
  } catch (error) {
    throw new ExplorerError(
      "decoder_unavailable",
      `This page does not let the table decoder start: ${error instanceof Error ? error.message : String(error)}`,
      "Its content security policy must allow scripts from 'blob:' and 'wasm-unsafe-eval'.",
    );
  }
}

/** Imports a module from its bytes, the way the widget itself was imported. */
async function importModule(script: Uint8Array<ArrayBuffer>): Promise<TableDecoder> {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    return await decoderAt(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Imports the decoder's module from an address. */
export async function decoderAt(url: string): Promise<TableDecoder> {
  const module: unknown = await import(/* webpackIgnore: true */ url);
  const decoder = isFields(module) ? module.default : null;
  if (!isDecoder(decoder)) throw new Error("its module is not the one that was asked for");
  return decoder;
}

function isDecoder(value: unknown): value is TableDecoder {
  return isFields(value) && ["start", "keys", "record"].every((name) => typeof value[name] === "function");
}
