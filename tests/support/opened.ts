/** A real `h5explorer open`, as a person starts it in a terminal. */

import { root, venvProgram } from "./python";
import { type Running, start } from "./server";
import { NodeSocket } from "./socket";

/** A running server. */
export interface OpenedServer {
  /** The address that it has printed, with the token. */
  readonly address: string;
  /** Without the token, with the last slash. */
  readonly base: string;
  readonly running: Running;
}

/** Starts `h5explorer open` on a free port. */
export async function startOpen(lookup: string, ...options: readonly string[]): Promise<OpenedServer> {
  const running = start(
    venvProgram("python"),
    ["-m", "h5explorer_py", "open", lookup, "--no-browser", ...options],
    process.env,
    root,
  );
  const end = Date.now() + 60_000;
  for (;;) {
    const address = /^http:\S+(?=\n)/m.exec(running.printed())?.[0];
    if (address !== undefined) return { address, base: new URL("/", address).href, running };
    if (running.process.exitCode !== null || Date.now() > end) throw new Error(running.printed());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Uses the token, and connects with the cookie that it becomes. */
export async function connect({ address, base }: OpenedServer): Promise<NodeSocket> {
  const admitted = await fetch(address, { redirect: "manual" });
  const [cookie = ""] = (admitted.headers.get("set-cookie") ?? "").split(";");
  return new NodeSocket(new URL("socket", base).href, { Cookie: cookie, Origin: new URL(base).origin });
}
