/** The messages between a page and its workers: a call has one reply, and can be withdrawn. Both are of one build. */

import type { ExplorerError } from "../../errors";

/** What a worker can be asked for: each a function of what it needs, and of a signal that withdraws it. */
export type Service = Readonly<Record<string, (params: never, signal: AbortSignal) => Promise<unknown>>>;

/** A message to a worker. */
export type ToWorker =
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: "cancel"; readonly id: number };

/** An error as it travels: its class does not. */
export type PlainError = Pick<ExplorerError, "code" | "message" | "action" | "details">;

/** A message from a worker. */
export interface FromWorker {
  readonly id: number;
  readonly outcome: { readonly result: unknown } | { readonly error: PlainError };
  /** How large the worker's WebAssembly has become, in bytes: it never shrinks. */
  readonly memory: number;
  /** How many bytes of files the worker has read so far. */
  readonly read: number;
  /** Whether the worker is not to be trusted any more. */
  readonly broken: boolean;
}
