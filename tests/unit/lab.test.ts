import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { pythonKernels } from "../../src/lab/kernelChoice";
import { placeOf } from "../../src/lab/kernelPath";
import { installCommand, literal, openingExpressions, readOpening, VERSION } from "../../src/lab/python";
import { settingsOf } from "../../src/lab/settings";
import { lookOf, USUAL_LOOK } from "../../src/state/look";
import { venvProgram } from "../support/python";

describe("where a kernel finds a file", () => {
  test("below the server's folder, whichever drive shows that", () => {
    expect(placeOf("", "a/b.parquet", "~/data")).toEqual({ root: "~/data", path: "a/b.parquet" });
    expect(placeOf("RTC", "/a/b.parquet", "/srv")).toEqual({ root: "/srv", path: "a/b.parquet" });
  });

  test("nowhere, for a drive that is not on a disk", () => {
    expect(placeOf("S3", "a.parquet", "/srv")).toMatch(/^Files of the drive S3 /);
  });
});

describe("what is said to Python", () => {
  test("is the same text there, whatever signs it has", () => {
    const texts = fc.sample(fc.string({ unit: "binary", maxLength: 40 }), 200);
    const all = [...texts, `it's "b" \\ {x} %s \n \r \u2028 \0 é 😀 \ud800`, "');__import__('os').abort()#"];
    const lines = all.map((text) => `json.loads(${literal({ text })})["text"]`);
    expect(lines.join("")).toMatch(/^[ -~]*$/);
    const program = `import json\nprint(json.dumps([${lines.join(",")}]))`;
    const done = spawnSync(venvProgram("python"), ["-"], { input: program, encoding: "utf8" });
    expect(JSON.parse(done.stdout)).toEqual(all);
  });

  test("calls one function, with the request as its argument", () => {
    expect(openingExpressions({ path: "a" }).tab).toBe(
      `__import__('h5explorer_py.lab', fromlist=['open_tab']).open_tab("{\\"path\\":\\"a\\",\\"version\\":${VERSION}}")`,
    );
  });
});

describe("what a kernel answers", () => {
  const ok = (json: unknown) => ({ status: "ok", data: { "application/json": json } });

  test("is the name of a model", () => {
    expect(readOpening({ python: ok({ path: "/p" }), tab: ok({ model: "abc", version: VERSION }) })).toEqual({
      kind: "opened",
      model: "abc",
    });
  });

  test("is that it lacks the package", () => {
    const tab = { status: "error", ename: "ModuleNotFoundError", evalue: "No module named 'h5explorer_py'" };
    expect(readOpening({ python: ok({ path: "/p" }), tab })).toEqual({ kind: "absent", python: "/p" });
  });

  test("is that it has another version of the package", () => {
    const tab = ok({ model: "abc", version: VERSION + 1, package: "7.0.0" });
    expect(readOpening({ tab })).toMatchObject({
      kind: "foreign",
      message: expect.stringMatching(/of h5explorer \d+\.\d+\.\d+, the kernel's package of 7\.0\.0/),
      action: expect.stringContaining("Install the same version in both environments"),
    });
    expect(readOpening({ tab: ok({ model: "abc" }) })).toMatchObject({ kind: "foreign" });
  });

  test("is why the file is refused, or what else went wrong", () => {
    const error = { code: "wrong_columns", message: "It has no uuid.", action: "Name it." };
    expect(readOpening({ tab: ok({ error, version: VERSION }) })).toEqual({
      kind: "refused",
      message: "It has no uuid.",
      action: "Name it.",
    });
    const tab = { status: "error", ename: "ModuleNotFoundError", evalue: "No module named 'duckdb'" };
    expect(readOpening({ tab })).toMatchObject({
      kind: "refused",
      message: "ModuleNotFoundError: No module named 'duckdb'",
    });
    for (const each of [null, {}, { tab: 1 }, { tab: ok(null) }]) expect(readOpening(each).kind).toBe("refused");
  });

  test("gives the command that installs the package, for a shell", () => {
    expect(installCommand("/opt/py/bin/python")).toBe("/opt/py/bin/python -m pip install h5explorer");
    expect(installCommand("/my envs/it's/python")).toBe("'/my envs/it'\\''s/python' -m pip install h5explorer");
  });
});

test("kernels of Python are offered, those preferred first", () => {
  const spec = (display_name: string, language = "python") => ({ display_name, language });
  const kernelspecs = { b: spec("B"), r: spec("R", "R"), python3: spec("Python 3"), a: spec("A"), broken: undefined };
  const names = (preferred: readonly string[]) =>
    pythonKernels({ default: "python3", kernelspecs }, preferred).map((each) => each.name);
  expect(names([])).toEqual(["python3", "a", "b"]);
  expect(names(["", "gone", "b"])).toEqual(["b", "python3", "a"]);
  expect(pythonKernels(null)).toEqual([]);
});

test("settings that are missing or no good are as usual", () => {
  const usual = settingsOf({});
  const look = { rowHeight: 28, prefetch: true };
  expect(usual).toEqual({ theme: "lab", look, cache: true, cacheLimit: null, kernel: "" });
  for (const each of [null, 1, { theme: "pink", rowHeight: "tall", cache: 1, cacheLimit: -1, kernel: 2 }]) {
    expect(settingsOf(each)).toEqual(usual);
  }
  expect(settingsOf({ cache: true, cacheFolder: " /scratch " }).cache).toBe("/scratch");
  expect(settingsOf({ cache: false, cacheFolder: "/scratch" }).cache).toBe(false);
  expect(settingsOf({ cacheLimit: 0.5 }).cacheLimit).toBe(500_000_000);
  expect(settingsOf({ cacheLimit: 0 }).cacheLimit).toBeNull();
});

describe("a look", () => {
  test("keeps what is good of it", () => {
    const shares = { columns: [0.5, 0.3, 0.2], stack: [1, 1, 1] };
    expect(lookOf({ shares, rowHeight: 9, prefetch: false })).toEqual({
      shares: { columns: [0.5, 0.3, 0.2] },
      rowHeight: 20,
      prefetch: false,
    });
  });

  test("is as usual for anything else", () => {
    for (const each of [null, [], "x", {}, { shares: [] }]) expect(lookOf(each)).toEqual(USUAL_LOOK);
  });
});
