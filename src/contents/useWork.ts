import { useEffect, useRef, useState } from "preact/hooks";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import type { ExplorerState } from "../state/explorer";

const LOOK_MS = 500;

/** Work of the kernel that takes its time: how far it is, what came of it, and what ends it. */
export interface Work<Outcome> {
  readonly running: boolean;
  /** The part that has been done, from 0 to 1; `null` where that is not known. */
  readonly part: number | null;
  readonly done: Outcome | null;
  readonly error: ExplorerError | null;
  begin(work: (signal: AbortSignal) => Promise<Outcome>): Promise<void>;
  stop(): void;
  /** Forgets what came of it. */
  clear(): void;
}

/** Does work of a panel's control; it is withdrawn when the control is closed. */
export function useWork<Outcome>(state: ExplorerState): Work<Outcome> {
  const [running, setRunning] = useState(false);
  const [part, setPart] = useState<number | null>(null);
  const [done, setDone] = useState<Outcome | null>(null);
  const [error, setError] = useState<ExplorerError | null>(null);
  const control = useRef<AbortController | null>(null);
  useEffect(() => () => control.current?.abort(), []);

  function clear(): void {
    setError(null);
    setDone(null);
  }

  async function begin(work: (signal: AbortSignal) => Promise<Outcome>): Promise<void> {
    if (running) return;
    control.current = new AbortController();
    const { signal } = control.current;
    setRunning(true);
    clear();
    setPart(null);
    const looking = setInterval(() => {
      state.exported(signal).then(setPart, () => {});
    }, LOOK_MS);
    try {
      const outcome = await work(signal);
      setDone(() => outcome);
    } catch (reason) {
      if (!isCancelled(reason)) setError(asExplorerError(reason));
    } finally {
      clearInterval(looking);
      setRunning(false);
    }
  }

  return { running, part, done, error, begin, stop: () => control.current?.abort(), clear };
}
