/** Reading received JSON: every field is checked where it is taken out. */

import { ExplorerError } from "./errors";

/** A JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(name: string, wanted: string): ExplorerError {
  return new ExplorerError(
    "bad_reply",
    `The kernel's answer cannot be understood: ${name} is no ${wanted}.`,
    "Restart the kernel and reload the page, so that both are of one h5explorer.",
  );
}

/** Takes a number out. */
export function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number") throw wrong(name, "number");
  return value;
}

/** Takes a number out that may be missing. */
export function optionalNumberOf(fields: Fields, name: string): number | null {
  return fields[name] === null || fields[name] === undefined ? null : numberOf(fields, name);
}

/** Takes a text out. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw wrong(name, "text");
  return value;
}

/** Takes an object out. */
export function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  if (!isFields(value)) throw wrong(name, "object");
  return value;
}

/** Takes a list of texts out. */
export function textsOf(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw wrong(name, "list of texts");
  return value;
}

/** Takes a list of numbers out. */
export function numbersOf(fields: Fields, name: string): readonly number[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "number")) throw wrong(name, "list of numbers");
  return value;
}

/** Takes a list of objects out. */
export function objectsOf(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every(isFields)) throw wrong(name, "list of objects");
  return value;
}
