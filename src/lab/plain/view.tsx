/** A file of JupyterLab's server, shown by this page alone. */

import type { ServerConnection } from "@jupyterlab/services";
import { Widget } from "@lumino/widgets";
import { render } from "preact";
import { App } from "../../app/App";
import { PageOpener, USUAL_COLUMNS } from "../../browser/opener";
import { probe } from "../../browser/remote";
import { endWorkers, startWorkers, type Workers } from "../../browser/workers";
import { ExplorerError } from "../../errors";
import { BrowserSource } from "../../source/browser";
import { ExplorerState } from "../../state/explorer";
import { LocalState } from "../../state/local";
import type { Look } from "../../state/look";
import type { Place } from "../kernelPath";
import { addressOf, headersOf, placeBeside } from "./files";

const NO_RANGES = "JupyterLab's server does not give parts of this file, and the whole is not loaded.";

/** What is to be shown, and how. */
export interface PlainWish {
  readonly place: Place;
  readonly server: ServerConnection.ISettings;
  readonly look: Pick<Look, "rowHeight" | "prefetch">;
  /** Called by a person who wants a kernel after all. */
  readonly onKernel: () => void;
}

/** The explorer on files that two workers of this page read by ranges. */
export class PlainView extends Widget {
  readonly #workers: Workers;
  readonly #state: ExplorerState;

  private constructor(workers: Workers, state: ExplorerState, onKernel: () => void) {
    super();
    this.addClass("h5x-tab-plain");
    this.#workers = workers;
    this.#state = state;
    render(<Plain state={state} onKernel={onKernel} />, this.node);
  }

  /**
   * Opens a file.
   *
   * @throws ExplorerError - Where it cannot be read, or is no data set.
   */
  static async open({ place, server, look, onKernel }: PlainWish, signal: AbortSignal): Promise<PlainView> {
    const headers = headersOf(server, document.cookie);
    const workers = startWorkers();
    try {
      const file = await probe(addressOf(server, place.path), signal, headers);
      const beside = placeBeside(place, server, headers);
      const first = await new PageOpener(workers).openFound(file, beside, USUAL_COLUMNS, signal);
      const source = new BrowserSource(workers, null, first);
      const shared = new LocalState(source.describe(), "100%", look);
      return new PlainView(workers, new ExplorerState(source, shared), onKernel);
    } catch (error) {
      endWorkers(workers);
      throw withoutRanges(error)
        ? new ExplorerError("no_ranges", NO_RANGES, "Use a kernel that has h5explorer.")
        : error;
    }
  }

  override dispose(): void {
    if (this.isDisposed) return;
    render(null, this.node);
    this.#state.close();
    endWorkers(this.#workers);
    super.dispose();
  }
}

function withoutRanges(error: unknown): boolean {
  return error instanceof ExplorerError && error.code === "no_ranges";
}

function Plain({ state, onKernel }: { readonly state: ExplorerState; readonly onKernel: () => void }) {
  return (
    <>
      <App state={state} />
      <div class="h5x-tab-plain-bar">
        <span>Shown without a kernel: no filters, sorting, export or Python.</span>
        <button type="button" class="h5x-notice-button" onClick={onKernel}>
          Use a kernel
        </button>
      </div>
    </>
  );
}
