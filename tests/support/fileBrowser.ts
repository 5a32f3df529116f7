/** Files as JupyterLab's file browser opens them, and what is known of a folder's bytes. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import { Explorer } from "../browser/kit";
import { venvProgram } from "./python";

/** The file browser of JupyterLab. */
export class FileBrowser {
  constructor(readonly page: Page) {}

  item(name: string): Locator {
    return this.page.locator(".jp-DirListing-item", { has: this.page.getByText(name, { exact: true }) }).first();
  }

  /** Opens a file by the menu's "Open With". */
  async openWith(name: string, opener = "H5 Explorer"): Promise<Explorer> {
    await this.item(name).click({ button: "right" });
    await this.page.locator(".lm-Menu-itemLabel", { hasText: /^Open With$/ }).hover();
    await this.page.locator(".lm-Menu-itemLabel", { hasText: new RegExp(`^${opener}$`) }).click();
    return this.explorer();
  }

  /** The tab that is seen. */
  get tab(): Locator {
    return this.page.locator(".h5x-tab:visible");
  }

  explorer(): Explorer {
    return new Explorer(this.page, this.tab.locator(".h5x-root"), 0);
  }
}

/** Everything about a folder that writing would change: names, sizes, times and bytes. */
export function stateOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const file = path.join(folder, name);
      const { size, mtimeMs } = statSync(file);
      const bytes = statSync(file).isFile() ? createHash("sha256").update(readFileSync(file)).digest("hex") : "folder";
      return [name, `${size} ${mtimeMs} ${bytes}`];
    }),
  );
}

/** Writes the settings of an extension that a JupyterLab below `home` has. */
export function writeSettings(home: string, settings: object, extension = "h5explorer"): void {
  const folder = path.join(home, "settings", extension);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "plugin.jupyterlab-settings"), JSON.stringify(settings));
}

/** Sets up a kernel in whose Python h5explorer is not installed. */
export function writeKernelWithout(home: string, name: string): void {
  const folder = path.join(home, "data", "kernels", name);
  mkdirSync(folder, { recursive: true });
  const code =
    "import sys; sys.modules['h5explorer_py'] = None; from ipykernel.kernelapp import launch_new_instance as l; l()";
  const argv = [venvProgram("python"), "-c", code, "-f", "{connection_file}"];
  writeFileSync(
    path.join(folder, "kernel.json"),
    JSON.stringify({ argv, display_name: "Bare Python", language: "python" }),
  );
}
