"""Packing a lookup: one pass over its two key columns, within bounded memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.errors import UnsupportedError
from h5explorer_py.lookup.packed.layout import FILEPATHS, FILES, NO_FILE, ODD, UUIDS, Header
from h5explorer_py.lookup.packed.uuids import pack
from h5explorer_py.lookup.text import as_text, text_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from h5explorer_py.files import Signature
    from h5explorer_py.lookup.base import Lookup

MOST_FILEPATHS = 500_000
"""Different filepaths that are kept: all of them are held in memory, 200 bytes each."""

MOST_ODD = 1_000_000
"""Keys that are no canonical uuids: all of them are held in memory."""

_ODD_SCHEMA = pa.schema([("row", pa.int64()), ("key", pa.string())])
_BUFFER = 1 << 20


class _Filepaths:
    """Numbers filepaths in the order in which they come."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def encode(self, chunk: pa.StringArray) -> NDArray[np.uint32]:
        """Return the number of each filepath."""
        encoded = pc.dictionary_encode(chunk)
        codes = [self._code(path) for path in encoded.dictionary.to_pylist()]
        known = np.array([*codes, NO_FILE], np.uint32)
        indices: NDArray[np.int32] = pc.fill_null(encoded.indices, len(codes)).to_numpy(zero_copy_only=False)
        return known[indices]

    def _code(self, path: str) -> int:
        code = self._codes.setdefault(path, len(self._codes))
        if code >= MOST_FILEPATHS:
            raise UnsupportedError(f"The lookup has more than {MOST_FILEPATHS:,} different filepaths.")
        return code

    def names(self) -> pa.StringArray:
        return text_array(list(self._codes))


class _Odd:
    """Keeps the keys that are no canonical uuids."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._keys: list[str | None] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, first_row: int, rows: NDArray[np.intp], keys: pa.StringArray) -> None:
        if len(self._rows) + len(rows) > MOST_ODD:
            raise UnsupportedError(f"The lookup has more than {MOST_ODD:,} keys that are no uuids.")
        self._rows.extend((rows + first_row).tolist())
        self._keys.extend(keys.take(rows).to_pylist())

    def table(self) -> pa.Table:
        return pa.Table.from_arrays([pa.array(self._rows, pa.int64()), text_array(self._keys)], schema=_ODD_SCHEMA)


def convert(lookup: Lookup, path: str, signature: Signature, folder: str, tick: Callable[[int], None]) -> Header:
    """Pack the keys of a lookup into a folder.

    Parameters
    ----------
    lookup : Lookup
        What to pack.
    path : str
        The lookup's file, for the header.
    signature : Signature
        The state of that file.
    folder : str
        An empty folder. What is in it is of no use where this raises.
    tick : callable
        Is told, now and then, how many rows have been packed; stops the work by raising.

    Raises
    ------
    UnsupportedError
        Where the lookup's keys or filepaths are such that packing them gains nothing.
    OSError
        Where the folder cannot be written.
    """
    filepaths, odd, row = _Filepaths(), _Odd(), 0
    with (
        open(os.path.join(folder, UUIDS), "wb", _BUFFER) as uuids,
        open(os.path.join(folder, FILES), "wb", _BUFFER) as files,
    ):
        for batch in lookup.scan([lookup.columns.uuid, lookup.columns.filepath]):
            first_of_chunk = row
            for keys in as_text(pa.chunked_array([batch.column(0)])).chunks:
                packed, canonical = pack(keys)
                uuids.write(packed.data)
                if not canonical.all():
                    odd.add(first_of_chunk, np.flatnonzero(~canonical), keys)
                first_of_chunk += len(keys)
            paths = as_text(pa.chunked_array([batch.column(1)]))
            files.writelines(filepaths.encode(chunk).astype("<u4", copy=False).data for chunk in paths.chunks)
            row += batch.num_rows
            tick(row)
    names = filepaths.names()
    _write(os.path.join(folder, FILEPATHS), pa.Table.from_arrays([names], ["filepath"]))
    _write(os.path.join(folder, ODD), odd.table())
    header = Header(path, signature, lookup.columns.uuid, lookup.columns.filepath, row, len(names), len(odd))
    header.write(folder)
    return header


def _write(path: str, table: pa.Table) -> None:
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
