/** Reading delimited text, piece by piece: quotes, quotes within quotes, line ends of every kind. Ids stay text. */

/** Takes the fields of one record; the list is used again for the next. */
export type TakeRecord = (fields: readonly string[]) => void;

/** Cuts text into records. */
export class DelimitedReader {
  readonly #delimiter: string;
  readonly #take: TakeRecord;
  #fields: string[] = [];
  #field = "";
  #quoted = false;
  /** Whether the field began with a quote, which has ended: another quote would have been one that is meant. */
  #closed = false;
  #afterReturn = false;

  constructor(delimiter: string, take: TakeRecord) {
    this.#delimiter = delimiter;
    this.#take = take;
  }

  /** Takes more of the text. */
  push(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const sign = text[at];
      if (this.#quoted) {
        if (sign !== '"') continue;
        this.#field += text.slice(from, at);
        from = at + 1;
        this.#quoted = false;
        this.#closed = true;
        continue;
      }
      if (sign === "\n" && this.#afterReturn && at === from && this.#isBlank) {
        from = at + 1; // the second half of a line end
        this.#afterReturn = false;
        continue;
      }
      this.#afterReturn = false;
      if (sign === '"') {
        if (this.#closed) {
          this.#field += '"';
          this.#quoted = true;
          this.#closed = false;
          from = at + 1;
        } else if (this.#field === "" && at === from) {
          this.#quoted = true;
          from = at + 1;
        }
      } else if (sign === this.#delimiter || sign === "\n" || sign === "\r") {
        this.#fields.push(this.#field + text.slice(from, at));
        this.#field = "";
        this.#closed = false;
        from = at + 1;
        if (sign === this.#delimiter) continue;
        this.#afterReturn = sign === "\r";
        this.#end();
      } else {
        this.#closed = false;
      }
    }
    this.#field += text.slice(from);
  }

  /**
   * Takes the last record, where no line end came behind it.
   *
   * @returns Whether all quotes have ended.
   */
  finish(): boolean {
    if (!this.#isBlank || this.#closed) {
      this.#fields.push(this.#field);
      this.#field = "";
      this.#end();
    }
    return !this.#quoted;
  }

  get #isBlank(): boolean {
    return this.#field === "" && this.#fields.length === 0;
  }

  /** Hands a record on; a blank line is none. */
  #end(): void {
    const fields = this.#fields;
    this.#fields = [];
    if (fields.length > 1 || fields[0] !== "") this.#take(fields);
  }
}

/** The delimiter of a text whose first line holds both names, or else the likeliest. */
export function delimiterOf(firstLine: string, name: string): string {
  if (/\.tsv(\.gz)?$/i.test(name)) return "\t";
  const counts = [",", "\t", ";", "|"].map((sign) => ({ sign, count: firstLine.split(sign).length }));
  counts.sort((one, other) => other.count - one.count);
  return counts[0]?.sign ?? ",";
}
