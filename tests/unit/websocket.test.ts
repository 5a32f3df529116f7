import { pack, unpack } from "../../src/channel/frames";
import { ToldModel } from "../../src/channel/told";
import { type Socket, SocketWire } from "../../src/channel/websocket";
import type { WireState } from "../../src/channel/wire";

type Listener = (event: { readonly data: unknown; readonly reason: string }) => void;

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  readonly OPEN = 1;
  readyState = 1;
  readonly sent: unknown[] = [];
  readonly #listeners: (readonly [string, Listener])[] = [];

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(unpack(data).content);
  }

  close(): void {
    this.end("");
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  hear(data: unknown): void {
    for (const [type, listener] of this.#listeners) if (type === "message") listener({ data, reason: "" });
  }

  told(content: object, buffers: readonly Uint8Array[] = []): void {
    this.hear(pack(content, buffers).buffer);
  }

  end(reason: string): void {
    this.readyState = 3;
    for (const [type, listener] of this.#listeners) if (type === "close") listener({ data: null, reason });
  }
}

let socket: FakeSocket;
let wire: SocketWire;
let again: jest.Mock;

beforeEach(() => {
  socket = new FakeSocket();
  again = jest.fn();
  wire = new SocketWire(socket, again);
});

const seen = () => {
  const states: WireState[] = [];
  wire.watch((state) => states.push(state));
  return states;
};

test("messages go out and come in as frames", () => {
  const heard: unknown[] = [];
  const end = wire.listen((content, buffers) => heard.push([content, buffers]));
  expect(socket.binaryType).toBe("arraybuffer");
  socket.told({ kind: "reply" }, [new Uint8Array([1, 2])]);
  socket.hear("text is none of ours");
  end();
  socket.told({ kind: "reply" });
  expect(heard).toEqual([[{ kind: "reply" }, [new Uint8Array([1, 2])]]]);
  wire.send({ kind: "ask" });
  expect(socket.sent).toEqual([{ kind: "ask" }]);
});

test.each([
  ["interrupt", /ended in the terminal/],
  ["idle", /Nothing was asked/],
])("a server that ends by %s says so, and is not called again", (reason, sentence) => {
  const states = seen();
  socket.end(reason);
  expect(states.map((state) => state.kind)).toEqual(["live", "dead"]);
  expect(states[1]).toMatchObject({ reason: expect.stringMatching(sentence), action: expect.stringMatching(/again/) });
  expect(states[1]).not.toHaveProperty("again");
});

test("a connection that is lost can be made again", () => {
  const states = seen();
  socket.end("");
  expect(states[1]).toMatchObject({ kind: "dead", reason: "The connection to h5explorer is lost.", again });
  expect(() => wire.send({})).toThrow();
  expect(seen()).toHaveLength(1); // who comes later is told the present state
});

test("a lookup that cannot be opened is told, and the end of the connection adds nothing", async () => {
  const first = ToldModel.first(wire, {});
  const states = seen();
  socket.told({ kind: "refused", error: { code: "lookup_not_found", message: "There is no file.", action: "Look." } });
  socket.end("");
  expect(states.slice(1)).toEqual([{ kind: "dead", reason: "There is no file.", action: "Look." }]);
  await expect(first).rejects.toMatchObject({ message: "There is no file.", action: "Look." });
});

test("what is told stands for the traits of a model, all of a message at once", async () => {
  const first = ToldModel.first(wire, { height: "100%" });
  socket.told({ kind: "state", dataset: 4, state: { current: 3, _opened: { dataset: 4 } } });
  const model = await first;
  expect([model.get("height"), model.get("current"), model.get("_opened")]).toEqual(["100%", 3, { dataset: 4 }]);
  const heard: unknown[] = [];
  const listener = () => heard.push([model.get("_opened"), model.get("current")]);
  model.on("change:_opened", listener);
  socket.told({ kind: "state", dataset: 5, state: { _opened: { dataset: 5 }, current: 0 } });
  socket.told({ kind: "reply", request: "a" });
  socket.told({ kind: "state" });
  model.off("change:_opened", listener);
  socket.told({ kind: "state", dataset: 6, state: { _opened: { dataset: 6 } } });
  expect(heard).toEqual([[{ dataset: 5 }, 0]]);
});

test("what is chosen is told in one message, with the rows that it is among", async () => {
  const first = ToldModel.first(wire, {});
  socket.told({ kind: "state", dataset: 4, state: { _opened: {} } });
  const model = await first;
  model.set("current", 7);
  model.set("selection", { ranges: [[7, 8]] });
  model.save_changes();
  expect(socket.sent).toEqual([{ kind: "state", dataset: 4, state: { current: 7, selection: { ranges: [[7, 8]] } } }]);
  socket.end("");
  model.set("current", 8);
  model.save_changes(); // nobody hears it, and nothing breaks
  expect(model.get("current")).toBe(8);
});
