/** What the extension's parts are called in JupyterLab. */

export const PLUGIN = "h5explorer:plugin";

export const STILL_PLUGIN = "h5explorer:still";

/** What stands in "Open With", on the launcher's card and in the settings. */
export const TITLE = "H5 Explorer";

export const COMMANDS = {
  open: "h5explorer:open",
  restart: "h5explorer:restart-kernel",
  choose: "h5explorer:choose-kernel",
} as const;

/** The files that can be opened, by the names of JupyterLab's file types. */
export const FILE_TYPES = ["parquet", "csv", "tsv", "hdf5"] as const;

export const EXTENSIONS: readonly string[] = [".parquet", ".csv", ".tsv", ".h5", ".hdf5"];
