// What reads the code without running it: types, lint and format, in both languages.

import { npmProgram, run, venvProgram } from "./run.js";

export const CHECKS = [
  { name: "TypeScript's types", program: npmProgram("tsc"), args: ["-p", "."] },
  { name: "TypeScript's lint and format", program: npmProgram("biome"), args: ["check"] },
  { name: "Python's types", program: venvProgram("mypy"), args: [] },
  { name: "Python's lint", program: venvProgram("ruff"), args: ["check", "--quiet"] },
  { name: "Python's format", program: venvProgram("ruff"), args: ["format", "--check", "--quiet"] },
];

/** Runs every check; returns how many passed and failed. */
export function runChecks() {
  let failed = 0;
  for (const { name, program, args } of CHECKS) {
    const good = run(program, args) === 0;
    console.log(`${good ? "passed" : "FAILED"}: ${name}`);
    if (!good) failed += 1;
  }
  return { passed: CHECKS.length - failed, failed };
}
