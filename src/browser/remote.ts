/** Files at addresses, read by ranges: never the whole of one. */

import { ExplorerError } from "../errors";
import type { RemoteFile, RequestHeaders } from "./fileRef";

/** For how many milliseconds a server's answer is waited for. */
const PATIENCE_MS = 20_000;

const counts = { read: 0 };

/** How many bytes have come over the network in this worker. */
export function bytesFetched(): number {
  return counts.read;
}

/** Which addresses can be read from. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text.trim());
}

/**
 * Finds out how large a file is, and whether its server gives parts of it.
 *
 * Asks for one byte. A server without ranges would send the whole file: it is stopped at once.
 *
 * @param headers - What the server wants to be told with every request.
 * @throws ExplorerError - `not_found`; `no_ranges`; `unreachable`.
 */
export async function probe(address: string, signal: AbortSignal, headers: RequestHeaders = {}): Promise<RemoteFile> {
  const control = new AbortController();
  const give = AbortSignal.any([signal, control.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const response = await asked(address, { headers: { ...headers, range: "bytes=0-0" }, signal: give }, signal);
  control.abort();
  if (response.status === 404 || response.status === 410) throw notFound(address);
  // A file of no bytes has no first one.
  if (response.status !== 206 && response.status !== 416) {
    throw response.ok ? noRanges(address) : refused(address, response.status);
  }
  const size = Number(/\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw sizeHidden(address);
  return { kind: "remote", path: address, size, version: versionOf((name) => response.headers.get(name)), headers };
}

/** Gets a range of a file. */
export async function fetchRange(
  { path, size, version, headers }: RemoteFile,
  start: number,
  stop: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = Math.min(stop, size);
  if (end <= start) return new Uint8Array(0);
  const control = new AbortController();
  const give = AbortSignal.any([signal, control.signal, AbortSignal.timeout(60_000)]);
  const range = `bytes=${start}-${end - 1}`;
  const response = await asked(path, { headers: { ...headers, range }, signal: give }, signal);
  try {
    checkPart(path, version, response.status, (name) => response.headers.get(name), start === 0 && end === size);
  } catch (error) {
    control.abort(); // it may be the whole file that is coming
    throw error;
  }
  const body = await response.arrayBuffer().catch((error: unknown) => {
    throw lost(path, error, signal);
  });
  return counted(path, new Uint8Array(body), end - start);
}

/**
 * Gets a range of a file while all else in the worker waits: HDF5 does not know of waiting.
 *
 * Such a request cannot be told to name no referrer, as the others are: a server of another origin learns the page's
 * origin by it, which it learns by the request's `Origin` as well, and never a path.
 */
export function readRange({ path, size, version, headers }: RemoteFile, start: number, stop: number): Uint8Array {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.responseType = "arraybuffer";
  request.timeout = PATIENCE_MS;
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.setRequestHeader("range", `bytes=${start}-${stop - 1}`);
  try {
    request.send();
  } catch (error) {
    throw unreachable(path, error);
  }
  checkPart(path, version, request.status, (name) => request.getResponseHeader(name), start === 0 && stop === size);
  const body: unknown = request.response;
  return counted(path, new Uint8Array(body instanceof ArrayBuffer ? body : new ArrayBuffer(0)), stop - start);
}

async function asked(address: string, how: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, { ...how, credentials: "same-origin", referrerPolicy: "no-referrer" });
  } catch (error) {
    throw lost(address, error, signal);
  }
}

function lost(address: string, error: unknown, signal: AbortSignal): ExplorerError {
  return signal.aborted ? new ExplorerError("cancelled", "The request was withdrawn.") : unreachable(address, error);
}

/** @param whole - Whether all of the file was asked for: some servers do not call that a part. */
function checkPart(
  path: string,
  version: string,
  status: number,
  header: (name: string) => string | null,
  whole: boolean,
): void {
  if (status === 404 || status === 410) throw notFound(path);
  if (status === 200 && !whole) throw noRanges(path);
  if (status !== 206 && status !== 200) throw refused(path, status);
  const now = versionOf(header);
  if (version !== "" && now !== "" && now !== version) throw changed(path);
}

function counted<Bytes extends Uint8Array>(path: string, bytes: Bytes, length: number): Bytes {
  counts.read += bytes.length;
  if (bytes.length !== length) {
    throw new ExplorerError(
      "unreachable",
      `The server of ${path} sent ${bytes.length} bytes of ${length}.`,
      "Try again.",
    );
  }
  return bytes;
}

/** What tells the states of a file apart. Servers of other origins may hide it. */
function versionOf(header: (name: string) => string | null): string {
  return header("etag") ?? header("last-modified") ?? "";
}

function notFound(address: string): ExplorerError {
  return new ExplorerError("not_found", `There is no file at ${address}.`);
}

function noRanges(address: string): ExplorerError {
  return new ExplorerError(
    "no_ranges",
    `The server of ${address} does not give parts of files, and the whole is not loaded.`,
    "Serve the files by one that knows Range requests (nginx, Apache, Caddy, S3, `npx http-server`), or drop the files here.",
  );
}

function sizeHidden(address: string): ExplorerError {
  return new ExplorerError(
    "no_ranges",
    `The server of ${address} does not let this page see how large the file is.`,
    "Have it send: Access-Control-Expose-Headers: Content-Range, ETag.",
  );
}

function refused(address: string, status: number): ExplorerError {
  const why = status === 401 || status === 403 ? "does not allow to read it" : "cannot give it now";
  return new ExplorerError("unreachable", `The server of ${address} ${why} (status ${status}).`, "Try again.");
}

function changed(address: string): ExplorerError {
  return new ExplorerError("file_changed", `${address} has changed since it was opened.`, "Open it again.");
}

function unreachable(address: string, error: unknown): ExplorerError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ExplorerError(
    "unreachable",
    `${address} cannot be reached: ${reason}.`,
    "See whether the address opens in a tab; a server of another origin must allow this page (CORS), and Range requests.",
  );
}
