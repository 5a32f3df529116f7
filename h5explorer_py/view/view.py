"""What an explorer shows: the rows of a data set that a filter keeps, in an order, by their positions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import ExplorerError, KeyNotFoundError, RowOutOfRangeError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.find import matching_keys
from h5explorer_py.lookup.finding import only_row
from h5explorer_py.lookup.text import no_rows, numbers_array
from h5explorer_py.view.filtering import matching_rows
from h5explorer_py.view.ordering import SortKey, sorted_rows
from h5explorer_py.view.rowsets import AllRows, RowSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.lookup.find import Query
    from h5explorer_py.view.rowsets import Numbers
    from h5explorer_py.view.work import Work

_LOOKED_THROUGH = 200_000
"""Rows of a view up to which a search looks at each of them, rather than at what matches in the whole lookup."""

_BLOCK_ROWS = 1 << 14
_FIRST_BLOCK_ROWS = 1 << 10
_READ_ROWS = 1 << 12


class View:
    """Rows of a data set by their positions, from 0. All methods may be called from any thread.

    Parameters
    ----------
    dataset : Dataset
        The data set, which stays open.
    rows : RowSet, optional
        Its rows; all where there is none.
    condition : str
        The filter that keeps them; empty for none.
    sort : sequence of SortKey
        What they are sorted by.
    notes : sequence of str
        Sentences about what was odd when the rows were worked out.
    """

    def __init__(
        self,
        dataset: Dataset,
        rows: RowSet | None = None,
        condition: str = "",
        sort: Sequence[SortKey] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.dataset = dataset
        self._rows = rows
        self.is_all = rows is None
        self.filter = condition
        self.sort = tuple(sort)
        self._notes = tuple(notes)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what is odd: in these rows, then in the data set."""
        return (*self._notes, *self.dataset.notices)

    @property
    def rows(self) -> RowSet:
        """The rows of the lookup by their positions."""
        return AllRows(self.dataset.num_rows) if self._rows is None else self._rows

    @property
    def num_rows(self) -> int:
        """The number of rows, as far as they have been counted."""
        return len(self.rows)

    def wait_counted(self) -> int:
        """Wait until the rows of the lookup have been counted; return how many there are in the view."""
        self.dataset.lookup.wait_counted()
        return self.num_rows

    def keys(self, start: int, stop: int, give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return the rows at positions ``start`` to ``stop`` as text, in the columns ``uuid`` and ``filepath``."""
        if self.is_all:
            return self.dataset.keys(start, stop, give_up)
        return self._keys_of(self.rows.rows(start, stop), give_up)

    def _keys_of(self, rows: Numbers, give_up: Callable[[], None]) -> pa.Table:
        if _are_consecutive(rows):
            return self.dataset.keys(int(rows[0]), int(rows[-1]) + 1, give_up)
        return self.dataset.take(rows, give_up)

    def read(self, start: int, stop: int) -> pa.Table:
        """Return the rows at positions ``start`` to ``stop`` with all columns as they are stored."""
        lookup = self.dataset.lookup
        if self.is_all:
            return lookup.read(start, stop)
        rows = self.rows.rows(start, stop)
        tables = [no_rows(lookup.schema)]
        at = 0
        while at < len(rows):  # rows that are near, and ascend, are read together
            end = at + 1
            while end < len(rows) and rows[end - 1] < rows[end] < rows[at] + _READ_ROWS:
                end += 1
            first = int(rows[at])
            read = lookup.read(first, int(rows[end - 1]) + 1)
            tables.append(read.take(numbers_array(rows[at:end] - first)))
            at = end
        return pa.concat_tables(tables, promote_options="default")

    def row_at(self, position: int) -> int:
        """Return the row of the lookup at a position.

        Raises
        ------
        RowOutOfRangeError
            Where there is no such position.
        """
        self.check_row(position)
        return position if self.is_all else int(self.rows.rows(position, position + 1)[0])

    def entry(self, position: int, give_up: Callable[[], None] = lambda: None) -> Entry:
        """Return the row at a position.

        Raises
        ------
        RowOutOfRangeError
            Where there is no such position.
        """
        return self.dataset.entry(self.row_at(position), give_up)

    def check_row(self, position: int) -> None:
        """Raise where there is no such position.

        Raises
        ------
        RowOutOfRangeError
        """
        if self.is_all:
            self.dataset.check_row(position)
        elif not 0 <= position < self.num_rows:
            rows = f"rows go from 0 to {self.num_rows - 1:,}" if self.num_rows else "the filter keeps none"
            raise RowOutOfRangeError(f"There is no row {position:,}: {rows}.", row=position)

    def row_of(self, key: str) -> int:
        """Return the position of a uuid.

        Raises
        ------
        KeyNotFoundError
            Where no row has it.
        AmbiguousKeyError
            Where several rows have it that name different files.
        """
        if self.is_all:
            return self.dataset.row_of(key)
        positions = self._positions_of(key)
        if not positions:
            raise KeyNotFoundError(f"The filtered {self.dataset.lookup.name} has no uuid {shorten(key)!r}.", key=key)
        name = f"the filtered {self.dataset.lookup.name}"
        return only_row(positions, key, name, lambda position: self.entry(position).filepath)

    def _positions_of(self, key: str, give_up: Callable[[], None] = lambda: None) -> list[int]:
        """Return all positions of a uuid, in their order."""
        found = [self.rows.position(row) for row in self.dataset.rows.of_key(key, give_up)]
        return sorted(position for position in found if position is not None)

    # Searching

    def find(self, query: Query, after: int | None, give_up: Callable[[], None]) -> int | None:
        """Return the position of the next row that matches, from behind ``after`` and round again.

        A uuid that is exactly the text goes before all others, when the search begins.
        """
        if self.is_all:
            return self.dataset.find(query, after, give_up)
        known = query.known_rows(self.num_rows)
        if known is not None:
            return known[0] if known else None
        if after is None and query.in_uuid and self.dataset.rows.has_index:
            exact = self._positions_of(query.text, give_up)
            if exact:
                return exact[0]
        start = 0 if after is None else after + 1
        found = self._next(query, start, self.num_rows, give_up)
        if found is None and start > 0:
            found = self._next(query, 0, start, give_up)
        return found

    def _next(self, query: Query, start: int, stop: int, give_up: Callable[[], None]) -> int | None:
        stop = min(stop, self.num_rows)
        if start >= stop:
            return None
        if self.rows.ascending and self.num_rows > _LOOKED_THROUGH:
            return self._next_of_lookup(query, start, stop, give_up)
        size = _FIRST_BLOCK_ROWS
        while start < stop:
            give_up()
            end = min(start + size, stop)
            found = matching_keys(self.keys(start, end, give_up), query)
            if found:
                return start + found[0]
            start, size = end, min(2 * size, _BLOCK_ROWS)
        return None

    def _next_of_lookup(self, query: Query, start: int, stop: int, give_up: Callable[[], None]) -> int | None:
        row, last = self.row_at(start), self.row_at(stop - 1)
        while row <= last:
            give_up()
            found = self.dataset.rows.next_match(query, row, last + 1, give_up)
            if found is None:
                return None
            position = self.rows.position(found)
            if position is not None:
                return position
            row = found + 1
        return None

    def count(self, query: Query, start: int, seconds: float, give_up: Callable[[], None]) -> tuple[int, int]:
        """Count the rows that match from a position on, for about so many seconds.

        Returns
        -------
        count : int
            How many of the rows looked at match.
        stop : int
            The position up to which they have been looked at.
        """
        if self.is_all:
            return self.dataset.count(query, start, seconds, give_up)
        known = query.known_rows(self.num_rows)
        if known is not None:
            return len(known), self.num_rows
        until = time.monotonic() + seconds
        count = 0
        while start < self.num_rows:
            give_up()
            end = min(start + _BLOCK_ROWS, self.num_rows)
            count += len(matching_keys(self.keys(start, end, give_up), query))
            start = end
            if time.monotonic() >= until:
                break
        return count, start

    def close(self) -> None:
        """Let go of what the view holds itself; the data set stays open."""
        self.rows.close()


def make_view(dataset: Dataset, condition: str, sort: Sequence[SortKey], work: Work) -> View:
    """Make the view that a filter and an order make of a data set.

    Raises
    ------
    ConditionError
        Where the filter is no condition, or cannot be computed.
    ExplorerError
        Where a column is not there, or a file cannot be read.
    """
    condition = condition.strip()
    if condition or sort:
        dataset.lookup.wait_counted(work.give_up)
        dataset.lookup.check_unchanged(0, max(1, dataset.num_rows))
    of_filter = (1.0 if not sort else 0.5) if condition else 0.0
    rows = None
    if condition:
        rows = matching_rows(dataset, condition, work.part(0.0, of_filter)).finish()
    if sort:
        rows = sorted_rows(dataset, sort, rows, work.part(of_filter, 1.0))
    view = View(dataset, rows, condition, sort, work.notes)
    try:
        if rows is not None:
            dataset.lookup.check_unchanged(0, max(1, dataset.num_rows))
    except ExplorerError:
        view.close()
        raise
    return view


def _are_consecutive(rows: Numbers) -> bool:
    return len(rows) > 0 and int(rows[-1]) - int(rows[0]) == len(rows) - 1 and bool((rows[1:] > rows[:-1]).all())
