import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { asPython } from "../../src/contents/asPython";
import { withRange } from "../../src/contents/ranges";
import type { Opened, Options } from "../../src/source/api";
import { NO_INDEX } from "../../src/source/noIndex";
import type { Ranges } from "../../src/state/shared";
import { venvProgram } from "../support/python";

const PLAIN: Options = {
  lookup: "/data/lookup.parquet",
  root: null,
  uuidColumn: "uuid",
  filepathColumn: "filepath",
  cache: true,
};
const OPENED: Opened = {
  dataset: 1,
  name: "lookup.parquet",
  location: "/data/lookup.parquet",
  records: 324,
  counting: false,
  total: 324,
  filter: "",
  sort: [],
  notices: [],
  index: NO_INDEX,
  options: PLAIN,
};

const code = (opened: Partial<Opened>, options: Partial<Options> = {}, current: number | null = 0, rows: Ranges = []) =>
  asPython({ ...OPENED, ...opened, options: { ...PLAIN, ...options } }, current, rows);

test("the lines are those that a person would write", () => {
  const opened = { filter: "species = 'Corvus corax'", sort: [["uuid", "asc"]] as const };
  expect(
    code(opened, {}, 7, [
      [0, 5],
      [10, 12],
      [20, 21],
    ]),
  ).toBe(
    `from h5explorer_py import Explorer

ex = Explorer("/data/lookup.parquet")
ex.filter = "species = 'Corvus corax'"
ex.sort = [("uuid", "asc")]
ex.selection = [range(0, 5), range(10, 12), 20]
ex.current = 7
ex`,
  );
});

const last = (text: string) => text.split("\n").slice(2);

test("what goes without saying is not said", () => {
  const opened = 'ex = Explorer("/data/lookup.parquet")';
  expect(last(code({}))).toEqual([opened, "ex"]);
  expect(last(code({}, {}, 0, [[0, 1]]))).toEqual([opened, "ex"]);
  expect(last(code({}, {}, 5, [[5, 6]]))).toEqual([opened, "ex.current = 5", "ex"]);
  expect(last(code({}, {}, 5, [[6, 7]]))).toEqual([opened, "ex.selection = 6", "ex.current = 5", "ex"]);
  expect(last(code({}, {}, 0, [[3, 9]]))).toEqual([opened, "ex.selection = range(3, 9)", "ex"]);
  expect(last(code({}, {}, 0, [[0, 324]]))).toEqual([opened, "ex.selection = range(len(ex))", "ex"]);
  expect(last(code({}, {}, null))).toEqual([opened, "ex.current = None", "ex"]);
  expect(last(code({ records: 0, filter: "false" }, {}, null))).toEqual([opened, 'ex.filter = "false"', "ex"]);
});

test("the first row of an order is named: another one may be shown before", () => {
  expect(last(code({ sort: [["uuid", "desc"]] }))).toContain("ex.current = 0");
});

test("a lookup that has no path is left to the person, and its name stays in its comment", () => {
  expect(last(code({ name: "pandas data frame" }, { lookup: null, cache: false }))).toEqual([
    '# "pandas data frame" has no path: put what it was made of in place of lookup.',
    "ex = Explorer(lookup, cache=False)",
    "ex",
  ]);
  const lines = last(code({ name: "a\nimport os\r\u2028\u0085b and 2 more" }, { lookup: null }));
  expect(lines[0]).toBe(
    '# "a\\nimport os\\r\\u2028\\x85b and 2 more" has no path: put what it was made of in place of lookup.',
  );
});

/** Takes code apart with Python's own parser: what it assigns, nothing run. */
const READ = `
import ast, json, sys

def value(node):
    if isinstance(node, ast.Call):
        assert node.func.id == "range"
        inner = node.args[0]
        if isinstance(inner, ast.Call):
            assert ast.unparse(node) == "range(len(ex))"
            return "all"
        return ["range", *map(ast.literal_eval, node.args)]
    if isinstance(node, ast.List) and any(isinstance(each, ast.Call) for each in node.elts):
        return [value(each) for each in node.elts]
    return ast.literal_eval(node)

def read(code):
    first, *middle, shown = ast.parse(code).body
    assert ast.unparse(first) == "from h5explorer_py import Explorer"
    assert ast.unparse(shown) == "ex"
    made, *assigned = middle
    assert ast.unparse(made.targets[0]) == "ex" and made.value.func.id == "Explorer"
    found = {"lookup": ast.literal_eval(made.value.args[0])}
    assert len(made.value.args) == 1
    found |= {each.arg: ast.literal_eval(each.value) for each in made.value.keywords}
    for each in assigned:
        (target,) = each.targets
        assert target.value.id == "ex"
        found[target.attr] = value(each.value)
    return found

json.dump([read(code) for code in json.load(sys.stdin)], sys.stdout)
`;

function readByPython(codes: readonly string[]): readonly Record<string, unknown>[] {
  const input = JSON.stringify(codes);
  return JSON.parse(execFileSync(venvProgram("python"), ["-I", "-S", "-c", READ], { input, encoding: "utf8" }));
}

/** Texts of all sorts: half pairs, quotes, line ends of every kind, signs that are not seen. */
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0xd83d, 0xde00, 0x27, 0x22, 0x5c)), {
      maxLength: 8,
    })
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        "'",
        '"',
        "\\",
        '"""',
        "\n",
        "\r",
        "\0",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\\N{BULLET}",
        "{x}",
        "#",
        "é",
        "é",
        "\u00a0",
        "😀",
        "\ud83d",
        "\\u0041",
        "\\x",
        "1",
      ),
    )
    .map((parts) => parts.join("")),
);

const selections = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 })), { maxLength: 6 })
  .map((pairs) => pairs.reduce<Ranges>((ranges, [start, length]) => withRange(ranges, start, start + length), []));

const shown = fc.record({
  filter: texts,
  sort: fc.array(fc.tuple(texts, fc.constantFrom("asc" as const, "desc" as const)), { maxLength: 3 }),
  options: fc.record({
    lookup: fc.oneof(texts, fc.array(texts, { minLength: 1, maxLength: 3 })),
    root: fc.oneof(fc.constant(null), texts, fc.dictionary(texts, texts, { maxKeys: 3 })),
    uuidColumn: fc.oneof(fc.constant("uuid"), texts),
    filepathColumn: fc.oneof(fc.constant("filepath"), texts),
    cache: fc.oneof(fc.boolean(), texts),
  }),
  current: fc.integer({ min: 0, max: 323 }),
  selection: selections,
});

type Shown = typeof shown extends fc.Arbitrary<infer Value> ? Value : never;

/** What the lines mean, written without a look at them. */
function meant({ filter, sort, options, current, selection }: Shown): Record<string, unknown> {
  const { lookup, root, uuidColumn, filepathColumn, cache } = options;
  const rows = selection.map(([start, stop]) => (stop - start === 1 ? start : ["range", start, stop]));
  const alone = rows.length === 1 && selection[0]?.[0] === current && selection[0][1] === current + 1;
  return {
    lookup,
    ...(root !== null && { root }),
    ...(uuidColumn !== "uuid" && { uuid_column: uuidColumn }),
    ...(filepathColumn !== "filepath" && { filepath_column: filepathColumn }),
    ...(cache !== true && { cache }),
    ...(filter !== "" && { filter }),
    ...(sort.length > 0 && { sort }),
    ...(rows.length > 0 && !alone && { selection: rows.length === 1 ? rows[0] : rows }),
    ...((current !== 0 || sort.length > 0) && { current }),
  };
}

test("Python reads back every text and number, whatever they are", () => {
  fc.assert(
    fc.property(fc.array(shown, { minLength: 60, maxLength: 120 }), (all) => {
      const codes = all.map(({ filter, sort, options, current, selection }) =>
        asPython({ ...OPENED, filter, sort, options }, current, selection),
      );
      for (const each of codes) expect(each).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
      expect(readByPython(codes)).toEqual(all.map(meant));
    }),
    { numRuns: 6 },
  );
});
