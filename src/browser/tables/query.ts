/** What a person types into the search box, understood; the twin of `lookup/find.py`. */

import type { ByteTest } from "./textColumn";

/** What is searched for. */
export interface Query {
  readonly text: string;
  readonly inUuid: boolean;
  readonly inPath: boolean;
  /** A row counted from 0, where the text is a row number. */
  readonly row: number | null;
}

const MOST_DIGITS = 15;

/**
 * Understands what was typed.
 *
 * Digits, with thousands separators or without, are a row number counted from 1; `uuid:` and `path:` force the rest to
 * be looked for in that column.
 */
export function parseQuery(typed: string): Query {
  const text = typed.trim();
  const [, column, rest] = /^(uuid|path):(.*)$/is.exec(text) ?? [];
  if (column !== undefined) {
    const inUuid = column.toLowerCase() === "uuid";
    return { text: (rest ?? "").trim(), inUuid, inPath: !inUuid, row: null };
  }
  const digits = text.replace(/[, _]/g, "");
  const isNumber = /^\d+$/.test(digits) && digits.length <= MOST_DIGITS;
  return { text, inUuid: true, inPath: true, row: isNumber ? Number(digits) - 1 : null };
}

/** Tests whether a uuid begins with what is looked for, or is the same uuid in another form; case does not count. */
export function uuidTest(text: string): ByteTest {
  const begins = startsWith(text);
  const digits = text.replace(/[{}-]/g, "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return begins;
  const canonical = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const forms = [canonical, digits, `{${canonical}}`].map((form) => ({ length: form.length, is: startsWith(form) }));
  return (bytes, start, stop) =>
    begins(bytes, start, stop) || forms.some((form) => stop - start === form.length && form.is(bytes, start, stop));
}

/** Tests whether a path holds what is looked for; case does not count. */
export function pathTest(text: string): ByteTest {
  const wanted = asciiOf(text);
  if (wanted === null) return decoding((value) => value.includes(text.toLowerCase()));
  return (bytes, start, stop) => {
    for (let at = start; at + wanted.length <= stop; at += 1) if (isAt(bytes, at, wanted)) return true;
    return false;
  };
}

/** Tests whether a text is the very same. */
export function equalTest(text: string): ByteTest {
  const wanted = new TextEncoder().encode(text);
  return (bytes, start, stop) => {
    if (stop - start !== wanted.length) return false;
    for (let at = 0; at < wanted.length; at += 1) if (bytes[start + at] !== wanted[at]) return false;
    return true;
  };
}

function startsWith(text: string): ByteTest {
  const wanted = asciiOf(text);
  if (wanted === null) return decoding((value) => value.startsWith(text.toLowerCase()));
  return (bytes, start, stop) => stop - start >= wanted.length && isAt(bytes, start, wanted);
}

/** A text in lower case as bytes; `null` where case is more than one bit of a byte. */
function asciiOf(text: string): Uint8Array | null {
  return Array.from(text).every((sign) => sign <= "\x7f") ? new TextEncoder().encode(text.toLowerCase()) : null;
}

function isAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at += 1) {
    const byte = bytes[start + at] ?? 0;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== wanted[at]) return false;
  }
  return true;
}

function decoding(test: (lower: string) => boolean): ByteTest {
  const decoder = new TextDecoder();
  return (bytes, start, stop) => test(decoder.decode(bytes.subarray(start, stop)).toLowerCase());
}
