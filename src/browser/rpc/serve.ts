/** The worker's side of the calls: every call gets one reply, whatever happens. */

import { asExplorerError, ExplorerError } from "../../errors";
import type { FromWorker, Service, ToWorker } from "./messages";

/** What a worker says of itself with every reply. */
export interface Health {
  readonly memory: () => number;
  readonly read: () => number;
  /** Whether an error means that the worker's state cannot be trusted any more. */
  readonly isFatal: (error: unknown) => boolean;
}

/** The part of a worker's global scope that is used. */
export interface Port {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
}

/** A result whose buffers go over to the page instead of being copied. */
export class Handed<Value> {
  constructor(
    readonly value: Value,
    readonly buffers: ArrayBuffer[],
  ) {}
}

/** Answers calls. */
export function serve(port: Port, service: Service, health: Health): void {
  const running = new Map<number, AbortController>();

  async function answer(id: number, method: string, params: unknown): Promise<void> {
    const control = new AbortController();
    running.set(id, control);
    const reply = (outcome: FromWorker["outcome"], broken: boolean, buffers: ArrayBuffer[] = []) =>
      port.postMessage({ id, outcome, memory: health.memory(), read: health.read(), broken }, buffers);
    try {
      const result = await perform(service, method, params, control.signal);
      if (result instanceof Handed) reply({ result: result.value }, false, result.buffers);
      else reply({ result }, false);
    } catch (error) {
      const { code, message, action, details } = health.isFatal(error) ? ended(error) : asExplorerError(error);
      reply({ error: { code, message, action, details } }, health.isFatal(error));
    } finally {
      running.delete(id);
    }
  }

  port.onmessage = ({ data }) => {
    if (data.kind === "cancel") running.get(data.id)?.abort();
    else void answer(data.id, data.method, data.params);
  };
}

async function perform(service: Service, method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
  const act: unknown = service[method];
  if (typeof act !== "function") throw new ExplorerError("internal", `There is no ${method}.`);
  const result: unknown = await act(params, signal);
  return result;
}

function ended(error: unknown): ExplorerError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ExplorerError(
    "reader_failed",
    `The part of the page that reads files ended while it read this one: ${reason}.`,
    "The file is damaged; the others go on.",
  );
}
