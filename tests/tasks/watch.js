// `npm run watch`: JupyterLab on the sample data set; what is changed in src is in the open notebook a moment later.

import { spawn } from "node:child_process";
import { openLab } from "./lab.js";
import { npmProgram, root } from "./run.js";
import { setup } from "./setup.js";

setup();
const builder = spawn(npmProgram("webpack"), ["--mode", "development", "--watch"], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = await openLab({ ANYWIDGET_HMR: "1" });
builder.kill();
