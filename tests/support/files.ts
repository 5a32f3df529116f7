/** A plain server of files that counts what it gives; with Range requests, or without. */

import { closeSync, createReadStream, fstatSync, openSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";

/** One request that was answered. */
export interface Given {
  readonly file: string;
  readonly bytes: number;
  readonly status: number;
}

/** Serves the files of a folder below `/data/`. */
export class FileServer {
  readonly given: Given[] = [];
  /** Whether parts of files are given. */
  ranges = true;
  /** Files whose names end so get no answer at all. */
  stuck = "";
  /** Has every answer fail with this status, if not 0. */
  failing = 0;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How many bytes have been given of the files whose names end so. */
  bytesOf(ending: string): number {
    return this.given.filter(({ file }) => file.endsWith(ending)).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const name = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname.slice("/data/".length));
    if (this.stuck !== "" && name.endsWith(this.stuck)) return;
    const file = path.join(this.#folder, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!file.startsWith(this.#folder) || !stat?.isFile() || this.failing !== 0) {
      this.given.push({ file: name, bytes: 0, status: 404 });
      response.writeHead(this.failing || 404).end();
      return;
    }
    const descriptor = openSync(file, "r");
    const { size, mtimeMs } = fstatSync(descriptor);
    const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const headers = { etag: `"${size}-${mtimeMs}"`, "content-type": "application/octet-stream" };
    if (asked === null || !this.ranges) {
      response.writeHead(200, { ...headers, "content-length": size });
      const stream = createReadStream(file, { fd: descriptor });
      stream.on("data", (chunk) => this.given.push({ file: name, bytes: chunk.length, status: 200 }));
      response.on("close", () => stream.destroy());
      stream.pipe(response);
      return;
    }
    const [start, end] = [Number(asked[1]), Math.min(Number(asked[2]), size - 1)];
    if (start > end) {
      closeSync(descriptor);
      this.given.push({ file: name, bytes: 0, status: 416 });
      response.writeHead(416, { ...headers, "content-range": `bytes */${size}` }).end();
      return;
    }
    this.given.push({ file: name, bytes: end - start + 1, status: 206 });
    response.writeHead(206, {
      ...headers,
      "content-range": `bytes ${start}-${end}/${size}`,
      "content-length": end - start + 1,
    });
    createReadStream(file, { fd: descriptor, start, end }).pipe(response);
  }
}
