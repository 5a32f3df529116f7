// `npm run picture`: takes the README's picture anew.

import { browserProgram } from "./browser.js";
import { npmProgram, run } from "./run.js";
import { setup } from "./setup.js";

setup();
process.env.CHROMIUM_PATH = await browserProgram();
process.exitCode = run(npmProgram("jest"), ["--config", "tests/readme/jest.config.js"]);
