/** The table decoder of a plain page: its parts are files beside the page, which its policy lets it load as such. */

import { ExplorerError } from "../errors";
import { type DecoderParts, decoderAt, type GetDecoder } from "./decoder";
import type { TableDecoder } from "./tables";

/**
 * Gives the decoder of a page, loaded once; a failure is forgotten, so that the next call tries again.
 *
 * @param folder - The address that the parts' names are below, with its last slash.
 */
export function servedDecoder(parts: DecoderParts, folder: string): GetDecoder {
  let loading: Promise<TableDecoder> | null = null;
  return () => {
    loading ??= load(parts, folder).catch((error: unknown) => {
      loading = null;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ExplorerError("decoder_unavailable", `The table decoder cannot be loaded: ${reason}.`, "Try again.");
    });
    return loading;
  };
}

async function load(parts: DecoderParts, folder: string): Promise<TableDecoder> {
  const [decoder, module] = await Promise.all([
    decoderAt(new URL(parts.script, folder).href),
    WebAssembly.compileStreaming(fetch(new URL(parts.wasm, folder))),
  ]);
  await decoder.start(module);
  return decoder;
}
