/** The files of a page without a kernel: dropped ones and those at an address, both read by ranges. */

/** A file that a person has dropped. */
export interface DroppedFile {
  readonly kind: "dropped";
  /** Its path in what was dropped. */
  readonly path: string;
  readonly file: File;
}

/** Headers of a request, by their names. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** A file at an address. */
export interface RemoteFile {
  readonly kind: "remote";
  /** Its address. */
  readonly path: string;
  readonly size: number;
  /** Differs when the file has changed, as far as its server tells. */
  readonly version: string;
  /** What its server wants to be told with every request, beside the cookies. */
  readonly headers: RequestHeaders;
}

/** A file that can be read. */
export type FileRef = DroppedFile | RemoteFile;

/** How many bytes it has. */
export function sizeOf(ref: FileRef): number {
  return ref.kind === "dropped" ? ref.file.size : ref.size;
}

/** A text that differs for every file, and for every state of one. */
export function stateOf(ref: FileRef): string {
  const state = ref.kind === "dropped" ? `${ref.file.size}-${ref.file.lastModified}` : `${ref.size}-${ref.version}`;
  return `${ref.path} ${state}`;
}

/** The last part of its path. */
export function nameOf(ref: Pick<FileRef, "kind" | "path">): string {
  if (ref.kind === "dropped") return ref.path.split(/[/\\]/).at(-1) ?? ref.path;
  const name = new URL(ref.path).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name) || ref.path;
  } catch {
    return name;
  }
}
