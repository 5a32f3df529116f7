/** Asking the kernel: every question has a name, can be withdrawn, and is asked again when nothing is heard. */

import { ExplorerError } from "../errors";
import type { Fields } from "../fields";
import { ask, cancel, decode, type Method, MOST_REQUESTS, type Outgoing, type Request } from "../protocol";
import { Pieces } from "./pieces";
import type { Wire, WireState } from "./wire";

/** An answer with its binary parts. */
export interface Answer {
  readonly result: Fields;
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * After how many milliseconds without an answer a question is asked again.
 *
 * ipykernel drops a message that was addressed to a subshell which is gone, and Jupyter drops answers above 1,000 a
 * second; the kernel's side ignores the second asking while it works on the first.
 */
export const ASK_AGAIN_MS = 5_000;

/** After how many milliseconds without an answer a person is told that the kernel is waited for. */
export const TELL_WAITING_MS = 1_500;

interface Pending {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ExplorerError) => void;
  readonly askedAt: number;
  lastAskedAt: number;
}

/** Asks over a wire, and keeps answers and questions together. */
export class RequestClient {
  readonly #wire: Wire;
  readonly #name = randomName();
  readonly #pending = new Map<string, Pending>();
  readonly #pieces = new Pieces();
  readonly #waitingListeners = new Set<(waiting: boolean) => void>();
  readonly #ends: (() => void)[];
  #count = 0;
  #toAsk: Request[] = [];
  #toCancel: string[] = [];
  #flushing = false;
  #state: WireState = { kind: "live" };
  #clock: ReturnType<typeof setInterval> | null = null;
  #waiting = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#ends = [
      wire.listen((content, buffers) => this.#hear(content, buffers)),
      wire.watch((state) => this.#see(state)),
    ];
    if (wire.ready !== undefined) {
      this.#flushing = true; // what is asked meanwhile goes out then
      const flush = () => this.#flush();
      wire.ready.then(flush, flush);
    }
  }

  /**
   * Asks for something.
   *
   * Questions asked in one turn travel in one message.
   *
   * @param method - What to ask for.
   * @param params - What the method needs, as JSON.
   * @param signal - Withdraws the question.
   * @throws ExplorerError - As the kernel says; `cancelled`; `disconnected`.
   */
  ask(method: Method, params: Fields, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted) return Promise.reject(cancelled());
    if (this.#state.kind === "dead") return Promise.reject(disconnected(this.#state));
    this.#count += 1;
    const request: Request = { request: `${this.#name}.${this.#count}`, method, params };
    return new Promise<Answer>((resolve, reject) => {
      const withdraw = () => this.#withdraw(request.request);
      const now = Date.now();
      this.#pending.set(request.request, {
        request,
        resolve: (answer) => {
          signal?.removeEventListener("abort", withdraw);
          resolve(answer);
        },
        reject: (error) => {
          signal?.removeEventListener("abort", withdraw);
          reject(error);
        },
        askedAt: now,
        lastAskedAt: now,
      });
      signal?.addEventListener("abort", withdraw, { once: true });
      this.#toAsk.push(request);
      this.#flushSoon();
      this.#clock ??= setInterval(() => this.#tick(), TELL_WAITING_MS / 3);
    });
  }

  /** Has it told whenever the kernel begins or ends to keep someone waiting; returns what ends that. */
  onWaiting(listener: (waiting: boolean) => void): () => void {
    this.#waitingListeners.add(listener);
    listener(this.#waiting);
    return () => this.#waitingListeners.delete(listener);
  }

  /** Has every change of the wire's state told, beginning with the present one; returns what ends that. */
  onState(listener: (state: WireState) => void): () => void {
    return this.#wire.watch(listener);
  }

  /** Withdraws all questions and lets go of the wire. */
  close(): void {
    for (const name of [...this.#pending.keys()]) this.#withdraw(name);
    this.#flush();
    for (const end of this.#ends) end();
    this.#stopClock();
  }

  #hear(heard: unknown, parts: readonly Uint8Array<ArrayBuffer>[]): void {
    const whole = this.#pieces.take(heard, parts);
    if (whole === null) return;
    const { content, buffers } = whole;
    let from = 0;
    for (const { answer, buffers: count } of decode(content)) {
      const to = count === null ? buffers.length : from + count;
      const pending = this.#take(answer.request); // another page's answer is none of ours
      if (answer.kind === "reply") pending?.resolve({ result: answer.result, buffers: buffers.slice(from, to) });
      else pending?.reject(answer.error);
      from = to;
    }
  }

  #see(state: WireState): void {
    this.#state = state;
    if (state.kind !== "dead") return;
    this.#toAsk = [];
    for (const name of [...this.#pending.keys()]) this.#take(name)?.reject(disconnected(state));
  }

  #take(name: string): Pending | undefined {
    const pending = this.#pending.get(name);
    this.#pending.delete(name);
    if (this.#pending.size === 0) this.#stopClock();
    return pending;
  }

  #withdraw(name: string): void {
    const pending = this.#take(name);
    if (pending === undefined) return;
    pending.reject(cancelled());
    const unsent = this.#toAsk.length;
    this.#toAsk = this.#toAsk.filter((request) => request.request !== name);
    if (this.#toAsk.length < unsent) return;
    this.#toCancel.push(name);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const toCancel = this.#toCancel.splice(0);
    const toAsk = this.#toAsk.splice(0);
    for (let at = 0; at < toCancel.length; at += MOST_REQUESTS) {
      this.#send(cancel(toCancel.slice(at, at + MOST_REQUESTS)), []);
    }
    for (let at = 0; at < toAsk.length; at += MOST_REQUESTS) {
      const part = toAsk.slice(at, at + MOST_REQUESTS);
      this.#send(ask(part), part);
    }
  }

  #send(message: Outgoing, requests: readonly Request[]): void {
    if (this.#state.kind === "dead") return;
    try {
      this.#wire.send(message);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const lost = disconnected({ reason: `The kernel cannot be reached: ${reason}.`, action: "Try again." });
      for (const request of requests) this.#take(request.request)?.reject(lost);
    }
  }

  #tick(): void {
    const now = Date.now();
    const late = [...this.#pending.values()].filter((pending) => now - pending.lastAskedAt >= ASK_AGAIN_MS);
    for (const pending of late) {
      pending.lastAskedAt = now;
      this.#toAsk.push(pending.request);
    }
    if (late.length > 0) this.#flushSoon();
    this.#tellWaiting([...this.#pending.values()].some((pending) => now - pending.askedAt >= TELL_WAITING_MS));
  }

  #tellWaiting(waiting: boolean): void {
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    for (const listener of this.#waitingListeners) listener(waiting);
  }

  #stopClock(): void {
    if (this.#clock !== null) clearInterval(this.#clock);
    this.#clock = null;
    this.#tellWaiting(false);
  }
}

function cancelled(): ExplorerError {
  return new ExplorerError("cancelled", "The request was withdrawn.");
}

function disconnected(state: { readonly reason: string; readonly action: string }): ExplorerError {
  return new ExplorerError("disconnected", state.reason, state.action);
}

/** Names this client. (`crypto.randomUUID` needs a secure context, which a Hub without TLS is not.) */
function randomName(): string {
  const values = crypto.getRandomValues(new Uint32Array(3));
  return [...values].map((value) => value.toString(36)).join("");
}
