/** What a column holds: its most frequent values, or how its numbers are spread. */

import { ExplorerError } from "../../errors";
import type { ColumnValue, ColumnValues } from "../../source/api";
import type { Lookup } from "./lookup";

const MOST_VALUES = 50;
const BINS = 24;

/** Signs of a value that is listed; longer ones are nothing to choose by. */
const LONGEST = 500;

/** Different values above which none are listed: they would fill the memory. */
const MOST_DIFFERENT = 500_000;

/** Numbers above which none are shown: more than a page should hold for a small histogram. */
const MOST_NUMBERS = 20_000_000;

/** Looks through a column. */
export async function valuesOf(lookup: Lookup, name: string, uuid: string, signal: AbortSignal): Promise<ColumnValues> {
  if (!lookup.columns.some((column) => column.name === name)) {
    throw new ExplorerError("wrong_columns", `There is no column '${name}'.`, "", { missing: name });
  }
  if (name === uuid) return none(name);
  const counts = new Map<string, number>();
  const numbers = new Spread();
  let [nulls, kind] = [0, "texts"];
  for await (const values of lookup.values(name)) {
    if (signal.aborted) throw new ExplorerError("cancelled", "The request was withdrawn.");
    kind = values.kind;
    if (kind === "none") return none(name);
    for (let row = 0; row < values.length; row += 1) {
      const value = values.value(row);
      if (value === null) nulls += 1;
      else if (typeof value === "string") counts.set(value, (counts.get(value) ?? 0) + 1);
      else numbers.add(Number(value));
      if (counts.size > MOST_DIFFERENT || numbers.count > MOST_NUMBERS) return none(name);
    }
  }
  if (kind === "numbers") return { ...none(name), kind: "numbers", nulls, ...numbers.bins(BINS) };
  const values = [...counts]
    .map(([text, count]): ColumnValue => ({ text, sql: `'${text.replaceAll("'", "''")}'`, count }))
    .sort((one, other) => other.count - one.count || (one.text < other.text ? -1 : 1))
    .slice(0, MOST_VALUES)
    .filter(({ text }) => text.length <= LONGEST);
  return { ...none(name), kind: "values", nulls, different: counts.size, values };
}

function none(name: string): ColumnValues {
  const nothing = { nulls: 0, different: -1, values: [], low: 0, high: 0, bins: [], notFinite: 0 };
  return { name, kind: "none", ...nothing };
}

/** Numbers, collected to be counted in equal parts between the least and the greatest. */
class Spread {
  #numbers = new Float64Array(1 << 12);
  #count = 0;
  #notFinite = 0;

  get count(): number {
    return this.#count;
  }

  add(number: number): void {
    if (!Number.isFinite(number)) {
      this.#notFinite += 1;
      return;
    }
    if (this.#count === this.#numbers.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count] = number;
    this.#count += 1;
  }

  bins(parts: number): Pick<ColumnValues, "low" | "high" | "bins" | "notFinite"> {
    const numbers = this.#numbers.subarray(0, this.#count);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
    if (!Number.isFinite(high - low)) return { low: 0, high: 0, bins: [], notFinite: this.#notFinite };
    const bins = Array.from({ length: parts }, () => 0);
    const width = (high - low) / parts || 1;
    for (const number of numbers) {
      const part = Math.min(parts - 1, Math.floor((number - low) / width));
      bins[part] = (bins[part] ?? 0) + 1;
    }
    return { low, high, bins, notFinite: this.#notFinite };
  }
}
