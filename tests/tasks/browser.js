// The browser of the tests: the one that is there, else one that is installed now.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ask, npmProgram, root, run, stop } from "./run.js";

const HOW = "install Chromium (on Debian: apt install chromium), or name its program in the variable CHROMIUM_PATH.";

const runs = (program) => Boolean(program) && existsSync(program) && ask(program, ["--version"]) !== undefined;

async function findBrowser() {
  const usual = JSON.parse(readFileSync(path.join(root, "tests/support/chromium.json"), "utf8"));
  const { chromium } = await import("playwright-core");
  return [process.env.CHROMIUM_PATH, ...usual, chromium.executablePath()].find(runs);
}

/** The program of a Chromium; installs one where there is none, and ends the script where that fails too. */
export async function browserProgram() {
  const found = await findBrowser();
  if (found !== undefined) return found;
  const isRoot = process.getuid?.() === 0;
  if (isRoot && ask("apt-get", ["--version"]) !== undefined) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    console.log("No Chromium was found: installing Debian's.");
    if (run("apt-get", ["update", "-qq"], { env }) === 0) {
      run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env });
    }
  } else {
    console.log("No Chromium was found: installing Playwright's.");
    run(npmProgram("playwright-core"), ["install", "chromium"]);
  }
  return (await findBrowser()) ?? stop(`The browser tests cannot run without a Chromium: ${HOW}`);
}
