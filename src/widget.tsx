/** The widget: mounts the explorer on a model. This is what travels as `_esm`. */

import type { Initialize, Render } from "@anywidget/types";
import { render as renderInto } from "preact";
import { App } from "./app/App";
import { RequestClient } from "./channel/requests";
import { decoderOf, wireOf } from "./host";
import { KernelSource } from "./source/kernel";
import { ExplorerState } from "./state/explorer";
import { ModelState, type Traits } from "./state/model";

const initialize: Initialize<Traits> = ({ model }) => {
  // Begun, not waited for: what `initialize` takes longer than 2 s for is given up by the host.
  decoderOf(model)().catch(() => {}); // tried again, and told, when the first rows arrive
};

const render: Render<Traits> = ({ model, el }) => {
  const client = new RequestClient(wireOf(model));
  const decoder = decoderOf(model);
  const source = new KernelSource(client, decoder);
  const state = new ExplorerState(source, new ModelState(model), client, decoder());
  renderInto(<App state={state} />, el);
  return () => {
    renderInto(null, el);
    state.close();
    client.close();
  };
};

export default { initialize, render };
