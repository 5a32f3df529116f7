// `npm test`: the set-up, then every test. `npm test -- unit python` runs the named parts alone.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { browserProgram } from "./browser.js";
import { runChecks } from "./checks.js";
import { hubServer } from "./hubServer.js";
import { cache, npmProgram, run, stop, venvProgram } from "./run.js";
import { setup } from "./setup.js";

const reports = path.join(cache, "reports");

/** Runs projects of jest, as the package file names them. */
function jest(projects, ...options) {
  const report = path.join(reports, `${projects.join("-")}.json`);
  rmSync(report, { force: true });
  const code = run(npmProgram("jest"), [
    "--selectProjects",
    ...projects,
    "--json",
    `--outputFile=${report}`,
    ...options,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numTotalTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  const silent = code !== 0 || numTotalTests === 0;
  return { passed: numPassedTests, failed: failed === 0 && silent ? 1 : failed };
}

function pytest() {
  const report = path.join(reports, "python.xml");
  rmSync(report, { force: true });
  const code = run(venvProgram("python"), [
    "-m",
    "pytest",
    "-q",
    `--junitxml=${report}`,
    "--numprocesses=auto",
    "--maxprocesses=4",
    "--dist=loadfile",
  ]);
  const suite = existsSync(report) ? /<testsuite [^>]*>/.exec(readFileSync(report, "utf8"))?.[0] : undefined;
  if (suite === undefined) return { passed: 0, failed: 1 };
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed: failed === 0 && code !== 0 ? 1 : failed,
  };
}

const PARTS = [
  { name: "checks", run: () => runChecks() },
  { name: "unit", run: () => jest(["unit"]) },
  { name: "contract", run: () => jest(["contract"]) },
  { name: "python", run: () => pytest() },
  { name: "browser", browser: true, run: () => jest(["browser"]) },
  { name: "notebook", browser: true, hub: true, run: () => jest(["notebook"], "--runInBand") },
];

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !PARTS.some((part) => part.name === name));
if (unknown !== undefined) {
  stop(`There is no part ${unknown}. The parts are ${PARTS.map((part) => part.name).join(", ")}.`);
}
const parts = asked.length === 0 ? PARTS : PARTS.filter((part) => asked.includes(part.name));

setup();
mkdirSync(reports, { recursive: true });
if (parts.some((part) => part.browser)) process.env.CHROMIUM_PATH = await browserProgram();
if (parts.some((part) => part.hub)) hubServer();

const results = parts.map((part) => {
  console.log(`\n== ${part.name}`);
  const begun = Date.now();
  return { name: part.name, ...part.run(), seconds: (Date.now() - begun) / 1000 };
});

console.log("");
for (const { name, passed, failed, seconds } of results) {
  console.log(`${name}: ${passed} passed, ${failed} failed in ${seconds.toFixed(0)} s`);
}
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = sum("failed") === 0 ? 0 : 1;
