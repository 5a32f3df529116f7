"""Columns of Arrow out of Python's values, without ``pa.array``: that imports pandas where it is, for a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.lookup.text import text_array

if TYPE_CHECKING:
    from collections.abc import Sequence


def numbers(values: Sequence[float | None], kind: str) -> pa.Array:
    """Make a column of numbers.

    Parameters
    ----------
    values : sequence of number or None
    kind : str
        NumPy's name of their type.
    """
    valid = [value is not None for value in values]
    data = np.array([0 if value is None else value for value in values], kind)
    mask = None if all(valid) else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [mask, pa.py_buffer(data)])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Make a column of texts; names of files that are no text have their bytes written out."""
    return text_array(
        [None if value is None else value.encode("utf-8", "backslashreplace").decode() for value in values]
    )
