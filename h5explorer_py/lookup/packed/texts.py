"""A column of any texts on disk: where each ends, and all of them behind one another.

The ends are 8 bytes a row (little-endian), the highest bit of which says that the row has no text.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import read_at, write_all
from h5explorer_py.lookup.arrays import there

if TYPE_CHECKING:
    from numpy.typing import NDArray

END_BYTES = 8
_NULL = np.uint64(1 << 63)


class TextWriter:
    """Writes a column of texts.

    Parameters
    ----------
    ends, texts : binary file
        Where to.
    size : int
        How many bytes of text have been written before.
    """

    def __init__(self, ends: IO[bytes], texts: IO[bytes], size: int = 0) -> None:
        self._ends = ends
        self._texts = texts
        self.size = size

    def write(self, column: pa.StringArray) -> None:
        """Add rows."""
        _, offset_buffer, data_buffer = column.buffers()
        offsets = np.zeros(len(column) + 1, np.int64)
        if offset_buffer is not None and len(column):
            offsets[:] = np.frombuffer(offset_buffer, np.int32)[column.offset : column.offset + len(column) + 1]
        ends = (offsets[1:] - offsets[0] + self.size).astype("<u8")
        if column.null_count:
            ends[~there(column)] |= _NULL
        if data_buffer is not None:
            write_all(self._texts, memoryview(data_buffer)[int(offsets[0]) : int(offsets[-1])])
        write_all(self._ends, ends.data)
        self.size += int(offsets[-1] - offsets[0])


def size_of_texts(ends_path: str, rows: int) -> int:
    """Return how many bytes of text so many rows have.

    Raises
    ------
    LookupUnreadableError
        Where the column has fewer rows.
    """
    if rows == 0:
        return 0
    with open(ends_path, "rb", buffering=0) as file:
        return int(_ends(file, rows - 1, rows)[0] & ~_NULL)


def read_texts(ends_file: IO[bytes], texts_file: IO[bytes], start: int, stop: int) -> pa.StringArray:
    """Return rows ``start`` to ``stop`` of a column: two reads.

    Raises
    ------
    LookupUnreadableError
        Where the files are shorter than that.
    """
    if start >= stop:
        return pa.StringArray.from_buffers(0, pa.py_buffer(bytes(4)), pa.py_buffer(b""))
    first = max(0, start - 1)
    ends = _ends(ends_file, first, stop)
    offsets = np.zeros(stop - start + 1, np.uint64)
    offsets[1:] = ends[start - first :]
    if start:
        offsets[0] = ends[0]
    missing = (offsets[1:] & _NULL) != 0
    offsets &= ~_NULL
    size = int(offsets[-1] - offsets[0])
    data = read_at(texts_file, int(offsets[0]), size)
    if len(data) != size:
        raise LookupUnreadableError("The packed texts have been cut short.")
    return _array(offsets - offsets[0], data, missing)


def _array(offsets: NDArray[np.uint64], data: bytes, missing: NDArray[np.bool_]) -> pa.StringArray:
    buffers = [pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data)]
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.LargeStringArray.from_buffers(len(missing), *buffers, valid).cast(pa.string())


def _ends(file: IO[bytes], start: int, stop: int) -> NDArray[np.uint64]:
    data = read_at(file, start * END_BYTES, (stop - start) * END_BYTES)
    if len(data) != (stop - start) * END_BYTES:
        raise LookupUnreadableError("The packed texts have been cut short.")
    return np.frombuffer(data, "<u8").astype(np.uint64)
