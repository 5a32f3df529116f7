// What the npm scripts share: running programs, finding Python, knowing what is already set up.
// Only Node's own modules, as the scripts run before anything is installed.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const venv = path.join(root, ".venv");
export const cache = path.join(root, ".cache");
const windows = process.platform === "win32";

/** A program of the project's Python environment. */
export function venvProgram(name) {
  return windows ? path.join(venv, "Scripts", `${name}.exe`) : path.join(venv, "bin", name);
}

/** A program that an npm package brings. */
export function npmProgram(name) {
  return path.join(root, "node_modules", ".bin", windows ? `${name}.cmd` : name);
}

/** Ends the script with a sentence that says what to do. */
export function stop(sentence) {
  process.stderr.write(`\n${sentence}\n`);
  process.exit(1);
}

/** Runs a program to its end, its output shown; returns its exit code, 1 when it could not be started. */
export function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: "inherit", shell: windows, ...options }).status ?? 1;
}

/** Runs a program to its end, its output shown; ends the script when it fails. */
export function mustRun(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: root, stdio: "inherit", shell: windows, ...options });
  if (done.error) stop(`${path.basename(program)} could not be started: ${done.error.message}`);
  if (done.status !== 0) {
    stop(`${path.basename(program)} ${args.slice(0, 3).join(" ")} ended with ${done.status ?? done.signal}.`);
  }
}

/** Runs a program and keeps what it prints; `undefined` when it is absent or fails. */
export function ask(program, args) {
  const done = spawnSync(program, args, { cwd: root, encoding: "utf8", shell: windows });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

function* filesBelow(place) {
  const full = path.join(root, place);
  if (!existsSync(full)) return;
  if (statSync(full).isFile()) {
    yield place;
    return;
  }
  for (const name of readdirSync(full).sort()) yield* filesBelow(path.join(place, name));
}

/** One hash over the content of files and folders, to see whether a step must run again. */
export function hashOf(...places) {
  const hash = createHash("sha256");
  for (const place of places) {
    for (const file of filesBelow(place)) hash.update(file).update(readFileSync(path.join(root, file)));
  }
  return hash.digest("hex");
}

/** Runs `step` unless `stamp` says that it ran for the same `key` before. */
export function once(stamp, key, step) {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  step();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}
