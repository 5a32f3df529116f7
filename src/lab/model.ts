/** The document of a tab: a file of which JupyterLab reads nothing and writes nothing. */

import { type DocumentRegistry, TextModelFactory } from "@jupyterlab/docregistry";
import type { Contents } from "@jupyterlab/services";

/** Makes documents without content. */
export class UnreadModelFactory extends TextModelFactory {
  override get name(): string {
    return "h5explorer-unread";
  }

  override get contentType(): Contents.ContentType {
    return "file";
  }

  /** Without a format JupyterLab asks the server for the file's name and size, not for its content. */
  override get fileFormat(): Contents.FileFormat {
    return null;
  }

  override preferredLanguage(): string {
    return "python";
  }
}

/**
 * Keeps JupyterLab from writing a file or copies of it.
 *
 * It makes a checkpoint, which is a whole copy beside the file, of whatever it opens and may write. Must be called
 * before the context is initialized.
 */
export function neverWrite(context: DocumentRegistry.Context): void {
  const nothing = async () => {};
  Object.defineProperties(context, {
    canSave: { get: () => false },
    save: { value: nothing },
    saveAs: { value: async () => false },
    createCheckpoint: { value: async () => ({ id: "none", last_modified: "" }) },
    listCheckpoints: { value: async () => [] },
    restoreCheckpoint: { value: nothing },
    deleteCheckpoint: { value: nothing },
  });
}
