/** Servers that a test starts, waits for and ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";

/** A port that is free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject()));
    });
  });
}

/** A running program and what it has printed. */
export interface Running {
  readonly process: ChildProcess;
  printed(): string;
  /** Ends it and all that it has started. */
  end(): Promise<void>;
}

/** Starts a program in a group of its own. */
export function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Running {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const keep = (data: Buffer) => {
    printed = (printed + data.toString()).slice(-100_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended already.
    }
  };
  return {
    process: child,
    printed: () => printed,
    async end() {
      signal("SIGTERM");
      const late = setTimeout(() => signal("SIGKILL"), 5_000);
      await ended;
      clearTimeout(late);
      signal("SIGKILL"); // what it has left behind
    },
  };
}

/** Waits until an address answers well. */
export async function answering(url: string, running: Running, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // It does not listen yet.
    }
    if (running.process.exitCode !== null || Date.now() > end) {
      throw new Error(`${url} does not answer. The server printed:\n${running.printed().slice(-3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
