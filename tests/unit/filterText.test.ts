import fc from "fast-check";
import {
  bounded,
  boundsOf,
  choiceOf,
  filterSql,
  nameSql,
  parseFilter,
  type Term,
  termText,
  toggled,
} from "../../src/filter/filterText";
import { termsOf, tokensOf } from "../../src/filter/sqlParts";

const oneOf = (column: string, values: string[], nulls = false): Term => ({ kind: "oneOf", column, values, nulls });
const other = (sql: string): Term => ({ kind: "other", sql });

test.each<[string, Term[]]>([
  ["", []],
  ["  ", []],
  ["species = 'Corvus corax'", [oneOf("species", ["'Corvus corax'"])]],
  ["\"the species\" = 'it''s'", [oneOf("the species", ["'it''s'"])]],
  ["species IN ('a', 'b,c') AND size = 7", [oneOf("species", ["'a'", "'b,c'"]), oneOf("size", ["7"])]],
  ["species is null", [oneOf("species", [], true)]],
  ["(species = 'a' OR species IS NULL)", [oneOf("species", ["'a'"], true)]],
  [
    "(species IN ('a','b') OR species IS NULL) and flag = TRUE",
    [oneOf("species", ["'a'", "'b'"], true), oneOf("flag", ["true"])],
  ],
  ["size BETWEEN -3 AND 1.5e3", [{ kind: "between", column: "size", low: "-3", high: "1.5e3" }]],
  ["day = DATE '2024-02-29'", [oneOf("day", ["DATE '2024-02-29'"])]],
  [
    "size BETWEEN 1 AND 2 AND species = 'x'",
    [{ kind: "between", column: "size", low: "1", high: "2" }, oneOf("species", ["'x'"])],
  ],
  ["a = 1 OR b = 2", [other("a = 1 OR b = 2")]],
  ["(a = 1 OR b = 2)", [other("(a = 1 OR b = 2)")]],
  ["(a = 1) OR (b = 2)", [other("(a = 1) OR (b = 2)")]],
  ["(a = 1 OR b = 2) AND c = 3", [other("(a = 1 OR b = 2)"), oneOf("c", ["3"])]],
  ["(a = 1 OR b IS NULL)", [other("(a = 1 OR b IS NULL)")]],
  ["length(uuid) > 3", [other("length(uuid) > 3")]],
  ["a = b", [other("a = b")]],
  ["a LIKE '%x AND y%'", [other("a LIKE '%x AND y%'")]],
  ["CASE WHEN a AND b THEN c END AND d = 1", [other("CASE WHEN a AND b THEN c END"), oneOf("d", ["1"])]],
  ["a = 1 -- b", [other("a = 1 -- b")]],
  ["a = 'unfinished", [other("a = 'unfinished")]],
  ["a = 1 AND", [other("a = 1 AND")]],
  ["a = 1)", [other("a = 1)")]],
  ["not a", [other("not a")]],
])("%s is taken apart", (sql, terms) => {
  expect(parseFilter(sql)).toEqual(terms);
});

const column = fc.oneof(fc.constantFrom("a", "the name", "order", 'quo"te', "Größe", "A"), fc.string({ minLength: 1 }));
const text = fc.string().map((each) => `'${each.replaceAll("'", "''")}'`);
const value = fc.oneof(
  text,
  fc.integer().map(String),
  fc.constantFrom("true", "false", "1.5", "-0.25", "DATE '2024-01-01'"),
);
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({
    kind: fc.constant("oneOf" as const),
    column,
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 4 }),
    nulls: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("oneOf" as const), column, values: fc.constant([]), nulls: fc.constant(true) }),
  fc.record({ kind: fc.constant("between" as const), column, low: value, high: value }),
  fc.constantFrom("length(uuid) > 3", "(a = 1 OR b = 2)", "a LIKE '%'").map((sql) => ({ kind: "other" as const, sql })),
);

test("what is written is read back as it was", () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 5 }), (terms) => {
      expect(parseFilter(filterSql(terms))).toEqual(terms);
    }),
  );
});

const piece = fc.oneof(
  fc.constantFrom(
    "a",
    "AND",
    "OR",
    "(",
    ")",
    "=",
    "'x'",
    "BETWEEN",
    "1",
    "IS",
    "NULL",
    ",",
    "IN",
    "CASE",
    "END",
    '"q"',
  ),
  fc.string(),
);
const conditionLike = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(" "));

test("any text is taken apart, and written so that it is taken apart in the same way", () => {
  fc.assert(
    fc.property(conditionLike, (sql) => {
      const once = filterSql(parseFilter(sql));
      expect(filterSql(parseFilter(once))).toBe(once);
    }),
  );
});

test("tokens are the text without its white space", () => {
  fc.assert(
    fc.property(fc.string(), (sql) => {
      const tokens = tokensOf(sql);
      if (tokens === null) return;
      expect(tokens.map(({ raw }) => raw).join("")).toBe(
        sql.replace(/\s+(?=(?:[^'"]*(?:'[^']*'|"[^"]*"))*[^'"]*$)/gu, ""),
      );
      for (const { raw, start, stop } of tokens) expect(sql.slice(start, stop)).toBe(raw);
    }),
  );
});

test("terms are all tokens but the ANDs that join them", () => {
  fc.assert(
    fc.property(conditionLike, (sql) => {
      const tokens = tokensOf(sql) ?? [];
      const terms = termsOf(tokens);
      if (terms === null) return;
      const said = terms.map((term) => term.map(({ value }) => value));
      const joined = said.flatMap((values, at) => (at === 0 ? values : ["AND", ...values]));
      expect(joined).toEqual(tokens.map(({ value }) => value));
    }),
  );
});

test("values are chosen and let go of", () => {
  let terms: readonly Term[] = [other("length(uuid) > 3")];
  terms = toggled(terms, "species", "'a'");
  terms = toggled(terms, "size", "3");
  terms = toggled(terms, "species", "'b'");
  terms = toggled(terms, "species", null);
  expect(filterSql(terms)).toBe("length(uuid) > 3 AND (species IN ('a', 'b') OR species IS NULL) AND size = 3");
  expect(choiceOf(terms, "species")).toEqual(oneOf("species", ["'a'", "'b'"], true));
  terms = toggled(toggled(terms, "species", "'a'"), "species", "'b'");
  expect(filterSql(terms)).toBe("length(uuid) > 3 AND species IS NULL AND size = 3");
  terms = toggled(terms, "species", null);
  expect(filterSql(terms)).toBe("length(uuid) > 3 AND size = 3");
});

test("a whole condition is bracketed when something is added to it", () => {
  const terms = toggled(parseFilter("a = 1 OR b = 2"), "species", "'x'");
  expect(filterSql(terms)).toBe("(a = 1 OR b = 2\n) AND species = 'x'");
  expect(filterSql(toggled(parseFilter(filterSql(terms)), "species", "'x'"))).toBe("(a = 1 OR b = 2\n)");
});

test("bounds are set and taken away", () => {
  const bounds = { kind: "between", column: "the size", low: "1", high: "2" } as const;
  const terms = bounded([oneOf("the size", ["7"])], "the size", bounds);
  expect(filterSql(terms)).toBe('"the size" = 7 AND "the size" BETWEEN 1 AND 2');
  expect(boundsOf(terms, "the size")).toEqual(bounds);
  expect(bounded(terms, "the size", null)).toEqual([oneOf("the size", ["7"])]);
});

test("names are quoted where they have to be", () => {
  expect(["species", "Species", "the name", "order", 'q"', "1a", "ä"].map(nameSql)).toEqual([
    "species",
    '"Species"',
    '"the name"',
    '"order"',
    '"q"""',
    '"1a"',
    '"ä"',
  ]);
});

test("terms are said in few words", () => {
  expect(termText(oneOf("species", ["'it''s'", "3"], true))).toBe("species: it's, 3, no value");
  expect(termText({ kind: "between", column: "size", low: "-1", high: "DATE '2024-01-01'" })).toBe(
    "size: -1 to 2024-01-01",
  );
  expect(termText(other("a > b"))).toBe("a > b");
});
