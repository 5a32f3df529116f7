/** Copying and saving. */

import { focused } from "./focus";

/**
 * Copies a text.
 *
 * The browser's clipboard needs a secure context, which a Hub without TLS is not; there a hidden field is copied from.
 *
 * @returns Whether the browser did.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text: string): boolean {
  const before = focused();
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("readonly", "");
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}

/** Hands bytes to the browser's downloads. */
export function saveBytes(bytes: Uint8Array<ArrayBuffer>, mediaType: string, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: mediaType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  JPEG: "jpg",
  PNG: "png",
  WebP: "webp",
  GIF: "gif",
  BMP: "bmp",
  AVIF: "avif",
  ICO: "ico",
  TIFF: "tif",
  "JPEG 2000": "jp2",
  "JPEG XL": "jxl",
  HEIC: "heic",
  SVG: "svg",
  FITS: "fits",
  "NumPy array": "npy",
};

/** The file name for a picture: its uuid without what a file system may not like, and its format's ending. */
export function fileName(key: string, format: string): string {
  const safe = key
    .replace(/[^\p{L}\p{N}._-]+/gu, "_")
    .replace(/^\.+/, "_")
    .slice(0, 120);
  return `${safe || "image"}.${EXTENSIONS[format] ?? "bin"}`;
}
