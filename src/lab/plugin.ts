/** The JupyterLab extension: files of the file browser open in the widget, by a kernel of their own. */

import {
  ILabShell,
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import { IDocumentManager } from "@jupyterlab/docmanager";
import { ILauncher } from "@jupyterlab/launcher";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStateDB } from "@jupyterlab/statedb";
import "../../style/lab.css";
import { nameTheFolder } from "./address";
import { addCommands } from "./commands";
import { type ExplorerDocument, ExplorerFactory } from "./factory";
import { addFileTypes } from "./fileTypes";
import { UnreadModelFactory } from "./model";
import { FILE_TYPES, PLUGIN, TITLE } from "./names";
import { settingsOf } from "./settings";
import { stillPlugin } from "./still";

function activate(
  app: JupyterFrontEnd,
  manager: IDocumentManager,
  rendermime: IRenderMimeRegistry,
  restorer: ILayoutRestorer | null,
  registry: ISettingRegistry | null,
  store: IStateDB | null,
  palette: ICommandPalette | null,
  launcher: ILauncher | null,
  shell: ILabShell | null,
  router: IRouter | null,
): void {
  const { docRegistry } = app;
  const loading = registry?.load(PLUGIN).catch((error: unknown) => console.error("h5explorer: no settings", error));
  const settings = async () => settingsOf((await loading)?.composite);
  const models = new UnreadModelFactory();
  const factory = new ExplorerFactory(
    { name: TITLE, label: TITLE, fileTypes: [...FILE_TYPES], defaultFor: [], modelName: models.name },
    { app, rendermime, store, settings },
  );
  const tracker = new WidgetTracker<ExplorerDocument>({ namespace: "h5explorer" });
  addFileTypes(docRegistry);
  docRegistry.addModelFactory(models);
  docRegistry.addWidgetFactory(factory);
  factory.widgetCreated.connect((_, tab) => {
    tab.context.pathChanged.connect(() => void tracker.save(tab));
    void tracker.add(tab);
  });
  addCommands(app, manager, tracker, palette, launcher);
  if (shell !== null && router !== null) {
    nameTheFolder(shell, router, () => tracker.currentWidget !== null && shell.currentWidget === tracker.currentWidget);
  }
  void restorer?.restore(tracker, {
    command: "docmanager:open",
    args: ({ context }) => ({ path: context.path, factory: TITLE }),
    name: ({ context }) => context.path,
  });
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "Opens image data sets from the file browser, without a port and without a route on the server.",
  autoStart: true,
  requires: [IDocumentManager, IRenderMimeRegistry],
  optional: [ILayoutRestorer, ISettingRegistry, IStateDB, ICommandPalette, ILauncher, ILabShell, IRouter],
  activate,
};

export default [plugin, stillPlugin];
