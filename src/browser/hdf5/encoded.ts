/** Whether a data set can hold an encoded picture, and how large it then is. The twin of `images/encoded.py`. */

import type { Metadata } from "h5wasm";
import { ExplorerError } from "../../errors";
import { countText } from "../../text";

/** Bytes of a picture at most. */
export const LARGEST_IMAGE = 256 << 20;

/** Chunks of a picture at most: the library takes 4 kB for each, so that a file of 9 kB could take gigabytes. */
const MOST_CHUNKS = 20_000;

const CLASS = { integer: 0, float: 1, string: 3, bitfield: 4, opaque: 5, compound: 6, enum: 8, vlen: 9 };

/** Of which data set is spoken: the HDF5 file's name, and the key. */
export interface Of {
  readonly file: string;
  readonly key: string;
}

/**
 * Lets a data set through that can hold encoded bytes: one-byte numbers in a row, opaque and text values.
 *
 * @returns How many bytes its values take in memory; those of variable length lie behind a pointer.
 * @throws ExplorerError - `empty_image`, `not_an_image`, `array_not_shown`, `too_large`.
 */
export function checkEncoded(metadata: Metadata, of: Of): number {
  const { type, size, shape } = metadata;
  const variable = isVariable(metadata);
  if (shape === null) throw emptyImage(of);
  const inner = metadata.vlen_type?.size ?? 1;
  if (type === CLASS.vlen && inner !== 1) throw notShown(of, shape, "lists of numbers");
  const wide = type === CLASS.opaque || type === CLASS.string || variable;
  const byte = (type === CLASS.integer || type === CLASS.bitfield || type === CLASS.enum) && size === 1;
  const single = shape.length === 0 || (shape.length === 1 && shape[0] === 1);
  const row = shape.length === 1 && (byte || (wide && size === 1 && !variable));
  if (shape.includes(0)) throw emptyImage(of);
  if (!(wide && single) && !row) {
    if (shape.length === 0) throw notAnImage(of, `a single value of type ${typeName(metadata)}`);
    throw notShown(of, shape, typeName(metadata));
  }
  const bytes = shape.reduce((product, length) => product * length, size);
  checkSize(bytes, of);
  const chunks =
    metadata.chunks?.reduce((product, length, at) => product * Math.ceil((shape[at] ?? 1) / length), 1) ?? 1;
  if (chunks > MOST_CHUNKS) {
    const sentence = `The image ${of.key} in ${of.file} lies in ${countText(chunks)} chunks; up to ${countText(MOST_CHUNKS)} are read.`;
    throw new ExplorerError("too_large", sentence);
  }
  return bytes;
}

/** Whether values of a type are as long as each is. */
export function isVariable({ type, vlen }: Metadata): boolean {
  return type === CLASS.vlen || (type === CLASS.string && vlen);
}

/** Refuses what is too large to be held. */
export function checkSize(bytes: number, { file, key }: Of): void {
  if (bytes === 0) throw emptyImage({ file, key });
  if (bytes <= LARGEST_IMAGE) return;
  const [has, most] = [countText(bytes), countText(LARGEST_IMAGE)];
  throw new ExplorerError("too_large", `The image ${key} in ${file} has ${has} bytes; up to ${most} are read.`);
}

/** What is found under a key, but is no picture. */
export function notAnImage({ file, key }: Of, kind: string): ExplorerError {
  return new ExplorerError("not_an_image", `What ${file} holds as ${key} is ${kind}, not a picture.`);
}

function emptyImage({ file, key }: Of): ExplorerError {
  return new ExplorerError("empty_image", `The image ${key} in ${file} is empty: it has no bytes.`);
}

function notShown({ file, key }: Of, shape: readonly number[], type: string): ExplorerError {
  return new ExplorerError(
    "array_not_shown",
    `The data set ${key} in ${file} is an array of ${shape.map(countText).join(" × ")} values of type ${type}, ` +
      "not an encoded picture.",
    "Arrays are drawn by a later version.",
    { shape, dtype: type },
  );
}

function typeName({ type, size, signed }: Metadata): string {
  if (type === CLASS.integer) return `${signed ? "" : "u"}int${8 * size}`;
  if (type === CLASS.float) return `float${8 * size}`;
  const names = { [CLASS.string]: "text", [CLASS.compound]: "compound", [CLASS.enum]: "enum", [CLASS.vlen]: "list" };
  return names[type] ?? "an unknown kind";
}
