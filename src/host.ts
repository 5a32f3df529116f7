/** What the notebook gives a widget: the way to its kernel, and the larger parts of the front end. */

import type { AnyModel } from "@anywidget/types";
import { extensionFolder } from "./assets";
import { IndexedDbCache } from "./cache";
import { type CommModel, CommWire } from "./channel/comm";
import { RequestClient } from "./channel/requests";
import { subshellKnown } from "./channel/subshell";
import { type GetDecoder, pagesDecoder } from "./decode/decoder";
import { ExplorerError } from "./errors";
import { isFields, textOf } from "./fields";
import type { Traits } from "./state/model";

/** A text of what the kernel says of the larger parts: their names, and the model that has them. */
function asset(model: AnyModel<Traits>, role: "decoder" | "wasm" | "model"): string {
  const assets: unknown = model.get("_assets");
  return textOf(isFields(assets) ? assets : {}, role);
}

/** How the page gets its table decoder. */
export function decoderOf(model: AnyModel<Traits>): GetDecoder {
  const parts = { script: asset(model, "decoder"), wasm: asset(model, "wasm") };
  const roads = {
    folder: extensionFolder(document.getElementById("jupyter-config-data")?.textContent),
    cache: new IndexedDbCache(),
    ask: (name: string) => askForAsset(model, name),
  };
  return () => pagesDecoder(parts, roads);
}

/** Asks the model that all explorers of a kernel share; where the host does not give it, the explorer's own. */
async function askForAsset(model: AnyModel<Traits>, name: string): Promise<Uint8Array<ArrayBuffer>> {
  let from: CommModel = model;
  try {
    from = await model.widget_manager.get_model(asset(model, "model"));
  } catch {
    console.debug("h5explorer: this host gives no access to other models");
  }
  const client = new RequestClient(wireOf(model, from));
  try {
    const [bytes] = (await client.ask("asset", { name })).buffers;
    if (bytes === undefined) throw new ExplorerError("bad_reply", "A part of h5explorer arrived empty.", "Try again.");
    return bytes;
  } finally {
    client.close();
  }
}

/** Carries a widget's messages to a model of the kernel, from when they can be answered beside a running cell. */
export function wireOf(model: AnyModel<Traits>, to: CommModel = model): CommWire {
  return new CommWire(to, subshellKnown(model.widget_manager, asset(model, "model")));
}
