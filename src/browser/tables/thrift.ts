/** The compact form of Thrift, in which Parquet writes its footer and the headers of its pages: read, and written. */

/** A value, with what it is. Numbers beyond 2⁵³ are refused: no file is so large. */
export type Value =
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly type: number; readonly value: number }
  | { readonly kind: "double"; readonly value: Uint8Array }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "list"; readonly of: number; readonly values: readonly Value[] }
  | { readonly kind: "struct"; readonly fields: Fields };

/** What a struct has, by the numbers of its fields, in their order. */
export type Fields = ReadonlyMap<number, Value>;

const [TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BYTES, LIST, STRUCT] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12] as const;

/** How deep structs may lie within each other; Parquet's own are far from that. */
const DEEPEST = 12;

/** Bytes that are no such text, or end within it. */
export class NoThrift extends Error {}

/** Reads values one behind the other. */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The place of the next value. */
  get at(): number {
    return this.#at;
  }

  /** Reads the fields of a struct. */
  struct(depth = 0): Fields {
    if (depth > DEEPEST) throw new NoThrift("too deep");
    const fields = new Map<number, Value>();
    for (let last = 0; ; ) {
      const head = this.#byte();
      if (head === 0) return fields;
      last = head >> 4 === 0 ? this.#zigzag() : last + (head >> 4);
      fields.set(last, this.#value(head & 15, depth, true));
    }
  }

  /** Reads a list of structs without keeping what is in them: only the place where each begins. */
  places(): number[] {
    const { of, length } = this.#listHead();
    if (of !== STRUCT) throw new NoThrift("no structs");
    return Array.from({ length }, () => {
      const begin = this.#at;
      this.#skip(STRUCT, 0, false);
      return begin;
    });
  }

  /** Reads the fields of a struct, handing each over; what is not taken is passed over. */
  each(take: (id: number) => boolean): void {
    for (let last = 0; ; ) {
      const head = this.#byte();
      if (head === 0) return;
      last = head >> 4 === 0 ? this.#zigzag() : last + (head >> 4);
      if (!take(last)) this.#skip(head & 15, 0, true);
    }
  }

  /** Reads a list. */
  list(depth = 0): Value {
    const { of, length } = this.#listHead();
    return { kind: "list", of, values: Array.from({ length }, () => this.#value(of, depth, false)) };
  }

  /** Reads a whole number. */
  int(): number {
    return this.#zigzag();
  }

  #value(type: number, depth: number, inStruct: boolean): Value {
    if (type === TRUE || type === FALSE) {
      return { kind: "bool", value: (inStruct ? type : this.#byte()) === TRUE };
    }
    if (type === BYTE) return { kind: "int", type, value: this.#byte() };
    if (type === I16 || type === I32 || type === I64) return { kind: "int", type, value: this.#zigzag() };
    if (type === DOUBLE) return { kind: "double", value: this.#take(8) };
    if (type === BYTES) return { kind: "bytes", value: this.#take(this.#varint()) };
    if (type === LIST) return this.list(depth + 1);
    if (type === STRUCT) return { kind: "struct", fields: this.struct(depth + 1) };
    throw new NoThrift("a kind of value that Parquet does not have");
  }

  #skip(type: number, depth: number, inStruct: boolean): void {
    if (depth > DEEPEST) throw new NoThrift("too deep");
    if (type === TRUE || type === FALSE) this.#at += inStruct ? 0 : 1;
    else if (type === BYTE) this.#at += 1;
    else if (type === I16 || type === I32 || type === I64) this.#varint();
    else if (type === DOUBLE) this.#at += 8;
    else if (type === BYTES) this.#take(this.#varint());
    else if (type === LIST) {
      const { of, length } = this.#listHead();
      for (let at = 0; at < length; at += 1) this.#skip(of, depth + 1, false);
    } else if (type === STRUCT) {
      for (;;) {
        const head = this.#byte();
        if (head === 0) return;
        if (head >> 4 === 0) this.#varint();
        this.#skip(head & 15, depth + 1, true);
      }
    } else throw new NoThrift("a kind of value that Parquet does not have");
  }

  #listHead(): { readonly of: number; readonly length: number } {
    const head = this.#byte();
    const length = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Every value takes a byte at least: a list that cannot be there is not begun.
    if (length > this.#bytes.length - this.#at) throw new NoThrift("it ends");
    return { of: head & 15, length };
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new NoThrift("it ends");
    this.#at += 1;
    return byte;
  }

  #take(length: number): Uint8Array {
    const begin = this.#at;
    if (begin + length > this.#bytes.length) throw new NoThrift("it ends");
    this.#at += length;
    return this.#bytes.subarray(begin, begin + length);
  }

  #varint(): number {
    let [number, unit] = [0, 1];
    for (let count = 0; count < 8; count += 1) {
      const byte = this.#byte();
      number += (byte & 127) * unit;
      if (byte < 128) {
        if (!Number.isSafeInteger(number)) break;
        return number;
      }
      unit *= 128;
    }
    throw new NoThrift("a number that is too large");
  }

  #zigzag(): number {
    const number = this.#varint();
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
}

/** A whole number of 32 bits. */
export const i32 = (value: number): Value => ({ kind: "int", type: I32, value });

/** A whole number of 64 bits. */
export const i64 = (value: number): Value => ({ kind: "int", type: I64, value });

/** A struct of fields by their numbers; those that are `null` are left out. */
export function struct(fields: Readonly<Record<number, Value | null>>): Value {
  const all = Object.entries(fields).flatMap(([id, value]) => (value === null ? [] : [[Number(id), value] as const]));
  return { kind: "struct", fields: new Map(all.sort(([one], [other]) => one - other)) };
}

/** A list of structs. */
export const structs = (values: readonly Value[]): Value => ({ kind: "list", of: STRUCT, values });

/** A list of texts. */
export const texts = (values: readonly Value[]): Value => ({ kind: "list", of: BYTES, values });

/** Writes the fields of a struct. */
export function written(fields: Fields): Uint8Array {
  const out: number[] = [];
  writeFields(out, fields);
  return Uint8Array.from(out);
}

function writeFields(out: number[], fields: Fields): void {
  let last = 0;
  for (const [id, value] of fields) {
    const type = typeOf(value);
    if (id > last && id - last < 16) out.push(((id - last) << 4) | type);
    else {
      out.push(type);
      writeVarint(out, zigzagged(id));
    }
    last = id;
    if (value.kind !== "bool") writeValue(out, value);
  }
  out.push(0);
}

function typeOf(value: Value): number {
  if (value.kind === "bool") return value.value ? TRUE : FALSE;
  if (value.kind === "int") return value.type;
  return { double: DOUBLE, bytes: BYTES, list: LIST, struct: STRUCT }[value.kind];
}

function writeValue(out: number[], value: Value): void {
  if (value.kind === "bool") out.push(value.value ? TRUE : FALSE);
  else if (value.kind === "int") {
    if (value.type === BYTE) out.push(value.value);
    else writeVarint(out, zigzagged(value.value));
  } else if (value.kind === "struct") writeFields(out, value.fields);
  else if (value.kind === "list") {
    const { length } = value.values;
    out.push((Math.min(length, 15) << 4) | value.of);
    if (length >= 15) writeVarint(out, length);
    for (const each of value.values) writeValue(out, each);
  } else {
    if (value.kind === "bytes") writeVarint(out, value.value.length);
    for (const byte of value.value) out.push(byte);
  }
}

const zigzagged = (number: number) => (number < 0 ? -2 * number - 1 : 2 * number);

function writeVarint(out: number[], number: number): void {
  let rest = number;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

/** A whole number among fields; `null` where there is none. */
export function intIn(fields: Fields, id: number): number | null {
  const value = fields.get(id);
  return value?.kind === "int" ? value.value : null;
}

/** A struct among fields; `null` where there is none. */
export function structIn(fields: Fields, id: number): Fields | null {
  const value = fields.get(id);
  return value?.kind === "struct" ? value.fields : null;
}

/** The structs of a list among fields; none where there is no such list. */
export function structsIn(fields: Fields, id: number): readonly Fields[] {
  const value = fields.get(id);
  return value?.kind === "list" ? value.values.flatMap((each) => (each.kind === "struct" ? [each.fields] : [])) : [];
}

/** The texts of a list among fields; none where there is no such list. */
export function textsIn(fields: Fields, id: number): readonly string[] {
  const value = fields.get(id);
  return value?.kind === "list" ? value.values.map((each) => textOf(each) ?? "") : [];
}

/** A text; `null` where it is none. */
export function textOf(value: Value | undefined): string | null {
  return value?.kind === "bytes" ? new TextDecoder().decode(value.value) : null;
}
