/**
 * The messages between page and kernel; the twin of `h5explorer_py/protocol.py`.
 *
 * The page sends requests, several in one message, and withdraws them; the kernel sends exactly one reply or failure
 * for every request. The samples in `tests/fixtures/protocol.json` hold both sides to the same form.
 */

import { ExplorerError } from "./errors";
import { type Fields, isFields } from "./fields";

/** Raised whenever one side would misunderstand the other. */
export const VERSION = 2;

/** What can be asked for. */
export const METHODS = [
  "rows",
  "stats",
  "image",
  "original",
  "ahead",
  "thumbnails",
  "metadata",
  "find",
  "count",
  "status",
  "show",
  "export",
  "share",
  "columns",
  "values",
  "open",
  "asset",
] as const;

/** The name of a thing that can be asked for. */
export type Method = (typeof METHODS)[number];

/** Requests in one message at most. */
export const MOST_REQUESTS = 256;

/** One thing that the page asks for. */
export interface Request {
  /** Its name, different for every request of every page. (ipykernel would keep an entry of every key named `id`.) */
  readonly request: string;
  readonly method: Method;
  readonly params: Fields;
}

/** A message to the kernel. */
export type Outgoing =
  | { readonly kind: "ask"; readonly version: number; readonly requests: readonly Request[] }
  | { readonly kind: "cancel"; readonly requests: readonly string[] };

/** A message from the kernel. */
export type Incoming =
  | { readonly kind: "reply"; readonly request: string; readonly result: Fields }
  | { readonly kind: "failure"; readonly request: string; readonly error: ExplorerError };

/** An answer, and how many of the message's buffers are its own; `null` for all of them. */
export interface Arrived {
  readonly answer: Incoming;
  readonly buffers: number | null;
}

/** Makes the message that asks for several things at once. */
export function ask(requests: readonly Request[]): Outgoing {
  return { kind: "ask", version: VERSION, requests };
}

/** Makes the message that withdraws requests. */
export function cancel(requests: readonly string[]): Outgoing {
  return { kind: "cancel", requests };
}

/**
 * Understands a message from the kernel: one answer, or several that were ready at the same time.
 *
 * @returns Nothing for a message that is none of the protocol's: other code may use the same comm.
 */
export function decode(content: unknown): readonly Arrived[] {
  if (!isFields(content)) return [];
  if (content.kind !== "answers") return alone(answerOf(content), null);
  if (!Array.isArray(content.answers)) return [];
  return content.answers.flatMap((each: unknown) => {
    const buffers = isFields(each) ? each.buffers : null;
    return typeof buffers === "number" ? alone(answerOf(each), buffers) : [];
  });
}

function alone(answer: Incoming | null, buffers: number | null): readonly Arrived[] {
  return answer === null ? [] : [{ answer, buffers }];
}

function answerOf(content: unknown): Incoming | null {
  if (!isFields(content) || typeof content.request !== "string") return null;
  const request = content.request;
  const { kind, result, error } = content;
  if (kind === "reply" && isFields(result)) return { kind, request, result };
  if (kind === "failure" && isFields(error)) return { kind, request, error: errorOf(error) };
  return null;
}

/** Reads an error as the kernel tells it. */
export function errorOf(fields: Fields): ExplorerError {
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  const details = isFields(fields.details) ? fields.details : {};
  return new ExplorerError(text("code") || "internal", text("message"), text("action"), details);
}
