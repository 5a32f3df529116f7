// `npm run setup`: npm packages, the Python environment in .venv, the build. Each step is skipped
// when nothing that it depends on has changed.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, unlinkExtension } from "./build.js";
import { ask, hashOf, mustRun, once, root, stop, venv, venvProgram } from "./run.js";

const UV = "uv==0.13.8";

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    stop(`Node 20.19 or later is needed; this is ${process.versions.node}.`);
}

function findPython() {
  const say = "import sys; print('.'.join(map(str, sys.version_info[:2])))";
  const tried = [];
  for (const name of [process.env.PYTHON, "python3", "python3.13", "python3.12", "python3.11", "python"]) {
    if (!name) continue;
    const version = ask(name, ["-c", say]);
    if (version === undefined) continue;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major === 3 && minor >= 11) return name;
    tried.push(`${name} is ${version}`);
  }
  return stop(
    `Python 3.11 or later is needed${tried.length ? ` (${tried.join(", ")})` : ""}. ` +
      "Install it, or name it in the variable PYTHON.",
  );
}

function npmPackages() {
  const key = hashOf("package-lock.json");
  once(path.join(root, "node_modules", ".h5explorer"), key, () => mustRun("npm", ["ci", "--no-fund", "--no-audit"]));
}

function pythonEnvironment() {
  const key = hashOf("requirements.lock", "pyproject.toml");
  once(path.join(venv, ".h5explorer"), key, () => {
    const python = findPython();
    if (!existsSync(venvProgram("python")) || ask(venvProgram("python"), ["-c", "import pip"]) === undefined) {
      rmSync(venv, { recursive: true, force: true });
      if (ask(python, ["-c", "import venv, ensurepip"]) === undefined) {
        stop(`${python} cannot make an environment: on Debian and Ubuntu, install the package python3-venv.`);
      }
      mustRun(python, ["-m", "venv", venv]);
    }
    mustRun(venvProgram("python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]);
    const uv = (...args) => mustRun(venvProgram("uv"), ["pip", ...args, "--python", venvProgram("python")]);
    uv("install", "--quiet", "--require-hashes", "-r", "requirements.lock");
    unlinkExtension();
    uv("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".");
    // JupyterLab's own scripts in there are CommonJS, the project's are not.
    writeFileSync(path.join(venv, "package.json"), "{}\n");
    // It does not ask whether to fetch news from the internet.
    const settings = path.join(venv, "share", "jupyter", "lab", "settings");
    mkdirSync(settings, { recursive: true });
    const quiet = { "@jupyterlab/apputils-extension:notification": { fetchNews: "false" } };
    writeFileSync(path.join(settings, "overrides.json"), `${JSON.stringify(quiet)}\n`);
  });
}

/** Brings the checkout to where demo, tests and lint can run. */
export function setup() {
  checkNode();
  npmPackages();
  pythonEnvironment();
  build();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) setup();
