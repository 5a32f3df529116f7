// `npm run demo`: the set-up, a data set of photographs, and JupyterLab on a notebook that shows it.

import { openLab } from "./lab.js";
import { setup } from "./setup.js";

setup();
process.exitCode = await openLab();
