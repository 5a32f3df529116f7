"""Reading a packed lookup: a window of rows costs two reads."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import read_at
from h5explorer_py.lookup.base import KEYS_SCHEMA
from h5explorer_py.lookup.packed.layout import (
    CODE_BYTES,
    FILEPATHS,
    FILES,
    NO_FILE,
    ODD,
    UUIDS,
    VERSION,
    Header,
)
from h5explorer_py.lookup.packed.uuids import UUID_BYTES, unpack
from h5explorer_py.lookup.text import text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PackedKeys:
    """The keys of a packed lookup. All methods may be called from any thread.

    Parameters
    ----------
    folder : str
        Where it was packed to.

    Raises
    ------
    LookupUnreadableError
        Where it is not finished, of another version, or damaged.
    """

    def __init__(self, folder: str) -> None:
        header = Header.read(folder)
        if header is None or header.version != VERSION:
            raise LookupUnreadableError(f"{folder} holds no packed lookup of this version.")
        self.header = header
        self._open: list[IO[bytes]] = []
        try:
            self._filepaths = _read(os.path.join(folder, FILEPATHS)).column(0).combine_chunks()
            odd = _read(os.path.join(folder, ODD))
            self._odd_rows: NDArray[np.int64] = odd.column(0).to_numpy()
            self._odd_keys = odd.column(1).combine_chunks()
            self._uuids = self._opened(os.path.join(folder, UUIDS))
            self._files = self._opened(os.path.join(folder, FILES))
        except (OSError, pa.ArrowException, IndexError) as error:
            self.close()
            raise LookupUnreadableError(f"The packed lookup in {folder} cannot be read: {error}.") from error
        sizes = (os.fstat(self._uuids.fileno()).st_size, os.fstat(self._files.fileno()).st_size)
        counts = (len(self._filepaths), len(self._odd_rows))
        if sizes != (header.rows * UUID_BYTES, header.rows * CODE_BYTES) or counts != (header.filepaths, header.odd):
            self.close()
            raise LookupUnreadableError(f"The packed lookup in {folder} is not whole.")

    @property
    def filepaths(self) -> int:
        """How many different filepaths there are."""
        return self.header.filepaths

    def keys(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop``, in the columns of ``KEYS_SCHEMA``."""
        start, stop = max(0, start), min(stop, self.header.rows)
        rows = max(0, stop - start)
        uuids = np.frombuffer(self._read(self._uuids, start, rows, UUID_BYTES), np.uint8).reshape(-1, UUID_BYTES)
        codes = np.frombuffer(self._read(self._files, start, rows, CODE_BYTES), "<u4")
        return pa.Table.from_arrays([self._texts(start, uuids), self._paths(codes)], schema=KEYS_SCHEMA)

    def _opened(self, path: str) -> IO[bytes]:
        file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._open.append(file)
        return file

    @staticmethod
    def _read(file: IO[bytes], start: int, rows: int, width: int) -> bytes:
        data = read_at(file, start * width, rows * width)
        if len(data) != rows * width:
            raise LookupUnreadableError("The packed lookup has been cut short.")
        return data

    def _texts(self, start: int, uuids: NDArray[np.uint8]) -> pa.StringArray:
        first, last = np.searchsorted(self._odd_rows, [start, start + len(uuids)])
        texts = unpack(uuids)
        if first == last:
            return texts
        values = texts.to_pylist()
        for at in range(first, last):
            values[int(self._odd_rows[at]) - start] = self._odd_keys[at].as_py()
        return text_array(values)

    def _paths(self, codes: NDArray[np.uint32]) -> pa.StringArray:
        indices = pa.Int64Array.from_buffers(pa.int64(), len(codes), [None, pa.py_buffer(codes.astype(np.int64))])
        if (codes != NO_FILE).all():
            return self._filepaths.take(indices)
        return text_array([None if code == NO_FILE else self._filepaths[code].as_py() for code in codes.tolist()])

    def close(self) -> None:
        """Let go of the files."""
        for file in self._open:
            file.close()


def _read(path: str) -> pa.Table:
    with pa.OSFile(path, "rb") as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()
