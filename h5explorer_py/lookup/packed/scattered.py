"""Reading rows that lie apart in a file of rows of one length: those that are near together, with what is between."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NEAR_BYTES = 1 << 13
"""Rows nearer than this are read together: copying what lies between takes as long as another call."""

_MOST_BYTES = 1 << 20


def near_rows(rows: NDArray[np.int64], row_bytes: int) -> Iterator[tuple[int, int]]:
    """Part ascending rows into those that are read together, 1 MiB of the file at most.

    Yields
    ------
    start, stop : int
        Which of the rows.
    """
    if len(rows) == 0:
        return
    apart = np.diff(rows) > NEAR_BYTES // row_bytes
    in_another_block = np.diff(rows // (_MOST_BYTES // row_bytes)) > 0
    breaks = np.flatnonzero(apart | in_another_block) + 1
    yield from zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True)


def read_scattered(file: IO[bytes], rows: NDArray[np.int64], row_bytes: int) -> NDArray[np.uint8]:
    """Return ascending rows of a file, shape (n, row_bytes).

    Raises
    ------
    LookupUnreadableError
        Where the file has fewer rows.
    """
    found = np.empty((len(rows), row_bytes), np.uint8)
    alone: list[int] = []
    for start, stop in near_rows(rows, row_bytes):
        if stop - start == 1:
            alone.append(start)
            continue
        first = int(rows[start])
        size = (int(rows[stop - 1]) + 1 - first) * row_bytes
        read = np.frombuffer(_whole(read_at(file, first * row_bytes, size), size), np.uint8)
        found[start:stop] = read.reshape(-1, row_bytes)[rows[start:stop] - first]
    if alone:
        data = b"".join([read_at(file, row * row_bytes, row_bytes) for row in rows[alone].tolist()])
        size = len(alone) * row_bytes
        found[alone] = np.frombuffer(_whole(data, size), np.uint8).reshape(-1, row_bytes)
    return found


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise LookupUnreadableError("The packed lookup has been cut short.")
    return data
