/** Makes the tabs of files that are opened with H5 Explorer. */

import { PageConfig } from "@jupyterlab/coreutils";
import { ABCWidgetFactory, type DocumentRegistry, DocumentWidget } from "@jupyterlab/docregistry";
import { explorerIcon } from "./icon";
import { placeOf } from "./kernelPath";
import { neverWrite } from "./model";
import { ExplorerTab, type Surroundings } from "./tab";

export type ExplorerDocument = DocumentWidget<ExplorerTab>;

/** Makes tabs. */
export class ExplorerFactory extends ABCWidgetFactory<ExplorerDocument> {
  readonly #around: Surroundings;

  constructor(options: DocumentRegistry.IWidgetFactoryOptions<ExplorerDocument>, around: Surroundings) {
    super(options);
    this.#around = around;
  }

  /** No provider of contents of its own: no content is asked for. */
  override get contentProviderId(): string {
    return "";
  }

  override set contentProviderId(_: string) {}

  protected override createNewWidget(context: DocumentRegistry.Context): ExplorerDocument {
    neverWrite(context);
    // The tab has its own connection to the kernel; a second would be sent all pictures too.
    context.sessionContext.kernelPreference = { shouldStart: false, canStart: false, shouldReuse: false };
    const { contents } = this.#around.app.serviceManager;
    const place = () =>
      placeOf(contents.driveName(context.path), context.localPath, PageConfig.getOption("serverRoot"));
    const content = new ExplorerTab(this.#around, context.path, place());
    content.title.icon = explorerIcon;
    const tab = new DocumentWidget({ content, context });
    tab.toolbar.hide(); // the panels have all that there is to do
    context.pathChanged.connect((_, path) => content.rename(path, place()));
    context.disposed.connect(() => content.end());
    void context.ready.then(() => content.open());
    return tab;
  }
}
