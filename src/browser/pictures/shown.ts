/** What is told of a picture's bytes: their facts, or why they are not shown. The twin of `images/shown.py`. */

import { ExplorerError } from "../../errors";
import { countText } from "../../text";
import { isTruncated, pixelsOf } from "./frame";
import { bitsPerChannel, formatOf, mediaTypeOf, SHOWN_BY_PAGES } from "./sniff";

/** Pixels that are decoded at most: they take 480 MB. */
const LARGEST_PICTURE = 120_000_000;

/** What is told of bytes. */
export interface Facts {
  readonly format: string;
  readonly mediaType: string;
  readonly notes: readonly string[];
}

/** The facts of bytes, whether they can be shown or not. */
export function originalFacts(data: Uint8Array): Facts {
  const format = formatOf(data);
  return { format, mediaType: mediaTypeOf(format), notes: [] };
}

/**
 * The facts of a picture that a page can show.
 *
 * @throws ExplorerError - `format_not_shown`, `truncated_image`, `too_large`.
 */
export function shownFacts(data: Uint8Array, key: string, source: string): Facts {
  const { format, mediaType } = originalFacts(data);
  const savable = "The original bytes can be saved.";
  const refuse = (code: string, sentence: string, action = savable) =>
    new ExplorerError(code, sentence, action, { format, bytes: data.length, source, savable: true });
  const bytes = countText(data.length);
  if (format === "") {
    const begin = Array.from(data.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw refuse(
      "format_not_shown",
      `The ${bytes} bytes of ${key} are no picture of a known format; they begin with ${begin}.`,
    );
  }
  if (!SHOWN_BY_PAGES.has(format)) {
    const article = /^[AEFHMNRS]/.test(format) && format === format.toUpperCase() ? "an" : "a";
    throw refuse("format_not_shown", `${key} is ${article} ${format} file, which browsers do not show.`);
  }
  if (isTruncated(data, format)) {
    throw refuse(
      "truncated_image",
      `${key} is cut short: the ${format} picture does not end within its ${bytes} bytes.`,
    );
  }
  const pixels = pixelsOf(data, format);
  if (pixels !== null && pixels.width * pixels.height > LARGEST_PICTURE) {
    const size = `${countText(pixels.width)} × ${countText(pixels.height)}`;
    throw refuse("too_large", `${key} has ${size} pixels; up to ${LARGEST_PICTURE / 1e6} million are shown.`);
  }
  const deep = bitsPerChannel(data, format) > 8;
  return {
    format,
    mediaType,
    notes: deep ? ["16 bits a channel, shown in 8; full depth is drawn by a later version"] : [],
  };
}
