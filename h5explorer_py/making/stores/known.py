"""Putting together what several stores say of their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.bulk.cells import cells

if TYPE_CHECKING:
    from collections.abc import Sequence


def known_table(parts: Sequence[tuple[int, pa.Table]], count: int) -> pa.Table:
    """Put tables together, one below the other.

    Parameters
    ----------
    parts : sequence of (int, pyarrow.Table)
        Each with the place of its first row, in order.
    count : int
        How many rows there are to be; those that are in no part are nulls.

    Returns
    -------
    pyarrow.Table
        With all columns of all. Where one is numbers of several types, it has the one that holds them; where it is
        numbers and texts, it is texts.
    """
    names = list(dict.fromkeys(name for _, part in parts for name in part.column_names))
    return pa.table({name: _column(name, parts, count) for name in names})


def _column(name: str, parts: Sequence[tuple[int, pa.Table]], count: int) -> pa.ChunkedArray:
    held = [part[name] for _, part in parts if name in part.column_names]
    kind = _joined([column.type for column in held])
    chunks: list[pa.Array] = []
    done = 0
    for start, part in parts:
        chunks.append(pa.nulls(start - done, kind or pa.large_string()))
        column = part[name] if name in part.column_names else pa.chunked_array([pa.nulls(part.num_rows)])
        done = start + part.num_rows
        if kind is None:
            column = (
                cells(column, is_key=False) if not pa.types.is_null(column.type) else column.cast(pa.large_string())
            )
        else:
            column = column.cast(kind)
        chunks += column.chunks
    chunks.append(pa.nulls(count - done, kind or pa.large_string()))
    return pa.chunked_array([chunk for chunk in chunks if len(chunk)], kind or pa.large_string())


def _joined(kinds: list[pa.DataType]) -> pa.DataType | None:
    """Return the type that holds all of several; ``None`` where that is text."""
    found = set(kinds)
    if len(found) == 1:
        return kinds[0]
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in found)
    if not numbers:
        return None
    if all(pa.types.is_integer(kind) for kind in found):
        return pa.int64() if pa.uint64() not in found else None
    wide = any(pa.types.is_integer(kind) and kind.bit_width == 64 for kind in found)
    return None if wide else pa.float64()
