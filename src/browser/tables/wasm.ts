/** The WebAssembly of the table decoder: a file beside the page, loaded when the first table is. */

import address from "parquet-wasm/esm/parquet_wasm_bg.wasm";
import { ExplorerError } from "../../errors";

type Initialize = (options: { readonly module_or_path: WebAssembly.Module }) => Promise<{
  readonly memory: WebAssembly.Memory;
}>;

const state: { started?: Promise<WebAssembly.Memory> } = {};

/** Starts it, once. A failure is forgotten, so that the next call tries again. */
export function startWasm(initialize: Initialize): Promise<WebAssembly.Memory> {
  state.started ??= start(initialize).catch((error: unknown) => {
    delete state.started;
    throw error;
  });
  return state.started;
}

async function start(initialize: Initialize): Promise<WebAssembly.Memory> {
  const module = await compiled(new URL(address, location.href));
  return (await initialize({ module_or_path: module })).memory;
}

async function compiled(url: URL): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    // Not by streaming: a server may not know the media type that this asks for.
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new ExplorerError(
      "decoder_unavailable",
      `The table decoder cannot be started: ${error instanceof Error ? error.message : String(error)}.`,
      `Serve ${url.pathname.split("/").at(-1)} beside the page, and allow 'wasm-unsafe-eval' where the page has a policy.`,
    );
  }
}
