/** The page's address, while a tab of ours is in front. */

import type { ILabShell, IRouter } from "@jupyterlab/application";
import { PageConfig, PathExt, URLExt } from "@jupyterlab/coreutils";

/**
 * Has the address name a file's folder rather than the file.
 *
 * JupyterLab writes the path of the tab in front into the address, and opens what stands there when the page is loaded
 * again: in the file type's own opener, beside the tab that it restores.
 *
 * @param isOurs - Whether the tab in front is one of ours.
 */
export function nameTheFolder(shell: ILabShell, router: IRouter, isOurs: () => boolean): void {
  shell.currentPathChanged.connect((_, { newValue }) => {
    // What else hears of the change writes the file's path first.
    queueMicrotask(() => {
      if (!isOurs()) return;
      const treePath = PathExt.dirname(newValue);
      router.navigate(URLExt.parse(PageConfig.getUrl({ treePath })).pathname, { skipRouting: true });
      PageConfig.setOption("treePath", treePath);
    });
  });
}
