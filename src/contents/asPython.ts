/** What is shown, as the lines of Python that show it again. */

import type { Opened, Options } from "../source/api";
import type { Ranges } from "../state/shared";
import { areSame, single } from "./ranges";

/** What is seen in no text, or moves what stands beside it: control and format signs, half pairs, odd spaces. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Writes the lines that open the same lookup and choose the same of it. */
export function asPython(opened: Opened, current: number | null, selection: Ranges): string {
  const { filter, sort } = opened;
  const lines = ["from h5explorer_py import Explorer", "", ...explorer(opened)];
  if (filter !== "") lines.push(`ex.filter = ${text(filter)}`);
  if (sort.length > 0) {
    lines.push(`ex.sort = [${sort.map(([column, way]) => `(${text(column)}, ${text(way)})`).join(", ")}]`);
  }
  if (selection.length > 0 && !areSame(selection, single(current))) {
    lines.push(`ex.selection = ${rows(selection, opened.records)}`);
  }
  const first = opened.records > 0 ? 0 : null;
  if (current !== first || (sort.length > 0 && current !== null)) lines.push(`ex.current = ${current ?? "None"}`);
  return [...lines, "ex"].join("\n");
}

function explorer({ options, name }: Opened): readonly string[] {
  const { lookup } = options;
  const arguments_ = [lookup === null ? "lookup" : place(lookup), ...named(options)].join(", ");
  const line = `ex = Explorer(${arguments_})`;
  if (lookup !== null) return [line];
  return [`# ${text(name)} has no path: put what it was made of in place of lookup.`, line];
}

function named({ root, uuidColumn, filepathColumn, cache }: Options): readonly string[] {
  const given: string[] = [];
  if (root !== null) given.push(`root=${typeof root === "string" ? text(root) : prefixes(root)}`);
  if (uuidColumn !== "uuid") given.push(`uuid_column=${text(uuidColumn)}`);
  if (filepathColumn !== "filepath") given.push(`filepath_column=${text(filepathColumn)}`);
  if (cache !== true) given.push(`cache=${cache === false ? "False" : text(cache)}`);
  return given;
}

function place(lookup: string | readonly string[]): string {
  return typeof lookup === "string" ? text(lookup) : `[${lookup.map(text).join(", ")}]`;
}

function prefixes(root: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(root).map(([old, now]) => `${text(old)}: ${text(now)}`);
  return `{${pairs.join(", ")}}`;
}

function rows(selection: Ranges, records: number): string {
  if (areSame(selection, [[0, records]])) return "range(len(ex))";
  const parts = selection.map(([start, stop]) => (stop - start === 1 ? String(start) : `range(${start}, ${stop})`));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : `[${parts.join(", ")}]`;
}

/** Writes a text as Python does in its source, whatever it holds. */
function text(value: string): string {
  const quote = value.includes('"') && !value.includes("'") ? "'" : '"';
  const shown = value
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replace(UNSEEN, (sign) => SHORT[sign] ?? numbered(sign.codePointAt(0) ?? 0));
  return quote + shown + quote;
}

function numbered(code: number): string {
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
