"""The keys of a packed lookup: 16 bytes each where they are uuids, or else texts. Read also while they are written."""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import types

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import CLOSED_FILE, read_at, write_all
from h5explorer_py.lookup.packed.column import DoesNotFitError, TextColumn, open_column
from h5explorer_py.lookup.packed.layout import KEY_ENDS, KEY_TEXTS, ODD, UUIDS, Header
from h5explorer_py.lookup.packed.scattered import read_scattered
from h5explorer_py.lookup.packed.tables import read_table, write_table
from h5explorer_py.lookup.packed.uuids import FORMS, UUID_BYTES, form_of, pack, unpack
from h5explorer_py.lookup.text import as_text, numbers_array, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.column import PackedColumn

MOST_ODD = 200_000
"""Keys that are no uuids and are held in memory; where there are more, all keys are kept as texts."""

_ENOUGH_UUIDS = 0.5
_ODD_SCHEMA = pa.schema([("row", pa.int64()), ("key", pa.string())])


class UuidColumn:
    """Keys most of which are uuids of one form.

    Parameters
    ----------
    folder : str
        Where the files are.
    header : Header
        How far they are to be believed, and the form of the uuids.
    writing : bool
        Whether rows are going to be added.

    Raises
    ------
    OSError, pyarrow.ArrowException, LookupUnreadableError
        Where the files are not there or not whole.
    """

    def __init__(self, folder: str, header: Header, *, writing: bool) -> None:
        self._folder = folder
        self.form = FORMS[header.form]
        self._rows = header.rows
        self.odd_rows: list[int] = []
        self._odd_keys: list[str | None] = []
        if header.odd:
            odd = read_table(os.path.join(folder, ODD)).slice(0, header.odd)
            self.odd_rows, self._odd_keys = odd.column(0).to_pylist(), odd.column(1).to_pylist()
        if len(self.odd_rows) != header.odd:
            raise LookupUnreadableError(f"The packed lookup in {folder} is not whole.")
        self._begins = header.begins
        self._file = open_column(os.path.join(folder, UUIDS), header.rows * UUID_BYTES, writing=writing)

    def write(self, column: pa.Array) -> None:
        for packed, good, texts in self._packed(column):
            if not good.all():
                odd = np.flatnonzero(~good)
                if len(self.odd_rows) + len(odd) > MOST_ODD:
                    raise DoesNotFitError
                self._odd_keys.extend(texts.take(numbers_array(odd)).to_pylist())
                self.odd_rows.extend((odd + self._rows).tolist())
            self._widen(packed[good] if not good.all() else packed)
            write_all(self._file, packed.data)
            self._rows += len(packed)

    def _packed(self, column: pa.Array) -> list[tuple[NDArray[np.uint8], NDArray[np.bool_], pa.StringArray]]:
        raw = _raw_uuids(column) if self.form is FORMS["dashed"] else None
        if raw is not None:
            return [(raw, np.ones(len(raw), np.bool_), pa.nulls(0, pa.string()))]
        chunks = as_text(pa.chunked_array([column])).chunks
        return [(*pack(chunk, self.form), chunk) for chunk in chunks]

    def _widen(self, packed: NDArray[np.uint8]) -> None:
        if len(packed):
            begins = np.ascontiguousarray(packed).view(">u8")[:, 0].astype(np.uint64)
            low, high = int(begins.min()), int(begins.max())
            self._begins = (min(low, self._begins[0]), max(high, self._begins[1])) if self._begins else (low, high)

    def save(self, header: Header) -> Header:
        os.fsync(self._file.fileno())
        columns = [numbers_array(np.array(self.odd_rows, np.int64)), text_array(self._odd_keys)]
        write_table(os.path.join(self._folder, ODD), pa.Table.from_arrays(columns, schema=_ODD_SCHEMA))
        return header.changed(odd=len(self.odd_rows), begins=self._begins)

    def bytes_at(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the uuids of rows ``start`` to ``stop``, shape (n, 16): one read."""
        size = max(0, stop - start) * UUID_BYTES
        data = read_at(self._file, start * UUID_BYTES, size)
        if len(data) != size:
            raise LookupUnreadableError("The packed lookup has been cut short.")
        return np.frombuffer(data, np.uint8).reshape(-1, UUID_BYTES)

    def read(self, start: int, stop: int) -> pa.StringArray:
        texts = unpack(self.bytes_at(start, stop), self.form)
        first, last = bisect_left(self.odd_rows, start), bisect_left(self.odd_rows, stop)
        if first == last:
            return texts
        values = texts.to_pylist()
        for at in range(first, last):
            values[self.odd_rows[at] - start] = self._odd_keys[at]
        return text_array(values)

    def take(self, rows: NDArray[np.int64]) -> pa.StringArray:
        texts = unpack(read_scattered(self._file, rows, UUID_BYTES), self.form)
        there = np.flatnonzero(np.isin(rows, np.array(self.odd_rows, np.int64))) if self.odd_rows else ()
        if not len(there):
            return texts
        values = texts.to_pylist()
        for at in there:
            values[at] = self._odd_keys[bisect_left(self.odd_rows, rows[at])]
        return text_array(values)

    def odd(self) -> list[tuple[int, str | None]]:
        """Return the rows whose key is no uuid of the form, and these keys."""
        return list(zip(self.odd_rows, self._odd_keys, strict=False))

    def close(self) -> None:
        self._file = CLOSED_FILE


def form_for(column: pa.Array) -> str:
    """Return the name of the form in which the first keys of a lookup are to be packed; empty for none."""
    if _raw_uuids(column) is not None:
        return "dashed"
    texts = as_text(pa.chunked_array([column])).combine_chunks()
    name = form_of(texts)
    return name if pack(texts, FORMS[name])[1].sum() >= _ENOUGH_UUIDS * len(texts) else ""


def open_key_column(folder: str, header: Header, *, writing: bool = False) -> PackedColumn:
    """Open the keys in the way in which the header says that they are kept."""
    if header.form:
        return UuidColumn(folder, header, writing=writing)
    return TextColumn(folder, (KEY_ENDS, KEY_TEXTS), header.rows, writing=writing)


def _raw_uuids(column: pa.Array) -> NDArray[np.uint8] | None:
    """Return uuids that a lookup stores as 16 bytes; ``None`` where it does not, or some are missing."""
    if isinstance(column.type, pa.BaseExtensionType):
        return _raw_uuids(column.storage)
    kind = column.type
    if not types.is_fixed_size_binary(kind) or kind.byte_width != UUID_BYTES or column.null_count:
        return None
    data = column.buffers()[1]
    if data is None:
        return np.empty((0, UUID_BYTES), np.uint8)
    return np.frombuffer(data, np.uint8).reshape(-1, UUID_BYTES)[column.offset : column.offset + len(column)]
