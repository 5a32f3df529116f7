"""Columns of Arrow out of Python's values, without ``pa.array``: that imports pandas where it is, for a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.lookup.text import text_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def numbers(values: Sequence[float | None], kind: str) -> pa.Array:
    """Make a column of numbers.

    Parameters
    ----------
    values : sequence of number or None
    kind : str
        NumPy's name of their type.
    """
    there = np.array([value is not None for value in values], np.bool_)
    plain = np.array([0 if value is None else value for value in values], kind)
    return from_numpy(plain, None if there.all() else there)


def from_numpy(values: NDArray[np.generic], there: NDArray[np.bool_] | None = None) -> pa.Array:
    """Make a column of numbers or truths.

    Parameters
    ----------
    values : ndarray
        In this machine's byte order.
    there : ndarray of bool, optional
        Which are not null.
    """
    valid = None if there is None else pa.py_buffer(np.packbits(there, bitorder="little"))
    if values.dtype == np.bool_:
        data, kind = np.packbits(values.astype(np.bool_), bitorder="little"), pa.bool_()
    else:
        data, kind = np.ascontiguousarray(values).view(np.uint8), pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(data)])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Make a column of texts; names of files that are no text have their bytes written out."""
    return text_array(
        [None if value is None else value.encode("utf-8", "backslashreplace").decode() for value in values]
    )
