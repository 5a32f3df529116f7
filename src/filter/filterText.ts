/**
 * A filter as a person sees it, and as SQL: the two are one. What is chosen by values or bounds of a column is written
 * as SQL, and SQL of that form is shown as such a choice; any other term is kept as it was typed.
 */

import { type Token, termsOf, tokensOf } from "./sqlParts";

/** Rows whose column has one of some values, or none. */
export interface OneOf {
  readonly kind: "oneOf";
  readonly column: string;
  /** The values as SQL has them. */
  readonly values: readonly string[];
  readonly nulls: boolean;
}

/** Rows whose column lies within bounds, both within. */
export interface Between {
  readonly kind: "between";
  readonly column: string;
  readonly low: string;
  readonly high: string;
}

/** Any other condition. */
export interface Other {
  readonly kind: "other";
  readonly sql: string;
}

/** One of the terms that rows meet all of. */
export type Term = OneOf | Between | Other;

/** Words that are no names in SQL unless they are quoted. */
const RESERVED = new Set(
  (
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default " +
    "deferrable desc describe distinct do else end except exists extract false fetch for foreign from glob grant group " +
    "having ilike in initially intersect interval into is isnull lambda lateral leading like limit not notnull null " +
    "offset on only or order overlay pivot pivot_longer pivot_wider placing position primary qualify references " +
    "returning row select show similar some substring summarize symmetric table then to trailing trim true try_cast " +
    "union unique unpivot using values variadic when where window with coalesce columns struct map date timestamp time"
  ).split(" "),
);

/** Writes a column's name as SQL. */
export function nameSql(name: string): string {
  const plain = /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name);
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Writes a term as SQL that can stand between ANDs. */
export function termSql(term: Term): string {
  if (term.kind === "other") return term.sql;
  const name = nameSql(term.column);
  if (term.kind === "between") return `${name} BETWEEN ${term.low} AND ${term.high}`;
  const [first] = term.values;
  if (first === undefined) return `${name} IS NULL`;
  const among = term.values.length === 1 ? `${name} = ${first}` : `${name} IN (${term.values.join(", ")})`;
  return term.nulls ? `(${among} OR ${name} IS NULL)` : among;
}

/** Writes a filter as SQL. */
export function filterSql(terms: readonly Term[]): string {
  const chosen = terms.filter((term) => term.kind !== "oneOf" || term.values.length > 0 || term.nulls);
  const alone = chosen.length === 1;
  return chosen.map((term) => (alone || !isOpen(term) ? termSql(term) : `(${termSql(term)}\n)`)).join(" AND ");
}

/** Whether a term is a whole condition that an AND would tear apart. The line's end is for a comment at its end. */
function isOpen(term: Term): boolean {
  if (term.kind !== "other") return false;
  const tokens = tokensOf(term.sql);
  return (tokens === null ? null : termsOf(tokens)) === null;
}

/** Takes a filter in SQL apart. */
export function parseFilter(sql: string): readonly Term[] {
  const text = sql.trim();
  if (text === "") return [];
  const tokens = tokensOf(text);
  const parts = tokens === null ? null : termsOf(tokens);
  if (parts === null) return [{ kind: "other", sql: text }];
  return parts.map((part) => {
    const raw = text.slice(part[0]?.start ?? 0, part.at(-1)?.stop ?? 0);
    return termOf(part) ?? { kind: "other", sql: raw };
  });
}

/** Whether the first bracket ends at the last token. */
function isBracketed(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const [at, { kind, value }] of tokens.entries()) {
    if (kind === "sign" && value === "(") depth += 1;
    if (kind === "sign" && value === ")") depth -= 1;
    if (depth === 0) return at === tokens.length - 1;
  }
  return false;
}

function termOf(tokens: readonly Token[]): Term | null {
  const inner = bracketed(tokens);
  if (inner !== null) return orNull(inner);
  const name = tokens[0];
  if (name === undefined) return null;
  const column = columnOf(name);
  if (column === null) return null;
  const rest = tokens.slice(1);
  if (words(rest) === "IS NULL") return { kind: "oneOf", column, values: [], nulls: true };
  if (isSign(rest[0], "=")) {
    const value = literal(rest.slice(1));
    return value === null ? null : { kind: "oneOf", column, values: [value], nulls: false };
  }
  if (isWord(rest[0], "IN")) return inList(column, rest.slice(1));
  if (isWord(rest[0], "BETWEEN")) return between(column, rest.slice(1));
  return null;
}

function bracketed(tokens: readonly Token[]): readonly Token[] | null {
  return isSign(tokens[0], "(") && isBracketed(tokens) ? tokens.slice(1, -1) : null;
}

/** `column IN (...) OR column IS NULL` */
function orNull(tokens: readonly Token[]): Term | null {
  const at = tokens.findIndex((token) => isWord(token, "OR"));
  if (at < 0) return null;
  const some = termOf(tokens.slice(0, at));
  const none = termOf(tokens.slice(at + 1));
  if (some?.kind !== "oneOf" || none?.kind !== "oneOf") return null;
  const fits = some.column === none.column && some.values.length > 0 && !some.nulls && none.values.length === 0;
  return fits ? { ...some, nulls: true } : null;
}

function inList(column: string, tokens: readonly Token[]): Term | null {
  const inner = bracketed(tokens);
  if (inner === null) return null;
  const values: string[] = [];
  for (let start = 0; start <= inner.length; ) {
    const comma = inner.findIndex((token, at) => at >= start && isSign(token, ","));
    const stop = comma < 0 ? inner.length : comma;
    const value = literal(inner.slice(start, stop));
    if (value === null) return null;
    values.push(value);
    start = stop + 1;
  }
  return { kind: "oneOf", column, values, nulls: false };
}

function between(column: string, tokens: readonly Token[]): Term | null {
  const at = tokens.findIndex((token) => isWord(token, "AND"));
  const low = literal(tokens.slice(0, at));
  const high = literal(tokens.slice(at + 1));
  return at < 0 || low === null || high === null ? null : { kind: "between", column, low, high };
}

/** The value that tokens write: a text, a number, a truth value, a date or moment; `null` for anything else. */
function literal(tokens: readonly Token[]): string | null {
  const [first, second] = tokens;
  if (first === undefined || tokens.length > 2) return null;
  if (second === undefined) {
    if (first.kind === "text" || first.kind === "number") return first.raw;
    return isWord(first, "TRUE") || isWord(first, "FALSE") ? first.value.toLowerCase() : null;
  }
  if (isSign(first, "-") && second.kind === "number") return `-${second.raw}`;
  if ((isWord(first, "DATE") || isWord(first, "TIMESTAMP")) && second.kind === "text") {
    return `${first.value} ${second.raw}`;
  }
  return null;
}

function columnOf(token: Token): string | null {
  if (token.kind === "name") return token.value;
  return token.kind === "word" && !RESERVED.has(token.raw.toLowerCase()) ? token.raw : null;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.value === word;
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === "sign" && token.value === sign;
}

function words(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === "word" ? token.value : "?")).join(" ");
}

/** What is chosen of a column's values. */
export function choiceOf(terms: readonly Term[], column: string): OneOf {
  const found = terms.find((term) => term.kind === "oneOf" && term.column === column);
  return found?.kind === "oneOf" ? found : { kind: "oneOf", column, values: [], nulls: false };
}

/** The bounds of a column. */
export function boundsOf(terms: readonly Term[], column: string): Between | null {
  const found = terms.find((term) => term.kind === "between" && term.column === column);
  return found?.kind === "between" ? found : null;
}

/** Chooses a value of a column, or lets go of it; `null` stands for rows without a value. */
export function toggled(terms: readonly Term[], column: string, value: string | null): readonly Term[] {
  const before = choiceOf(terms, column);
  const after =
    value === null
      ? { ...before, nulls: !before.nulls }
      : {
          ...before,
          values: before.values.includes(value)
            ? before.values.filter((each) => each !== value)
            : [...before.values, value],
        };
  const isEmpty = after.values.length === 0 && !after.nulls;
  return replaced(terms, (term) => term.kind === "oneOf" && term.column === column, isEmpty ? null : after);
}

/** Bounds a column, or takes its bounds away. */
export function bounded(terms: readonly Term[], column: string, bounds: Between | null): readonly Term[] {
  return replaced(terms, (term) => term.kind === "between" && term.column === column, bounds);
}

/** Puts a term in place of those that fit, or behind the others. */
function replaced(terms: readonly Term[], fits: (term: Term) => boolean, by: Term | null): readonly Term[] {
  const at = terms.findIndex(fits);
  const others = terms.filter((term) => !fits(term));
  if (by === null) return others;
  return at < 0 ? [...others, by] : [...others.slice(0, at), by, ...others.slice(at)];
}

/** Says what a term chooses, in few words: `species: Corvus corax`, `size: 3 to 10`. */
export function termText(term: Term): string {
  if (term.kind === "other") return term.sql;
  if (term.kind === "between") return `${term.column}: ${plain(term.low)} to ${plain(term.high)}`;
  return `${term.column}: ${[...term.values.map(plain), ...(term.nulls ? ["no value"] : [])].join(", ")}`;
}

function plain(sql: string): string {
  const text = /'((?:[^']|'')*)'$/.exec(sql)?.[1];
  return text === undefined ? sql : text.replaceAll("''", "'");
}
