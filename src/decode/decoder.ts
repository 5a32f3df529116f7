/** Loading the table decoder: its module and its WebAssembly, once a page, when first needed. */

import { type AssetRoads, loadAsset } from "../assets";
import { ExplorerError } from "../errors";
import { isFields } from "../fields";
import type { TableDecoder } from "./tables";

/** The names of the decoder's parts, each with a hash of its content. */
export interface DecoderParts {
  readonly script: string;
  readonly wasm: string;
}

/** Gives the decoder, started. A failure is forgotten, so that the next call tries again. */
export type GetDecoder = () => Promise<TableDecoder>;

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
export function pagesDecoder(parts: DecoderParts, roads: AssetRoads): Promise<TableDecoder> {
  const decoders = decodersOfPage();
  const key = `${parts.script} ${parts.wasm}`;
  const known = decoders.get(key);
  if (known === undefined) return start();
  // Another widget's way may have failed because its kernel ended; this one has its own.
  return known.catch(() => (decoders.get(key) === known ? start() : pagesDecoder(parts, roads)));

  function start(): Promise<TableDecoder> {
    const loading = load(parts, roads);
    decoders.set(key, loading);
    loading.catch(() => {
      if (decoders.get(key) === loading) decoders.delete(key);
    });
    return loading;
  }
}

async function load(parts: DecoderParts, roads: AssetRoads): Promise<TableDecoder> {
  const [script, wasm] = await Promise.all([loadAsset(parts.script, roads), loadAsset(parts.wasm, roads)]);
  try {
    const [decoder, module] = await Promise.all([importModule(script), WebAssembly.compile(wasm)]);
    await decoder.start(module);
    return decoder;
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
    const module: unknown = await import(/* webpackIgnore: true */ url);
    const decoder = isFields(module) ? module.default : null;
    if (!isDecoder(decoder)) throw new Error("its module is not the one that was asked for");
    return decoder;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function isDecoder(value: unknown): value is TableDecoder {
  return isFields(value) && ["start", "keys", "record"].every((name) => typeof value[name] === "function");
}
