"""Rows of a lookup in any order, a batch at a time, with every part of the file read as seldom as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import RowOutOfRangeError
from h5explorer_py.lookup.take import take
from h5explorer_py.lookup.text import no_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from h5explorer_py.lookup.base import Lookup

_NEAR = 65_536
"""Rows up to which reading on is never slower than beginning anew."""


class RowReader:
    """Reads rows of a lookup; goes on where it was rather than begin anew, where the next rows lie ahead.

    Parameters
    ----------
    lookup : Lookup
        Where to read.
    give_up : callable
        Called now and then; ends the work by raising.
    """

    def __init__(self, lookup: Lookup, give_up: Callable[[], None] = lambda: None) -> None:
        self._lookup = lookup
        self._give_up = give_up
        self._stream: Iterator[pa.Table] = iter(())
        self._held: pa.Table | None = None
        self._first = 0

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """Return rows with all columns as they are stored.

        Parameters
        ----------
        rows : ndarray of int64
            Row numbers in any order, each as often as it is wanted.

        Raises
        ------
        ExplorerError
            Where the lookup cannot be read any more.
        """
        if not len(rows):
            return no_rows(self._lookup.schema)
        wanted, places = np.unique(rows, return_inverse=True)
        parts = []
        at = 0
        while at < len(wanted):
            table, first = self._covering(int(wanted[at]))
            end = int(np.searchsorted(wanted, first + table.num_rows))
            parts.append(_part(table, wanted[at:end] - first))
            at = end
        table = parts[0] if len(parts) == 1 else pa.concat_tables(parts)
        in_order = len(wanted) == len(rows) and bool((places[1:] > places[:-1]).all())
        return table if in_order else take(table, places)

    def _covering(self, row: int) -> tuple[pa.Table, int]:
        """Return rows among which one is, and the number of the first."""
        if self._held is None or not self._goes_on(row):
            self._stream = self._lookup.stream(row)
            self._held, self._first = self._next(), row
        while row >= self._first + self._held.num_rows:
            self._first += self._held.num_rows
            self._held = self._next()
        return self._held, self._first

    def _goes_on(self, row: int) -> bool:
        assert self._held is not None
        end = self._first + self._held.num_rows
        return row >= self._first and (row < end + _NEAR or self._lookup.begins(row) <= end)

    def _next(self) -> pa.Table:
        self._give_up()
        for table in self._stream:
            return table
        raise RowOutOfRangeError(f"{self._lookup.name} ends before its last row.")


def _part(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """Return rows in their order: without a copy where they are most of the table, else without the rest of it."""
    if 2 * len(rows) > table.num_rows and rows[-1] - rows[0] == len(rows) - 1:
        return table.slice(int(rows[0]), len(rows))
    return take(table, rows)


def batches(rows: Iterable[NDArray[np.int64]], size: int, num_rows: int) -> Iterator[NDArray[np.int64]]:
    """Deal row numbers into batches of the same size, the last of which may be smaller.

    Parameters
    ----------
    rows : iterable of ndarray of integers
        The row numbers, in arrays of any sizes.
    size : int
        How many to a batch.
    num_rows : int
        How many rows there are.

    Raises
    ------
    RowOutOfRangeError
        Where there is no such row.
    TypeError
        Where they are not arrays of integers.
    """
    waiting: list[NDArray[np.int64]] = []
    count = 0
    for part in rows:
        numbers = _checked(part, num_rows)
        while count + len(numbers) >= size:
            split = size - count
            yield np.concatenate([*waiting, numbers[:split]])
            numbers, waiting, count = numbers[split:], [], 0
        if len(numbers):
            waiting.append(numbers.copy())  # whoever gave it may use it again
            count += len(numbers)
    if waiting:
        yield np.concatenate(waiting)


def _checked(part: NDArray[np.int64], num_rows: int) -> NDArray[np.int64]:
    numbers = np.asarray(part)
    if numbers.ndim != 1 or (len(numbers) and not np.issubdtype(numbers.dtype, np.integer)):
        raise TypeError("Row numbers come in arrays of integers with one axis.")
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= num_rows):
        wrong = int(numbers[(numbers < 0) | (numbers >= num_rows)][0])
        rows = f"rows go from 0 to {num_rows - 1:,}" if num_rows else "the lookup has none"
        raise RowOutOfRangeError(f"There is no row {wrong:,}: {rows}.", row=wrong)
    return numbers.astype(np.int64, copy=False)
