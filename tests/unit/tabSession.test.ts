import type { Session } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import { TabSession } from "../../src/lab/session";

/** A server that starts kernels when it is told to. */
function server() {
  const [started, ended]: [(() => void)[], string[]] = [[], []];
  const owner = {};
  const connection = (name: string) => ({
    kernel: { id: name },
    statusChanged: new Signal(owner),
    connectionStatusChanged: new Signal(owner),
    disposed: new Signal(owner),
    shutdown: () => Promise.resolve(void ended.push(name)),
    dispose: () => {},
  });
  let count = 0;
  const manager = {
    ready: Promise.resolve(),
    refreshRunning: () => Promise.resolve(),
    running: () => [],
    startNew: () => {
      count += 1;
      const name = `kernel ${count}`;
      return new Promise((resolve) => started.push(() => resolve(connection(name))));
    },
  };
  return { manager: manager as unknown as Session.IManager, started, ended };
}

test("a kernel that comes when the tab has been closed is ended", async () => {
  const { manager, started, ended } = server();
  const session = new TabSession(manager, "a.parquet");
  const starting = session.start("python3").catch(() => "none");
  await session.end();
  started[0]?.();
  expect(await starting).toBe("none");
  expect(ended).toEqual(["kernel 1"]);
  expect(session.kernel).toBe(null);
});

test("of two kernels that are started at once one stays", async () => {
  const { manager, started, ended } = server();
  const session = new TabSession(manager, "a.parquet");
  const both = [session.start("python3"), session.start("python3")];
  for (const come of started) come();
  const kernels = await Promise.all(both);
  expect(new Set(kernels.map(({ id }) => id))).toEqual(new Set(["kernel 1"]));
  expect(ended).toEqual(["kernel 2"]);
});
