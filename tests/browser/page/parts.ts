/** A page that loads the larger parts of the front end as a widget does; the test is its kernel. */

import { IndexedDbCache } from "../../../src/cache";
import { type DecoderParts, pagesDecoder } from "../../../src/decode/decoder";

declare global {
  interface Window {
    loadDecoder(parts: DecoderParts, folder: string | null): Promise<string>;
    keep(name: string, bytes: readonly number[]): Promise<void>;
    kept(name: string): Promise<number | null>;
  }
}

window.loadDecoder = async (parts, folder) => {
  const ask = async (name: string) => new Uint8Array(await (await fetch(`/kernel/${name}`)).arrayBuffer());
  try {
    const decoder = await pagesDecoder(parts, { folder, cache: new IndexedDbCache(), ask });
    return typeof decoder.keys;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

window.keep = (name, bytes) => new IndexedDbCache().put(name, new Uint8Array(bytes));

window.kept = async (name) => (await new IndexedDbCache().get(name))?.length ?? null;
