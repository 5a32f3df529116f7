/** A websocket of `h5explorer open` as a wire. */

import { bytesOf } from "../bytes";
import { isFields } from "../fields";
import { errorOf } from "../protocol";
import { pack, unpack } from "./frames";
import type { Wire, WireState } from "./wire";

type Hear = (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void;
type Dead = Extract<WireState, { kind: "dead" }>;

/** The part of a WebSocket that is used. */
export interface Socket {
  binaryType: BinaryType;
  readonly readyState: number;
  readonly OPEN: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly reason: string }) => void): void;
}

const START_AGAIN = "Start it again in the terminal, and open the address that it prints.";

/** What the server says when it ends, by the reason that it closes the socket with. */
const ENDED: Readonly<Record<string, string>> = {
  interrupt: "h5explorer has been ended in the terminal.",
  idle: "Nothing was asked for long enough that h5explorer has ended.",
};

const LOST = "The connection to h5explorer is lost.";
const IF_IT_RUNS = "If it still runs in the terminal, try again; if not, start it again there.";

/** Carries messages to the server that the page came from. */
export class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #hearers = new Set<Hear>();
  readonly #watchers = new Set<(state: WireState) => void>();
  #state: WireState = { kind: "live" };

  /**
   * @param socket - Newly made, so that nothing has been missed.
   * @param again - Tries for another connection when this one is lost.
   */
  constructor(socket: Socket, again: () => void) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => this.#take(event.data));
    socket.addEventListener("close", (event) => {
      const reason = ENDED[event.reason];
      if (reason !== undefined) this.#die({ kind: "dead", reason, action: START_AGAIN });
      else this.#die({ kind: "dead", reason: LOST, action: IF_IT_RUNS, again });
    });
  }

  send(content: object): void {
    if (this.#socket.readyState !== this.#socket.OPEN) throw new Error("the connection is not open");
    this.#socket.send(pack(content));
  }

  listen(hear: Hear): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  watch(see: (state: WireState) => void): () => void {
    this.#watchers.add(see);
    see(this.#state);
    return () => this.#watchers.delete(see);
  }

  /** Ends the connection; what the server has open for it is closed. */
  close(): void {
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    const { content, buffers } = unpack(bytesOf(data));
    if (isFields(content) && content.kind === "refused" && isFields(content.error)) {
      const { message: reason, action } = errorOf(content.error);
      this.#die({ kind: "dead", reason, action });
      return;
    }
    for (const hear of [...this.#hearers]) hear(content, buffers);
  }

  #die(state: Dead): void {
    if (this.#state.kind === "dead") return; // the first reason is the one to tell
    this.#state = state;
    for (const see of [...this.#watchers]) see(state);
  }
}
