/** Whether this page can show a file without a kernel. */

import type { Contents } from "@jupyterlab/services";

/** The largest file that is opened without a kernel, in bytes. Shards that it names may be larger. */
export const MOST_BYTES = 2_000_000_000;

/** What is known of a file that might be shown without a kernel. */
export interface PlainOffer {
  /** How many bytes it has; `null` where the server does not tell. */
  readonly size: number | null;
  readonly fits: boolean;
}

/**
 * Finds out whether a file can be shown without a kernel; none of it is read.
 *
 * @returns Nothing where the server does not know the file.
 */
export async function offerFor(contents: Contents.IManager, path: string): Promise<PlainOffer | null> {
  try {
    const { size } = await contents.get(path, { content: false });
    return { size: size ?? null, fits: (size ?? 0) <= MOST_BYTES };
  } catch {
    return null;
  }
}
