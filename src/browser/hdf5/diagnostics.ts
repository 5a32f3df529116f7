/**
 * What HDF5 says of its errors.
 *
 * It writes to the console, which h5wasm takes hold of while it is loaded: this module must be imported before.
 */

const lines: string[] = [];
const MOST_LINES = 400;

console.error = (...parts: unknown[]) => {
  if (lines.length < MOST_LINES) lines.push(parts.map(String).join(" "));
};

/** Forgets what has been said. */
export function forgetDiagnostics(): void {
  lines.length = 0;
}

/** What the innermost function said last: the cause. */
export function innermost(): string {
  const told = lines.filter((line) => /#\d+: /.test(line)).at(-1) ?? "";
  return /\(\): (.*)$/.exec(told)?.[1]?.trim() ?? "";
}

/** Whether a text occurs in what has been said. */
export function isSaid(text: string): boolean {
  return lines.some((line) => line.includes(text));
}
