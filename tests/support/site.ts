/** The server of the browser tests: the page under a strict content security policy, and the kernel's side behind it. */

import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { isFields } from "../../src/fields";
import { decode } from "../../src/protocol";
import type { FileServer } from "./files";
import { PipeWire } from "./pipe";
import { root } from "./python";

/** Nothing inline, nothing from elsewhere, no pictures by address at all. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Explorer</title>
<link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/theme.css"></head>
<body><main><h1>Explorer</h1></main><script src="/page.js"></script></body>
</html>`;

const PLAIN = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>h5explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/plain.css"></head>
<body><div id="h5explorer"></div><script src="/plain.js"></script></body>
</html>`;

/** A running server. */
export interface Site {
  readonly address: string;
  close(): void;
}

const BUILT = path.join(root, ".cache/browser");
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** A file of the built page, whichever it is: the page's workers have more of them. */
function built(url: string): readonly [type: string, body: Buffer] | undefined {
  const file = path.join(BUILT, path.basename(url));
  const type = TYPES[path.extname(file)] ?? "application/octet-stream";
  return existsSync(file) && url === `/${path.basename(file)}` ? [type, readFileSync(file)] : undefined;
}

/**
 * Starts the server on a free port.
 *
 * @param lookup - Has a kernel's side open it.
 * @param data - Answers what is asked below `/data/`.
 */
export async function startSite(lookup?: string, theme = "", data?: FileServer): Promise<Site> {
  const wire = lookup === undefined ? null : new PipeWire(lookup);
  const opened = wire === null ? null : await wire.opened();
  const files = new Map<string, readonly [type: string, body: string | Buffer]>([
    ["/", ["text/html", PAGE]],
    ["/plain", ["text/html", PLAIN]],
    ["/theme.css", ["text/css", theme]],
    ["/opened", ["application/json", JSON.stringify(opened)]],
    [
      "/parquet.wasm",
      ["application/wasm", readFileSync(path.join(root, "node_modules/parquet-wasm/esm/parquet_wasm_bg.wasm"))],
    ],
  ]);
  const server: Server = createServer((request, response) => {
    if (request.url === "/kernel" && wire !== null) {
      void relay(request, response, wire);
      return;
    }
    if (request.url?.startsWith("/data/") && data !== undefined) {
      data.answer(request, response);
      return;
    }
    const file = files.get(request.url ?? "") ?? built(request.url ?? "/");
    if (file === undefined) {
      response.writeHead(request.url === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.writeHead(200, { "content-type": file[0], "content-security-policy": POLICY }).end(file[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close() {
      server.close();
      wire?.end();
    },
  };
}

/** Hands a message on, and answers when every request of it has been answered. */
async function relay(request: IncomingMessage, response: ServerResponse, wire: PipeWire): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const message: unknown = JSON.parse(Buffer.concat(parts).toString());
  const asked = isFields(message) && message.kind === "ask" && Array.isArray(message.requests) ? message.requests : [];
  const waiting = new Set(asked.map((each) => String(isFields(each) ? each.request : "")));
  const answers: Buffer[] = [];
  if (waiting.size === 0) response.end();
  const end = wire.listen((content, buffers) => {
    const ours = decode(content).filter(({ answer }) => waiting.delete(answer.request));
    if (ours.length === 0) return;
    const text = Buffer.from(JSON.stringify({ content, buffers: buffers.map((each) => each.length) }));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(text.length);
    answers.push(head, text, ...buffers.map((each) => Buffer.from(each)));
    if (waiting.size > 0) return;
    end();
    response.end(Buffer.concat(answers));
  });
  wire.send(isFields(message) ? message : {});
}
