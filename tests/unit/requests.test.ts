import { pack } from "../../src/channel/frames";
import { ASK_AGAIN_MS, RequestClient, TELL_WAITING_MS } from "../../src/channel/requests";
import type { Wire, WireState } from "../../src/channel/wire";
import type { ExplorerError } from "../../src/errors";
import { type Outgoing, VERSION } from "../../src/protocol";

/** A wire whose other end is the test. */
class TestWire implements Wire {
  readonly sent: Outgoing[] = [];
  refuses = false;
  #hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void = () => {};
  #see: (state: WireState) => void = () => {};

  send(content: object): void {
    if (this.refuses) throw new Error("Cannot send");
    this.sent.push(content as Outgoing);
  }

  listen(hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void): () => void {
    this.#hear = hear;
    return () => {
      this.#hear = () => {};
    };
  }

  watch(see: (state: WireState) => void): () => void {
    this.#see = see;
    see({ kind: "live" });
    return () => {
      this.#see = () => {};
    };
  }

  asked(): string[] {
    return this.sent.flatMap((message) => (message.kind === "ask" ? message.requests.map((each) => each.request) : []));
  }

  reply(request: string | undefined, result: object, ...buffers: Uint8Array<ArrayBuffer>[]): void {
    this.#hear({ kind: "reply", request, result }, buffers);
  }

  /** Answers in two pieces, less those that are lost. */
  replyInPieces(request: string | undefined, message: string, result: object, bytes: Uint8Array, lost = -1): void {
    const frame = pack({ kind: "reply", request, result }, [bytes]);
    for (const [at, part] of [frame.slice(0, 30), frame.slice(30)].entries()) {
      if (at !== lost) this.#hear({ kind: "piece", message, at, of: 2 }, [part]);
    }
  }

  fail(request: string | undefined, code: string): void {
    this.#hear(
      { kind: "failure", request, error: { code, message: "Said so.", action: "Do so.", details: { a: 1 } } },
      [],
    );
  }

  hear(content: unknown): void {
    this.#hear(content, []);
  }

  become(state: WireState): void {
    this.#see(state);
  }
}

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve));
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: ExplorerError) => ({ code: error.code, message: error.message }),
  );

test("questions of one turn travel in one message, and answers find their questions in any order", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const first = client.ask("rows", { start: 0, stop: 1 });
  const second = client.ask("image", { row: 3 });
  await turn();
  expect(wire.sent).toHaveLength(1);
  expect(wire.sent[0]).toMatchObject({
    kind: "ask",
    version: VERSION,
    requests: [{ method: "rows" }, { method: "image" }],
  });
  const [one, two] = wire.asked();
  const bytes = new Uint8Array([1, 2]);
  wire.reply(two, { of: "second" }, bytes);
  wire.reply(one, { of: "first" });
  expect((await first).result).toEqual({ of: "first" });
  expect(await second).toEqual({ result: { of: "second" }, buffers: [bytes] });
  client.close();
});

test.each(["is ready", "is not waited for any more"])("questions are held back until the kernel %s", async (how) => {
  let go = () => {};
  const ready = new Promise<void>((resolve, reject) => {
    go = how === "is ready" ? resolve : () => reject(new Error("given up"));
  });
  const wire = Object.assign(new TestWire(), { ready });
  const client = new RequestClient(wire);
  const control = new AbortController();
  const withdrawn = outcome(client.ask("image", { row: 1 }, control.signal));
  const kept = [client.ask("rows", {}), client.ask("stats", {})].map(outcome);
  await turn();
  control.abort();
  expect(await withdrawn).toMatchObject({ code: "cancelled" });
  expect(wire.sent).toEqual([]);
  go();
  await new Promise((resolve) => setTimeout(resolve));
  expect(wire.sent).toMatchObject([{ kind: "ask", requests: [{ method: "rows" }, { method: "stats" }] }]);
  client.close();
  await Promise.all(kept);
});

test("names differ between the clients of a page and between pages", async () => {
  const wire = new TestWire();
  const clients = [new RequestClient(wire), new RequestClient(wire)];
  for (const client of clients) void outcome(client.ask("rows", {}));
  await turn();
  expect(new Set(wire.asked()).size).toBe(2);
  for (const client of clients) client.close();
});

test("answers to others, strange messages and second answers are passed over", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const question = client.ask("stats", {});
  await turn();
  for (const strange of [null, 3, "text", [], {}, { request: 5 }, { request: "x", kind: "reply" }, { kind: "reply" }]) {
    wire.hear(strange);
  }
  wire.reply("somebody.else", { wrong: true });
  const [name] = wire.asked();
  wire.reply(name, { right: true });
  wire.reply(name, { late: true });
  expect((await question).result).toEqual({ right: true });
  client.close();
});

test("a failure is the kernel's error, with what to do", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const question = client.ask("image", { row: 1 });
  await turn();
  wire.fail(wire.asked()[0], "shard_not_found");
  await expect(question).rejects.toMatchObject({
    code: "shard_not_found",
    message: "Said so.",
    action: "Do so.",
    details: { a: 1 },
  });
  client.close();
});

test("a withdrawn question is withdrawn at the kernel too, and its late answer is nobody's", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const control = new AbortController();
  const question = outcome(client.ask("image", { row: 1 }, control.signal));
  await turn();
  const [name] = wire.asked();
  control.abort();
  expect(await question).toMatchObject({ code: "cancelled" });
  await turn();
  expect(wire.sent.at(-1)).toEqual({ kind: "cancel", requests: [name] });
  wire.reply(name, { late: true });
  client.close();
});

test("a question withdrawn in the turn in which it was asked never travels", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const control = new AbortController();
  const question = outcome(client.ask("image", { row: 1 }, control.signal));
  control.abort();
  expect(await question).toMatchObject({ code: "cancelled" });
  await turn();
  expect(wire.sent).toEqual([]);
  expect(await outcome(client.ask("rows", {}, control.signal))).toMatchObject({ code: "cancelled" });
  client.close();
});

test("when the wire dies every question is answered with the reason, and new ones at once", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const question = outcome(client.ask("image", { row: 1 }));
  await turn();
  wire.become({ kind: "dead", reason: "The kernel was restarted.", action: "Run the cell again." });
  expect(await question).toEqual({ code: "disconnected", message: "The kernel was restarted." });
  expect(await outcome(client.ask("rows", {}))).toEqual({ code: "disconnected", message: "The kernel was restarted." });
  client.close();
});

test("a wire that refuses to send fails the question", async () => {
  const wire = new TestWire();
  wire.refuses = true;
  const client = new RequestClient(wire);
  expect(await outcome(client.ask("rows", {}))).toMatchObject({ code: "disconnected" });
  client.close();
});

test("what is not answered is asked again under the same name, and a person is told of the wait", async () => {
  jest.useFakeTimers({ doNotFake: ["queueMicrotask"] });
  try {
    const wire = new TestWire();
    const client = new RequestClient(wire);
    const waits: boolean[] = [];
    client.onWaiting((waiting) => waits.push(waiting));
    const question = client.ask("rows", {});
    await turn();
    await jest.advanceTimersByTimeAsync(TELL_WAITING_MS + 600);
    expect(waits).toEqual([false, true]);
    await jest.advanceTimersByTimeAsync(ASK_AGAIN_MS);
    const names = wire.asked();
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(1);
    wire.reply(names[0], { at: "last" });
    expect((await question).result).toEqual({ at: "last" });
    expect(waits).toEqual([false, true, false]);
    expect(jest.getTimerCount()).toBe(0);
    client.close();
  } finally {
    jest.useRealTimers();
  }
});

test("an answer in pieces, of which one is lost, is asked for again", async () => {
  jest.useFakeTimers({ doNotFake: ["queueMicrotask"] });
  try {
    const wire = new TestWire();
    const client = new RequestClient(wire);
    const question = client.ask("image", { row: 1 });
    await turn();
    wire.replyInPieces(wire.asked()[0], "0", { row: 1 }, new Uint8Array([1, 2]), 0);
    await jest.advanceTimersByTimeAsync(ASK_AGAIN_MS + TELL_WAITING_MS);
    expect(wire.asked()).toHaveLength(2);
    wire.replyInPieces(wire.asked()[1], "1", { row: 1 }, new Uint8Array([3, 4]));
    expect(await question).toEqual({ result: { row: 1 }, buffers: [new Uint8Array([3, 4])] });
    client.close();
  } finally {
    jest.useRealTimers();
  }
});

test("a question withdrawn between the pieces of its answer, and others' answers in pieces, do no harm", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const control = new AbortController();
  const withdrawn = outcome(client.ask("image", { row: 1 }, control.signal));
  const kept = client.ask("image", { row: 2 });
  await turn();
  const [first, second] = wire.asked();
  wire.replyInPieces(first, "0", {}, new Uint8Array(9), 1);
  control.abort();
  expect(await withdrawn).toMatchObject({ code: "cancelled" });
  wire.replyInPieces(first, "0", {}, new Uint8Array(9), 0);
  wire.replyInPieces("another page's", "1", {}, new Uint8Array(9));
  wire.replyInPieces(second, "2", { row: 2 }, new Uint8Array([7]));
  expect(await kept).toEqual({ result: { row: 2 }, buffers: [new Uint8Array([7])] });
  client.close();
});

test("closing withdraws what is on its way", async () => {
  const wire = new TestWire();
  const client = new RequestClient(wire);
  const question = outcome(client.ask("rows", {}));
  await turn();
  client.close();
  expect(await question).toMatchObject({ code: "cancelled" });
  expect(wire.sent.at(-1)).toMatchObject({ kind: "cancel" });
});
