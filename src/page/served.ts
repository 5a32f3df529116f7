/** An explorer of the server that the page came from. */

import { effect } from "@preact/signals";
import { RequestClient } from "../channel/requests";
import { ToldModel } from "../channel/told";
import { SocketWire } from "../channel/websocket";
import type { GetDecoder } from "../decode/decoder";
import { KernelSource } from "../source/kernel";
import { ExplorerState } from "../state/explorer";
import { ModelState } from "../state/model";
import { goTo, keepAddress, lookupIn, placeOf } from "./address";

/** An explorer, and what ends it. */
export interface Begun {
  readonly state: ExplorerState;
  /**
   * Comes back to what the page's address says, and keeps it from then on.
   *
   * @throws ExplorerError - Where its lookup cannot be opened.
   */
  comeBack(): Promise<void>;
  end(): void;
}

/**
 * Begins one over a connection of its own.
 *
 * @param address - The websocket's.
 * @param again - Called by a person who wants another connection when this one is lost.
 * @throws ExplorerError - Where there is no connection, or the lookup cannot be opened.
 */
export async function begin(address: string, decoder: GetDecoder, again: () => void): Promise<Begun> {
  const wire = new SocketWire(new WebSocket(address), again);
  const model = await ToldModel.first(wire, { height: "100%" });
  const client = new RequestClient(wire);
  const state = new ExplorerState(new KernelSource(client, decoder), new ModelState(model), client, decoder());
  const home = lookupIn(state.opened.peek());
  const place = placeOf(window.location.search);
  const ends: (() => void)[] = [
    effect(() => {
      document.title = `${state.opened.value.name} – h5explorer`;
    }),
  ];
  let over = false;
  return {
    state,
    async comeBack() {
      if (place !== null) await goTo(place, state);
      if (!over) ends.push(keepAddress(state, home));
    },
    end() {
      over = true;
      for (const end of ends.splice(0)) end();
      state.close();
      client.close();
      model.close();
      wire.close();
    },
  };
}
