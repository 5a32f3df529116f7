/** The tokens of a condition in SQL, as far as that is needed to take it apart into terms joined by AND. */

/** A piece of a condition. */
export interface Token {
  readonly kind: "word" | "name" | "text" | "number" | "sign";
  /** As it is written. */
  readonly raw: string;
  /** What a name or text says, a word in capitals, else as it is written. */
  readonly value: string;
  readonly start: number;
  readonly stop: number;
}

const PATTERNS: readonly (readonly [Token["kind"], RegExp])[] = [
  ["text", /'(?:[^']|'')*'/y],
  ["name", /"(?:[^"]|"")*"/y],
  ["number", /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["sign", /[^\s]/uy],
];

/** Divides a condition into tokens; `null` where it holds what is not taken apart: comments, unfinished or `$` quotes. */
export function tokensOf(sql: string): readonly Token[] | null {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const space = /\s+/y;
    space.lastIndex = at;
    const skipped = space.exec(sql);
    if (skipped !== null) at += skipped[0].length;
    if (at >= sql.length) break;
    if (sql.startsWith("--", at) || sql.startsWith("/*", at) || sql[at] === "$") return null;
    const token = tokenAt(sql, at);
    if (token === null || (token.kind === "sign" && (token.raw === "'" || token.raw === '"'))) return null;
    tokens.push(token);
    at = token.stop;
  }
  return tokens;
}

function tokenAt(sql: string, at: number): Token | null {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const raw = pattern.exec(sql)?.[0];
    if (raw !== undefined) return { kind, raw, value: meaningOf(kind, raw), start: at, stop: at + raw.length };
  }
  return null;
}

function meaningOf(kind: Token["kind"], raw: string): string {
  if (kind === "text") return raw.slice(1, -1).replaceAll("''", "'");
  if (kind === "name") return raw.slice(1, -1).replaceAll('""', '"');
  return kind === "word" ? raw.toUpperCase() : raw;
}

/**
 * Divides a condition at the ANDs that join its terms.
 *
 * @returns The tokens of each term; `null` where the condition is no such chain: an OR stands in it outside brackets,
 * or it cannot be taken apart.
 */
export function termsOf(tokens: readonly Token[]): readonly (readonly Token[])[] | null {
  const terms: Token[][] = [[]];
  let depth = 0;
  let cases = 0;
  let between = 0;
  for (const token of tokens) {
    const { kind, value } = token;
    if (kind === "sign" && "([{".includes(value)) depth += 1;
    if (kind === "sign" && ")]}".includes(value)) depth -= 1;
    if (depth < 0) return null;
    if (kind === "word" && value === "CASE") cases += 1;
    if (kind === "word" && value === "END") cases -= 1;
    if (depth === 0 && cases === 0 && kind === "word") {
      if (value === "OR") return null;
      if (value === "BETWEEN") between += 1;
      if (value === "AND") {
        if (between === 0) {
          terms.push([]);
          continue;
        }
        between -= 1;
      }
    }
    terms[terms.length - 1]?.push(token);
  }
  return depth !== 0 || cases !== 0 || terms.some((term) => term.length === 0) ? null : terms;
}
