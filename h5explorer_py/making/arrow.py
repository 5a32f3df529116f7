"""Making Arrow's columns from lists of Python: Arrow's own ``pa.array`` imports pandas where that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def numbers(values: Sequence[float | None], kind: pa.DataType) -> pa.Array:
    """Make a column of numbers, with nulls where there are none."""
    there = np.array([value is not None for value in values], np.bool_)
    plain = np.array([0 if value is None else value for value in values], _NUMPY[str(kind)])
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


def nothing(kind: pa.DataType, count: int) -> pa.Array:
    """Make a column of nulls."""
    return pa.nulls(count, kind)


_NUMPY = {"int32": np.int32, "int64": np.int64, "double": np.float64}
