/** Which fields of a record a person looks for. */

import type { MetadataField } from "./record";

/** The fields whose name or value contains all the words of a text; upper and lower case are alike. */
export function filterFields(fields: readonly MetadataField[], text: string): readonly MetadataField[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return fields;
  return fields.filter((field) => {
    const within = `${field.name}\n${field.value.text}`.toLowerCase();
    return words.every((word) => within.includes(word));
  });
}

/** Values longer than this, in characters, are folded. */
export const FOLDED_LENGTH = 160;

const FOLDED_LINES = 3;

/** An unfolded value shows this many characters; all of it can be copied. */
export const UNFOLDED_LENGTH = 20_000;

/** Whether a value is long enough to be folded. */
export function isLong(text: string): boolean {
  return text.length > FOLDED_LENGTH || text.split("\n", FOLDED_LINES + 1).length > FOLDED_LINES;
}

/** The part of a long value that is shown. */
export function shownPart(text: string, unfolded: boolean): string {
  if (unfolded) return text.length > UNFOLDED_LENGTH ? `${text.slice(0, UNFOLDED_LENGTH)}…` : text;
  const lines = text.slice(0, FOLDED_LENGTH).split("\n").slice(0, FOLDED_LINES).join("\n");
  return lines.length < text.length ? `${lines}…` : lines;
}
