"""Columns as the cells of a delimited text file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from h5explorer_py.lookup.text import as_text, text_array
from h5explorer_py.metadata.record import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED = ('"', "\r", "\n", "\ufeff")  # the last is taken for a mark where a file begins with it


def cells(column: pa.ChunkedArray, *, is_key: bool) -> pa.ChunkedArray:
    """Write the values of a column as text, nulls kept: text as it is stored, other values as the page shows them.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Of any type.
    is_key : bool
        Whether it is a key column, which is written as the explorer reads it: 16 bytes as a uuid.
    """
    kind = column.type
    if types.is_dictionary(kind):
        return cells(column.cast(kind.value_type), is_key=is_key)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return column.cast(pa.large_string())
    if is_key:
        return as_text(column).cast(pa.large_string())
    if types.is_integer(kind) or types.is_boolean(kind):
        return column.cast(pa.large_string())
    texts = [text_of(value) if value.is_valid else None for value in column]
    return pa.chunked_array([text_array(texts)]).cast(pa.large_string())


def lines(columns: Sequence[pa.ChunkedArray], delimiter: str) -> bytes | memoryview:
    """Join cells into lines.

    A null is an empty cell, an empty text is quoted; so are texts with a delimiter, quote or line end in them.

    Parameters
    ----------
    columns : sequence of pyarrow.ChunkedArray of large_string
        The cells.
    delimiter : str
        What stands between them.
    """
    if not columns or not len(columns[0]):
        return b""
    quoted = [_quoted(column.combine_chunks(), delimiter) for column in columns]
    empty = _text("")
    joined = pc.binary_join_element_wise(*quoted, _text(delimiter), null_handling="replace", null_replacement="")
    ended = pc.binary_join_element_wise(joined, empty, _text("\n"))
    return _content(ended)


def _quoted(column: pa.LargeStringArray, delimiter: str) -> pa.LargeStringArray:
    special = pc.equal(column, _text(""))
    for sign in (delimiter, *_QUOTED):
        special = pc.or_(special, pc.match_substring(column, sign))
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text("")), column)


def _text(value: str) -> pa.Scalar:
    return text_array([value]).cast(pa.large_string())[0]  # pa.scalar would import pandas


def _content(texts: pa.LargeStringArray) -> memoryview:
    """Return the bytes of texts one behind the other."""
    offsets = memoryview(texts.buffers()[1]).cast("B").cast("q")
    first, last = offsets[texts.offset], offsets[texts.offset + len(texts)]
    return memoryview(texts.buffers()[2])[first:last]
