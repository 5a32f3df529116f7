"""What the ways to keep a column of a packed lookup have in common, and the one that keeps any texts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import CLOSED_FILE, HeldFile
from h5explorer_py.lookup.packed.scattered import near_rows
from h5explorer_py.lookup.packed.texts import END_BYTES, TextWriter, read_texts, size_of_texts
from h5explorer_py.lookup.text import as_text, numbers_array, text_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.layout import Header

_TEXT_BYTES = 64  # about as long as a text is, for telling which are near


class DoesNotFitError(Exception):
    """The column is not such that this way of keeping it works."""


class PackedColumn(Protocol):
    """One of the ways to keep the keys or the filepaths."""

    def write(self, column: pa.Array) -> None:
        """Add rows."""

    def save(self, header: Header) -> Header:
        """Have what has been written outlast the process, and say so in the header."""

    def read(self, start: int, stop: int) -> pa.StringArray:
        """Return rows ``start`` to ``stop``, which have been written."""

    def take(self, rows: NDArray[np.int64]) -> pa.StringArray:
        """Return single rows, in ascending order."""

    def close(self) -> None:
        """Let go of the files."""


class TextColumn:
    """A column of any texts, be they keys or filepaths.

    Parameters
    ----------
    folder : str
        Where its two files are.
    names : tuple of str
        The names of the files: where each text ends, and the texts.
    rows : int
        How many rows are to be believed.
    writing : bool
        Whether rows are going to be added.
    """

    def __init__(self, folder: str, names: tuple[str, str], rows: int, *, writing: bool) -> None:
        ends, texts = (os.path.join(folder, name) for name in names)
        size = size_of_texts(ends, rows)
        self._ends = open_column(ends, rows * END_BYTES, writing=writing)
        self._texts = open_column(texts, size, writing=writing)
        self._writer = TextWriter(self._ends, self._texts, size)

    def write(self, column: pa.Array) -> None:
        for chunk in as_text(pa.chunked_array([column])).chunks:
            self._writer.write(chunk)

    def save(self, header: Header) -> Header:
        os.fsync(self._texts.fileno())
        os.fsync(self._ends.fileno())
        return header

    def read(self, start: int, stop: int) -> pa.StringArray:
        return read_texts(self._ends, self._texts, start, stop)

    def take(self, rows: NDArray[np.int64]) -> pa.StringArray:
        parts = [text_array([])]
        for start, stop in near_rows(rows, _TEXT_BYTES):
            first = int(rows[start])
            parts.append(self.read(first, int(rows[stop - 1]) + 1).take(numbers_array(rows[start:stop] - first)))
        return pa.concat_arrays(parts)

    def close(self) -> None:
        self._ends = self._texts = CLOSED_FILE


def open_column(path: str, size: int, *, writing: bool) -> HeldFile:
    """Open a file of rows, of which so many bytes are to be believed; what is behind them is cut off for writing.

    Raises
    ------
    LookupUnreadableError
        Where it has fewer bytes.
    """
    if writing:
        with open(path, "ab"):
            pass
    file = HeldFile(path, "r+b" if writing else "rb")
    if os.fstat(file.fileno()).st_size < size:
        file.close()
        raise LookupUnreadableError(f"{path} is not whole.")
    if writing:
        file.truncate(size)
        file.seek(size)
    return file
