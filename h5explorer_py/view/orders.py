"""All rows of a lookup in another order: as an index has them, or as it was worked out once."""

from __future__ import annotations

import os
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import ClosedError, LookupUnreadableError
from h5explorer_py.files import CLOSED_FILE, HeldFile, read_at, write_all
from h5explorer_py.lookup.packed.uuids import UUID_BYTES
from h5explorer_py.scratch import put_aside
from h5explorer_py.view.rowsets import RowSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.packed import PackedLookup
    from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex
    from h5explorer_py.view.rowsets import Numbers

_HELD_ROWS = 1 << 22
_ROW_BYTES = 4
_SEARCHED_ROWS = 1 << 20


class UuidOrder(RowSet):
    """All rows in the order of their uuids; those of the same uuid in theirs.

    Parameters
    ----------
    packed : PackedLookup
        The lookup, all of whose keys are uuids.
    descending : bool
        Whether the last uuid comes first.
    """

    def __init__(self, packed: PackedLookup, *, descending: bool) -> None:
        assert packed.uuids is not None
        self._index: UuidIndex = packed.uuids
        self._packed = packed
        self._descending = descending

    def __len__(self) -> int:
        return len(self._index)

    @property
    def ascending(self) -> bool:
        return False

    def rows(self, start: int, stop: int) -> Numbers:
        count = len(self)
        start, stop = max(0, start), min(stop, count)
        if start >= stop:
            return np.empty(0, np.int64)
        if not self._descending:
            return self._index.rows_at(start, stop)
        found = self._index.rows_at(count - stop, count - start)[::-1]
        return self._with_ties_in_order(found, start)

    def _with_ties_in_order(self, found: Numbers, start: int) -> Numbers:
        """Put the rows of the same uuid, which come backwards from the index, in their order."""
        if len(found) > _SEARCHED_ROWS // 16:
            return np.concatenate([self.rows(at, at + _SEARCHED_ROWS // 16) for at in _steps(start, len(found))])
        stop = len(self) - start
        begins = self._index.begins_at(stop - len(found), stop)[::-1]
        alike = begins[1:] == begins[:-1]  # so few that only theirs are read; those at the ends may go on outside
        near = np.flatnonzero(np.concatenate([[True], alike]) | np.concatenate([alike, [True]]))
        uuids = _uuid_bytes(self._packed, found[near])
        repeated = np.flatnonzero((uuids[1:] == uuids[:-1]).all(axis=1))
        ordered = found.copy()
        for uuid in {uuids[at].tobytes() for at in (0, len(uuids) - 1, *repeated.tolist())}:
            self._put_run(ordered, uuid, start)
        return ordered

    def _put_run(self, ordered: Numbers, uuid: bytes, start: int) -> None:
        places = self._index.places(uuid, uuid)
        if len(places) < 2:
            return
        first = len(self) - places.stop  # the position of the first of them
        low, high = max(first, start), min(first + len(places), start + len(ordered))
        ordered[low - start : high - start] = self._index.rows_at(
            places.start + low - first, places.start + high - first
        )

    def position(self, row: int) -> int | None:
        if not 0 <= row < len(self):
            return None
        uuid = self._packed.keys.uuid_bytes_at(row, row + 1).tobytes()
        places = self._index.places(uuid, uuid)
        rows = self._index.rows_at(places.start, places.stop)
        at = int(np.searchsorted(rows, row))
        return len(self) - places.stop + at if self._descending else places.start + at


def _steps(start: int, count: int) -> range:
    return range(start, start + count, _SEARCHED_ROWS // 16)


def _uuid_bytes(packed: PackedLookup, rows: Numbers) -> NDArray[np.uint8]:
    found = np.empty((len(rows), UUID_BYTES), np.uint8)
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    for group in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(ascending) > 64) + 1):
        if len(group):
            first, last = int(ascending[group[0]]), int(ascending[group[-1]])
            read = packed.keys.uuid_bytes_at(first, last + 1)
            found[order[group]] = read[ascending[group] - first]
    return found


class FileOrder(RowSet):
    """All rows in the order of their filepaths, those without one last; those of the same file in their order.

    Parameters
    ----------
    index : FileIndex
        The rows of every file.
    count : int
        How many rows there are.
    descending : bool
        Whether the last filepath comes first.
    """

    def __init__(self, index: FileIndex, count: int, *, descending: bool) -> None:
        self._index = index
        self._count = count
        names = [name.encode("utf-8", "surrogatepass") for name in index.names]
        codes = sorted(range(len(names)), key=names.__getitem__, reverse=descending)
        self._codes = np.array(codes, np.int64)
        sizes = np.diff(index.starts)[self._codes] if codes else np.empty(0, np.int64)
        self._begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def ascending(self) -> bool:
        return False

    def rows(self, start: int, stop: int) -> Numbers:
        start, stop = max(0, start), min(stop, self._count)
        parts = [np.empty(0, np.int64)]
        at = start
        while at < stop:
            number = int(np.searchsorted(self._begins, at, "right")) - 1
            if number == len(self._codes):  # those without a file
                parts.append(self._index.rows_at(at, stop))
                break
            end = min(stop, int(self._begins[number + 1]))
            first = int(self._index.starts[self._codes[number]]) - int(self._begins[number])
            parts.append(self._index.rows_at(first + at, first + end))
            at = end
        return np.concatenate(parts)

    def position(self, row: int) -> int | None:
        for number, code in enumerate([*self._codes.tolist(), -1]):
            low = int(self._index.starts[code]) if code >= 0 else int(self._begins[-1])
            high = int(self._index.starts[code + 1]) if code >= 0 else self._count
            place = _place_of(self._index, low, high, row)
            if place is not None:
                return int(self._begins[number]) + place - low
        return None


def _place_of(index: FileIndex, low: int, high: int, row: int) -> int | None:
    """Look for a row among the ascending ones of a file."""
    first, last = low, high
    while last - first > 4096:
        middle = (first + last) // 2
        if index.rows_at(middle, middle + 1)[0] < row:
            first = middle + 1
        else:
            last = middle
    rows = index.rows_at(first, min(last + 1, high))
    at = int(np.searchsorted(rows, row))
    return first + at if at < len(rows) and rows[at] == row else None


class KeptOrder(RowSet):
    """Rows in an order that was worked out once: in memory where they are few, else in a file without a name.

    Parameters
    ----------
    parts : iterable of ndarray
        The rows in their order.
    scratch : str, optional
        The folder of the file.
    """

    def __init__(self, parts: Iterable[NDArray[np.integer[Any]]], scratch: str | None) -> None:
        self._file: HeldFile | None = None
        held: list[NDArray[np.uint32]] = []
        self._count = 0
        try:
            for part in parts:
                held.append(part.astype("<u4"))
                self._count += len(part)
                if sum(map(len, held)) >= _HELD_ROWS:
                    self._spill(held, scratch)
            if self._is_on_disk():
                self._spill(held, scratch)
        except BaseException:
            self.close()
            raise
        self._held = np.concatenate([np.empty(0, np.uint32), *held])

    def _is_on_disk(self) -> bool:
        return self._file is not None

    def _spill(self, held: list[NDArray[np.uint32]], scratch: str | None) -> None:
        with put_aside(scratch):
            if self._file is None:
                with TemporaryFile(buffering=0, dir=scratch, prefix="h5explorer-") as file:
                    self._file = HeldFile(os.dup(file.fileno()), "r+b")
            for part in held:
                write_all(self._file, part.data)
        held.clear()

    def __len__(self) -> int:
        return self._count

    @property
    def ascending(self) -> bool:
        return False

    def rows(self, start: int, stop: int) -> Numbers:
        start, stop = max(0, start), min(stop, self._count)
        if self._file is None or start >= stop:
            return self._held[start : max(start, stop)].astype(np.int64)
        try:
            data = read_at(self._file, start * _ROW_BYTES, (stop - start) * _ROW_BYTES)
        except ValueError as error:
            raise ClosedError("These rows are not shown any more.") from error
        if len(data) != (stop - start) * _ROW_BYTES:
            raise LookupUnreadableError("The order of the rows has been cut short.")
        return np.frombuffer(data, "<u4").astype(np.int64)

    def position(self, row: int) -> int | None:
        for start in range(0, self._count, _SEARCHED_ROWS):
            found = np.flatnonzero(self.rows(start, start + _SEARCHED_ROWS) == row)
            if len(found):
                return start + int(found[0])
        return None

    def close(self) -> None:
        if self._file is not None:
            self._file = CLOSED_FILE
