/** The widget: mounts the explorer on a model. This is what travels as `_esm`. */

import type { AnyModel, Initialize, Render } from "@anywidget/types";
import { render as renderInto } from "preact";
import { App } from "./app/App";
import { extensionFolder } from "./assets";
import { IndexedDbCache } from "./cache";
import { type CommModel, CommWire } from "./channel/comm";
import { RequestClient } from "./channel/requests";
import { type GetDecoder, pagesDecoder } from "./decode/decoder";
import { ExplorerError } from "./errors";
import { isFields, textOf } from "./fields";
import { KernelSource } from "./source/kernel";
import { ExplorerState } from "./state/explorer";
import { ModelState, type Traits } from "./state/model";

function decoderOf(model: AnyModel<Traits>): GetDecoder {
  const assets: unknown = model.get("_assets");
  const fields = isFields(assets) ? assets : {};
  const parts = { script: textOf(fields, "decoder"), wasm: textOf(fields, "wasm") };
  const roads = {
    folder: extensionFolder(document.getElementById("jupyter-config-data")?.textContent),
    cache: new IndexedDbCache(),
    ask: (name: string) => askForAsset(model, textOf(fields, "model"), name),
  };
  return () => pagesDecoder(parts, roads);
}

/** Asks the model that all explorers of a kernel share; where the host does not give it, the explorer's own. */
async function askForAsset(model: AnyModel<Traits>, shared: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  let from: CommModel = model;
  try {
    from = await model.widget_manager.get_model(shared);
  } catch {
    console.debug("h5explorer: this host gives no access to other models");
  }
  const client = new RequestClient(new CommWire(from));
  try {
    const [bytes] = (await client.ask("asset", { name })).buffers;
    if (bytes === undefined) throw new ExplorerError("bad_reply", "A part of h5explorer arrived empty.", "Try again.");
    return bytes;
  } finally {
    client.close();
  }
}

const initialize: Initialize<Traits> = ({ model }) => {
  // Begun, not waited for: what `initialize` takes longer than 2 s for is given up by the host.
  decoderOf(model)().catch(() => {}); // tried again, and told, when the first rows arrive
};

const render: Render<Traits> = ({ model, el }) => {
  const client = new RequestClient(new CommWire(model));
  const source = new KernelSource(client, decoderOf(model));
  const state = new ExplorerState(source, new ModelState(model), client);
  renderInto(<App state={state} />, el);
  return () => {
    renderInto(null, el);
    state.close();
    client.close();
  };
};

export default { initialize, render };
