// JupyterLab on the sample data set, for `npm run demo` and `npm run watch`.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { mustRun, root, stop, venvProgram } from "./run.js";

const folder = path.join(root, "demo-data");
const NOTEBOOK = "explore.ipynb";

function makeData() {
  if (existsSync(path.join(folder, "lookup.csv"))) return;
  console.log("Making a data set of photographs in demo-data.");
  mustRun(venvProgram("h5explorer"), ["demo", folder]);
}

function makeNotebook() {
  const file = path.join(folder, NOTEBOOK);
  if (existsSync(file)) return;
  const cell = (id, source) => ({
    cell_type: "code",
    id,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  });
  const content = {
    cells: [cell("import", "from h5explorer_py import Explorer"), cell("explore", 'Explorer("lookup.parquet")')],
    metadata: { kernelspec: { name: "python3", display_name: "Python 3 (ipykernel)", language: "python" } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function hasDisplay() {
  if (process.platform !== "linux") return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * Makes what is missing of the data set and its notebook, and opens JupyterLab on it until Control+C.
 * `env` is added to the environment of the server and its kernels.
 */
export async function openLab(env = {}) {
  makeData();
  makeNotebook();
  const token = process.env.JUPYTER_TOKEN || randomBytes(24).toString("hex");
  const port = await freePort();
  const page = `/lab/tree/${NOTEBOOK}`;
  const server = spawn(
    venvProgram("jupyter-lab"),
    [
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--ServerApp.port_retries=0",
      `--ServerApp.root_dir=${folder}`,
      `--LabApp.default_url=${page}`,
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
      "--log-level=WARN",
      ...(hasDisplay() ? [] : ["--no-browser"]),
      ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
    ],
    {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
      detached: process.platform !== "win32", // so that Control+C reaches this script alone, which ends it in order
      // The kernel of .venv, whatever kernel of the same name the person has at home.
      env: { ...process.env, JUPYTER_TOKEN: token, JUPYTER_PREFER_ENV_PATH: "1", ...env },
    },
  );
  const ended = new Promise((resolve) => server.once("exit", (code) => resolve(code ?? 0)));
  const end = () => server.kill("SIGTERM");
  process.on("SIGINT", end);
  process.on("SIGTERM", end);

  const base = `http://127.0.0.1:${port}`;
  while (server.exitCode === null && !(await answers(`${base}/api/status?token=${token}`))) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (server.exitCode !== null && server.exitCode !== 0)
    stop("JupyterLab could not be started; what it said is above.");
  console.log(`\nJupyterLab is at ${base}${page}?token=${token}\nControl+C ends it.`);
  return ended;
}
