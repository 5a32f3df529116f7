// `npm run format`: what the formatters and the linters' safe fixes can put right.

import { npmProgram, run, venvProgram } from "./run.js";
import { setup } from "./setup.js";

setup();
const codes = [
  run(npmProgram("biome"), ["check", "--write"]),
  run(venvProgram("ruff"), ["check", "--fix"]),
  run(venvProgram("ruff"), ["format"]),
];
process.exitCode = codes.some((code) => code !== 0) ? 1 : 0;
