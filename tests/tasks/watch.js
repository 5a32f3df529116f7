// `npm run watch`: JupyterLab on the sample data set; what is changed in src is in the open notebook a moment later.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { BUILT_FROM } from "./build.js";
import { openLab } from "./lab.js";
import { npmProgram, root } from "./run.js";
import { setup } from "./setup.js";

setup();
rmSync(BUILT_FROM, { force: true }); // the next set-up builds for production again
const builder = spawn(npmProgram("webpack"), ["--mode", "development", "--watch"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
  shell: process.platform === "win32",
});
await new Promise((resolve) => {
  builder.once("exit", resolve);
  builder.stdout.on("data", (said) => {
    process.stdout.write(said);
    if (String(said).includes("compiled")) resolve();
  });
});
process.exitCode = await openLab({ ANYWIDGET_HMR: "1" });
builder.kill();
