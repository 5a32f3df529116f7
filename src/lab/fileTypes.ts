/** The types of files that JupyterLab does not know by itself. */

import type { DocumentRegistry } from "@jupyterlab/docregistry";
import { explorerIcon } from "./icon";

const TYPES: readonly Partial<DocumentRegistry.IFileType>[] = [
  {
    name: "parquet",
    displayName: "Parquet",
    extensions: [".parquet"],
    mimeTypes: ["application/vnd.apache.parquet"],
    contentType: "file",
    fileFormat: "base64",
    icon: explorerIcon,
  },
  {
    name: "hdf5",
    displayName: "HDF5",
    extensions: [".h5", ".hdf5"],
    mimeTypes: ["application/x-hdf5"],
    contentType: "file",
    fileFormat: "base64",
    icon: explorerIcon,
  },
];

/** Has JupyterLab know the types; those that another extension has told of stay as they are. */
export function addFileTypes(registry: DocumentRegistry): void {
  for (const type of TYPES) if (registry.getFileType(type.name ?? "") === undefined) registry.addFileType(type);
}
