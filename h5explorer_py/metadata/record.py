"""One record made ready for the page: types that its Arrow reader lacks are replaced by ones that it has."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pyarrow as pa
from pyarrow import types


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
    if isinstance(column.type, pa.BaseExtensionType):
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
    return pa.chunked_array([[None if value is None else text_of(value) for value in column.to_pylist()]], pa.string())


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type to send instead; ``None`` where there is none and the text is sent."""
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
    unknown = types.is_decimal(kind) or types.is_interval(kind) or types.is_run_end_encoded(kind)
    return None if unknown else kind


def _plain_nested(kind: Any) -> pa.DataType | None:
    if types.is_struct(kind):
        plain = {field.name: plain_type(field.type) for field in kind}
        unknown = None in plain.values() or len(plain) < kind.num_fields
        return None if unknown else pa.struct(list(plain.items()))
    if types.is_map(kind):
        key, item = plain_type(kind.key_type), plain_type(kind.item_type)
        return None if key is None or item is None else pa.map_(key, item)
    if types.is_union(kind):
        return None
    value = plain_type(kind.value_type)
    if value is None:
        return None
    field = pa.field(kind.value_field.name, value)
    return pa.list_(field, kind.list_size) if types.is_fixed_size_list(kind) else pa.list_(field)


def text_of(value: Any) -> str:
    """Write a Python value the way the page writes values."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {text_of(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    return str(value)
