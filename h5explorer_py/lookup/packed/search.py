"""Finding rows of a packed lookup by its indexes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import CLOSED_FILE, HeldFile, read_at
from h5explorer_py.lookup.packed.filecolumn import CodeColumn
from h5explorer_py.lookup.packed.index import (
    ENTRY,
    FENCE_EVERY,
    FENCES,
    FILE_ROWS,
    FILE_STARTS,
    INDEX,
    common_bytes,
)
from h5explorer_py.lookup.packed.keycolumn import UuidColumn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.keys import PackedKeys

_ROW_BYTES = 4
_READ_AT_ONCE = 4 * FENCE_EVERY


class UuidIndex:
    """The uuids of a packed lookup in their order. All methods may be called from any thread.

    Places count from 0 in the order of the uuids; rows of the same uuid are in their order.

    Parameters
    ----------
    folder : str
        Where the lookup was packed to.
    keys : PackedKeys
        What was packed.

    Raises
    ------
    LookupUnreadableError
        Where the index is absent, or not of this lookup.
    """

    def __init__(self, folder: str, keys: PackedKeys) -> None:
        if not isinstance(keys.uuids, UuidColumn):
            raise LookupUnreadableError(f"The keys of the packed lookup in {folder} have no index.")
        self._uuids = keys.uuids
        self._common = common_bytes(keys.header.begins)
        self._shared = (keys.header.begins or (0, 0))[0].to_bytes(8)[: self._common]
        self._entries = keys.header.rows - keys.header.odd
        try:
            self._fences = np.fromfile(os.path.join(folder, FENCES), ">u8").astype(np.uint64)
            self._file = HeldFile(os.path.join(folder, INDEX))
        except OSError as error:
            raise LookupUnreadableError(f"The index in {folder} cannot be read: {error}.") from error
        size = os.fstat(self._file.fileno()).st_size
        if size != self._entries * ENTRY.itemsize or len(self._fences) != -(-self._entries // FENCE_EVERY):
            self.close()
            raise LookupUnreadableError(f"The index in {folder} is not whole.")

    def __len__(self) -> int:
        return self._entries

    def places(self, low: bytes, high: bytes) -> range:
        """Return the places of the uuids within bounds.

        Few reads: one for the entries at the lower bound, one for those at the upper where these are others, and
        where many entries have the same 8 bytes, some more to tell them apart.

        Parameters
        ----------
        low, high : bytes
            Uuids of 16 bytes, both within.
        """
        if self._entries == 0 or high[: self._common] < self._shared or low[: self._common] > self._shared:
            return range(0)
        low = low if low[: self._common] == self._shared else self._shared + bytes(16 - self._common)
        high = high if high[: self._common] == self._shared else self._shared + b"\xff" * (16 - self._common)
        begin, end = (np.uint64(int.from_bytes(each[self._common : self._common + 8])) for each in (low, high))
        first = max(0, int(np.searchsorted(self._fences, begin, "left")) - 1) * FENCE_EVERY
        last = min(self._entries, int(np.searchsorted(self._fences, end, "right")) * FENCE_EVERY)
        if last <= first:
            return range(0)
        if last - first <= _READ_AT_ONCE:
            entries = self._read(first, last)
            start, stop = (self._bound(entries, first, *each) for each in ((begin, low, False), (end, high, True)))
        else:
            start, stop = self._edge(begin, low, above=False), self._edge(end, high, above=True)
        return range(start, max(start, stop))

    def _edge(self, begin: np.uint64, uuid: bytes, *, above: bool) -> int:
        first = max(0, int(np.searchsorted(self._fences, begin, "left")) - 1) * FENCE_EVERY
        last = min(self._entries, int(np.searchsorted(self._fences, begin, "right")) * FENCE_EVERY)
        if last - first <= _READ_AT_ONCE:
            return self._bound(self._read(first, last), first, begin, uuid, above) if last > first else first
        while last > first:  # many of the same 8 bytes: by halves, each looked at whole
            middle = (first + last) // 2
            if self._is_before(middle, begin, uuid, above=above):
                first = middle + 1
            else:
                last = middle
        return first

    def _is_before(self, place: int, begin: np.uint64, uuid: bytes, *, above: bool) -> bool:
        entry = self._read(place, place + 1)[0]
        if entry["begin"] != begin:
            return bool(entry["begin"] < begin)
        found = self._uuid_of(int(entry["row"]))
        return found <= uuid if above else found < uuid

    def _bound(self, entries: NDArray[np.void], first: int, begin: np.uint64, uuid: bytes, above: bool) -> int:  # noqa: FBT001
        """Return the place of the first entry not below a uuid, or above it."""
        begins = entries["begin"].astype(np.uint64)
        start, stop = (int(np.searchsorted(begins, begin, side)) for side in ("left", "right"))
        rest = uuid[self._common + 8 :]
        if rest == (b"\xff" if above else b"\0") * len(rest):
            return first + (stop if above else start)
        while stop > start:
            middle = (start + stop) // 2
            found = self._uuid_of(int(entries["row"][middle]))
            if found <= uuid if above else found < uuid:
                start = middle + 1
            else:
                stop = middle
        return first + start

    def _uuid_of(self, row: int) -> bytes:
        return self._uuids.bytes_at(row, row + 1).tobytes()

    def begins_at(self, start: int, stop: int) -> NDArray[np.uint64]:
        """Return the 8 bytes of each uuid at places ``start`` to ``stop`` that the index has, as numbers.

        Uuids of which they differ differ.
        """
        begins: NDArray[np.uint64] = self._read(start, stop)["begin"].astype(np.uint64)
        return begins

    def rows_at(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the rows at these places: one read."""
        return self._read(start, min(stop, self._entries))["row"].astype(np.int64)

    def _read(self, first: int, last: int) -> NDArray[np.void]:
        size = max(0, last - first) * ENTRY.itemsize
        data = read_at(self._file, first * ENTRY.itemsize, size)
        if len(data) != size:
            raise LookupUnreadableError("The index has been cut short.")
        return np.frombuffer(data, ENTRY)

    def close(self) -> None:
        """Let go of the file."""
        self._file = CLOSED_FILE


class FileIndex:
    """The rows of every file of a packed lookup. All methods may be called from any thread.

    The parameters are those of :class:`UuidIndex`.

    Raises
    ------
    LookupUnreadableError
        Where the index is absent, or not of this lookup.
    """

    def __init__(self, folder: str, keys: PackedKeys) -> None:
        if not isinstance(keys.files, CodeColumn):
            raise LookupUnreadableError(f"The filepaths of the packed lookup in {folder} have no index.")
        self.names = keys.files.names
        try:
            self.starts = np.fromfile(os.path.join(folder, FILE_STARTS), "<u8").astype(np.int64)
            self._file = HeldFile(os.path.join(folder, FILE_ROWS))
            size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise LookupUnreadableError(f"The index in {folder} cannot be read: {error}.") from error
        if size != keys.rows * _ROW_BYTES or len(self.starts) != len(self.names) + 1 or self.starts[-1] > keys.rows:
            self.close()
            raise LookupUnreadableError(f"The index in {folder} is not whole.")

    def count(self, code: int) -> int:
        """Return how many rows a file has."""
        return int(self.starts[code + 1] - self.starts[code])

    def rows(self, code: int, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
        """Return rows of a file, in their order: one read."""
        count = self.count(code)
        first = int(self.starts[code])
        return self.rows_at(first + start, first + (count if stop is None else min(stop, count)))

    def rows_at(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the rows at these places, counted over all files."""
        size = max(0, stop - start) * _ROW_BYTES
        data = read_at(self._file, start * _ROW_BYTES, size)
        if len(data) != size:
            raise LookupUnreadableError("The index has been cut short.")
        return np.frombuffer(data, "<u4").astype(np.int64)

    def next_row(self, code: int, row: int) -> int | None:
        """Return the first row of a file from ``row`` on; ``None`` where there is none: some reads."""
        first, last = 0, self.count(code)
        while last - first > _READ_AT_ONCE:
            middle = (first + last) // 2
            if self.rows(code, middle, middle + 1)[0] < row:
                first = middle + 1
            else:
                last = middle
        rows = self.rows(code, first, min(last + 1, self.count(code)))
        at = int(np.searchsorted(rows, row))
        return int(rows[at]) if at < len(rows) else None

    def close(self) -> None:
        """Let go of the file."""
        self._file = CLOSED_FILE
