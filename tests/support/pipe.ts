/** The kernel's side in a process of its own, over pipes: only the wire differs from a notebook. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Wire, WireState } from "../../src/channel/wire";
import { type Fields, isFields } from "../../src/fields";
import { root, venvProgram } from "./python";

type Hear = (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void;

/** Carries messages to a process that holds one explorer. */
export class PipeWire implements Wire {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #hearers = new Set<Hear>();
  readonly #watchers = new Set<(state: WireState) => void>();
  #waiting = Buffer.alloc(0);
  readonly #side: string;
  #errors = "";

  /**
   * @param side - The module that holds it: the explorer's own parts alone, or a kernel that runs all of it.
   * @param env - Variables of its environment, beside the usual ones.
   */
  constructor(lookup: string, side: "kernel_side" | "comm_side" = "kernel_side", env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(venvProgram("python"), ["-m", `tests.contract.${side}`, lookup], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    this.#side = side;
    this.#process.stdout.on("data", (data: Buffer) => this.#take(data));
    this.#process.stderr.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
    this.#process.on("exit", () => {
      for (const see of this.#watchers) see({ kind: "dead", reason: `It ended. ${this.#errors}`, action: "" });
    });
  }

  send(content: object): void {
    const text = Buffer.from(JSON.stringify(content));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(text.length);
    this.#process.stdin.write(Buffer.concat([head, text]));
  }

  listen(hear: Hear): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  watch(see: (state: WireState) => void): () => void {
    this.#watchers.add(see);
    see({ kind: "live" });
    return () => this.#watchers.delete(see);
  }

  /** The first thing that the other side says: what it has open. */
  opened(): Promise<Fields> {
    return new Promise((resolve, reject) => {
      const end = this.listen((content) => {
        if (!isFields(content) || content.kind !== "opened" || !isFields(content.opened)) return;
        end();
        resolve(content.opened);
      });
      this.watch((state) => state.kind === "dead" && reject(new Error(state.reason)));
    });
  }

  end(): void {
    this.#process.stdin.end();
    if (this.#side === "kernel_side") this.#process.kill(); // the other ends its kernel first
  }

  #take(data: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    while (this.#waiting.length >= 4) {
      const textEnd = 4 + this.#waiting.readUInt32LE(0);
      if (this.#waiting.length < textEnd) return;
      const head: { content: unknown; buffers: number[] } = JSON.parse(this.#waiting.subarray(4, textEnd).toString());
      const end = head.buffers.reduce((sum, length) => sum + length, textEnd);
      if (this.#waiting.length < end) return;
      let at = textEnd;
      const buffers = head.buffers.map((length) => {
        at += length;
        return new Uint8Array(this.#waiting.subarray(at - length, at));
      });
      this.#waiting = this.#waiting.subarray(end);
      for (const hear of [...this.#hearers]) hear(head.content, buffers);
    }
  }
}
