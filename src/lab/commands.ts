/** What can be done from the palette and the launcher. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import type { IDocumentManager } from "@jupyterlab/docmanager";
import { FileDialog } from "@jupyterlab/filebrowser";
import type { ILauncher } from "@jupyterlab/launcher";
import type { ExplorerDocument } from "./factory";
import { explorerIcon } from "./icon";
import { COMMANDS, EXTENSIONS, TITLE } from "./names";

/** Adds the commands, and shows them where they are looked for. */
export function addCommands(
  { commands }: JupyterFrontEnd,
  manager: IDocumentManager,
  tracker: WidgetTracker<ExplorerDocument>,
  palette: ICommandPalette | null,
  launcher: ILauncher | null,
): void {
  const current = () => tracker.currentWidget?.content;
  const isOpen = () => current() !== undefined;
  commands.addCommand(COMMANDS.open, {
    label: ({ inLauncher }) => (inLauncher === true ? TITLE : "Open a Data Set…"),
    caption: "Open a Parquet, CSV, TSV or HDF5 file in H5 Explorer",
    icon: explorerIcon,
    execute: async ({ path }) => {
      const paths = typeof path === "string" ? [path] : await chosenFiles(manager);
      for (const each of paths) manager.openOrReveal(each, TITLE);
    },
  });
  commands.addCommand(COMMANDS.restart, {
    label: "Restart the Kernel of This Tab",
    isEnabled: isOpen,
    execute: () => current()?.restart(),
  });
  commands.addCommand(COMMANDS.choose, {
    label: "Choose Another Kernel for This Tab",
    isEnabled: isOpen,
    execute: () => current()?.choose(),
  });
  tracker.currentChanged.connect(() => {
    commands.notifyCommandChanged(COMMANDS.restart);
    commands.notifyCommandChanged(COMMANDS.choose);
  });
  for (const command of Object.values(COMMANDS)) palette?.addItem({ command, category: TITLE });
  launcher?.add({ command: COMMANDS.open, args: { inLauncher: true }, category: "Other", rank: 10 });
}

async function chosenFiles(manager: IDocumentManager): Promise<readonly string[]> {
  const { button, value } = await FileDialog.getOpenFiles({
    manager,
    title: "Open a Data Set",
    filter: ({ type, name }) => (type === "directory" || EXTENSIONS.some((each) => name.endsWith(each)) ? {} : null),
  });
  if (!button.accept) return [];
  return (value ?? []).filter((each) => each.type !== "directory").map((each) => each.path);
}
