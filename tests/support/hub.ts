/** A real JupyterHub below a path, whose single-user servers run in another environment than the kernel. */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import { jupyterEnvironment, QUIET } from "./lab";
import { newFolder, root, venvProgram } from "./python";
import { answering, freePort, start } from "./server";

/** The kernel that has h5explorer. */
export const KERNEL = "with-h5explorer";

/** A kernel with another version of h5explorer, as an extension sees it. */
export const OTHER_VERSION = "with-another-version";

const PERSON = "ada";

/** A program of the environment of the single-user servers, which is made where it is missing. */
export function hubServerProgram(name: string): string {
  execFileSync(process.execPath, [path.join(root, "tests/tasks/hubServer.js")], { cwd: root });
  return path.join(root, ".cache/hub-server/bin", name);
}

/** A running JupyterHub. */
export interface Hub {
  /** The address below which it serves, with the last slash. */
  readonly base: string;
  /** The address below which the person's own server serves, with the last slash. */
  readonly user: string;
  /** The folder of the person's notebooks. */
  readonly folder: string;
  /** Signs a person in by the Hub's form, which leads to their own server. */
  signIn(page: Page): Promise<void>;
  /** Ends the Hub, its proxy, the single-user servers and their kernels. */
  end(): Promise<void>;
}

/** Starts JupyterHub on a free port, below a path. */
export async function startHub(): Promise<Hub> {
  const home = newFolder("hub");
  const folder = path.join(home, "notebooks");
  mkdirSync(folder);
  const environment = jupyterEnvironment(home);
  writeKernel(path.join(home, "data"), KERNEL, ["-m", "ipykernel_launcher"]);
  const launch = "from ipykernel.kernelapp import launch_new_instance as l; l()";
  const other = `import h5explorer_py.lab as m; m.VERSION, m.__version__ = 7, '7.0.0'; ${launch}`;
  writeKernel(path.join(home, "data"), OTHER_VERSION, ["-c", other]);
  const singleUser = hubServerProgram("jupyterhub-singleuser");
  const [port, hubPort, proxyPort] = [await freePort(), await freePort(), await freePort()];
  const proxy = path.join(root, "node_modules/configurable-http-proxy/bin/configurable-http-proxy");
  const bind = `http://127.0.0.1:${port}/some-prefix`;
  const settings = {
    JupyterHub: {
      bind_url: bind,
      hub_ip: "127.0.0.1",
      hub_port: hubPort,
      db_url: "sqlite:///:memory:",
      cookie_secret_file: path.join(home, "cookie_secret"),
      authenticator_class: "dummy",
      spawner_class: "simple",
    },
    ConfigurableHTTPProxy: {
      command: [process.execPath, proxy, "--pid-file", path.join(home, "its-own.pid")],
      api_url: `http://127.0.0.1:${proxyPort}`,
      pid_file: path.join(home, "proxy.pid"),
    },
    Spawner: {
      cmd: [singleUser],
      args: ["--allow-root", `--ServerApp.root_dir=${folder}`, ...QUIET],
      default_url: "/lab",
      environment: Object.fromEntries(
        Object.entries(environment).filter(
          ([name, value]) => name === "JUPYTER_PLATFORM_DIRS" || value?.includes(home),
        ),
      ),
    },
    SimpleLocalProcessSpawner: { home_dir_template: home },
  };
  const file = path.join(home, "hub.json");
  writeFileSync(file, JSON.stringify(settings));
  allProcesses(); // fails here rather than when what was started must be ended
  const running = start(venvProgram("jupyterhub"), ["--config", file], environment, home);
  const end = async () => {
    const started = processesOf(home, running.process.pid);
    await running.end();
    await endAll([...started, ...processesOf(home)]);
  };
  const base = `${bind}/`;
  try {
    await answering(`${base}hub/health`, running);
  } catch (error) {
    await end();
    throw error;
  }
  const user = `${base}user/${PERSON}/`;
  return { base, user, folder, end, signIn: (page) => signIn(page, base, user) };
}

function writeKernel(data: string, name: string, program: readonly string[]): void {
  const place = path.join(data, "kernels", name);
  mkdirSync(place, { recursive: true });
  const argv = [venvProgram("python"), ...program, "-f", "{connection_file}"];
  writeFileSync(path.join(place, "kernel.json"), JSON.stringify({ argv, display_name: name, language: "python" }));
}

async function signIn(page: Page, base: string, user: string): Promise<void> {
  await page.goto(base);
  await page.getByLabel("Username:").fill(PERSON);
  await page.getByLabel("Password:", { exact: true }).fill("any");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${user}lab**`, { timeout: 60_000, waitUntil: "commit" });
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function allProcesses(): readonly Process[] {
  const table = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" });
  return table.split("\n").flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** The processes that name a folder, and one more, each with all that it has started. */
function processesOf(folder: string, pid?: number): readonly Process[] {
  const all = allProcesses();
  const found = new Set(all.filter((each) => each.pid === pid || each.command.includes(folder)));
  for (const parent of found) {
    for (const each of all) if (each.parent === parent.pid) found.add(each);
  }
  return [...found];
}

/** Ends processes that a Hub has left, and waits until they are gone. */
async function endAll(processes: readonly Process[]): Promise<void> {
  const running = () => {
    const now = new Map(allProcesses().map((each) => [each.pid, each.command]));
    return processes.filter((each) => now.get(each.pid) === each.command);
  };
  for (const end = Date.now() + 10_000; running().length > 0; ) {
    for (const { pid } of running()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    if (Date.now() > end) throw new Error(`Some processes do not end: ${JSON.stringify(running())}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
