/** A websocket that shows a cookie, for tests outside a browser: binary messages alone, and no more than those need. */

import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "../../src/channel/websocket";

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const LAST = 0x80;
const MASKED = 0x80;

type Listener = (event: { readonly data: unknown; readonly reason: string }) => void;

/** A client's end. */
export class NodeSocket implements Socket {
  binaryType: BinaryType = "arraybuffer";
  readonly OPEN = 1;
  readyState = 0;
  readonly #listeners: { readonly type: string; readonly listener: Listener }[] = [];
  #stream: Duplex | null = null;
  #waiting = Buffer.alloc(0);
  #parts: Buffer[] = [];

  constructor(address: string, headers: Readonly<Record<string, string>>) {
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    };
    const asked = request(address, { headers: { ...upgrade, ...headers } });
    asked.on("upgrade", (_, stream, first) => this.#begin(stream, first));
    asked.on("response", (response) => this.#end(`refused with ${response.statusCode}`));
    asked.on("error", (error) => this.#end(error.message));
    asked.end();
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push({ type, listener });
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#write(BINARY, Buffer.from(data));
  }

  close(): void {
    this.#stream?.end();
  }

  #begin(stream: Duplex, first: Buffer): void {
    this.#stream = stream;
    this.readyState = this.OPEN;
    stream.on("data", (data: Buffer) => this.#take(data));
    stream.on("close", () => this.#end(""));
    stream.on("error", () => this.#end(""));
    this.#take(first);
  }

  #end(reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#tell("close", null, reason);
  }

  #tell(type: string, data: unknown, reason: string): void {
    for (const each of this.#listeners) if (each.type === type) each.listener({ data, reason });
  }

  /** A client masks what it sends; a mask of zeros leaves it as it is. */
  #write(kind: number, data: Buffer): void {
    const head = Buffer.alloc(14);
    head[0] = LAST | kind;
    head[1] = MASKED | 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
    this.#stream?.write(Buffer.concat([head, data]));
  }

  #take(data: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    for (;;) {
      const [first = 0, second = 0] = this.#waiting;
      const start = second === 127 ? 10 : second === 126 ? 4 : 2;
      if (this.#waiting.length < start) return;
      const length =
        start === 10 ? Number(this.#waiting.readBigUInt64BE(2)) : start === 4 ? this.#waiting.readUInt16BE(2) : second;
      if (this.#waiting.length < start + length) return;
      const content = Buffer.from(this.#waiting.subarray(start, start + length));
      this.#waiting = this.#waiting.subarray(start + length);
      this.#understand(first & 15, (first & LAST) !== 0, content);
    }
  }

  #understand(kind: number, last: boolean, content: Buffer): void {
    if (kind === PING) this.#write(PONG, content);
    else if (kind === CLOSE) this.#end(content.subarray(2).toString());
    else if (kind <= BINARY) {
      this.#parts.push(content);
      if (!last) return;
      const whole = new Uint8Array(Buffer.concat(this.#parts));
      this.#parts = [];
      this.#tell("message", whole.buffer, "");
    }
  }
}
