"""One record made ready for the page: types that its Arrow reader lacks are replaced by ones that it has."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from h5explorer_py.lookup.text import text_array


def type_name(kind: Any) -> str:
    """Write a type the way Arrow does, less what says nothing to a reader: ``list<string>``, ``dictionary<string>``."""
    if types.is_dictionary(kind):
        return f"dictionary<{type_name(kind.value_type)}>"
    if types.is_struct(kind):
        return "struct<" + ", ".join(f"{field.name}: {type_name(field.type)}" for field in kind) + ">"
    if types.is_map(kind):
        return f"map<{type_name(kind.key_type)}, {type_name(kind.item_type)}>"
    if types.is_fixed_size_list(kind):
        return f"list<{type_name(kind.value_type)}>[{kind.list_size}]"
    if types.is_list(kind) or types.is_large_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    return str(kind)


def for_page(table: pa.Table) -> pa.Table:
    """Return the table with every type turned into one that the page can read, without changing a value.

    Dictionaries become their values, views and large lists the plain types; what remains unknown becomes its text.
    """
    columns = [_plain_column(column) for column in table.columns]
    fields = [pa.field(name, column.type) for name, column in zip(table.column_names, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if types.is_run_end_encoded(column.type):
        return _plain_column(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks]))
    if isinstance(column.type, pa.BaseExtensionType) and not isinstance(column.type, pa.UuidType):
        storage = pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)
        return _plain_column(storage)
    wanted = plain_type(column.type)
    if wanted == column.type:
        return column
    if wanted is not None:
        try:
            return column.cast(wanted)
        except pa.ArrowException:
            pass
    return pa.chunked_array([text_array([text_of(value) if value.is_valid else None for value in column])])


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type to send instead; ``None`` where there is none and the text is sent."""
    if isinstance(kind, pa.UuidType) or types.is_run_end_encoded(kind):
        return None
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if types.is_string_view(kind) or types.is_large_string(kind):
        return pa.string()
    if types.is_binary_view(kind) or types.is_large_binary(kind):
        return pa.binary()
    if types.is_nested(kind):
        return _plain_nested(kind)
    return None if types.is_decimal(kind) or types.is_interval(kind) else kind


def _plain_nested(kind: Any) -> pa.DataType | None:
    if types.is_struct(kind):
        plain = {field.name: plain_type(field.type) for field in kind}
        unknown = None in plain.values() or len(plain) < kind.num_fields or not plain
        return None if unknown else pa.struct(list(plain.items()))
    if types.is_map(kind):
        key, item = plain_type(kind.key_type), plain_type(kind.item_type)
        return None if key is None or item is None else pa.map_(key, item)
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return None  # of the views of lists, Arrow's own conversion loses values
    value = plain_type(kind.value_type)
    if value is None:
        return None
    field = pa.field(kind.value_field.name, value)
    return pa.list_(field, kind.list_size) if types.is_fixed_size_list(kind) else pa.list_(field)


def values_by_name(record: pa.Table) -> dict[str, Any]:
    """Return the values of a record; a column whose name came before gets a number behind it."""
    values: dict[str, Any] = {}
    for name, column in zip(record.column_names, record.columns, strict=True):
        shown, number = name, 2
        while shown in values:
            shown, number = f"{name} ({number})", number + 1
        values[shown] = value_of(column)
    return values


def value_of(column: pa.ChunkedArray) -> Any:
    """Return the value of a record as Python has it; as text where Python has none such: the year 30000, bad UTF-8."""
    try:
        return column[0].as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return text_of(column[0])


def text_of(scalar: Any, *, within: bool = False) -> str:
    """Write a value the way the page writes values; within others, texts stand in quotes."""
    kind = scalar.type
    if not scalar.is_valid:
        return "null"
    if isinstance(kind, pa.UuidType):
        return json.dumps(str(scalar.as_py())) if within else str(scalar.as_py())
    if isinstance(scalar, (pa.ExtensionScalar, pa.DictionaryScalar, pa.RunEndEncodedScalar, pa.UnionScalar)):
        return text_of(scalar.value, within=within)
    if types.is_struct(kind):
        members = [f"{kind.field(at).name}: {text_of(scalar[at], within=True)}" for at in range(kind.num_fields)]
        return "{" + ", ".join(members) + "}"
    if types.is_map(kind):
        entries = [f"{text_of(entry[0], within=True)}: {text_of(entry[1], within=True)}" for entry in scalar.values]
        return "{" + ", ".join(entries) + "}"
    if types.is_nested(kind):
        return f"[{', '.join(text_of(item, within=True) for item in scalar.values)}]"
    if isinstance(scalar, (pa.StringScalar, pa.LargeStringScalar, pa.StringViewScalar)):
        text = scalar.as_buffer().to_pybytes().decode(errors="replace")
        return json.dumps(text, ensure_ascii=False) if within else text
    return _plain_text(scalar)


def _plain_text(scalar: Any) -> str:
    kind = scalar.type
    if types.is_duration(kind):
        return f"{scalar.value} {kind.unit}"
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return str(scalar.cast(pa.string()).as_py())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, float):
        exact = np.float64(value) if types.is_float64(kind) else np.dtype(kind.to_pandas_dtype()).type(value)
        return str(exact).removesuffix(".0").replace("nan", "NaN").replace("inf", "Infinity")
    if types.is_decimal(kind):
        return format(value, "f")
    if types.is_interval(kind):
        return f"{value.months} months {value.days} days {value.nanoseconds} ns"
    return value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
