"""The filepaths of a packed lookup: a number each, or texts where too many differ. Read also while they are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import CLOSED_FILE, read_at, write_all
from h5explorer_py.lookup.arrays import filled
from h5explorer_py.lookup.packed.column import DoesNotFitError, TextColumn, open_column
from h5explorer_py.lookup.packed.layout import (
    CODE_BYTES,
    FILE_ENDS,
    FILE_TEXTS,
    FILEPATHS,
    FILES,
    NO_FILE,
    Header,
)
from h5explorer_py.lookup.packed.scattered import read_scattered
from h5explorer_py.lookup.packed.tables import read_table, write_table
from h5explorer_py.lookup.text import as_text, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.column import PackedColumn

MOST_FILEPATHS = 300_000
"""Different filepaths that are held in memory; where there are more, all are kept as texts."""


class CodeColumn:
    """Filepaths by their numbers, in the order in which they come first.

    Parameters
    ----------
    folder : str
        Where the files are.
    header : Header
        How far they are to be believed.
    writing : bool
        Whether rows are going to be added.

    Raises
    ------
    OSError, pyarrow.ArrowException, LookupUnreadableError
        Where the files are not there or not whole.
    """

    def __init__(self, folder: str, header: Header, *, writing: bool) -> None:
        self._folder = folder
        self.names: list[str] = []
        if header.filepaths:
            self.names = read_table(os.path.join(folder, FILEPATHS)).column(0).slice(0, header.filepaths).to_pylist()
        if len(self.names) != header.filepaths:
            raise LookupUnreadableError(f"The packed lookup in {folder} is not whole.")
        self._codes = {name: code for code, name in enumerate(self.names)} if writing else {}
        self._texts = None if writing else text_array(self.names)
        self._file = open_column(os.path.join(folder, FILES), header.rows * CODE_BYTES, writing=writing)

    def write(self, column: pa.Array) -> None:
        if types.is_dictionary(column.type):
            values = as_text(pa.chunked_array([column.dictionary])).combine_chunks()
            self._write(values, column.indices)
            return
        for chunk in as_text(pa.chunked_array([column])).chunks:
            encoded = pc.dictionary_encode(chunk)
            self._write(encoded.dictionary, encoded.indices)

    def _write(self, values: pa.StringArray, indices: pa.Array) -> None:
        used = filled(indices, len(values))
        codes = np.full(len(values) + 1, NO_FILE, np.uint32)
        for at in np.flatnonzero(np.bincount(used, minlength=len(codes))[: len(values)]).tolist():
            name = values[at].as_py()
            if name is not None:
                codes[at] = self._code(name)
        write_all(self._file, codes[used].astype("<u4", copy=False).data)

    def _code(self, name: str) -> int:
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            if code >= MOST_FILEPATHS:
                raise DoesNotFitError
            self.names.append(name)
        return code

    def save(self, header: Header) -> Header:
        os.fsync(self._file.fileno())
        table = pa.Table.from_arrays([text_array(self.names)], ["filepath"])
        write_table(os.path.join(self._folder, FILEPATHS), table)
        return header.changed(filepaths=len(self.names))

    def codes_at(self, start: int, stop: int) -> NDArray[np.uint32]:
        """Return the numbers of the filepaths of rows ``start`` to ``stop``: one read."""
        size = max(0, stop - start) * CODE_BYTES
        data = read_at(self._file, start * CODE_BYTES, size)
        if len(data) != size:
            raise LookupUnreadableError("The packed lookup has been cut short.")
        return np.frombuffer(data, "<u4")

    def read(self, start: int, stop: int) -> pa.StringArray:
        return self._named(self.codes_at(start, stop))

    def take(self, rows: NDArray[np.int64]) -> pa.StringArray:
        return self._named(read_scattered(self._file, rows, CODE_BYTES).view("<u4")[:, 0])

    def _named(self, codes: NDArray[np.uint32]) -> pa.StringArray:
        missing = codes == NO_FILE
        if (codes[~missing] >= len(self.names)).any():
            raise LookupUnreadableError("The packed lookup is damaged.")
        texts, places = self._texts, codes.astype(np.int64)
        if texts is None:  # there may be more names any moment
            different, places = np.unique(codes, return_inverse=True)
            texts = text_array(["" if code == NO_FILE else self.names[code] for code in different.tolist()])
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
        return texts.take(pa.Int64Array.from_buffers(pa.int64(), len(codes), [valid, pa.py_buffer(places)]))

    def close(self) -> None:
        self._file = CLOSED_FILE


def open_file_column(folder: str, header: Header, *, writing: bool = False) -> PackedColumn:
    """Open the filepaths in the way in which the header says that they are kept."""
    if header.filepaths >= 0:
        return CodeColumn(folder, header, writing=writing)
    return TextColumn(folder, (FILE_ENDS, FILE_TEXTS), header.rows, writing=writing)
