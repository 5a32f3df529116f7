/** What kind of picture some bytes are: told from the bytes alone. The twin of `images/sniff.py`. */

/** Formats that browsers decode themselves. */
export const SHOWN_BY_PAGES: ReadonlySet<string> = new Set(["JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "ICO"]);

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  JPEG: "image/jpeg",
  PNG: "image/png",
  WebP: "image/webp",
  GIF: "image/gif",
  BMP: "image/bmp",
  AVIF: "image/avif",
  ICO: "image/x-icon",
  TIFF: "image/tiff",
  "JPEG 2000": "image/jp2",
  "JPEG XL": "image/jxl",
  HEIC: "image/heic",
  SVG: "image/svg+xml",
  FITS: "image/fits",
};

/** Signatures byte by byte, in the signs of ISO 8859-1. */
const SIGNATURES: readonly (readonly [signature: string, name: string])[] = [
  ["\xff\xd8\xff", "JPEG"],
  ["\x89PNG\r\n\x1a\n", "PNG"],
  ["GIF87a", "GIF"],
  ["GIF89a", "GIF"],
  ["II*\0", "TIFF"],
  ["MM\0*", "TIFF"],
  ["II+\0", "TIFF"],
  ["MM\0+", "TIFF"],
  ["\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"],
  ["\xff\x4f\xff\x51", "JPEG 2000"],
  ["\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"],
  ["\xff\x0a", "JPEG XL"],
  ["SIMPLE  =", "FITS"],
  ["\x93NUMPY", "NumPy array"],
  ["\0\0\x01\0", "ICO"],
  ["8BPS", "Photoshop"],
  ["%PDF-", "PDF"],
  ["\x89HDF\r\n\x1a\n", "HDF5"],
  ["PK\x03\x04", "ZIP"],
  ["\x1f\x8b", "gzip"],
];
const AVIF_BRANDS = ["avif", "avis"];
const HEIC_BRANDS = ["heic", "heix", "hevc", "hevx", "mif1", "msf1"];
const BRANDS_END = 256;
const BMP_HEADERS = [12, 16, 40, 52, 56, 64, 108, 124];

/** Returns the Internet media type of a format. */
export function mediaTypeOf(format: string): string {
  return MEDIA_TYPES[format] ?? "application/octet-stream";
}

/** Returns the name of the format; empty where the bytes are none that is known. */
export function formatOf(data: Uint8Array): string {
  const head = latin(data, 0, 16);
  for (const [signature, name] of SIGNATURES) if (head.startsWith(signature)) return name;
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "WebP";
  if (head.slice(4, 8) === "ftyp") {
    const brands = [head.slice(8, 12)];
    for (let at = 16; at < Math.min(data.length, view(data).getUint32(0), BRANDS_END); at += 4) {
      brands.push(latin(data, at, at + 4));
    }
    if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return "AVIF";
    if (brands.some((brand) => HEIC_BRANDS.includes(brand))) return "HEIC";
  }
  if (head.startsWith("BM") && data.length >= 18 && BMP_HEADERS.includes(view(data).getUint32(14, true))) return "BMP";
  const text = latin(data, 0, 1024)
    .replace(/^[\xef\xbb\xbf \t\r\n]+/, "")
    .toLowerCase();
  const isSvg = text.startsWith("<svg") || (/^<(\?xml|!--|!doctype svg)/.test(text) && text.includes("<svg"));
  return isSvg ? "SVG" : "";
}

/** Returns how many bits a channel has; 8 where the format has no more, 0 where it is not told. */
export function bitsPerChannel(data: Uint8Array, format: string): number {
  if (format === "PNG") return data[24] ?? 0;
  return ["JPEG", "GIF", "WebP", "BMP"].includes(format) ? 8 : 0;
}

/** Bytes as text, a sign each. */
export function latin(data: Uint8Array, start: number, stop: number): string {
  return String.fromCharCode(...data.subarray(start, stop));
}

/** The bytes as numbers. */
export function view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
