/** Columns of uuids and filepaths as text, without making a text of every value: millions of them are looked through. */

import { type Data, DataType, type Vector } from "apache-arrow";
import { columnValue } from "../../metadata/values";

/** A test of the UTF-8 bytes of a text. */
export type ByteTest = (bytes: Uint8Array, start: number, stop: number) => boolean;

/** A column that can be read as text. */
export interface TextColumn {
  readonly length: number;
  text(row: number): string | null;
  /** Makes a test of rows out of one of texts; a row without a text fails it. */
  tester(test: ByteTest): (row: number) => boolean;
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Texts one behind the other. */
export class ByteColumn implements TextColumn {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #offset: (row: number) => number;
  readonly #isValid: (row: number) => boolean;

  constructor(length: number, bytes: Uint8Array, offset: (row: number) => number, isValid: (row: number) => boolean) {
    this.length = length;
    this.#bytes = bytes;
    this.#offset = offset;
    this.#isValid = isValid;
  }

  text(row: number): string | null {
    if (!this.#isValid(row)) return null;
    return UTF8.decode(this.#bytes.subarray(this.#offset(row), this.#offset(row + 1)));
  }

  tester(test: ByteTest): (row: number) => boolean {
    return (row) => this.#isValid(row) && test(this.#bytes, this.#offset(row), this.#offset(row + 1));
  }
}

/** Values of few kinds, as numbers of them. */
class CodedColumn implements TextColumn {
  readonly length: number;
  readonly #values: TextColumn;
  readonly #code: (row: number) => number | null;

  constructor(length: number, values: TextColumn, code: (row: number) => number | null) {
    this.length = length;
    this.#values = values;
    this.#code = code;
  }

  text(row: number): string | null {
    const code = this.#code(row);
    return code === null ? null : this.#values.text(code);
  }

  tester(test: ByteTest): (row: number) => boolean {
    const passes = this.#values.tester(test);
    const known: (boolean | undefined)[] = [];
    return (row) => {
      const code = this.#code(row);
      if (code === null) return false;
      known[code] ??= passes(code);
      return known[code];
    };
  }
}

/** Any other values, each made a text when it is asked for. */
export class MadeColumn implements TextColumn {
  constructor(
    readonly length: number,
    readonly text: (row: number) => string | null,
  ) {}

  tester(test: ByteTest): (row: number) => boolean {
    return (row) => {
      const text = this.text(row);
      if (text === null) return false;
      const bytes = ENCODER.encode(text);
      return test(bytes, 0, bytes.length);
    };
  }
}

/** Pieces of a column one behind the other. */
class PiecedColumn implements TextColumn {
  readonly length: number;
  readonly #pieces: readonly TextColumn[];

  constructor(pieces: readonly TextColumn[]) {
    this.#pieces = pieces;
    this.length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  text(row: number): string | null {
    return this.#at(row, (piece, at) => piece.text(at)) ?? null;
  }

  tester(test: ByteTest): (row: number) => boolean {
    const testers = new Map(this.#pieces.map((piece) => [piece, piece.tester(test)]));
    return (row) => this.#at(row, (piece, at) => testers.get(piece)?.(at) ?? false) ?? false;
  }

  #at<Result>(row: number, use: (piece: TextColumn, at: number) => Result): Result | undefined {
    let at = row;
    for (const piece of this.#pieces) {
      if (at < piece.length) return use(piece, at);
      at -= piece.length;
    }
    return undefined;
  }
}

/** Reads an Arrow column as text: strings as they are, 16 bytes as a uuid, other bytes as UTF-8 or else hexadecimal. */
export function textColumn(vector: Vector): TextColumn {
  const pieces = vector.data.map((data) => pieceOf(data));
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : new PiecedColumn(pieces);
}

/** Whether values of this type can serve as a uuid or a path. */
export function canBeText(type: DataType): boolean {
  if (DataType.isDictionary(type)) return canBeText(type.dictionary);
  return (
    DataType.isUtf8(type) ||
    DataType.isLargeUtf8(type) ||
    isBytes(type) ||
    DataType.isInt(type) ||
    DataType.isFloat(type) ||
    DataType.isNull(type)
  );
}

function isBytes(type: DataType): boolean {
  return DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type);
}

function pieceOf(data: Data): TextColumn {
  const { type, length } = data;
  const isValid = data.nullCount === 0 ? () => true : (row: number) => data.getValid(row);
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    const bytes: unknown = data.values;
    const { valueOffsets } = data;
    if (bytes instanceof Uint8Array) {
      return new ByteColumn(length, bytes, (row) => Number(valueOffsets[row] ?? 0), isValid);
    }
  }
  if (DataType.isDictionary(type) && data.dictionary !== undefined) {
    const codes = data.values;
    return new CodedColumn(length, textColumn(data.dictionary), (row) => (isValid(row) ? Number(codes[row]) : null));
  }
  return new MadeColumn(length, (row) => {
    const value = columnValue(data, row);
    return value === null ? null : value instanceof Uint8Array ? bytesText(value) : String(value);
  });
}

function bytesText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (bytes.length === 16) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  try {
    return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    return hex;
  }
}
