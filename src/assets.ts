/**
 * The larger parts of the front end, which do not travel with every widget: fetched when first needed, once a page.
 *
 * First from the folder that JupyterLab serves for the extension, where it is installed; else from the browser's cache;
 * else gzipped from the kernel, which the cache then keeps. Never from another host.
 */

import type { AssetCache } from "./cache";
import { ExplorerError } from "./errors";
import { isFields } from "./fields";

/** Asks the kernel for a part, gzipped. */
export type AskForAsset = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Where parts come from. */
export interface AssetRoads {
  /** The address of the extension's static folder; `null` where JupyterLab does not have the extension. */
  readonly folder: string | null;
  readonly cache: AssetCache;
  readonly ask: AskForAsset;
}

const EXTENSION = "h5explorer";

/**
 * Loads a part.
 *
 * @param name - Its file's name, which contains a hash of its content.
 * @returns Its bytes, unpacked.
 * @throws ExplorerError - As the kernel says.
 */
export async function loadAsset(name: string, roads: AssetRoads): Promise<Uint8Array<ArrayBuffer>> {
  const served = roads.folder === null ? null : await fetchQuietly(`${roads.folder}/${name}`);
  if (served !== null) return served;
  const kept = await roads.cache.get(name);
  if (kept !== null) return kept;
  const unpacked = await unpack(await roads.ask(name));
  void roads.cache.put(name, unpacked);
  return unpacked;
}

async function fetchQuietly(url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const response = await fetch(url);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null; // the next road may be open
  }
}

async function unpack(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new ExplorerError("decoder_unavailable", "A part of h5explorer arrived damaged.", "Try again.");
  }
}

/**
 * The address of the extension's static folder.
 *
 * JupyterLab's page lists the extensions that it serves; without ours in the list nothing is asked for, so that no
 * request goes astray.
 *
 * @param configText - The JSON of the page's configuration, which JupyterLab and Notebook put into the page.
 */
export function extensionFolder(configText: string | null | undefined): string | null {
  if (!configText) return null;
  let config: unknown;
  try {
    config = JSON.parse(configText);
  } catch {
    return null;
  }
  if (!isFields(config) || typeof config.fullLabextensionsUrl !== "string") return null;
  const extensions = config.federated_extensions;
  const ours = Array.isArray(extensions) && extensions.some((each) => isFields(each) && each.name === EXTENSION);
  return ours ? `${config.fullLabextensionsUrl}/${EXTENSION}/static` : null;
}
