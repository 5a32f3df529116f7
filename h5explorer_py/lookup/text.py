"""Any Arrow column as text: uuids and filepaths come as strings, dictionaries, bytes and numbers.

``pa.array`` and ``pa.scalar`` are not used on the way to the first rows: where pandas is installed they import it,
which takes a second or more.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_UUID_BYTES = 16


def can_be_text(kind: pa.DataType) -> bool:
    """Tell whether values of this type can serve as a uuid or a path."""
    kind = _plain(kind)
    return (
        _is_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_null(kind)
    )


def is_unicode(text: str) -> bool:
    """Tell whether a text can be in a file at all: halves of surrogate pairs cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text, nulls kept.

    Strings stay as they are, 16 bytes become the canonical uuid, other bytes are UTF-8 or else hexadecimal.

    Raises
    ------
    TypeError
        Where the type has no sensible text: lists, structs, dates.
    """
    kind = column.type
    if kind == pa.string():
        return _checked(column)
    if isinstance(kind, pa.BaseExtensionType):
        return as_text(pa.chunked_array([chunk.storage for chunk in column.chunks], type=kind.storage_type))
    if types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type))
    if not can_be_text(kind):
        raise TypeError(f"values of type {kind} cannot be read as text")
    if types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES:
        return _mapped(column, lambda value: str(uuid.UUID(bytes=value)))
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return _mapped(column, _bytes_text)
    return _checked(pc.cast(column, pa.string()))


def _checked(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column; where a file calls bytes text that are none, with what stands for unknown signs in them."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        binary = pa.chunked_array([chunk.view(pa.binary()) for chunk in column.chunks], pa.binary())
        return _mapped(binary, lambda value: value.decode(errors="replace"))
    return column


def text_array(values: Sequence[str | None]) -> pa.Array:
    """Make a column of texts."""
    encoded = [b"" if value is None else value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(each) for each in encoded], out=offsets[1:])
    valid = np.packbits([value is not None for value in values], bitorder="little") if None in values else None
    buffers = [pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)), None if valid is None else pa.py_buffer(valid)]
    return pa.StringArray.from_buffers(len(encoded), *buffers)


def repeated(value: str, times: int) -> pa.Array:
    """Make a column of one text again and again."""
    encoded = value.encode("utf-8", "replace")
    offsets = np.arange(times + 1, dtype=np.int32) * len(encoded)
    return pa.StringArray.from_buffers(times, pa.py_buffer(offsets), pa.py_buffer(encoded * times))


def numbers_array(numbers: NDArray[np.integer]) -> pa.Array:
    """Make a column of whole numbers, such as Arrow takes rows by."""
    wide = np.ascontiguousarray(numbers, np.int64)
    return pa.Int64Array.from_buffers(pa.int64(), len(wide), [None, pa.py_buffer(wide)])


def no_rows(schema: pa.Schema) -> pa.Table:
    """Make a table without rows."""
    return pa.Table.from_batches([], schema=schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    return kind


def _is_string(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _mapped(column: pa.ChunkedArray, text_of: object) -> pa.ChunkedArray:
    assert callable(text_of)
    values = [None if value is None else text_of(value) for value in column.to_pylist()]
    return pa.chunked_array([text_array(values)])


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
