/** Running the project's Python from the tests. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const root = path.resolve(__dirname, "../..");

/** A program of the project's Python environment. */
export function venvProgram(name: string): string {
  const program = path.join(root, ".venv", "bin", name);
  if (!existsSync(program)) throw new Error(`${program} is missing. Run: npm run setup`);
  return program;
}

/** Runs a module of the checkout to its end. */
export function runModule(module: string, ...args: string[]): string {
  return execFileSync(venvProgram("python"), ["-m", module, ...args], { cwd: root, encoding: "utf8" });
}

/** A new empty folder, below the system's folder for such. */
export function newFolder(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `h5explorer-${name}-`));
}
