// `npm run bench`: speed, as ratios within one run. Prints every figure beside what it should be at most, and writes
// .cache/bench/figures.md. What stands behind `--` goes to tests/bench/figures, which is all that runs then:
// `npm run bench -- --rows 100m`.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { browserProgram } from "./browser.js";
import { cache, mustRun, npmProgram, root, run, stop, venvProgram } from "./run.js";
import { setup } from "./setup.js";

const DEMO = path.join(root, "demo-data");
const LARGE = path.join(cache, "bench", "large");

const AT_MOST = {
  "images, demo shards: another image / h5py": 0.5,
  "images, demo shards: the same image again / h5py": 0.2,
  "images, demo shards: read calls for the same image again": 1,
  "images, 100,000 images: another image / h5py": 0.5,
  "images, 100,000 images: the same image again / h5py": 0.2,
  "images, 100,000 images: read calls for the same image again": 1,
  "click, demo shards: explorer / minimal widget": 1.3,
  "click, demo shards: explorer / ancestor's method": 1,
  "click, 100,000 images: explorer / minimal widget": 1.3,
  "click, 100,000 images: explorer / ancestor's method": 0.8,
  "thumbnails: one thread / whole decode": 0.55,
  "thumbnails: asked for / whole decode": 0.5,
  "thumbnails: asked for again / whole decode": 0.05,
  "HDF5: photographs / h5manager's method, seconds": 0.33,
  "HDF5: photographs / h5manager's method, MB": 0.2,
  "HDF5: one image / h5manager's layout": 0.05,
  "HDF5: merge of 2 GB / copying the bytes": 2,
  "HDF5: merge of 2 GB, MB": 300,
  "Zarr: 256: time of ours / images_to_zarr's method": 0.33,
  "Zarr: 256: time of ours / Pillow alone": 1.43,
  "Zarr: 256: memory of ours / images_to_zarr's method": 0.5,
  "Zarr: 256: ours, files": 20,
  "Zarr: 512: ours, MB (shared pages once)": 400,
  "shards: shards / cp -r": 2,
  "split data sets: writing / original": 0.33,
  "split data sets: a plane, its files / original": 0.33,
  "split data sets: 20 time points, its files / original": 0.67,
  "split data sets: a voxel through time, its files / original": 0.33,
  "split data sets: a voxel through time, default blocks / original": 0.033,
  "first rows: explorer - empty widget, ms": 600,
  "slider, 10 million rows: explorer / minimal widget": 1.3,
  "slider, 200 million rows: explorer / minimal widget": 1.3,
  "10 million rows, 1Mi groups: first rows, page / kernel": 3,
  "10 million rows, giant groups: first rows, page / kernel": 3,
};

function makeData() {
  const python = venvProgram("python");
  if (!existsSync(path.join(DEMO, "lookup.csv"))) mustRun(python, ["-m", "h5explorer_py", "demo", DEMO]);
  if (!existsSync(path.join(LARGE, "lookup.parquet"))) {
    console.log("Making a shard of 100,000 images (0.9 GB).");
    mustRun(python, ["-m", "tests.bench.data", LARGE]);
  }
}

function measured(what, script, ...args) {
  const done = spawnSync(venvProgram("python"), ["-m", script, ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (done.status !== 0) stop(`This could not be measured: ${what}.`);
  const figures = Object.entries(JSON.parse(done.stdout));
  return Object.fromEntries(figures.map(([figure, value]) => [`${what}: ${figure}`, value]));
}

function images(name, folder) {
  return measured(`images, ${name}`, "tests.bench.images", path.join(folder, "lookup.parquet"));
}

function widgets() {
  mustRun(npmProgram("jest"), ["--config", "tests/bench/jest.config.js"]);
  const read = (name) => JSON.parse(readFileSync(path.join(cache, "bench", name), "utf8"));
  return { ...read("widgets.json"), ...read("slider.json"), ...read("first-rows.json") };
}

function lookups(...args) {
  return run(venvProgram("python"), ["-m", "tests.bench.figures", ...args]);
}

async function imagesAndPage() {
  process.env.CHROMIUM_PATH = await browserProgram();
  makeData();
  return {
    ...images("demo shards", DEMO),
    ...images("100,000 images", LARGE),
    ...measured("thumbnails", "tests.bench.thumbnails"),
    ...measured("HDF5", "tests.bench.h5", path.join(cache, "bench", "h5")),
    ...measured("Zarr", "tests.bench.stores", path.join(cache, "bench", "zarr")),
    ...measured("shards", "tests.bench.shards"),
    ...measured("split data sets", "tests.bench.splits"),
    ...widgets(),
  };
}

function printed(figures) {
  let missed = 0;
  for (const [name, value] of Object.entries(figures)) {
    const most = AT_MOST[name];
    const verdict = most === undefined ? "" : value <= most ? `  at most ${most}: yes` : `  at most ${most}: NO`;
    if (verdict.endsWith("NO")) missed += 1;
    console.log(`${name.padEnd(66)} ${value.toFixed(3).padStart(10)}${verdict}`);
  }
  const unmeasured = Object.keys(AT_MOST).filter((name) => !(name in figures));
  for (const name of unmeasured) console.log(`${name} was not measured`);
  return missed + unmeasured.length;
}

setup();
const chosen = process.argv.slice(2);
if (chosen.length > 0) {
  process.exitCode = lookups(...chosen);
} else {
  const figures = await imagesAndPage();
  const missed = printed(figures);
  const also = path.join(cache, "bench", "page.json");
  mkdirSync(path.dirname(also), { recursive: true });
  writeFileSync(
    also,
    JSON.stringify(Object.entries(figures).map(([name, value]) => [name, value, AT_MOST[name] ?? null])),
  );
  const failed = lookups("--also", also);
  process.exitCode = missed === 0 && failed === 0 ? 0 : 1;
}
