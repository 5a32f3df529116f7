/** How many rows and files there are, in words. */

import type { Opened } from "../source/api";
import { counted, countText } from "../text";

/** Says how many rows are shown: `1,000 records`, `20 of 1,000 records`, `300 records so far, counting…`. */
export function recordsText({
  records,
  total,
  filter,
  counting,
}: Pick<Opened, "records" | "total" | "filter" | "counting">): string {
  if (counting) return `${countText(records)} records so far, counting…`;
  return filter === "" ? counted(records, "record") : `${countText(records)} of ${counted(total, "record")}`;
}

/** Says how many different files there are; `null` where that is not known yet. */
export function filepathsText(filepaths: number | null): string {
  return filepaths === null ? "counting files…" : counted(filepaths, "unique filepath");
}
