/** The widgets of one kernel, shown outside a notebook. */

import type { IWidgetRegistryData } from "@jupyter-widgets/base";
import type { KernelWidgetManager } from "@jupyter-widgets/jupyterlab-manager";
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { Kernel } from "@jupyterlab/services";
import type { Widget } from "@lumino/widgets";
import { isFields } from "../fields";

/** For how many milliseconds the page waits to hear of a model that the kernel has made. */
const MODEL_PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** The part of a widget's model that a tab needs. */
export interface ShownModel {
  get(name: string): unknown;
  on(event: string, listener: () => void): void;
}

/** A widget on the page. */
export interface Shown {
  readonly model: ShownModel;
  readonly widget: Widget;
}

/** Takes over what extensions give to JupyterLab's own registry of widgets, which is private. */
class Collector {
  readonly collected: IWidgetRegistryData[] = [];

  registerWidget(data: IWidgetRegistryData): void {
    this.collected.push(data);
  }
}

/** Shows the widgets of a kernel. */
export class KernelWidgets {
  readonly #manager: KernelWidgetManager;

  private constructor(manager: KernelWidgetManager) {
    this.#manager = manager;
  }

  /**
   * Gets ready for what the kernel makes from now on.
   *
   * @throws Error - Where JupyterLab's own environment lacks the packages that show widgets.
   */
  static async of(
    app: JupyterFrontEnd,
    kernel: Kernel.IKernelConnection,
    rendermime: IRenderMimeRegistry,
  ): Promise<KernelWidgets> {
    const { KernelWidgetManager, ...others } = await import("@jupyter-widgets/jupyterlab-manager");
    const collector = new Collector();
    const plugins: readonly unknown[] = [...others.default.filter((each) => !each.provides), ...(await ofAnywidget())];
    for (const plugin of plugins) {
      if (isFields(plugin) && typeof plugin.activate === "function") await plugin.activate(app, collector);
    }
    const manager = new KernelWidgetManager(kernel, rendermime.clone());
    for (const data of collector.collected) manager.register(data);
    return new KernelWidgets(manager);
  }

  /** Makes a view of a model. */
  async show(id: string): Promise<Shown> {
    const end = Date.now() + MODEL_PATIENCE_MS;
    while (!this.#manager.has_model(id)) {
      if (Date.now() > end) throw new Error("The kernel has made the explorer, but the page did not hear of it.");
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const { DOMWidgetView } = await import("@jupyter-widgets/base");
    const model = await this.#manager.get_model(id);
    const view = await this.#manager.create_view(model);
    if (!(view instanceof DOMWidgetView)) throw new Error("The explorer has no view.");
    return { model, widget: view.luminoWidget };
  }

  dispose(): void {
    this.#manager.dispose();
  }
}

/** The plugins of anywidget's extension, which JupyterLab has loaded where it is installed. */
async function ofAnywidget(): Promise<readonly unknown[]> {
  const extensions: unknown = Reflect.get(window, "_JUPYTERLAB");
  const container = isFields(extensions) ? extensions.anywidget : null;
  if (!isFields(container) || typeof container.get !== "function") {
    throw new Error("JupyterLab's own environment lacks anywidget.");
  }
  const make: unknown = await container.get("./extension");
  const module: unknown = typeof make === "function" ? make() : null;
  const plugins = isFields(module) ? module.default : null;
  return Array.isArray(plugins) ? plugins : [plugins];
}
