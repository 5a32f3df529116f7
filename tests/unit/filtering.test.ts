import { signal } from "@preact/signals";
import { ExplorerError } from "../../src/errors";
import type { Opened } from "../../src/source/api";
import { MockSource } from "../../src/source/mock";
import { Filtering } from "../../src/state/filtering";
import { Gate, lookup, settle } from "./support/mock";

function made(gate: Gate) {
  const opened = signal<Opened | null>(null);
  const source = new MockSource(new Map([["a", lookup(1_000)]]), gate.delay, (now) => {
    opened.value = now;
  });
  opened.value = source.describe();
  const shown = signal(source.describe());
  return { source, opened, filtering: new Filtering(source, shown) };
}

test("a filter is worked out, and said to be so until it is there", async () => {
  const gate = new Gate();
  const { opened, filtering } = made(gate);
  const asked = filtering.show("shard_3", [["uuid", "desc"]]);
  expect(filtering.query.value).toEqual({ filter: "shard_3", sort: [["uuid", "desc"]], done: null });
  for (const call of gate.of("show")) call.letGo();
  await asked;
  expect(filtering.query.value).toBeNull();
  expect(filtering.error.value).toBeNull();
  expect(opened.value).toMatchObject({ records: 100, total: 1_000, filter: "shard_3", sort: [["uuid", "desc"]] });
});

test("one that is refused says why, and is forgiven", async () => {
  const gate = new Gate();
  const { opened, filtering } = made(gate);
  const asked = filtering.show("wrong", []);
  for (const call of gate.of("show")) call.letGo();
  await asked;
  expect(filtering.error.value?.code).toBe("bad_condition");
  expect(opened.value?.filter).toBe("");
  filtering.forgive();
  expect(filtering.error.value).toBeNull();
});

test("the last wish counts, and one that is stopped is nothing", async () => {
  const gate = new Gate();
  const { opened, filtering } = made(gate);
  const first = filtering.show("wrong", []);
  const second = filtering.show("shard_2", []);
  expect(filtering.query.value?.filter).toBe("shard_2");
  for (const call of gate.of("show")) call.letGo();
  await Promise.all([first, second]);
  expect(filtering.error.value).toBeNull();
  expect(opened.value?.filter).toBe("shard_2");
  const third = filtering.show("shard_4", []);
  filtering.stop();
  expect(filtering.query.value).toBeNull();
  for (const call of gate.of("show")) call.letGo();
  await third;
  await settle();
  expect(opened.value?.filter).toBe("shard_2");
  expect(filtering.error.value).toBeNull();
});

test("columns and values are asked for once, and again where that failed", async () => {
  let broken = true;
  const calls: string[] = [];
  const source = new MockSource(new Map([["a", lookup(50)]]), async ({ method }) => {
    calls.push(method);
    if (broken) throw new ExplorerError("timeout", "It took too long.", "");
  });
  const filtering = new Filtering(source, signal(source.describe()));
  await expect(filtering.columns()).rejects.toMatchObject({ code: "timeout" });
  await expect(filtering.values("filepath")).rejects.toMatchObject({ code: "timeout" });
  broken = false;
  expect((await filtering.columns()).map(({ name }) => name)).toEqual(["uuid", "filepath"]);
  expect((await filtering.values("filepath")).kind).toBe("values");
  await filtering.columns();
  await filtering.values("filepath");
  expect(calls).toEqual(["columns", "values", "columns", "values"]);
});
