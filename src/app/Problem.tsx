import type { ExplorerError } from "../errors";

/** Says what is wrong, what to do about it, and offers to try again. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: Pick<ExplorerError, "message" | "action">;
  readonly onRetry?: (() => void) | undefined;
}) {
  return (
    <div class="h5x-problem" role="alert">
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
