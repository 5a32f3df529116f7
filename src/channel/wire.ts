/** What carries messages: a widget's comm, a websocket, a pipe in tests. */

/** How the other end is. */
export type WireState =
  | { readonly kind: "live" }
  /** A cell runs; whether the other end answers meanwhile depends on the kernel. */
  | { readonly kind: "busy" }
  /** Nothing that was asked will be answered; `again` tries for another connection, where there may be one. */
  | { readonly kind: "dead"; readonly reason: string; readonly action: string; readonly again?: () => void };

/** Carries messages to and from the kernel's side. */
export interface Wire {
  /** Questions are held back until this is over, as the other end could not take them up at once. */
  readonly ready?: Promise<unknown>;
  /** Sends a message; throws where that is not possible any more. */
  send(content: object): void;
  /** Has every message that comes in told, its buffers beside it; returns what ends that. */
  listen(hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void): () => void;
  /** Has every change of the state told, beginning with the present one; returns what ends that. */
  watch(see: (state: WireState) => void): () => void;
}
