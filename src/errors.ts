/** What can go wrong, as one class with a code; the codes are those of `h5explorer_py/errors.py`, and the page's own. */

/** Facts that come with an error. */
export type Details = Readonly<Record<string, unknown>>;

/** An error with a sentence that a person can act on. */
export class ExplorerError extends Error {
  override readonly name = "ExplorerError";

  /**
   * @param code - What programs go by.
   * @param message - One sentence that says what is wrong.
   * @param action - What a person can do about it; empty where there is nothing to do.
   * @param details - Facts for programs.
   */
  constructor(
    readonly code: string,
    message: string,
    readonly action = "",
    readonly details: Details = {},
  ) {
    super(message);
  }
}

/** Whether an error only says that nobody waits for the answer any more. */
export function isCancelled(error: unknown): boolean {
  return (
    (error instanceof ExplorerError && error.code === "cancelled") ||
    (error instanceof DOMException && error.name === "AbortError")
  );
}

/** Turns whatever was thrown into an error that can be shown. */
export function asExplorerError(error: unknown): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ExplorerError(
    "internal",
    `Something went wrong in the page: ${message}`,
    "This is a fault of h5explorer; the browser's console has the details.",
  );
}

/** Says in a line what was thrown: what is wrong, and what a person can do about it. */
export function sentencesOf(error: unknown): string {
  if (error instanceof ExplorerError) return `${error.message} ${error.action}`.trim();
  return error instanceof Error ? error.message : String(error);
}
