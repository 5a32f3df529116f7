import { useRef } from "preact/hooks";
import type { ExplorerError } from "../errors";
import { useKeptFocus } from "./useKeptFocus";

/** Says what is wrong, what to do about it, and offers to try again. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: Pick<ExplorerError, "message" | "action">;
  readonly onRetry?: (() => void) | undefined;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useKeptFocus(ref);
  return (
    <div ref={ref} class="h5x-problem" role="alert">
      <p class="h5x-problem-text">
        {error.message}
        {error.action !== "" && <span class="h5x-problem-action"> {error.action}</span>}
      </p>
      {onRetry !== undefined && (
        <button type="button" class="h5x-button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
