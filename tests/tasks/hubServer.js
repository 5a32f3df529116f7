// The environment of a Hub's single-user servers, as an institution sets it up: JupyterHub, JupyterLab and anywidget,
// of the versions that requirements.lock names, without h5explorer, which only the kernel's environment has.

import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { cache, hashOf, mustRun, once, venvProgram } from "./run.js";

const place = path.join(cache, "hub-server");

/** Makes the environment, unless it is there already for this lock file. */
export function hubServer() {
  once(path.join(place, ".h5explorer"), hashOf("requirements.lock", "tests/tasks/hubServer.js"), () => {
    rmSync(place, { recursive: true, force: true });
    const uv = (...args) => mustRun(venvProgram("uv"), [...args, "--quiet", "--no-python-downloads"]);
    uv("venv", place, "--python", venvProgram("python"));
    writeFileSync(path.join(place, "package.json"), "{}"); // JupyterLab's own scripts are CommonJS, the project's are not
    const packages = ["jupyterhub", "jupyterlab", "anywidget"];
    uv("pip", "install", ...packages, "--constraint", "requirements.lock", "--python", place);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) hubServer();
