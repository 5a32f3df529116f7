/** A real marimo, which shows one notebook. */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { newFolder, root, venvProgram } from "./python";
import { answering, freePort, type Running, start } from "./server";

/** A running marimo. */
export interface Marimo {
  readonly address: string;
  readonly running: Running;
}

/** Starts marimo on a notebook of some cells, to edit it or to run it as an app; its settings are below a new folder. */
export async function startMarimo(how: "edit" | "run", cells: readonly string[], theme: string): Promise<Marimo> {
  const home = newFolder("marimo");
  const file = path.join(home, "notebook.py");
  mkdirSync(path.join(home, ".config"));
  writeFileSync(file, notebook(cells, theme));
  const port = await freePort();
  const options = ["--headless", "--no-token", "--host=127.0.0.1", `--port=${port}`];
  if (how === "edit") options.push("--skip-update-check");
  const env = {
    ...process.env,
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, ".config"),
    XDG_CACHE_HOME: path.join(home, ".cache"),
    XDG_STATE_HOME: path.join(home, ".state"),
    PYTHONPATH: root,
  };
  const running = start(venvProgram("marimo"), [how, file, ...options], env, home);
  const address = `http://127.0.0.1:${port}/`;
  await answering(`${address}health`, running);
  return { address, running };
}

/** The file of a notebook; what a cell names can be used in those that come after. */
function notebook(cells: readonly string[], theme: string): string {
  const head = `# /// script\n# [tool.marimo.display]\n# theme = "${theme}"\n# ///\nimport marimo\n\napp = marimo.App()\n`;
  const known: string[] = [];
  const functions = cells.map((source) => {
    const names = [...source.matchAll(/^(\w+) = /gm), ...source.matchAll(/ (?:import|as) (\w+)$/gm)].map(
      (found) => found[1] ?? "",
    );
    const body = source.replaceAll(/^/gm, "    ");
    const text = `\n\n@app.cell\ndef _(${known.join(", ")}):\n${body}\n    return (${names.map((name) => `${name}, `).join("")})\n`;
    known.push(...names);
    return text;
  });
  return `${head}${functions.join("")}\n\nif __name__ == "__main__":\n    app.run()\n`;
}
