// `npm run wheel`: the wheel that people install, in dist: Python, the widget and the JupyterLab extension.

import { mustRun, venvProgram } from "./run.js";
import { setup } from "./setup.js";

setup();
mustRun(venvProgram("uv"), ["build", "--wheel", "--quiet"]);
