/** Types of columns in the words of Arrow's Python library, which the kernel's side uses. */

import { DataType, DateUnit, type Field, Precision, TimeUnit } from "apache-arrow";

const UNITS: Readonly<Record<TimeUnit, string>> = {
  [TimeUnit.SECOND]: "s",
  [TimeUnit.MILLISECOND]: "ms",
  [TimeUnit.MICROSECOND]: "us",
  [TimeUnit.NANOSECOND]: "ns",
};

const FLOATS: Readonly<Record<Precision, string>> = {
  [Precision.HALF]: "halffloat",
  [Precision.SINGLE]: "float",
  [Precision.DOUBLE]: "double",
};

/** Writes a type: `int64`, `list<string>`, `dictionary<string>`. */
export function typeName(type: DataType): string {
  if (DataType.isDictionary(type)) return `dictionary<${typeName(type.dictionary)}>`;
  if (DataType.isInt(type)) return `${type.isSigned ? "" : "u"}int${type.bitWidth}`;
  if (DataType.isFloat(type)) return FLOATS[type.precision];
  if (DataType.isDecimal(type)) return `decimal${type.bitWidth}(${type.precision}, ${type.scale})`;
  return plainName(type) ?? timeName(type) ?? nestedName(type) ?? String(type);
}

function plainName(type: DataType): string | null {
  if (DataType.isNull(type)) return "null";
  if (DataType.isBool(type)) return "bool";
  if (DataType.isUtf8(type)) return "string";
  if (DataType.isLargeUtf8(type)) return "large_string";
  if (DataType.isBinary(type)) return "binary";
  if (DataType.isLargeBinary(type)) return "large_binary";
  return DataType.isFixedSizeBinary(type) ? `fixed_size_binary[${type.byteWidth}]` : null;
}

function timeName(type: DataType): string | null {
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? "date32[day]" : "date64[ms]";
  if (DataType.isTime(type)) return `time${type.bitWidth}[${UNITS[type.unit]}]`;
  if (DataType.isDuration(type)) return `duration[${UNITS[type.unit]}]`;
  if (!DataType.isTimestamp(type)) return null;
  return `timestamp[${UNITS[type.unit]}${type.timezone ? `, tz=${type.timezone}` : ""}]`;
}

function nestedName(type: DataType): string | null {
  const members = (fields: readonly Field[]) => fields.map((field) => `${field.name}: ${typeName(field.type)}`);
  if (DataType.isList(type)) return `list<${typeName(type.valueType)}>`;
  if (DataType.isFixedSizeList(type)) return `list<${typeName(type.valueType)}>[${type.listSize}]`;
  if (DataType.isStruct(type)) return `struct<${members(type.children).join(", ")}>`;
  if (!DataType.isMap(type)) return null;
  return `map<${typeName(type.keyType)}, ${typeName(type.valueType)}>`;
}
