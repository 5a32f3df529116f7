import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { App } from "../app/App";
import { Problem } from "../app/Problem";
import type { GetDecoder } from "../decode/decoder";
import { asExplorerError, type ExplorerError } from "../errors";
import { type Begun, begin } from "./served";

/** The explorer of the server beside the page; what it has shown stays when the connection is lost. */
export function ServedApp({ address, decoder }: { readonly address: string; readonly decoder: GetDecoder }) {
  const begun = useSignal<Begun | null>(null);
  const problem = useSignal<ExplorerError | null>(null);
  const retry = useRef<() => void>(() => {});
  const turns = useRef(0);

  useEffect(() => {
    let over = false;
    const told = (attempt: () => Promise<void>) => {
      retry.current = () => void told(attempt);
      problem.value = null;
      return attempt().catch((error: unknown) => {
        if (!over) problem.value = asExplorerError(error);
      });
    };
    const connect = async () => {
      const made = await begin(address, decoder, () => void connect().catch(() => {})); // the bar says that it is lost
      if (over) return made.end();
      begun.peek()?.end();
      turns.current += 1;
      begun.value = made;
      await told(() => made.comeBack());
    };
    void told(connect);
    return () => {
      over = true;
      begun.peek()?.end();
    };
  }, [address, decoder, begun, problem]);

  return (
    <>
      {problem.value !== null && (
        <div class="h5x-root h5x-page-problem">
          <Problem error={problem.value} onRetry={() => retry.current()} />
        </div>
      )}
      {begun.value !== null && <App key={turns.current} state={begun.value.state} />}
    </>
  );
}
