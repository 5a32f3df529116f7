/** A real JupyterLab with its own settings, and notebooks in it. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import { newFolder, venvProgram } from "./python";
import { answering, freePort, type Running, start } from "./server";

/** A running JupyterLab. */
export interface Lab {
  /** The address below which it serves, with the last slash. */
  readonly base: string;
  readonly token: string;
  readonly folder: string;
  readonly running: Running;
}

/** The settings of a Jupyter that neither reads nor writes anything of the person who runs the tests. */
export function jupyterEnvironment(home: string): NodeJS.ProcessEnv {
  for (const each of ["config", "data", "runtime", "settings", "workspaces", "ipython"]) {
    mkdirSync(path.join(home, each), { recursive: true });
  }
  return {
    ...process.env,
    HOME: home,
    JUPYTER_CONFIG_DIR: path.join(home, "config"),
    JUPYTER_DATA_DIR: path.join(home, "data"),
    JUPYTER_RUNTIME_DIR: path.join(home, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: path.join(home, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: path.join(home, "workspaces"),
    IPYTHONDIR: path.join(home, "ipython"),
    JUPYTER_PLATFORM_DIRS: "0",
  };
}

/** Options that keep JupyterLab from asking for news on the internet. */
export const QUIET = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"];

/** Starts JupyterLab on a free port; its settings and its notebooks are below `home`. */
export async function startLab(home = newFolder("lab")): Promise<Lab> {
  const folder = path.join(home, "notebooks");
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const token = "of-the-tests";
  const running = start(
    venvProgram("jupyter-lab"),
    [
      "--no-browser",
      "--allow-root",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--ServerApp.port_retries=0",
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${folder}`,
      ...QUIET,
    ],
    jupyterEnvironment(home),
    folder,
  );
  const base = `http://127.0.0.1:${port}/`;
  await answering(`${base}api/status?token=${token}`, running);
  return { base, token, folder, running };
}

/** Ends all kernels, as a server does that is stopped over night. */
export async function endKernels({ base, token }: Lab): Promise<void> {
  const headers = { Authorization: `token ${token}` };
  const sessions: readonly { readonly id: string }[] = await (await fetch(`${base}api/sessions`, { headers })).json();
  for (const { id } of sessions) await fetch(`${base}api/sessions/${id}`, { headers, method: "DELETE" });
}

/** Writes a notebook of code cells; returns its path. */
export function writeNotebook(folder: string, name: string, cells: readonly string[], kernel = "python3"): string {
  const content = {
    cells: cells.map((source, index) => ({
      cell_type: "code",
      id: `cell-${index}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
    metadata: { kernelspec: { name: kernel, display_name: kernel, language: "python" } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify(content, null, 1));
  return file;
}

/** A notebook that is open in a page. */
export class Notebook {
  constructor(
    readonly page: Page,
    readonly file: string,
  ) {}

  /** Opens a notebook, and waits until its kernel is ready. */
  static async open(page: Page, base: string, file: string, query: string): Promise<Notebook> {
    await page.goto(`${base}lab/tree/${path.basename(file)}${query}`);
    const notebook = new Notebook(page, file);
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
    await notebook.idle();
    return notebook;
  }

  /** Opens a notebook in Notebook 7, which the same server serves. */
  static async openPlain(page: Page, { base, token }: Lab, file: string): Promise<Notebook> {
    await page.goto(`${base}notebooks/${path.basename(file)}?token=${token}`);
    const notebook = new Notebook(page, file);
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
    await notebook.idle();
    return notebook;
  }

  cell(index: number): Locator {
    return this.page.locator(".jp-Notebook-cell.jp-CodeCell").nth(index);
  }

  /** The explorers in the output of a cell. */
  explorers(index: number): Locator {
    return this.cell(index).locator(".h5x-root");
  }

  /** Waits until there is a kernel (without one, JupyterLab asks which one to start) that has nothing to do. */
  async idle(): Promise<void> {
    const panel = this.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)");
    await panel.locator(".jp-KernelName", { hasText: /\S/, hasNotText: "No Kernel" }).waitFor({ timeout: 60_000 });
    await panel.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor({ timeout: 60_000 });
  }

  /** Runs a cell without waiting for its end; again where JupyterLab was not ready for it. */
  async start(index: number): Promise<void> {
    const prompt = this.cell(index).locator(".jp-InputPrompt");
    const before = await prompt.textContent();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const dialog = this.page.locator(".jp-Dialog");
      if (await dialog.isVisible()) throw new Error(`JupyterLab asks: ${await dialog.textContent()}`);
      await this.cell(index).locator(".cm-content").click();
      await this.page.keyboard.press("Control+Enter");
      for (let turn = 0; turn < 40; turn += 1) {
        if ((await prompt.textContent()) !== before) return;
        await this.page.waitForTimeout(50);
      }
    }
    throw new Error(`cell ${index} does not run`);
  }

  /** Runs a cell to its end; returns the text that it prints. */
  async run(index: number): Promise<string> {
    await this.start(index);
    await this.cell(index)
      .locator(".jp-InputPrompt", { hasText: /\[\d+\]/ })
      .waitFor({ timeout: 60_000 });
    return (await this.cell(index).locator(".jp-OutputArea-output").allTextContents()).join("\n");
  }

  /** Replaces the text of a cell, and runs it. */
  async evaluate(index: number, source: string): Promise<string> {
    await this.cell(index).locator(".cm-content").fill(source);
    return this.run(index);
  }

  /** Runs a command of JupyterLab's menu. */
  async menu(...names: readonly string[]): Promise<void> {
    for (const [depth, name] of names.entries()) {
      const kind = depth === 0 ? ".lm-MenuBar-item" : ".lm-Menu-item";
      await this.page.locator(kind, { hasText: name }).first().click();
    }
  }

  /** Saves the notebook; returns the file's text. */
  async save(): Promise<string> {
    const before = readFileSync(this.file, "utf8");
    await this.cell(0).locator(".cm-content").click();
    await this.page.keyboard.press("Control+S");
    for (let turn = 0; turn < 100; turn += 1) {
      const text = readFileSync(this.file, "utf8");
      if (text !== before && text.includes('"outputs"')) return text;
      await this.page.waitForTimeout(100);
    }
    return readFileSync(this.file, "utf8");
  }
}
