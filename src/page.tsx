/** The plain page: the app in a page of its own, on the source that is there. */

import { render } from "preact";
import { servedDecoder } from "./decode/served";
import { decoderParts, socketAddress } from "./page/markup";
import "./page/page.css";
import { PlainPage } from "./page/PlainPage";
import { ServedApp } from "./page/ServedApp";
import { ThemeButton } from "./page/ThemeButton";
import { followTheme } from "./page/theme";

function Page() {
  const address = socketAddress(document);
  const decoder = servedDecoder(decoderParts(document), document.baseURI);
  return (
    <>
      <h1 class="h5x-hidden">h5explorer</h1>
      {address === null ? <PlainPage /> : <ServedApp address={address} decoder={decoder} />}
      <ThemeButton />
    </>
  );
}

followTheme();
const root = document.getElementById("explorer");
if (root !== null) render(<Page />, root);
