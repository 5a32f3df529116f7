/**
 * The frame of a picture: where it ends, and how large it is, without decoding it.
 *
 * Only markers, chunks and lengths are looked at; formats other than JPEG, PNG, GIF, WebP and BMP are taken as complete.
 */

import { latin, view } from "./sniff";

/** A size in pixels. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** Tells whether a picture's bytes end before the picture does. */
export function isTruncated(data: Uint8Array, format: string): boolean {
  switch (format) {
    case "JPEG":
      return !jpegEnds(data);
    case "PNG":
      return !pngEnds(data);
    case "GIF":
      return !gifEnds(data);
    case "WebP": {
      const declared = data.length < 12 ? Number.POSITIVE_INFINITY : view(data).getUint32(4, true) + 8;
      return data.length < declared - (declared % 2);
    }
    case "BMP":
      return !bmpEnds(data);
    default:
      return false;
  }
}

/** Reads the size out of the header; `null` where that is left to the browser. */
export function pixelsOf(data: Uint8Array, format: string): Pixels | null {
  const numbers = view(data);
  if (format === "PNG" && data.length > 24) return { width: numbers.getUint32(16), height: numbers.getUint32(20) };
  if (format === "GIF" && data.length > 10) {
    return { width: numbers.getUint16(6, true), height: numbers.getUint16(8, true) };
  }
  if (format === "BMP" && data.length > 26 && numbers.getUint32(14, true) >= 40) {
    return { width: Math.abs(numbers.getInt32(18, true)), height: Math.abs(numbers.getInt32(22, true)) };
  }
  if (format === "JPEG") return jpegPixels(data);
  if (format === "WebP" && latin(data, 12, 16) === "VP8X" && data.length > 30) {
    const three = (at: number) => numbers.getUint16(at, true) + ((data[at + 2] ?? 0) << 16) + 1;
    return { width: three(24), height: three(27) };
  }
  return null;
}

/** A segment of a JPEG: its marker, and where it begins and ends. */
interface Segment {
  readonly marker: number;
  readonly at: number;
  readonly next: number;
}

/** Goes through the segments up to the start of the scan. */
function* segments(data: Uint8Array): Generator<Segment> {
  const numbers = view(data);
  let at = 2;
  while (at + 4 <= data.length && data[at] === 0xff) {
    const marker = data[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1; // fill
      continue;
    }
    const bare = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    const next = bare ? at + 2 : at + 2 + numbers.getUint16(at + 2);
    yield { marker, at, next };
    if (marker === 0xd9 || marker === 0xda) return;
    at = next;
  }
}

function jpegEnds(data: Uint8Array): boolean {
  for (const { marker, at } of segments(data)) {
    if (marker === 0xd9) return true;
    if (marker !== 0xda) continue;
    for (let end = data.indexOf(0xff, at); end >= 0; end = data.indexOf(0xff, end + 1)) {
      if (data[end + 1] === 0xd9) return true;
    }
  }
  return false;
}

function jpegPixels(data: Uint8Array): Pixels | null {
  const numbers = view(data);
  for (const { marker, at } of segments(data)) {
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame && at + 9 <= data.length) {
      return { width: numbers.getUint16(at + 7), height: numbers.getUint16(at + 5) };
    }
  }
  return null;
}

function pngEnds(data: Uint8Array): boolean {
  const numbers = view(data);
  let at = 8;
  while (at + 12 <= data.length) {
    const kind = latin(data, at + 4, at + 8);
    at += 12 + numbers.getUint32(at);
    if (kind === "IEND") return at <= data.length;
  }
  return false;
}

/** Walks the blocks to the trailer; a file that ends between two blocks, behind a picture, is complete too. */
function gifEnds(data: Uint8Array): boolean {
  if (data.length < 13) return false;
  let pictures = 0;
  let at = 13 + colourTable(data[10] ?? 0);
  while (at < data.length) {
    const kind = data[at];
    if (kind === 0x3b) return true;
    if (kind === 0x21) at = afterSubBlocks(data, at + 2);
    else if (kind === 0x2c) {
      if (at + 10 > data.length) return false;
      at = afterSubBlocks(data, at + 10 + colourTable(data[at + 9] ?? 0) + 1);
      pictures += 1;
    } else return pictures > 0; // bytes behind the picture that are none of it
    if (at < 0) return false;
  }
  return at === data.length && pictures > 0;
}

function colourTable(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

function afterSubBlocks(data: Uint8Array, start: number): number {
  let at = start;
  while (at < data.length) {
    const size = data[at] ?? 0;
    at += 1 + size;
    if (size === 0) return at;
  }
  return -1;
}

/** Compares with the size that header and pixels of an uncompressed picture take up. */
function bmpEnds(data: Uint8Array): boolean {
  const numbers = view(data);
  if (data.length < 54) return data.length >= 18 && numbers.getUint32(14, true) === 12;
  const bits = numbers.getUint16(28, true);
  const compression = numbers.getUint32(30, true);
  if ((compression !== 0 && compression !== 3) || numbers.getUint32(14, true) < 40) return true;
  const [width, height] = [Math.abs(numbers.getInt32(18, true)), Math.abs(numbers.getInt32(22, true))];
  return data.length >= numbers.getUint32(10, true) + Math.floor((width * bits + 31) / 32) * 4 * height;
}
