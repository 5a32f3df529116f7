import type { IndexProgress } from "../../src/source/api";
import { MockSource } from "../../src/source/mock";
import { NO_INDEX } from "../../src/source/noIndex";
import { IndexWatch } from "../../src/state/index";
import { lookup } from "./support/mock";

const at = (phase: IndexProgress["phase"], fraction: number): IndexProgress => ({ ...NO_INDEX, phase, fraction });

function sourceWith(calls: string[]): MockSource {
  return new MockSource(new Map([["a", lookup(5)]]), async (call) => {
    calls.push(call.method);
  });
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test("a growing index is looked at until it is ready", async () => {
  const calls: string[] = [];
  const source = sourceWith(calls);
  const watch = new IndexWatch(source, 1, at("waiting", 0));
  source.setIndex(at("packing", 0.5));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(watch.progress.value).toEqual(at("packing", 0.5));
  source.setIndex(at("ready", 1));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(watch.progress.value.phase).toBe("ready");
  const made = calls.length;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(calls.length).toBe(made);
  watch.close();
});

test.each(["off", "ready", "stopped", "failed"] as const)("one that is %s is not asked about", async (phase) => {
  const calls: string[] = [];
  const watch = new IndexWatch(sourceWith(calls), 1, at(phase, 0));
  await jest.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual([]);
  watch.close();
});

test("one that was stopped is looked at again when it is to go on", async () => {
  const calls: string[] = [];
  const source = sourceWith(calls);
  const watch = new IndexWatch(source, 1, at("stopped", 0.3));
  watch.begin();
  source.setIndex(at("packing", 0.4));
  await jest.advanceTimersByTimeAsync(1_500);
  expect(watch.progress.value).toEqual(at("packing", 0.4));
  watch.stop();
  source.setIndex(at("stopped", 0.6));
  await jest.advanceTimersByTimeAsync(1_500);
  expect(watch.progress.value).toEqual(at("stopped", 0.6));
  watch.close();
  const made = calls.length;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(calls.length).toBe(made);
});

test("a failed look is repeated", async () => {
  let broken = true;
  const source = new MockSource(new Map([["a", lookup(5)]]), async () => {
    if (broken) throw new Error("no answer");
  });
  const watch = new IndexWatch(source, 1, at("packing", 0.1));
  await jest.advanceTimersByTimeAsync(1_000);
  broken = false;
  source.setIndex(at("ready", 1));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(watch.progress.value.phase).toBe("ready");
  watch.close();
});
