import { type WorkerLike, WorkerLink } from "../../../src/browser/rpc/link";
import type { FromWorker, ToWorker } from "../../../src/browser/rpc/messages";
import { type Port, serve } from "../../../src/browser/rpc/serve";
import { ExplorerError } from "../../../src/errors";
import { pause } from "../../../src/time";

type Api = typeof service;

const service = {
  double: async ({ of }: { readonly of: number }) => 2 * of,
  refuse: async (_: null) =>
    Promise.reject(new ExplorerError("image_not_found", "There is none.", "Look elsewhere.", { a: 1 })),
  crash: async (_: null) => Promise.reject(new WebAssembly.RuntimeError("unreachable")),
  hang: (_: null) => new Promise<number>(() => {}),
  untilWithdrawn: (_: null, signal: AbortSignal) =>
    new Promise<number>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("withdrawn")))),
};

/** Workers in the same thread: all is real but the thread. */
function makeLink(patienceMs = 1000, memory = 0) {
  const started: { terminated: boolean; readonly heard: ToWorker[] }[] = [];
  const start = (): WorkerLike => {
    const state = { terminated: false, heard: [] as ToWorker[] };
    started.push(state);
    const port: Port = {
      onmessage: null,
      postMessage: (data: FromWorker) =>
        void Promise.resolve().then(() => {
          if (!state.terminated) worker.onmessage?.(new MessageEvent("message", { data }));
        }),
    };
    const worker: WorkerLike = {
      onmessage: null,
      onerror: null,
      postMessage: (data) => {
        state.heard.push(data);
        void Promise.resolve().then(() => port.onmessage?.(new MessageEvent("message", { data })));
      },
      terminate: () => {
        state.terminated = true;
      },
    };
    const isFatal = (error: unknown) => error instanceof WebAssembly.RuntimeError;
    serve(port, service, { memory: () => memory, read: () => 7, isFatal });
    return worker;
  };
  return { link: new WorkerLink<Api>(start, { patienceMs, memory: 100 }), started };
}

const never = new AbortController().signal;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: ExplorerError) => error.code,
  );

test("a call is answered, an error keeps its words; one worker serves them all", async () => {
  const { link, started } = makeLink();
  expect(await link.call("double", { of: 21 }, never)).toBe(42);
  await expect(link.call("refuse", null, never)).rejects.toMatchObject({
    code: "image_not_found",
    message: "There is none.",
    action: "Look elsewhere.",
    details: { a: 1 },
  });
  expect(started).toHaveLength(1);
  expect(link.bytesRead).toBe(7);
});

test("what is withdrawn is cancelled here and there", async () => {
  const { link, started } = makeLink();
  const control = new AbortController();
  const asked = codeOf(link.call("untilWithdrawn", null, control.signal));
  control.abort();
  expect(await asked).toBe("cancelled");
  expect(started[0]?.heard.map(({ kind }) => kind)).toEqual(["call", "cancel"]);
  expect(await codeOf(link.call("double", { of: 1 }, control.signal))).toBe("cancelled");
});

test("a call that hangs ends its worker; those beside it are asked again in the next", async () => {
  const { link, started } = makeLink();
  const hanging = codeOf(link.call("hang", null, never, 60));
  const beside = link.call("untilWithdrawn", null, never, 5_000).catch(() => {});
  expect(await hanging).toBe("reader_stalled");
  expect(await link.call("double", { of: 2 }, never)).toBe(4);
  expect(started.map(({ terminated }) => terminated)).toEqual([true, false]);
  expect(started[1]?.heard).toContainEqual(expect.objectContaining({ method: "untilWithdrawn" }));
  expect(link.restarts).toBe(1);
  link.close();
  await beside;
});

test("a worker that answers is waited for, but not for ever", async () => {
  const { link, started } = makeLink();
  const slow = codeOf(link.call("hang", null, never, 60));
  const begun = performance.now();
  let ended = false;
  void slow.then(() => {
    ended = true;
  });
  while (!ended && performance.now() - begun < 5_000) {
    await link.call("double", { of: 1 }, never);
    await pause(5);
  }
  expect(await slow).toBe("reader_stalled");
  expect(performance.now() - begun).toBeGreaterThan(280);
  expect(started[0]?.terminated).toBe(true);
});

test("a call that was withdrawn may hang all the same, and its worker is ended then", async () => {
  const { link, started } = makeLink();
  const control = new AbortController();
  const asked = codeOf(link.call("hang", null, control.signal, 60));
  control.abort();
  expect(await asked).toBe("cancelled");
  await pause(120);
  expect(started[0]?.terminated).toBe(true);
  expect(await link.call("double", { of: 3 }, never)).toBe(6);
});

test("a call that brings its worker down says so, and another worker goes on", async () => {
  const { link, started } = makeLink();
  expect(await codeOf(link.call("crash", null, never))).toBe("reader_failed");
  expect(await link.call("double", { of: 4 }, never)).toBe(8);
  expect(started.map(({ terminated }) => terminated)).toEqual([true, false]);
});

test("a worker that has grown is exchanged when it rests", async () => {
  const { link, started } = makeLink(1000, 101);
  await Promise.all([link.call("double", { of: 1 }, never), link.call("double", { of: 2 }, never)]);
  expect(started.map(({ terminated }) => terminated)).toEqual([true]);
  expect(await link.call("double", { of: 5 }, never)).toBe(10);
  expect(link.bytesRead).toBe(14);
});
