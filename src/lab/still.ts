/** What a notebook shows of an explorer whose kernel is gone: the still picture that is saved with it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry, MimeModel } from "@jupyterlab/rendermime";
import { type Message, MessageLoop } from "@lumino/messaging";
import { Panel, type Widget } from "@lumino/widgets";
import { isFields } from "../fields";
import { pause } from "../time";
import { STILL_PLUGIN } from "./names";

/** Stands beside a widget in an output; `h5explorer_py/widget.py` writes it. */
const STILL = "application/vnd.h5explorer.still+json";
const WIDGET = "application/vnd.jupyter.widget-view+json";

/** Before that of the widgets, which is -10. */
const RANK = -20;

/** For how many milliseconds the notebook's own renderer of widgets is waited for, when the notebook is ready. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** What JupyterLab's renderer of widgets says of a model that is not there, or not yet. */
const NOT_THERE = /^Loading|not found$/;

type Renderer = ReturnType<IRenderMimeRegistry["createRenderer"]>;
type Model = Parameters<Renderer["renderModel"]>[0];

/**
 * Shows the still picture until the widget is there, and the widget from then on.
 *
 * JupyterLab's own renderer shows the widget, and keeps looking for its model where it is not there yet; this one only
 * chooses which of the two is seen. A widget that is closed leaves the page, as any does.
 */
export class StillRenderer extends Panel {
  readonly #global: IRenderMimeRegistry;
  #model: Model | null = null;
  #begun = false;

  constructor(global: IRenderMimeRegistry) {
    super();
    this.#global = global;
  }

  async renderModel(model: Model): Promise<void> {
    for (const each of [...this.widgets]) each.dispose();
    this.#model = model;
    this.#begun = false;
    const type = "text/html" in model.data ? "text/html" : "text/plain";
    const still = this.#global.createRenderer(type);
    still.addClass("h5x-still");
    this.addWidget(still);
    if (this.isAttached) void this.#show(model);
    // A notebook may come from anyone: the markup is sanitized even where it is trusted.
    await still.renderModel(new MimeModel({ data: model.data, metadata: model.metadata, trusted: false }));
  }

  /** Only now it can be told which notebook this is in. */
  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.#model !== null) void this.#show(this.#model);
  }

  async #show(model: Model): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const live = await this.#rendererOfWidgets();
    if (live === null || this.isDisposed || this.#model !== model) return;
    const [still] = this.widgets;
    live.hide();
    this.addWidget(live);
    MessageLoop.installMessageHook(live, (_, message) => {
      if (message.type === "child-added") {
        still?.dispose();
        live.show();
      }
      return true;
    });
    await live.renderModel(model);
    if (!NOT_THERE.test(live.node.textContent ?? "")) live.show(); // it is there, or could not be shown for a reason
  }

  /** Makes the notebook's own renderer of widgets; `null` where it has none, as without a kernel. */
  async #rendererOfWidgets(): Promise<Renderer | null> {
    const notebook = inParents(this, "rendermime", isRegistry);
    if (notebook === null) return null;
    await inParents(this, "sessionContext", isSessionContext)?.ready;
    const end = Date.now() + PATIENCE_MS;
    while (notebook.getFactory(WIDGET) === this.#global.getFactory(WIDGET)) {
      if (this.isDisposed || Date.now() > end) return null;
      await pause(LOOK_EVERY_MS);
    }
    return notebook.createRenderer(WIDGET);
  }
}

/** Looks for a property of a widget or of one that it is in. */
function inParents<Value>(start: Widget, name: string, is: (value: unknown) => value is Value): Value | null {
  for (let widget: Widget | null = start; widget !== null; widget = widget.parent) {
    const value: unknown = Reflect.get(widget, name);
    if (is(value)) return value;
  }
  return null;
}

function isRegistry(value: unknown): value is IRenderMimeRegistry {
  return isFields(value) && typeof value.createRenderer === "function" && typeof value.getFactory === "function";
}

function isSessionContext(value: unknown): value is { readonly ready: Promise<unknown> } {
  return isFields(value) && value.ready instanceof Promise;
}

export const stillPlugin: JupyterFrontEndPlugin<void> = {
  id: STILL_PLUGIN,
  description: "Shows the still picture of an explorer in a notebook whose kernel is gone.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    // Not safe, as the renderer of widgets is not: a notebook that is not trusted shows the HTML.
    const createRenderer = () => new StillRenderer(rendermime);
    rendermime.addFactory({ safe: false, mimeTypes: [STILL], createRenderer }, RANK);
  },
};
