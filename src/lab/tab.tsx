/** A tab that shows the explorer of one file, and how it gets there: a kernel, the package in it, the widget. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { Kernel } from "@jupyterlab/services";
import type { IStateDB } from "@jupyterlab/statedb";
import type { Message } from "@lumino/messaging";
import { Panel, Widget } from "@lumino/widgets";
import { render } from "preact";
import { sentencesOf } from "../errors";
import { ask, sentencesFor, type Useless } from "./asking";
import { type KernelChoice, pythonKernels } from "./kernelChoice";
import type { Place } from "./kernelPath";
import { type Remembered, TabMemory } from "./memory";
import { Notice, type NoticeContent } from "./Notice";
import { offerFor, type PlainOffer } from "./plain/offer";
import { type KernelEvent, TabSession } from "./session";
import type { Settings } from "./settings";
import { KernelWidgets } from "./widgets";

/** A kernel that dies again so soon is not asked once more by itself. */
const DIES_AGAIN_MS = 60_000;

/** After so many milliseconds without an answer of the kernel, what can be done without one is offered. */
const LATE_MS = 10_000;

/** For how many milliseconds it is waited that a kernel ends which is not needed. */
const ENDING_MS = 2_000;

/** What tabs need of JupyterLab. */
export interface Surroundings {
  readonly app: JupyterFrontEnd;
  readonly rendermime: IRenderMimeRegistry;
  readonly store: IStateDB | null;
  readonly settings: () => Promise<Settings>;
}

/** The tab's content. */
export class ExplorerTab extends Panel {
  readonly #around: Surroundings;
  #place: Place | string;
  readonly #session: TabSession;
  readonly #memory: TabMemory;
  readonly #notice = new Widget();
  #widgets: KernelWidgets | null = null;
  #attempt = 0;
  #diedAt = Number.NEGATIVE_INFINITY;
  #away = false;
  #leaving = new AbortController();
  #path: string;

  /**
   * @param path - The file's path as JupyterLab has it.
   * @param place - Where a kernel finds it; or why none does.
   */
  constructor(around: Surroundings, path: string, place: Place | string) {
    super();
    this.addClass("h5x-tab");
    this.#notice.addClass("h5x-tab-notice");
    this.addWidget(this.#notice);
    this.#around = around;
    this.#path = path;
    this.#place = place;
    this.#session = new TabSession(around.app.serviceManager.sessions, path);
    this.#memory = new TabMemory(around.store, path);
    this.#session.events.connect((_, event) => this.#hear(event));
  }

  /** Shows the file. */
  open(): void {
    void this.#attemptTo(async (stays) => {
      const remembered = await this.#memory.recall();
      const kernel = (await this.#session.find()) ?? (await this.#startAny(remembered.kernel));
      if (kernel !== null && stays()) await this.#openIn(kernel, remembered, stays);
    });
  }

  /** Shows the file in another kernel. */
  take(kernelName: string): void {
    void this.#attemptTo(async (stays) => {
      this.#say({ kind: "waiting", text: "Starting a kernel" });
      const remembered = await this.#memory.recall();
      const kernel = await this.#session.start(kernelName);
      if (stays()) await this.#openIn(kernel, remembered, stays);
    });
  }

  /** Shows the file without a kernel: this page reads it. */
  #showPlain(place: Place): void {
    void this.#attemptTo(async (stays) => {
      this.#say({ kind: "waiting", text: "Opening the file" });
      const { signal } = this.#leaving;
      await Promise.race([this.#session.stop(), new Promise((resolve) => setTimeout(resolve, ENDING_MS))]);
      const { theme, look } = await this.#around.settings();
      const { PlainView } = await import("./plain/view");
      const server = this.#around.app.serviceManager.serverSettings;
      const view = await PlainView.open({ place, server, look, onKernel: () => this.open() }, signal);
      if (!stays()) return view.dispose();
      this.node.dataset.theme = theme;
      this.#add(view);
    });
  }

  /** Has a person choose another kernel. */
  async choose(): Promise<void> {
    const kernels = await this.#kernels();
    this.#leave();
    this.#say({
      kind: "trouble",
      title: "Choose a kernel",
      text: "The file is opened by a kernel of its own.",
      retry: "Go back",
      kernels,
    });
  }

  async restart(): Promise<void> {
    if (this.#session.kernel === null) this.open();
    else await this.#session.restart();
  }

  /** Follows the file to another name. */
  rename(path: string, place: Place | string): void {
    this.#path = path;
    this.#place = place;
    this.#memory.rename(path);
    void this.#session.rename(path);
  }

  /** Ends the kernel and forgets the file: the document has been closed. */
  end(): void {
    this.#memory.forget();
    this.#session.end().catch((error: unknown) => console.error("h5explorer: the kernel was not shut down", error));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#attempt += 1;
    this.#leave();
    render(null, this.#notice.node);
    super.dispose();
  }

  protected override onActivateRequest(_: Message): void {
    this.#focus();
  }

  #focus(): void {
    const grid = this.node.querySelector("[role=grid]");
    if (grid instanceof HTMLElement) grid.focus();
    else this.node.querySelector("button")?.focus();
  }

  /** Does what can fail and takes time; what an earlier attempt still does has no effect any more. */
  async #attemptTo(act: (stays: () => boolean) => Promise<void>): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const stays = () => attempt === this.#attempt && !this.isDisposed;
    this.#leave();
    try {
      await act(stays);
    } catch (error) {
      if (!stays()) return;
      const plain = await this.#plain();
      if (stays()) this.#fail("The file could not be opened", sentencesOf(error), "Try again", plain);
    }
  }

  async #startAny(remembered: string): Promise<Kernel.IKernelConnection | null> {
    if (typeof this.#place === "string") {
      this.#say({ kind: "trouble", title: "No kernel can read this file", text: this.#place });
      return null;
    }
    this.#say({ kind: "waiting", text: "Starting a kernel" });
    const [first] = await this.#kernels(remembered);
    if (first !== undefined) return this.#session.start(first.name);
    const action = "Install ipykernel in JupyterLab's environment, or have a kernel set up.";
    this.#fail("There is no Python kernel", action, "Try again", await this.#plain());
    return null;
  }

  /** Finds out whether this page can show the file by itself. */
  async #plain(): Promise<PlainOffer | null> {
    return typeof this.#place === "string" ? null : offerFor(this.#around.app.serviceManager.contents, this.#path);
  }

  async #kernels(remembered = ""): Promise<readonly KernelChoice[]> {
    const { kernelspecs } = this.#around.app.serviceManager;
    await kernelspecs.ready;
    return pythonKernels(kernelspecs.specs, [remembered, (await this.#around.settings()).kernel]);
  }

  async #openIn(kernel: Kernel.IKernelConnection, remembered: Remembered, stays: () => boolean): Promise<void> {
    this.#say({ kind: "waiting", text: "Waiting for the kernel" });
    const settings = await this.#around.settings();
    this.node.dataset.theme = settings.theme;
    await this.#answerOf(kernel, stays);
    const widgets = await KernelWidgets.of(this.#around.app, kernel, this.#around.rendermime);
    if (!stays()) {
      widgets.dispose();
      return;
    }
    this.#widgets = widgets;
    this.#say({ kind: "waiting", text: "Opening the file" });
    const { filter, sort, row, shares } = remembered;
    const place = typeof this.#place === "string" ? {} : this.#place;
    const look = { ...settings.look, shares };
    const { cache, cacheLimit } = settings;
    const opening = await ask(kernel, { ...place, cache, cacheLimit, look, filter, sort, row });
    if (!stays()) return;
    if (opening.kind === "opened") await this.#show(widgets, opening.model, kernel.name, stays);
    else if (opening.kind === "absent" || opening.kind === "foreign") await this.#lack(kernel.name, opening, stays);
    else this.#fail(opening.message, opening.action);
  }

  /** Waits for the kernel; one that is late may still come. */
  async #answerOf(kernel: Kernel.IKernelConnection, stays: () => boolean): Promise<void> {
    let waits = true;
    const offer = async () => {
      const plain = await this.#plain();
      if (waits && stays()) this.#say({ kind: "waiting", text: "Still waiting for the kernel", plain });
    };
    const late = setTimeout(() => void offer(), LATE_MS);
    await kernel.info.finally(() => {
      waits = false;
      clearTimeout(late);
    });
  }

  async #show(widgets: KernelWidgets, model: string, kernelName: string, stays: () => boolean): Promise<void> {
    const shown = await widgets.show(model);
    if (!stays()) return;
    this.#memory.follow(shown.model, kernelName);
    shown.widget.addClass("h5x-tab-view");
    this.#add(shown.widget);
  }

  #add(widget: Widget): void {
    // A button of the notice that was pressed is gone, and the focus with it.
    const isHere = this.node.contains(document.activeElement) || document.activeElement === document.body;
    this.#notice.hide();
    this.addWidget(widget);
    if (isHere && this.isVisible) requestAnimationFrame(() => this.#focus());
  }

  async #lack(kernelName: string, opening: Useless, stays: () => boolean): Promise<void> {
    const [kernels, plain] = await Promise.all([this.#kernels(), this.#plain()]);
    if (!stays()) return;
    const label = kernels.find((each) => each.name === kernelName)?.label ?? kernelName;
    const others = kernels.filter((each) => each.name !== kernelName);
    this.#say({ kind: "trouble", ...sentencesFor(label, opening), retry: "Try again", kernels: others, plain });
  }

  #hear(event: KernelEvent): void {
    if (this.isDisposed) return;
    if (event === "ready") {
      if (this.#away) this.open();
      return;
    }
    this.#attempt += 1;
    this.#leave();
    this.#away = event !== "ended";
    if (event === "restarting") this.#say({ kind: "waiting", text: "The kernel restarts" });
    else if (event === "died" && Date.now() - this.#diedAt > DIES_AGAIN_MS) {
      this.#diedAt = Date.now();
      this.#say({ kind: "waiting", text: "The kernel has died and is restarted" });
    } else {
      this.#away = false;
      this.#fail(event === "died" ? "The kernel has died again" : "The kernel has ended", "", "Open again");
    }
  }

  #fail(title: string, text: string, retry = "Try again", plain: PlainOffer | null = null): void {
    this.#say({ kind: "trouble", title, text, retry, plain });
  }

  #say(content: NoticeContent): void {
    this.#notice.show();
    const place = this.#place;
    render(
      <Notice
        content={content}
        onRetry={() => this.open()}
        onKernel={(name) => this.take(name)}
        onPlain={() => typeof place !== "string" && this.#showPlain(place)}
      />,
      this.#notice.node,
    );
  }

  /** Takes the explorer off the page. */
  #leave(): void {
    this.#away = false;
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#memory.stop();
    for (const widget of this.widgets.filter((each) => each !== this.#notice)) widget.dispose();
    this.#widgets?.dispose();
    this.#widgets = null;
  }
}
