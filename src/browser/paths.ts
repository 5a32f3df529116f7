/** From the filepath of a lookup's row to the files that a person dropped. The twin of `h5explorer_py/shards.py`. */

/** The endings of the two files of a shard. */
export const IMAGES_SUFFIX = "_images.h5";
export const METADATA_SUFFIX = "_metadata.parquet";

const HDF5_SUFFIXES = [".h5", ".hdf5", ".he5", ".nxs"];

/** The paths of the two files of a shard. */
export interface ShardFiles {
  readonly images: string;
  readonly metadata: string;
}

/** Returns the files of a shard by its prefix, or by the path of one of its files. */
export function shardFiles(filepath: string): ShardFiles {
  const path = without(filepath, METADATA_SUFFIX);
  const ending = HDF5_SUFFIXES.find((suffix) => path.endsWith(suffix));
  if (ending === undefined) return { images: path + IMAGES_SUFFIX, metadata: path + METADATA_SUFFIX };
  const stem = path.endsWith(IMAGES_SUFFIX) ? without(path, IMAGES_SUFFIX) : without(path, ending);
  return { images: path, metadata: stem + METADATA_SUFFIX };
}

/** What a shard is called by the name of its HDF5 file. */
export function shardName(images: string): string {
  return without(images, IMAGES_SUFFIX);
}

/** Whether a file is HDF5 by its name. */
export function isHdf5(path: string): boolean {
  return HDF5_SUFFIXES.some((suffix) => path.toLowerCase().endsWith(suffix));
}

/** Whether a file is a table by its name. */
export function isTable(path: string): boolean {
  return /\.(parquet|pq|csv|tsv|csv\.gz|tsv\.gz)$/i.test(path);
}

/** Whether a table is the metadata of a shard by its name. */
export function isMetadata(path: string): boolean {
  return path.endsWith(METADATA_SUFFIX);
}

function without(text: string, suffix: string): string {
  return text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

/** Divides a path into its parts, whichever way its slashes lean; `.` and empty parts go. */
export function partsOf(path: string): readonly string[] {
  const parts: string[] = [];
  for (const part of path.split(/[/\\]/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

/**
 * Finds files by the end of their path: a lookup names them by where they were, a person drops them from where they are.
 */
export class PathIndex<Entry> {
  readonly #byName = new Map<string, { readonly parts: readonly string[]; readonly entry: Entry }[]>();
  /** The paths for which files were taken that are not of quite that path. */
  readonly #takenFor = new Map<Entry, string>();

  add(path: string, entry: Entry): void {
    const parts = partsOf(path);
    const name = parts.at(-1) ?? "";
    const others = this.#byName.get(name);
    if (others === undefined) this.#byName.set(name, [{ parts, entry }]);
    else others.push({ parts, entry });
  }

  /**
   * Returns the file whose path ends most like the wanted one.
   *
   * A path from the lookup's folder must be there as a whole, or its file without any folder. One from the root of
   * another machine need only end alike; but no file stands for two of those.
   *
   * @returns `null` where no file fits; "ambiguous" where several do, or the one that does stands for another already.
   */
  find(path: string): Entry | "ambiguous" | null {
    const wanted = partsOf(path);
    const absolute = isAbsolute(path);
    let best = 0;
    let found: Entry | "ambiguous" | null = null;
    for (const { parts, entry } of this.#byName.get(wanted.at(-1) ?? "") ?? []) {
      const length = commonEnd(wanted, parts);
      if (!absolute && length < Math.min(wanted.length, parts.length)) continue;
      const likeness = length === wanted.length && length === parts.length ? Number.POSITIVE_INFINITY : length;
      if (likeness > best) [best, found] = [likeness, entry];
      else if (likeness === best) found = "ambiguous";
    }
    if (found === null || found === "ambiguous" || best >= wanted.length) return found;
    const before = this.#takenFor.get(found);
    if (before === undefined) this.#takenFor.set(found, wanted.join("/"));
    return before === undefined || before === wanted.join("/") ? found : "ambiguous";
  }
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** How many parts two paths have in common, counted from their ends. */
export function commonEnd(one: readonly string[], other: readonly string[]): number {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return length;
}

/** Sorts `shard_10` behind `shard_9`. */
export function byNumber(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

/**
 * The addresses at which a file may be that a lookup at an address names, the one most like its path first.
 *
 * None is on another host than the lookup: a path is data, and data chooses no host. A path from the root of the
 * machine where the lookup was written is looked for below the lookup's folder, by its end.
 */
export function addressesOf(path: string, lookup: string): readonly string[] {
  const parts = path.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
  const relative = (tail: readonly string[]) =>
    new URL(`./${tail.map(encodeURIComponent).join("/")}`, lookup).toString();
  if (!isAbsolute(path)) return [relative(parts)];
  const tails = [3, 2, 1].filter((length) => length <= parts.length).map((length) => parts.slice(-length));
  return tails.map(relative);
}
