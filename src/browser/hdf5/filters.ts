/** The HDF5 filters that are not within the library: fetched from beside the page when a file needs one. */

import blosc from "h5wasm-plugins/plugins/libH5Zblosc.so";
import bitshuffle from "h5wasm-plugins/plugins/libH5Zbshuf.so";
import bzip2 from "h5wasm-plugins/plugins/libH5Zbz2.so";
import lz4 from "h5wasm-plugins/plugins/libH5Zlz4.so";
import lzf from "h5wasm-plugins/plugins/libH5Zlzf.so";
import zstd from "h5wasm-plugins/plugins/libH5Zzstd.so";
import type { Library } from "./library";

/** By the code that is registered for them with The HDF Group. */
const FILTERS: Readonly<Record<number, string>> = {
  307: bzip2,
  32000: lzf,
  32001: blosc,
  32004: lz4,
  32008: bitshuffle,
  32015: zstd,
};

const FOLDER = "/filters";
const loading = new Map<number, Promise<void>>();

/** Has the filters of a data set be there, as far as there are such. */
export async function provideFilters(library: Library, codes: readonly number[]): Promise<void> {
  for (const code of codes) {
    const address = FILTERS[code];
    if (address === undefined) continue;
    const begun = loading.get(code) ?? provide(library, code, address);
    loading.set(code, begun);
    await begun.catch(() => loading.delete(code)); // reading then says that the filter is missing
  }
}

async function provide(library: Library, code: number, address: string): Promise<void> {
  const response = await fetch(new URL(address, self.location.href));
  if (!response.ok) throw new Error(`${address} is not there`);
  if (!library.FS.analyzePath(FOLDER).exists) {
    library.FS.mkdir(FOLDER);
    library.insert_plugin_search_path(FOLDER, 0);
  }
  library.FS.writeFile(`${FOLDER}/libH5Z${code}.so`, new Uint8Array(await response.arrayBuffer()));
}
