// `npm run build`: the widget, its larger parts, and the JupyterLab extension. Each is skipped when nothing that it
// depends on has changed.

import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { cache, hashOf, mustRun, npmProgram, once, root, venv, venvProgram } from "./run.js";

const built = path.join(root, "h5explorer_py", "static");
const extension = path.join(root, "h5explorer_py", "labextension");
const link = path.join(venv, "share", "jupyter", "labextensions", "h5explorer");

/** Says which sources the front end was built from. */
export const BUILT_FROM = path.join(built, ".built-from");

const EXTENSION_BUILT_FROM = path.join(cache, "labextension-built-from");

/** Tells `jupyter labextension` who installs and removes the extension. */
const INSTALLED_BY = {
  packageManager: "python",
  packageName: "h5explorer",
  uninstallInstructions: "Use your Python package manager (pip, conda, ...) to uninstall the package h5explorer.",
};

const sources = () => hashOf("src", "style", "webpack.config.js", "tsconfig.json", "package.json", "package-lock.json");

function buildExtension() {
  mustRun(venvProgram("jupyter-builder"), ["build", "."]); // empties the folder first
  const parts = JSON.parse(readFileSync(path.join(built, "assets.json"), "utf8"));
  for (const name of Object.values(parts)) {
    // JupyterLab serves them as they are.
    writeFileSync(path.join(extension, "static", name), gunzipSync(readFileSync(path.join(built, `${name}.gz`))));
  }
  writeFileSync(path.join(extension, "install.json"), `${JSON.stringify(INSTALLED_BY, null, 2)}\n`);
}

/** Builds what has changed, and has the JupyterLab of .venv find the extension. */
export function build() {
  const key = sources();
  once(BUILT_FROM, key, () => mustRun(npmProgram("webpack"), ["--mode", "production"]));
  if (!existsSync(path.join(extension, "install.json"))) rmSync(EXTENSION_BUILT_FROM, { force: true });
  once(EXTENSION_BUILT_FROM, key, buildExtension);
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  rmSync(link, { recursive: true, force: true });
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(extension, link, "junction");
}

/**
 * Gets ready for installing the checkout as editable, which takes the extension's folder for granted and replaces what
 * stands where the link is.
 */
export function unlinkExtension() {
  mkdirSync(extension, { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(link);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) build();
