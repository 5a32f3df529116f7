/** Encoded pictures decoded by the browser, without an address: no `blob:` or `data:` is needed for them. */

import { ExplorerError } from "../errors";
import type { EncodedImage } from "../source/api";

/** A picture that can be drawn. */
export interface Picture {
  readonly image: EncodedImage;
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes a picture, turned as its EXIF orientation says.
 *
 * @throws ExplorerError - `picture_undecodable` where the browser cannot.
 */
export async function decodePicture(image: EncodedImage): Promise<Picture> {
  try {
    const bitmap = await createImageBitmap(new Blob([image.bytes], { type: image.mediaType }));
    return { image, bitmap, width: bitmap.width, height: bitmap.height };
  } catch {
    throw new ExplorerError(
      "picture_undecodable",
      `The browser cannot decode this ${image.format} picture of ${image.bytes.length.toLocaleString("en-US")} bytes.`,
      "It may be damaged; the original bytes can be saved.",
      { savable: true, format: image.format, bytes: image.bytes.length, source: image.source },
    );
  }
}
