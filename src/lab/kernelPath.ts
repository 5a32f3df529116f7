/** Where a file of the file browser is, seen from a kernel. */

/** A file, and the folder that its path starts from: empty where JupyterLab does not tell. */
export interface Place {
  readonly root: string;
  readonly path: string;
}

/** Drives whose files are those of the server's disk: its own, which has no name, and the one for working together. */
const ON_DISK: readonly string[] = ["", "RTC"];

/**
 * Finds a file's place.
 *
 * @param drive - The drive's name, empty for the server's own.
 * @param path - The path within the drive.
 * @param root - The server's folder, as the page's configuration has it.
 * @returns The place; a sentence where a kernel cannot see the file.
 */
export function placeOf(drive: string, path: string, root: string): Place | string {
  if (!ON_DISK.includes(drive)) {
    return `Files of the drive ${drive} are not on a disk that a kernel can read. Copy this one to a folder of the server.`;
  }
  return { root, path: path.replace(/^\/+/, "") };
}
