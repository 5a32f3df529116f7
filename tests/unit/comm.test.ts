import { CommWire } from "../../src/channel/comm";
import type { WireState } from "../../src/channel/wire";

type Slot = (sender: unknown, status: unknown) => void;
type Handler = (...values: never[]) => void;

/** The part of a widget model that the wire uses, with JupyterLab's kernel beside it or without. */
function host(kernelStatus: string | null) {
  const handlers = new Map<string, Set<Handler>>();
  const slots = new Set<Slot>();
  const sent: unknown[][] = [];
  const model = {
    send: (...values: unknown[]) => void sent.push(values),
    on: (name: string, handler: Handler) => void handlers.set(name, (handlers.get(name) ?? new Set()).add(handler)),
    off: (name?: string | null, handler?: Handler | null) =>
      void (name && handler && handlers.get(name)?.delete(handler)),
    widget_manager:
      kernelStatus === null
        ? {}
        : {
            kernel: {
              status: kernelStatus,
              statusChanged: {
                connect: (slot: Slot) => slots.add(slot),
                disconnect: (slot: Slot) => slots.delete(slot),
              },
            },
          },
  };
  return {
    model,
    sent,
    emit: (name: string, ...values: unknown[]) => {
      for (const handler of handlers.get(name) ?? []) Reflect.apply(handler, null, values);
    },
    become: (status: string) => {
      for (const slot of slots) slot(null, status);
    },
    listening: () => slots.size + [...handlers.values()].reduce((sum, each) => sum + each.size, 0),
  };
}

test("messages go out without callbacks, as some hosts take an empty object for a fault", () => {
  const { model, sent } = host("idle");
  new CommWire(model).send({ kind: "ask" });
  expect(sent).toEqual([[{ kind: "ask" }, undefined, []]]);
});

test("buffers come in as bytes, offsets kept, whatever else the host hands over", () => {
  const { model, emit } = host("idle");
  const heard: unknown[] = [];
  const end = new CommWire(model).listen((content, buffers) => heard.push([content, buffers]));
  emit("msg:custom", { a: 1 }, [new DataView(new Uint8Array([9, 1, 2]).buffer, 1), "none"]);
  emit("msg:custom", { b: 1 });
  expect(heard).toEqual([
    [{ a: 1 }, [new Uint8Array([1, 2])]],
    [{ b: 1 }, []],
  ]);
  end();
  emit("msg:custom", { c: 1 }, []);
  expect(heard).toHaveLength(2);
});

test.each([
  ["restarting", "restarted"],
  ["autorestarting", "died"],
  ["dead", "died"],
])("a kernel that is %s is dead to the widget for good", (status, word) => {
  const { model, become, listening } = host("idle");
  const seen: WireState[] = [];
  const end = new CommWire(model).watch((state) => seen.push(state));
  become("busy");
  become("idle");
  become(status);
  become("idle");
  expect(seen.map((state) => state.kind)).toEqual(["live", "busy", "live", "dead"]);
  expect(seen[3]).toMatchObject({ reason: expect.stringContaining(word), action: "Run the cell again." });
  end();
  expect(listening()).toBe(0);
});

test("a closed comm is dead", () => {
  const { model, emit } = host("idle");
  const seen: WireState[] = [];
  new CommWire(model).watch((state) => seen.push(state));
  emit("comm:close");
  expect(seen.at(-1)).toMatchObject({ kind: "dead", reason: "This explorer has been closed." });
});

test("a host that does not show its kernel is taken as alive", () => {
  const seen: WireState[] = [];
  new CommWire(host(null).model).watch((state) => seen.push(state));
  expect(seen).toEqual([{ kind: "live" }]);
});
