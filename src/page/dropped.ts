/** The files that a person drops or chooses, folders with all that is in them. */

import type { DroppedFile } from "../browser/fileRef";

/** Files beyond these are left out: nobody drops a whole disk on purpose. */
const MOST_FILES = 50_000;

/** Which files are of any use: lookups, shards, metadata. */
const USEFUL = /\.(parquet|pq|csv|tsv|csv\.gz|tsv\.gz|h5|hdf5|he5|nxs)$/i;

/** Gathers what was dropped. Must be called while the event is handled: its items are gone afterwards. */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly DroppedFile[]> {
  const entries: FileSystemEntry[] = [];
  const loose: File[] = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry !== null) entries.push(entry);
    else if (file !== null) loose.push(file);
  }
  const found = loose.map((file) => fileOf(file, file.name));
  for (const entry of entries) await gather(entry, "", found);
  return found;
}

/** Takes what was chosen by a button; from a folder also the paths below it. */
export function filesOfInput(files: FileList): readonly DroppedFile[] {
  return [...files]
    .map((file) => fileOf(file, file.webkitRelativePath || file.name))
    .filter(({ path }) => USEFUL.test(path))
    .slice(0, MOST_FILES);
}

async function gather(entry: FileSystemEntry, folder: string, into: DroppedFile[]): Promise<void> {
  if (into.length >= MOST_FILES || entry.name.startsWith(".")) return;
  const path = folder + entry.name;
  if (isFile(entry)) {
    if (folder !== "" && !USEFUL.test(path)) return;
    into.push(fileOf(await new Promise<File>((resolve, reject) => entry.file(resolve, reject)), path));
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    for (;;) {
      // A hundred at a time: the browser gives no more at once.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const each of some) await gather(each, `${path}/`, into);
    }
  }
}

function fileOf(file: File, path: string): DroppedFile {
  return { kind: "dropped", path, file };
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
