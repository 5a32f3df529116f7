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

/** For how many milliseconds the extension's folder is waited for: what the kernel sends is a third as large. */
export const FOLDER_PATIENCE_MS = 10_000;

/**
 * Loads a part.
 *
 * What a road brings is taken only if it can be used: a Hub may answer with its login page, a cache with a piece of the
 * part. Then the next road is taken, and what the kernel sends replaces what the cache has.
 *
 * @param name - Its file's name, which contains a hash of its content.
 * @param use - Makes the part out of its bytes; rejects where they are not the part's.
 * @throws ExplorerError - As the kernel says, or whatever `use` rejects with for the kernel's bytes.
 */
export async function loadAsset<Part>(
  name: string,
  roads: AssetRoads,
  use: (bytes: Uint8Array<ArrayBuffer>) => Promise<Part>,
): Promise<Part> {
  for (const road of [() => served(name, roads.folder), () => roads.cache.get(name)]) {
    try {
      const bytes = await road();
      if (bytes !== null) return await use(bytes);
    } catch (error) {
      console.debug(`h5explorer: ${name} is got another way`, error);
    }
  }
  const bytes = await unpack(await roads.ask(name));
  const part = await use(bytes);
  void roads.cache.put(name, bytes).catch(() => {}); // it only saves time
  return part;
}

async function served(name: string, folder: string | null): Promise<Uint8Array<ArrayBuffer> | null> {
  if (folder === null) return null;
  const response = await fetch(`${folder}/${name}`, { signal: AbortSignal.timeout(FOLDER_PATIENCE_MS) });
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
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
