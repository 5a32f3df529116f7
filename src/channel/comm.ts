/** A widget's comm as a wire. */

import type { AnyModel } from "@anywidget/types";
import { bytesOf, isBuffer } from "../bytes";
import { isFields } from "../fields";
import type { Wire, WireState } from "./wire";

/** The part of a widget model that carries messages. */
export type CommModel = Pick<AnyModel, "send" | "on" | "off"> & { readonly widget_manager?: unknown };

/** The part of JupyterLab's kernel connection that tells how the kernel is. Other hosts have none. */
interface Kernel {
  readonly status: string;
  readonly statusChanged: {
    connect(slot: (sender: unknown, status: unknown) => void): unknown;
    disconnect(slot: (sender: unknown, status: unknown) => void): unknown;
  };
}

const RUN_AGAIN = "Run the cell again.";
const DEAD: Readonly<Record<string, string>> = {
  restarting: "The kernel was restarted.",
  autorestarting: "The kernel died and is restarted.",
  dead: "The kernel has died.",
  terminating: "The kernel was shut down.",
};

/** Carries messages over the comm of a widget model. */
export class CommWire implements Wire {
  readonly ready: Promise<unknown>;
  readonly #model: CommModel;
  readonly #kernel: Kernel | null;

  constructor(model: CommModel, ready: Promise<unknown> = Promise.resolve()) {
    this.ready = ready;
    this.#model = model;
    this.#kernel = kernelOf(model.widget_manager);
  }

  send(content: object): void {
    this.#model.send(content, undefined, []);
  }

  listen(hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void): () => void {
    const heard = (content: unknown, buffers?: readonly unknown[]) =>
      hear(content, (buffers ?? []).filter(isBuffer).map(bytesOf));
    this.#model.on("msg:custom", heard);
    return () => this.#model.off("msg:custom", heard);
  }

  watch(see: (state: WireState) => void): () => void {
    let dead = false;
    const die = (reason: string) => {
      dead = true;
      see({ kind: "dead", reason, action: RUN_AGAIN });
    };
    const closed = () => die("This explorer has been closed.");
    const changed = (_: unknown, status: unknown) => {
      if (dead || typeof status !== "string") return; // a restarted kernel knows nothing of this widget
      const reason = DEAD[status];
      if (reason !== undefined) die(reason);
      else see({ kind: status === "busy" ? "busy" : "live" });
    };
    changed(null, this.#kernel?.status ?? "idle");
    this.#model.on("comm:close", closed);
    this.#kernel?.statusChanged.connect(changed);
    return () => {
      this.#model.off("comm:close", closed);
      this.#kernel?.statusChanged.disconnect(changed);
    };
  }
}

function kernelOf(manager: unknown): Kernel | null {
  const kernel = isFields(manager) ? manager.kernel : null;
  return isKernel(kernel) ? kernel : null;
}

function isKernel(value: unknown): value is Kernel {
  if (!isFields(value) || typeof value.status !== "string") return false;
  const changed = value.statusChanged;
  return isFields(changed) && typeof changed.connect === "function" && typeof changed.disconnect === "function";
}
