/** What the page's markup says: the parts beside it, and whether a server is. */

import type { DecoderParts } from "../decode/decoder";

/** The address of the websocket of the server that the page came from; `null` where the page stands alone. */
export function socketAddress(page: Document): string | null {
  const name = said(page, "server");
  if (name === "") return null;
  const address = new URL(name, page.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = "";
  return address.href;
}

/** The names of the decoder's parts. */
export function decoderParts(page: Document): DecoderParts {
  return { script: said(page, "decoder"), wasm: said(page, "wasm") };
}

function said(page: Document, name: string): string {
  return page.querySelector<HTMLMetaElement>(`meta[name="h5explorer-${name}"]`)?.content ?? "";
}
