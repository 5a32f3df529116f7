/** What must come out of the contract's data set, as its maker wrote it down. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { newFolder, runModule } from "../support/python";

/** The rows of the data set and what must be seen of them. */
export interface Expected {
  readonly rows: readonly (readonly [string | null, string | null])[];
  /** The number of rows at the beginning with which all is right. */
  readonly good: number;
  /** The rows behind them, by what is odd about each. */
  readonly bad: Readonly<Record<string, number>>;
  readonly filepaths: number;
  /** The fields of some rows: names and values in their order. */
  readonly metadata: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}

/** Makes the data set in a new folder. */
export function makeData(): { readonly folder: string; readonly expected: Expected } {
  const folder = path.join(newFolder("contract"), "data");
  runModule("tests.fixtures.datasets", folder);
  return { folder, expected: JSON.parse(readFileSync(path.join(folder, "expected.json"), "utf8")) };
}
