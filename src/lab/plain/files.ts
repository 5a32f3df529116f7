/** Files of JupyterLab's own server, as this page reads them without a kernel. */

import { URLExt } from "@jupyterlab/coreutils";
import type { ServerConnection } from "@jupyterlab/services";
import type { RequestHeaders } from "../../browser/fileRef";
import { partsOf } from "../../browser/paths";
import { RemotePlace } from "../../browser/place";
import type { Place } from "../kernelPath";

/** Paths from the root of another machine are looked for by so many of their last parts at most. */
const TAIL = 3;

/** The address of a file below the server's folder. */
export function addressOf(server: ServerConnection.ISettings, path: string): string {
  return new URL(URLExt.join(server.baseUrl, "files", URLExt.encodeParts(path))).href;
}

/** What the server wants to be told with every request that is no person's navigation. */
export function headersOf(server: ServerConnection.ISettings, cookies: string): RequestHeaders {
  const [, xsrf] = /(?:^|;\s*)_xsrf=([^;]*)/.exec(cookies) ?? [];
  return {
    ...(server.token !== "" && { authorization: `token ${server.token}` }),
    ...(xsrf !== undefined && { "x-xsrftoken": xsrf }),
  };
}

/**
 * The paths below the server's folder at which a file may be that a lookup names, the likeliest first.
 *
 * None leads out of that folder: a path is data. One that is absolute is taken from there where it begins as the
 * folder does, else looked for below the lookup's folder, by its end.
 *
 * @param named - The path, as the lookup has it.
 * @param lookup - The lookup, and the server's folder.
 */
export function candidates(named: string, { root, path }: Place): readonly string[] {
  const folder = path.split("/").slice(0, -1);
  if (!/^([/\\]|[A-Za-z]:[/\\])/.test(named)) return below([...folder, ...named.split(/[/\\]/)]);
  const parts = partsOf(named);
  const top = partsOf(root);
  if (root.startsWith("/") && top.every((part, at) => part === parts[at])) return below(parts.slice(top.length));
  const lengths = [...Array(Math.min(TAIL, parts.length)).keys()].map((less) => Math.min(TAIL, parts.length) - less);
  return lengths.flatMap((length) => below([...folder, ...parts.slice(-length)]));
}

/** Follows a path; nothing where it leads out, or to the folder itself. */
function below(parts: readonly string[]): readonly string[] {
  const followed: string[] = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (part !== "..") followed.push(part);
    else if (followed.pop() === undefined) return [];
  }
  return followed.length === 0 ? [] : [followed.join("/")];
}

/** The files that a lookup on the server names. */
export function placeBeside(lookup: Place, server: ServerConnection.ISettings, headers: RequestHeaders): RemotePlace {
  const addresses = (named: string) => candidates(named, lookup).map((path) => addressOf(server, path));
  return new RemotePlace(addresses, "in the folder that JupyterLab serves", headers);
}
