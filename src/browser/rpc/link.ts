/** The page's side of the calls: starts a worker when it is needed, and another when one hangs, fails or grows. */

import { ExplorerError } from "../../errors";
import type { FromWorker, PlainError, ToWorker } from "./messages";

/** The part of a worker that is used. */
export interface WorkerLike {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: ToWorker): void;
  terminate(): void;
}

/** How many times a call's patience it may take beside others that are answered. */
const BESIDE_OTHERS = 5;

/** When a worker is exchanged. */
export interface Limits {
  /** For how many milliseconds a call is waited for. */
  readonly patienceMs: number;
  /** Above so many bytes of WebAssembly it is exchanged as soon as it rests. */
  readonly memory: number;
}

type Asked<Api, Name extends keyof Api> = Api[Name] extends (params: infer Params, signal: AbortSignal) => unknown
  ? Params
  : never;

type Answered<Api, Name extends keyof Api> = Api[Name] extends (
  params: never,
  signal: AbortSignal,
) => Promise<infer Result>
  ? Plain<Result>
  : never;

/** What arrives of a result that was handed over. */
type Plain<Result> = Result extends { readonly value: infer Value; readonly buffers: ArrayBuffer[] } ? Value : Result;

interface Pending {
  readonly method: string;
  readonly params: unknown;
  readonly patienceMs: number;
  readonly settle: (outcome: FromWorker["outcome"]) => void;
  timer: ReturnType<typeof setTimeout> | null;
  /** When it is given up, even if the worker answers others, in the milliseconds of `performance.now`. */
  until: number;
  /** Whether it has been asked again, as another call ended its worker. */
  again: boolean;
  /** Whether nobody waits for it; that it may hang is still looked out for. */
  withdrawn: boolean;
}

/** Calls the functions of a worker. */
export class WorkerLink<Api> {
  readonly #start: () => WorkerLike;
  readonly #limits: Limits;
  readonly #pending = new Map<number, Pending>();
  #worker: WorkerLike | null = null;
  #count = 0;
  #tired = false;
  #readBefore = 0;
  #read = 0;
  #restarts = 0;

  constructor(start: () => WorkerLike, limits: Limits) {
    this.#start = start;
    this.#limits = limits;
  }

  /** How many bytes of files have been read, by all workers so far. */
  get bytesRead(): number {
    return this.#readBefore + this.#read;
  }

  /** How often a worker has been exchanged. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the worker before anything is asked of it. */
  start(): void {
    this.#worker ??= this.#begin();
  }

  /**
   * Calls a function of the worker.
   *
   * @param patienceMs - For how long its answer is waited for, if not as long as for all.
   * @throws ExplorerError - As the worker says; `cancelled`; `reader_stalled`; `reader_failed`.
   */
  call<Name extends keyof Api & string>(
    method: Name,
    params: Asked<Api, Name>,
    signal: AbortSignal,
    patienceMs = this.#limits.patienceMs,
  ): Promise<Answered<Api, Name>> {
    if (signal.aborted) return Promise.reject(cancelled());
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      const settle = (outcome: FromWorker["outcome"]) => {
        signal.removeEventListener("abort", withdraw);
        if ("error" in outcome) reject(errorOf(outcome.error));
        else resolve(outcome.result as Answered<Api, Name>); // page and worker are of one build
      };
      const asked = { method, params, patienceMs, settle };
      const pending: Pending = { ...asked, timer: null, until: 0, again: false, withdrawn: false };
      const withdraw = () => {
        pending.withdrawn = true;
        this.#worker?.postMessage({ kind: "cancel", id });
        reject(cancelled());
      };
      signal.addEventListener("abort", withdraw, { once: true });
      this.#pending.set(id, pending);
      this.#send(id, pending);
    });
  }

  /** Ends the worker; what is on its way is withdrawn. */
  close(): void {
    this.#end();
    const error = cancelled();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.settle({ error });
  }

  #send(id: number, pending: Pending): void {
    this.#worker ??= this.#begin();
    pending.until = performance.now() + BESIDE_OTHERS * pending.patienceMs;
    this.#watch(id, pending);
    this.#worker.postMessage({ kind: "call", id, method: pending.method, params: pending.params });
  }

  /** Waits for an answer, from now on. */
  #watch(id: number, pending: Pending): void {
    if (pending.timer !== null) clearTimeout(pending.timer);
    const left = Math.max(0, Math.min(pending.patienceMs, pending.until - performance.now()));
    pending.timer = setTimeout(() => this.#replace(id, stalled(pending.patienceMs)), left);
  }

  #begin(): WorkerLike {
    const worker = this.#start();
    worker.onmessage = ({ data }) => {
      if (worker === this.#worker) this.#hear(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#fail(event.message);
    };
    return worker;
  }

  #hear({ id, outcome, memory, read, broken }: FromWorker): void {
    this.#read = read;
    if (broken) {
      this.#replace(id, "error" in outcome ? errorOf(outcome.error) : failed(""));
      return;
    }
    this.#take(id)?.settle(outcome);
    // A worker that answers is not stalled: the others have waited for this one.
    for (const [other, pending] of this.#pending) this.#watch(other, pending);
    if (memory > this.#limits.memory) this.#tired = true;
    this.#rest();
  }

  /** Lets go of a worker that has grown, when nothing is asked of it: the next call starts another. */
  #rest(): void {
    if (!this.#tired || this.#pending.size > 0) return;
    this.#restarts += 1;
    this.#end();
  }

  /** A worker that could not be loaded, or that has ended by itself, has no answer for anybody. */
  #fail(reason: string): void {
    this.#end();
    const error = failed(reason);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.settle({ error });
  }

  /** Ends the worker that a call has brought down; the calls beside that one are asked again, once. */
  #replace(culprit: number, error: ExplorerError): void {
    this.#end();
    this.#restarts += 1;
    this.#take(culprit)?.settle({ error });
    for (const [id, pending] of [...this.#pending]) {
      if (pending.again || pending.withdrawn) {
        this.#take(id)?.settle({ error });
      } else {
        pending.again = true;
        this.#send(id, pending);
      }
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending?.timer) clearTimeout(pending.timer);
    this.#pending.delete(id);
    return pending;
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#tired = false;
    this.#readBefore += this.#read;
    this.#read = 0;
  }
}

function errorOf({ code, message, action, details }: PlainError): ExplorerError {
  return new ExplorerError(code, message, action, details);
}

function cancelled(): ExplorerError {
  return new ExplorerError("cancelled", "The request was withdrawn.");
}

function stalled(ms: number): ExplorerError {
  return new ExplorerError(
    "reader_stalled",
    `Reading this file did not end within ${Math.round(ms / 1000)} s, and was given up.`,
    "The file may be damaged, or its server slow; the others go on.",
  );
}

function failed(reason: string): ExplorerError {
  return new ExplorerError(
    "reader_failed",
    `The part of the page that reads files has ended${reason === "" ? "" : `: ${reason}`}.`,
    "Try again; reload the page if it stays so.",
  );
}
