/** Small copies of pictures, made by the browser. */

import { ExplorerError } from "../../errors";

/** Pictures of so few pixels are kept exactly. */
const TINY = 64 * 64;
const QUALITY = 0.8;

/** A small copy of a picture. */
export interface Thumbnail {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Makes a small copy of a picture, turned as its EXIF orientation says.
 *
 * @param size - How long the longer side is at most; smaller pictures are not enlarged.
 */
export async function makeThumbnail(
  bytes: Uint8Array<ArrayBuffer>,
  mediaType: string,
  size: number,
  key: string,
): Promise<Thumbnail> {
  const whole = await createImageBitmap(new Blob([bytes], { type: mediaType })).catch(() => null);
  if (whole === null) {
    throw new ExplorerError("picture_undecodable", `The browser cannot decode ${key}.`, "It may be damaged.");
  }
  try {
    const scale = Math.min(1, size / Math.max(whole.width, whole.height));
    const [width, height] = [whole.width, whole.height].map((side) => Math.max(1, Math.round(side * scale)));
    return await drawn(whole, width ?? 1, height ?? 1);
  } finally {
    whole.close();
  }
}

async function drawn(whole: ImageBitmap, width: number, height: number): Promise<Thumbnail> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new ExplorerError("picture_undecodable", "The browser gives no room to draw on.");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, width, height);
  // WebP is as small as JPEG, and has transparency; a browser that cannot write it writes PNG.
  const wanted = width * height <= TINY ? { type: "image/png" } : { type: "image/webp", quality: QUALITY };
  const blob = await canvas.convertToBlob(wanted);
  return { bytes: new Uint8Array(await blob.arrayBuffer()), mediaType: blob.type, width, height };
}
