/** Values of a record as text: exactly what is stored, nothing rounded. */

import {
  type Data,
  DataType,
  type Date_,
  DateUnit,
  type Decimal,
  type Duration,
  type Time,
  type Timestamp,
  TimeUnit,
  Vector,
} from "apache-arrow";

/** A value as text, and what kind of thing it is, which decides how it looks. */
export interface FieldValue {
  readonly text: string;
  readonly kind: "text" | "number" | "null" | "boolean" | "bytes" | "time" | "nested";
}

const NULL: FieldValue = { text: "null", kind: "null" };
const BYTES_SHOWN = 4096;

/** Takes the plain value of a piece of a column; `null` where it has none. */
export function columnValue(data: Data, index: number): unknown {
  return data.getValid(index) ? new Vector([data]).get(index) : null;
}

/** Writes the value at a place of a column. */
export function valueAt(column: Vector, index: number): FieldValue {
  const type: DataType = column.type;
  const place = chunkOf(column, index);
  if (place === null || DataType.isNull(type) || !place.chunk.getValid(place.at)) return NULL;
  if (DataType.isDate(type) || DataType.isTimestamp(type) || DataType.isTime(type) || DataType.isDuration(type)) {
    return { text: timeText(type, ticksAt(place)), kind: "time" };
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { text: textAt(place), kind: "text" };
  if (DataType.isDictionary(type)) {
    const { dictionary, values } = place.chunk;
    return dictionary === undefined ? NULL : valueAt(dictionary, Number(values[place.at]));
  }
  if (DataType.isDecimal(type)) return { text: decimalText(type, place), kind: "number" };
  const nested = nestedText(type, place);
  if (nested !== null) return { text: nested, kind: "nested" };
  return plainValue(type, column.get(index));
}

function plainValue(type: DataType, value: unknown): FieldValue {
  if (DataType.isBool(type)) return { text: value === true ? "true" : "false", kind: "boolean" };
  if (DataType.isFloat(type)) return { text: floatText(Number(value), type.precision), kind: "number" };
  if (value instanceof Uint8Array) return { text: bytesText(value), kind: "bytes" };
  return { text: String(value), kind: DataType.isInt(type) ? "number" : "text" };
}

/** One piece of a column, and where in it a value stands. */
interface Place {
  readonly chunk: Data;
  readonly at: number;
}

function chunkOf(column: Vector, index: number): Place | null {
  let at = index;
  for (const chunk of column.data) {
    if (at < chunk.length) return { chunk, at };
    at -= chunk.length;
  }
  return null;
}

/** The reader's own decoder would take a leading U+FEFF for a mark of the encoding, and drop it. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Takes a text out of a column; `null` where it has none or is none of texts. */
export function columnText(column: Vector, index: number): string | null {
  const place = chunkOf(column, index);
  if (place === null || !DataType.isUtf8(column.type) || !place.chunk.getValid(place.at)) return null;
  return textAt(place);
}

function textAt({ chunk, at }: Place): string {
  const bytes: unknown = chunk.values;
  return bytes instanceof Uint8Array ? UTF8.decode(bytes.subarray(offsetAt(chunk, at), offsetAt(chunk, at + 1))) : "";
}

/** Takes a time as the whole number that is stored: the reader's own getter divides it, which is not exact. */
function ticksAt({ chunk, at }: Place): bigint {
  const value: unknown = chunk.values[at];
  return typeof value === "bigint" ? value : BigInt(Number(value));
}

/** Writes a decimal with all digits of its scale: the reader's own text leaves the point out. */
function decimalText({ scale, bitWidth }: Decimal, { chunk, at }: Place): string {
  const words = bitWidth / 32;
  let whole = 0n;
  for (let word = words - 1; word >= 0; word -= 1)
    whole = (whole << 32n) | BigInt(Number(chunk.values[at * words + word]));
  const value = BigInt.asIntN(bitWidth, whole);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const cut = digits.length - scale;
  const text = scale > 0 ? `${digits.slice(0, cut)}.${digits.slice(cut)}` : `${digits}${"0".repeat(-scale)}`;
  return `${value < 0n ? "-" : ""}${text}`;
}

/** How many decimal digits always tell two numbers apart, by Arrow's code of the precision: 16, 32, 64 bits. */
const DIGITS = [5, 9, 17];

/** Writes a number with the fewest digits that read back as the same number of its precision. */
export function floatText(value: number, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (Object.is(value, -0)) return "-0";
  if (precision >= 2) return String(value);
  const round = precision === 1 ? Math.fround : toHalf;
  for (let digits = 1; digits < (DIGITS[precision] ?? 9); digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (round(shorter) === value) return String(shorter);
  }
  return String(value);
}

/** Rounds to the nearest number of 16 bits (IEEE 754 binary16): 11 significant bits, exponents from -14 to 15. */
function toHalf(value: number): number {
  if (value === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  const step = 2 ** (exponent - 10);
  const steps = value / step;
  const down = Math.floor(steps);
  const rest = steps - down;
  const even = rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
  return even * step;
}

function bytesText(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, BYTES_SHOWN);
  const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const more = bytes.length - shown.length;
  return `0x${hex}${more > 0 ? `… and ${more.toLocaleString("en-US")} bytes more` : ""}`;
}

const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1_000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};

type TimeType = Date_ | Timestamp | Time | Duration;

function timeText(type: TimeType, ticks: bigint): string {
  if (DataType.isDate(type)) {
    return dateText(type.unit === DateUnit.DAY ? ticks : floorDivide(ticks, 86_400_000n)[0]);
  }
  if (DataType.isTimestamp(type)) return timestampText(ticks, type.unit, type.timezone ?? null);
  if (DataType.isTime(type)) return clockText(ticks, PER_SECOND[type.unit]);
  return `${ticks} ${UNIT_NAMES[type.unit]}`;
}

function floorDivide(value: bigint, by: bigint): readonly [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

/** Writes a count of days since 1 January 1970 in the proleptic Gregorian calendar. */
function dateText(days: bigint): string {
  // Howard Hinnant's "civil from days", https://howardhinnant.github.io/date_algorithms.html
  const [era, dayOfEra] = floorDivide(days + 719_468n, 146_097n);
  const yearOfEra = (dayOfEra - dayOfEra / 1_460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shifted = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * shifted + 2n) / 5n + 1n;
  const month = shifted < 10n ? shifted + 3n : shifted - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

function yearText(year: bigint): string {
  const digits = String(year < 0n ? -year : year).padStart(4, "0");
  return year < 0n ? `-${digits}` : digits;
}

function two(value: bigint): string {
  return String(value).padStart(2, "0");
}

function clockText(ticks: bigint, perSecond: bigint): string {
  const [seconds, fraction] = floorDivide(ticks, perSecond);
  const text = `${two(seconds / 3_600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  if (fraction === 0n) return text;
  return `${text}.${String(fraction).padStart(String(perSecond).length - 1, "0")}`;
}

function timestampText(ticks: bigint, unit: TimeUnit, zone: string | null): string {
  const perSecond = PER_SECOND[unit];
  const offset = zone === null ? 0 : zoneOffset(zone, Number(floorDivide(ticks, perSecond)[0]));
  const local = ticks + BigInt(offset ?? 0) * 60n * perSecond;
  const [days, ofDay] = floorDivide(local, 86_400n * perSecond);
  const text = `${dateText(days)} ${clockText(ofDay, perSecond)}`;
  if (zone === null) return text;
  return `${text}${offsetText(offset ?? 0)}${offset === null ? ` (${zone})` : ""}`;
}

/** How many minutes a zone is ahead of UTC at an instant; `null` where the browser does not know the zone. */
function zoneOffset(zone: string, seconds: number): number | null {
  if (zone === "UTC" || zone === "Z") return 0;
  const fixed = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (fixed) return (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]));
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    const name = format.formatToParts(new Date(seconds * 1_000)).find((part) => part.type === "timeZoneName")?.value;
    const offset = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name ?? "");
    if (offset === null) return null;
    return (offset[1] === "-" ? -1 : 1) * (Number(offset[2] ?? 0) * 60 + Number(offset[3] ?? 0));
  } catch {
    return null;
  }
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${hours}:${String(size % 60).padStart(2, "0")}`;
}

const UNIT_NAMES: Readonly<Record<TimeUnit, string>> = {
  [TimeUnit.SECOND]: "s",
  [TimeUnit.MILLISECOND]: "ms",
  [TimeUnit.MICROSECOND]: "µs",
  [TimeUnit.NANOSECOND]: "ns",
};

/** Writes lists, structs and maps; `null` for other types. */
function nestedText(type: DataType, { chunk, at }: Place): string | null {
  if (DataType.isList(type)) return `[${itemTexts(chunk, offsetAt(chunk, at), offsetAt(chunk, at + 1)).join(", ")}]`;
  if (DataType.isFixedSizeList(type)) {
    return `[${itemTexts(chunk, at * type.listSize, (at + 1) * type.listSize).join(", ")}]`;
  }
  if (DataType.isStruct(type)) {
    const members = type.children.map((field, index) => `${field.name}: ${innerText(childOf(chunk, index), at)}`);
    return `{${members.join(", ")}}`;
  }
  if (DataType.isMap(type)) {
    const entries = chunk.children[0];
    if (entries === undefined) return "{}";
    const texts: string[] = [];
    for (let entry = offsetAt(chunk, at); entry < offsetAt(chunk, at + 1); entry += 1) {
      texts.push(`${innerText(childOf(entries, 0), entry)}: ${innerText(childOf(entries, 1), entry)}`);
    }
    return `{${texts.join(", ")}}`;
  }
  return null;
}

function offsetAt(chunk: Data, at: number): number {
  return Number(chunk.valueOffsets[at] ?? 0);
}

function childOf(chunk: Data, index: number): Vector | null {
  const child = chunk.children[index];
  return child === undefined ? null : new Vector([child]);
}

function itemTexts(chunk: Data, begin: number, end: number): readonly string[] {
  const items = childOf(chunk, 0);
  return Array.from({ length: end - begin }, (_, index) => innerText(items, begin + index));
}

/** Writes a value within another: texts stand in quotes there, so that they are told from numbers. */
function innerText(column: Vector | null, index: number): string {
  if (column === null) return "null";
  const inner = valueAt(column, index);
  return inner.kind === "text" ? JSON.stringify(inner.text) : inner.text;
}
