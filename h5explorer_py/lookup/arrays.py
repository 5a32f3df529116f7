"""From Arrow's columns to NumPy: Arrow's own ``to_numpy`` imports pandas where that is there, which takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def numbers_of(column: pa.Array) -> NDArray[np.int64]:
    """Return a column of whole numbers without nulls; a copy is made only where they are not of 8 bytes."""
    return np.from_dlpack(column).astype(np.int64, copy=False)


def there(column: pa.Array) -> NDArray[np.bool_]:
    """Tell which values of a column are not null."""
    valid = column.buffers()[0]
    if valid is None or column.null_count == 0:
        return np.ones(len(column), np.bool_)
    first = column.offset // 8
    bits = np.frombuffer(valid, np.uint8, (column.offset + len(column) + 7) // 8 - first, first)
    skipped = column.offset % 8
    return np.unpackbits(bits, bitorder="little")[skipped : skipped + len(column)].astype(np.bool_)


def filled(column: pa.Array, value: int) -> NDArray[np.int64]:
    """Return whole numbers with another one in place of nulls."""
    if column.null_count == 0:
        return numbers_of(column)
    found = np.full(len(column), value, np.int64)
    found[there(column)] = numbers_of(column.drop_null())
    return found
