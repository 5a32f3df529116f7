"""Finding rows of a packed lookup by a text: by its indexes where they tell, by its files where rows are dense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from h5explorer_py.lookup.find import matching_paths, matching_uuids
from h5explorer_py.lookup.packed.keycolumn import UuidColumn
from h5explorer_py.lookup.packed.uuids import bounds_of
from h5explorer_py.lookup.text import text_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from h5explorer_py.lookup.find import Query
    from h5explorer_py.lookup.packed.keys import PackedKeys
    from h5explorer_py.lookup.packed.packed import PackedLookup

_FEW_PLACES = 1 << 16
_FEW_FILES = 64
_BLOCK_ROWS = 1 << 18
_MOST_COMPARED = 1 << 17
_SCANNED_ROWS = 1 << 14  # 256 kB, which stay in the processor's cache


def can_find(packed: PackedLookup, query: Query) -> bool:
    """Tell whether the packed lookup has what is needed to look for a text."""
    return (packed.uuids is not None or not query.in_uuid) and (packed.files is not None or not query.in_path)


def rows_of(packed: PackedLookup, key: str) -> list[int] | None:
    """Return the rows that have exactly this key, in their order; ``None`` where there is no index that tells."""
    column = packed.keys.uuids
    if packed.uuids is None or not isinstance(column, UuidColumn):
        return None
    bounds = bounds_of(key, column.form) if len(key) == column.form.length else None
    if bounds is None:
        return [row for row, odd in column.odd() if odd == key]
    places = packed.uuids.places(*bounds)
    rows: list[int] = packed.uuids.rows_at(places.start, places.stop).tolist()
    return rows


def scanned_rows_of(keys: PackedKeys, key: str, stop: int, give_up: Callable[[], None]) -> list[int] | None:
    """Return those of the first rows that have exactly this key, in their order, by looking at each.

    Parameters
    ----------
    keys : PackedKeys
        What is packed, or has been so far.
    key : str
        The key.
    stop : int
        How many rows to look at.
    give_up : callable
        Called between reads; raises where nobody waits for the answer any more.

    Returns
    -------
    list of int or None
        ``None`` where keys are kept as texts, which are not looked at here.
    """
    column = keys.uuids
    if not isinstance(column, UuidColumn):
        return None
    bounds = bounds_of(key, column.form) if len(key) == column.form.length else None
    odd = dict(column.odd())
    if bounds is None:
        return [row for row, each in odd.items() if each == key and row < stop]
    first, rest = np.frombuffer(bounds[0], np.uint64)
    rows: list[int] = []
    for start in range(0, stop, _SCANNED_ROWS):
        give_up()
        uuids = column.bytes_at(start, min(start + _SCANNED_ROWS, stop)).view(np.uint64)
        found = np.flatnonzero(uuids[:, 0] == first)
        rows.extend(start + row for row in found.tolist() if uuids[row, 1] == rest and start + row not in odd)
    return rows


class PackedFinder:
    """Looks for one text.

    Parameters
    ----------
    packed : PackedLookup
        Where to look.
    query : Query
        What for.
    give_up : callable
        Called between reads; raises where nobody waits for the answer any more.
    """

    def __init__(self, packed: PackedLookup, query: Query, give_up: Callable[[], None]) -> None:
        self._packed = packed
        self._give_up = give_up
        self._places = range(0)
        self._odd: list[int] = []
        self._codes: NDArray[np.int64] = np.empty(0, np.int64)
        self._bounds: tuple[bytes, bytes] | None = None
        column = packed.keys.uuids
        if query.in_uuid and packed.uuids is not None and isinstance(column, UuidColumn):
            letters = column.form.letters
            text = query.whole_uuid(column.form) or (query.text.upper() if letters.isupper() else query.text.lower())
            self._bounds = bounds_of(text, column.form)
            if self._bounds is not None:
                self._places = packed.uuids.places(*self._bounds)
            odd = column.odd()
            fits = matching_uuids(text_array([key for _, key in odd]), query).to_pylist()
            self._odd = [row for (row, _), fit in zip(odd, fits, strict=True) if fit]
        if query.in_path and packed.files is not None:
            found = matching_paths(text_array(packed.files.names), query)
            self._codes = np.flatnonzero(np.array(found.to_pylist(), np.bool_))

    def next_row(self, start: int, stop: int) -> int | None:
        """Return the first row of ``start`` to ``stop`` that matches."""
        best = stop
        for look in (self._next_odd, self._next_of_files, self._next_of_places):
            row = look(start, best)
            if row is not None:
                best = min(best, row)
        return best if best < stop else None

    def _next_odd(self, start: int, stop: int) -> int | None:
        return min((row for row in self._odd if start <= row < stop), default=None)

    def _next_of_files(self, start: int, stop: int) -> int | None:
        files = self._packed.files
        if files is None or len(self._codes) == 0:
            return None
        if len(self._codes) <= _FEW_FILES:
            rows = [files.next_row(int(code), start) for code in self._codes]
            return min((row for row in rows if row is not None and row < stop), default=None)
        wanted = self._wanted_codes()
        return self._first_in_blocks(start, stop, lambda low, high: wanted[self._known_codes(low, high)])

    def _wanted_codes(self) -> NDArray[np.bool_]:
        assert self._packed.files is not None
        wanted = np.zeros(len(self._packed.files.names) + 1, np.bool_)
        wanted[self._codes] = True
        return wanted

    def _known_codes(self, start: int, stop: int) -> NDArray[np.int64]:
        assert self._packed.files is not None
        codes = self._packed.keys.codes_at(start, stop)
        return np.minimum(codes, len(self._packed.files.names)).astype(np.int64)

    def _next_of_places(self, start: int, stop: int) -> int | None:
        index = self._packed.uuids
        if index is None or self._bounds is None or len(self._places) == 0:
            return None
        if len(self._places) <= _FEW_PLACES:
            rows = index.rows_at(self._places.start, self._places.stop)
            fitting = rows[(rows >= start) & (rows < stop)]
            return int(fitting.min()) if len(fitting) else None
        return self._first_in_blocks(start, stop, self._within_bounds)

    def _within_bounds(self, start: int, stop: int) -> NDArray[np.bool_]:
        assert self._bounds is not None
        uuids = np.ascontiguousarray(self._packed.keys.uuid_bytes_at(start, stop)).view(">u8").astype(np.uint64)
        low, high = (tuple(int.from_bytes(each[at : at + 8]) for at in (0, 8)) for each in self._bounds)
        first, rest = uuids[:, 0], uuids[:, 1]
        above = (first > low[0]) | ((first == low[0]) & (rest >= low[1]))
        within: NDArray[np.bool_] = above & ((first < high[0]) | ((first == high[0]) & (rest <= high[1])))
        if low == (0, 0):  # as those have that are no uuids
            within[[row - start for row in self._packed.keys.odd_rows if start <= row < stop]] = False
        return within

    def _first_in_blocks(self, start: int, stop: int, fits: Callable[[int, int], NDArray[np.bool_]]) -> int | None:
        size = 1 << 12
        while start < stop:
            self._give_up()
            end = min(start + size, stop)
            found = np.flatnonzero(fits(start, end))
            if len(found):
                return start + int(found[0])
            start, size = end, min(2 * size, _BLOCK_ROWS)
        return None

    def count(self) -> int | None:
        """Return how many rows match; ``None`` where the indexes do not tell at once."""
        of_uuids = len(self._places) + len(self._odd)
        files = self._packed.files
        of_files = sum(files.count(int(code)) for code in self._codes) if files is not None else 0
        if of_uuids == 0 or of_files == 0:
            return of_uuids + of_files
        if len(self._places) > _MOST_COMPARED:
            return None
        assert self._packed.uuids is not None
        rows = self._packed.uuids.rows_at(self._places.start, self._places.stop)
        both = np.sort(np.concatenate([rows, np.array(self._odd, np.int64)]))
        wanted = self._wanted_codes()
        twice = sum(int(wanted[self._known_codes(row, row + 1)].sum()) for row in both.tolist())
        return of_uuids + of_files - twice

    def count_between(self, start: int, stop: int) -> int:
        """Return how many of the rows ``start`` to ``stop`` match, by looking at each."""
        fits = np.zeros(stop - start, np.bool_)
        if self._bounds is not None:
            fits |= self._within_bounds(start, stop)
        fits[[row - start for row in self._odd if start <= row < stop]] = True
        if len(self._codes):
            fits |= self._wanted_codes()[self._known_codes(start, stop)]
        return int(np.count_nonzero(fits))
