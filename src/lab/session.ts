/** The kernel of a tab, which no notebook shares: with two on one kernel, each would get all that is sent to the other. */

import type { Kernel, Session } from "@jupyterlab/services";
import { type ISignal, Signal } from "@lumino/signaling";

/** What happens to a kernel. */
export type KernelEvent = "restarting" | "died" | "ended" | "ready";

const EVENTS: Readonly<Partial<Record<Kernel.Status, KernelEvent>>> = {
  restarting: "restarting",
  autorestarting: "died",
  dead: "ended",
  terminating: "ended",
};

/** Of several connections to a kernel only the first hears of widgets, unless another says that it wants to. */
const HEARING = { kernelConnectionOptions: { handleComms: true } };

/** Starts, keeps and ends the kernel of a document. */
export class TabSession {
  readonly #sessions: Session.IManager;
  readonly #events = new Signal<this, KernelEvent>(this);
  #path: string;
  #session: Session.ISessionConnection | null = null;
  #ended = false;

  constructor(sessions: Session.IManager, path: string) {
    this.#sessions = sessions;
    this.#path = path;
  }

  get events(): ISignal<this, KernelEvent> {
    return this.#events;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.#session?.kernel ?? null;
  }

  /** Finds the kernel that the document has from before the page was loaded. */
  async find(): Promise<Kernel.IKernelConnection | null> {
    if (this.kernel !== null) return this.kernel;
    await this.#sessions.ready;
    await this.#sessions.refreshRunning();
    const model = [...this.#sessions.running()].find((each) => each.path === this.#path && each.kernel !== null);
    if (model !== undefined) await this.#take(this.#sessions.connectTo({ model, ...HEARING }));
    return this.kernel;
  }

  /** Starts a kernel, in place of the one that there is. It begins in the document's folder. */
  async start(name: string): Promise<Kernel.IKernelConnection> {
    if (this.#session !== null) await this.#session.changeKernel({ name });
    else {
      const file = this.#path.split("/").at(-1) ?? this.#path;
      await this.#take(
        await this.#sessions.startNew({ path: this.#path, name: file, type: "file", kernel: { name } }, HEARING),
      );
    }
    const kernel = this.kernel;
    if (kernel === null) throw new Error("The server has started no kernel.");
    return kernel;
  }

  async restart(): Promise<void> {
    await this.kernel?.restart();
  }

  /** Follows the document to another name. */
  async rename(path: string): Promise<void> {
    this.#path = path;
    await this.#session?.setPath(path);
  }

  /** Ends the kernel, for good. */
  async end(): Promise<void> {
    this.#ended = true;
    Signal.clearData(this);
    await this.stop();
  }

  /** Ends the kernel; another may be started. */
  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.shutdown();
    session?.dispose();
  }

  /** Keeps a kernel; one that comes when the tab has been closed, or beside another, is ended. */
  async #take(session: Session.ISessionConnection): Promise<void> {
    if (this.#ended || this.#session !== null) {
      await session.shutdown();
      session.dispose();
      return;
    }
    this.#session = session;
    session.statusChanged.connect((_, status) => {
      const event = EVENTS[status];
      if (event !== undefined && this.#session === session) this.#events.emit(event);
    });
    // A restarted kernel is connected to again; that it is idle is told only when it has been asked for something.
    session.connectionStatusChanged.connect((_, status) => {
      if (status === "connected" && this.#session === session) this.#events.emit("ready");
    });
    session.disposed.connect(() => {
      if (this.#session !== session) return;
      this.#session = null;
      this.#events.emit("ended");
    });
  }
}
