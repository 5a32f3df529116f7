"""Rows of a table by their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.lookup.text import no_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def take(table: pa.Table, rows: Sequence[int] | NDArray[np.int64]) -> pa.Table:
    """Return rows of a table in any order, copied.

    Parameters
    ----------
    table : pyarrow.Table
        Of columns of any type.
    rows : sequence or ndarray of int64
        Row numbers from 0.
    """
    numbers = np.ascontiguousarray(rows, dtype=np.int64)
    if not len(numbers):
        return no_rows(table.schema)
    # pa.array would import pandas
    indices = pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
    try:
        return table.take(indices)
    except pa.ArrowException:  # Arrow takes no views of text, nor more than 2 GiB of text at once
        return pa.concat_tables([table.slice(row, 1) for row in numbers.tolist()])
