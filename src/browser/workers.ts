/** The two workers of a page without a kernel. */

import type { ShardService } from "./hdf5/hdf5.worker";
import { WorkerLink } from "./rpc/link";
import type { TableService } from "./tables/tables.worker";

/** One reads HDF5, which a hostile file can bring down; the other reads tables. */
export interface Workers {
  readonly shards: WorkerLink<ShardService>;
  readonly tables: WorkerLink<TableService>;
}

/** For how many milliseconds a worker's answer is waited for. */
export const PATIENCE_MS = 20_000;

/** Bytes of WebAssembly above which a worker is exchanged: what it has taken once it never gives back. */
const MEMORY = { shards: 192 << 20, tables: 512 << 20 };

/** Starts the workers: they have got ready by the time that a person has chosen a file. */
export function startWorkers(patienceMs = PATIENCE_MS): Workers {
  const workers: Workers = {
    shards: new WorkerLink(
      () =>
        new Worker(new URL(/* webpackChunkName: "hdf5-worker" */ "./hdf5/hdf5.worker.ts", import.meta.url), {
          type: "module",
        }),
      { patienceMs, memory: MEMORY.shards },
    ),
    tables: new WorkerLink(
      () =>
        new Worker(new URL(/* webpackChunkName: "tables-worker" */ "./tables/tables.worker.ts", import.meta.url), {
          type: "module",
        }),
      { patienceMs: 3 * patienceMs, memory: MEMORY.tables },
    ),
  };
  workers.tables.start();
  workers.shards.start();
  return workers;
}

/** Ends both. */
export function endWorkers({ shards, tables }: Workers): void {
  shards.close();
  tables.close();
}
