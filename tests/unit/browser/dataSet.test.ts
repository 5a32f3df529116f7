import { DataSet } from "../../../src/browser/dataSet";
import type { ShardService } from "../../../src/browser/hdf5/hdf5.worker";
import { type WorkerLike, WorkerLink } from "../../../src/browser/rpc/link";
import type { ToWorker } from "../../../src/browser/rpc/messages";
import type { TableService } from "../../../src/browser/tables/tables.worker";
import { ExplorerError } from "../../../src/errors";

/** A worker whose answers are given by the test. */
function makeDataSet() {
  const heard: ToWorker[] = [];
  const worker: WorkerLike = {
    onmessage: null,
    onerror: null,
    postMessage: (data) => void heard.push(data),
    terminate: () => {},
  };
  const answer = (outcome: { readonly result: unknown } | { readonly error: ExplorerError }) => {
    for (const { id } of heard.splice(0)) {
      worker.onmessage?.(new MessageEvent("message", { data: { id, outcome, memory: 0, read: 0, broken: false } }));
    }
  };
  const limits = { patienceMs: 10_000, memory: 1 };
  const workers = {
    tables: new WorkerLink<TableService>(() => worker, limits),
    shards: new WorkerLink<ShardService>(() => worker, limits),
  };
  const place = { where: "nowhere", find: async () => null };
  const columns = { uuid: "uuid", filepath: "filepath" };
  const spec = { id: DataSet.newId(), columns, from: { shards: [] } };
  const about = { name: "lookup.parquet", location: "", rows: 1000, columns: [], notices: [] };
  return { set: new DataSet(workers, place, spec, about), heard, answer };
}

const KEYS = { uuids: Array.from({ length: 256 }, () => "u"), filepaths: Array.from({ length: 256 }, () => "f") };
const never = new AbortController().signal;

test("all who need rows that are near each other ask for them once", async () => {
  const { set, heard, answer } = makeDataSet();
  const asked = Array.from({ length: 36 }, (_, row) => set.shard(row, never));
  expect(heard).toHaveLength(1);
  answer({ result: KEYS });
  const outcomes = await Promise.allSettled(asked);
  // There is no file, which is all that is looked for here.
  expect(new Set(outcomes.map((each) => (each.status === "rejected" ? each.reason.code : "")))).toEqual(
    new Set(["shard_not_found"]),
  );
  expect(heard).toHaveLength(0);
});

test("one who withdraws leaves it to the others, and what has failed is asked for again", async () => {
  const { set, heard, answer } = makeDataSet();
  const control = new AbortController();
  const [gone, stays] = [set.shard(1, control.signal), set.shard(2, never)];
  control.abort();
  await expect(gone).rejects.toMatchObject({ code: "cancelled" });
  expect(heard).toHaveLength(1);
  answer({ error: new ExplorerError("unreachable", "The server is gone.") });
  await expect(stays).rejects.toMatchObject({ code: "unreachable" });
  const again = set.shard(2, never);
  expect(heard).toHaveLength(1);
  answer({ result: KEYS });
  await expect(again).rejects.toMatchObject({ code: "shard_not_found" });
  await expect(set.shard(3, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
});
