/** Numbers, sizes, times and paths as people read them. */

/** Writes a whole number with thousands separators. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** Writes a count with its noun: `1 record`, `2,000 records`. */
export function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Writes a number of bytes in powers of 1,000, with three digits. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Writes a time of milliseconds with two or three digits. */
export function millisecondsText(ms: number): string {
  if (ms >= 9_999.5) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 999.5) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms >= 9.95 ? 0 : ms >= 0.995 ? 1 : 2)} ms`;
}

/** Divides a path into its folder, with the last separator, and the name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const end = path.replace(/[/\\]+$/, "").length;
  const cut = Math.max(path.lastIndexOf("/", end - 1), path.lastIndexOf("\\", end - 1)) + 1;
  return { folder: path.slice(0, cut), name: path.slice(cut) };
}
