/** Whether the columns are there that are needed, and if not, which one a person may have meant. */

import { ExplorerError } from "../../errors";
import type { KeyColumns } from "./lookup";

const MOST_NAMES = 40;

/**
 * Refuses a table without both key columns, once each.
 *
 * @throws ExplorerError - `wrong_columns`, with the columns found.
 */
export function checkNames(found: readonly string[], { uuid, filepath }: KeyColumns, name: string): void {
  for (const wanted of new Set([uuid, filepath])) {
    const times = found.filter((each) => each === wanted).length;
    if (times === 1) continue;
    const details = { missing: wanted, found: found.slice(0, MOST_NAMES) };
    if (times > 1) {
      const sentence = `${name} has ${times} columns named '${wanted}'; one is needed.`;
      throw new ExplorerError("wrong_columns", sentence, "", details);
    }
    const near = nearest(wanted, found);
    const hint = near === null ? "" : `The nearest is '${near}'. `;
    throw new ExplorerError(
      "wrong_columns",
      `${name} has no column '${wanted}'. It has: ${found.slice(0, MOST_NAMES).join(", ") || "no columns"}.`,
      `${hint}Name the columns before you open it.`,
      details,
    );
  }
}

/** Returns the name most like the wanted one; `null` where none is like it. */
export function nearest(wanted: string, found: readonly string[]): string | null {
  const lower = wanted.toLowerCase();
  const alike = (name: string) => name.trim().toLowerCase();
  return (
    found.find((name) => alike(name) === lower) ??
    found.find((name) => alike(name) !== "" && (alike(name).includes(lower) || lower.includes(alike(name)))) ??
    null
  );
}
