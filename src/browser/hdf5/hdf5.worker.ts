/** The worker that reads HDF5 files. A hostile file can bring it down, and nothing else. */

import type { FileRef } from "../fileRef";
import { Limiter } from "../limiter";
import { type Facts, originalFacts, shownFacts } from "../pictures/shown";
import { makeThumbnail } from "../pictures/thumbnail";
import { bytesFetched } from "../remote";
import { Handed, type Port, serve } from "../rpc/serve";
import { bytesRead, Images } from "./images";
import { type Library, library } from "./library";
import { isCrash } from "./shard";

declare const self: Port;

/** What is asked for an image. */
interface Asked {
  readonly ref: FileRef;
  readonly key: string;
}

/** So many pictures are decoded at a time, and stand before one that a person asks for. */
const AT_A_TIME = 3;

const images = new Images();
const thumbnails = new Limiter(AT_A_TIME);
const started: { library?: Library } = {};

const service = {
  /** A picture that a page can show. */
  async image({ ref, key }: Asked, signal: AbortSignal) {
    const bytes = await images.bytes(ref, key, signal);
    return handed(bytes, shownFacts(bytes, key, ref.path));
  },
  /** The bytes of a picture, whatever they are. */
  async original({ ref, key }: Asked, signal: AbortSignal) {
    const bytes = await images.bytes(ref, key, signal);
    return handed(bytes, originalFacts(bytes));
  },
  /** A small copy of a picture. */
  thumbnail({ ref, key, size }: Asked & { readonly size: number }, signal: AbortSignal) {
    return thumbnails.run(async () => {
      const bytes = await images.bytes(ref, key, signal);
      const { mediaType } = shownFacts(bytes, key, ref.path);
      const made = await makeThumbnail(bytes, mediaType, size, key);
      return new Handed(made, [made.bytes.buffer]);
    });
  },
  /** The names of all images of a shard. */
  keys({ ref }: { readonly ref: FileRef }, signal: AbortSignal) {
    return images.keys(ref, signal);
  },
};

/** What the worker can be asked for. */
export type ShardService = typeof service;

function handed(bytes: Uint8Array<ArrayBuffer>, facts: Facts) {
  return new Handed({ ...facts, bytes }, [bytes.buffer]);
}

serve(self, service, {
  memory: () => started.library?.HEAPU8.length ?? 0,
  read: () => bytesFetched() + bytesRead(),
  isFatal: isCrash,
});

void library().then((ready) => {
  started.library = ready;
});
