"""Finding rows of a lookup: by what has been packed of it where that tells, else by going through the lookup itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.errors import AmbiguousKeyError, LookupUnreadableError
from h5explorer_py.files import shorten
from h5explorer_py.keyindex import KeyIndex
from h5explorer_py.lookup.find import count_matches, first_match
from h5explorer_py.lookup.packed.find import PackedFinder, can_find, rows_of, scanned_rows_of
from h5explorer_py.lookup.text import as_text, is_unicode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.lookup.find import Query
    from h5explorer_py.lookup.packed.keys import PackedKeys
    from h5explorer_py.lookup.packed.packed import PackedLookup

_COUNT_ROWS = 1 << 18

INDEXED_ROWS = 2_000_000
"""Lookups up to this size get an index of their uuids in memory (88 MB at most) when one is first asked for, and
nothing has been packed."""


def only_row(rows: Sequence[int], key: str, name: str, filepath_of: Callable[[int], str | None]) -> int:
    """Return the row that a uuid names: the first of those that have it, where all of them name one file.

    Parameters
    ----------
    rows : sequence of int
        The rows that have it, at least one.
    key : str
        The uuid.
    name : str
        What these are rows of.
    filepath_of : callable
        Returns the filepath of a row.

    Raises
    ------
    AmbiguousKeyError
        Where they name different files.
    """
    if len({filepath_of(row) for row in rows}) > 1:
        shown = ", ".join(map(str, rows[:5])) + (" ..." if len(rows) > 5 else "")
        raise AmbiguousKeyError(
            f"{len(rows)} rows of {name} have the uuid {shorten(key)!r}, in different files.",
            action=f"Ask by row number: {shown}.",
            rows=rows[:100],
        )
    return rows[0]


class Packing(Protocol):
    """What has been packed of a lookup by now."""

    @property
    def packed(self) -> PackedLookup | None:
        """What has been packed, when it is whole."""

    @property
    def growing(self) -> PackedKeys | None:
        """What has been packed so far, while it is not whole."""

    def drop(self, packed: PackedLookup) -> None:
        """Use no longer what has been packed, as it turned out to be damaged."""


class RowFinder:
    """Finds rows. All methods may be called from any thread.

    What has been packed comes with each question: it changes, and its owner is not to be held by what it owns.

    Parameters
    ----------
    lookup : Lookup
        Where to look.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._index: KeyIndex | None = None
        self._index_lock = threading.Lock()
        self._filepaths: int | None = None

    def has_index(self, packing: Packing) -> bool:
        """Whether the rows of a uuid are known without going through the lookup."""
        packed = packing.packed
        return self._lookup.num_rows <= INDEXED_ROWS if packed is None else packed.uuids is not None

    def of_key(self, packing: Packing, key: str, give_up: Callable[[], None]) -> list[int]:
        """Return all rows that have exactly this uuid, in their order."""
        if not is_unicode(key):
            return []
        self._lookup.wait_counted(give_up)
        packed = packing.packed
        if packed is not None:
            try:
                found = rows_of(packed, key)
            except (LookupUnreadableError, OSError, ValueError):
                packing.drop(packed)
                found = None
            if found is not None:
                self._lookup.check_unchanged()
                return found
        if self._lookup.num_rows <= INDEXED_ROWS:
            return self._key_index().rows(key)
        rows, start = self._of_growing(packing, key, give_up)
        for batch in self._lookup.scan([self._lookup.columns.uuid], start):
            give_up()
            keys = as_text(pa.chunked_array([batch.column(0)]))
            begin_alike = pc.indices_nonzero(pc.starts_with(keys, key)).to_pylist()
            rows.extend(start + row for row in begin_alike if keys[row].as_py() == key)
            start += batch.num_rows
        return rows

    def _of_growing(self, packing: Packing, key: str, give_up: Callable[[], None]) -> tuple[list[int], int]:
        """Return the rows of a uuid among those that have been packed so far, and how many these are."""
        growing = packing.growing
        if growing is None:
            return [], 0
        self._lookup.check_unchanged()
        stop = growing.rows
        try:
            found = scanned_rows_of(growing, key, stop, give_up)
        except (LookupUnreadableError, OSError, ValueError):  # closed meanwhile
            found = None
        return ([], 0) if found is None else (found, stop)

    def _key_index(self) -> KeyIndex:
        with self._index_lock:
            if self._index is None:
                batches = list(self._lookup.scan([self._lookup.columns.uuid]))
                columns = [as_text(pa.chunked_array([batch.column(0)])) for batch in batches]
                chunks = [chunk for column in columns for chunk in column.chunks]
                self._index = KeyIndex(pa.chunked_array(chunks, type=pa.string()))
            return self._index

    def _packed_finder(
        self, packed: PackedLookup | None, query: Query, give_up: Callable[[], None]
    ) -> PackedFinder | None:
        if packed is None or not can_find(packed, query):
            return None
        self._lookup.check_unchanged()
        return PackedFinder(packed, query, give_up)

    def next_match(
        self, packing: Packing, query: Query, start: int, stop: int, give_up: Callable[[], None]
    ) -> int | None:
        """Return the first row of ``start`` to ``stop`` that a text matches."""
        packed = packing.packed
        try:
            finder = self._packed_finder(packed, query, give_up)
            if finder is not None:
                return finder.next_row(start, stop)
        except (LookupUnreadableError, OSError, ValueError):
            if packed is not None:
                packing.drop(packed)
        return first_match(self._lookup, query, start, stop, give_up)

    def count(
        self, packing: Packing, query: Query, start: int, seconds: float, give_up: Callable[[], None]
    ) -> tuple[int, int]:
        """Count the rows that a text matches from a row on, for about so many seconds: see ``count_matches``."""
        packed = packing.packed
        try:
            finder = self._packed_finder(packed, query, give_up)
            if finder is not None:
                whole = finder.count() if start == 0 else None
                if whole is not None:
                    return whole, self._lookup.num_rows
                stop = min(start + 16 * _COUNT_ROWS, self._lookup.num_rows)
                blocks = range(start, stop, _COUNT_ROWS)
                return sum(finder.count_between(at, min(at + _COUNT_ROWS, stop)) for at in blocks), stop
        except (LookupUnreadableError, OSError, ValueError):
            if packed is not None:
                packing.drop(packed)
        return count_matches(self._lookup, query, start, seconds, give_up)

    def filepaths(self, packing: Packing, give_up: Callable[[], None]) -> int:
        """Count the different filepaths; goes through the lookup once unless it has been packed."""
        packed = packing.packed
        if packed is not None and packed.files is not None:
            return sum(1 for name in packed.files.names if name)
        self._lookup.wait_counted(give_up)
        if self._filepaths is None:
            seen: set[str] = set()
            for batch in self._lookup.scan([self._lookup.columns.filepath]):
                give_up()
                column = batch.column(0)
                if isinstance(column, pa.DictionaryArray):
                    used = pc.drop_null(pc.unique(column.indices))
                    column = column.dictionary.take(used)
                else:
                    column = pc.unique(column)
                seen.update(text for text in as_text(pa.chunked_array([column])).to_pylist() if text)
            self._filepaths = len(seen)
        return self._filepaths
