/** A shared page: the app on what the page itself holds. */

import { render } from "preact";
import { App } from "./app/App";
import { Problem } from "./app/Problem";
import { asExplorerError } from "./errors";
import "./page/page.css";
import { ThemeButton } from "./page/ThemeButton";
import { followTheme } from "./page/theme";
import { archiveOf } from "./share/archive";
import { ArchiveSource } from "./source/archive";
import { ExplorerState } from "./state/explorer";
import { LocalState } from "./state/local";

function Page() {
  try {
    const source = new ArchiveSource(archiveOf(document));
    return <App state={new ExplorerState(source, new LocalState(source.describe(), "100%"))} />;
  } catch (error) {
    return <Problem error={asExplorerError(error)} />;
  }
}

followTheme();
const root = document.getElementById("explorer");
if (root !== null) {
  render(
    <>
      <h1 class="h5x-hidden">h5explorer</h1>
      <Page />
      <ThemeButton />
    </>,
    root,
  );
}
