"""Rows chosen by a person: ranges of positions, however many rows they hold."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

from h5explorer_py.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

MOST_RANGES = 500
"""Ranges that are kept in step with the page: more would not be small any longer."""


class Selection:
    """A set of rows, kept as sorted ranges that neither touch nor overlap.

    Parameters
    ----------
    ranges : iterable of (int, int)
        Half-open ranges of row numbers, in any order.
    read : callable, optional
        Returns rows ``start`` to ``stop`` as a table, for :meth:`to_arrow`.
    """

    __slots__ = ("_ranges", "_read")

    def __init__(
        self, ranges: Iterable[tuple[int, int]] = (), read: Callable[[int, int], pa.Table] | None = None
    ) -> None:
        self._ranges = merged(ranges)
        self._read = read

    @classmethod
    def of(cls, rows: Any, read: Callable[[int, int], pa.Table] | None = None) -> Selection:
        """Make a selection out of a row number, a range, another selection, or an iterable of row numbers.

        Raises
        ------
        BadRequestError
            Where it is none of these.
        """
        if isinstance(rows, Selection):
            return cls(rows.ranges, read)
        if rows is None:
            return cls((), read)
        if isinstance(rows, range) and rows.step == 1:
            return cls([(rows.start, max(rows.start, rows.stop))], read)
        return cls([(number, number + 1) for number in _numbers(rows)], read)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The half-open ranges of row numbers, sorted."""
        return self._ranges

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self._ranges)

    def __iter__(self) -> Iterator[int]:
        for start, stop in self._ranges:
            yield from range(start, stop)

    def __contains__(self, row: object) -> bool:
        return isinstance(row, SupportsIndex) and any(
            start <= operator.index(row) < stop for start, stop in self._ranges
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(self._ranges)

    def __repr__(self) -> str:
        shown = ", ".join(f"{start}:{stop}" for start, stop in self._ranges[:10])
        more = f", {len(self._ranges) - 10} more" if len(self._ranges) > 10 else ""
        return f"Selection({len(self):,} rows: {shown}{more})"

    def to_arrow(self) -> pa.Table:
        """Return the rows of the lookup, all columns, in their order."""
        if self._read is None:
            raise BadRequestError("This selection belongs to no explorer.")
        import pyarrow as pa

        return pa.concat_tables([self._read(0, 0), *(self._read(start, stop) for start, stop in self._ranges)])


def _numbers(rows: Any) -> list[int]:
    try:
        return [operator.index(rows)]  # an array has the method too, yet is none
    except TypeError:
        pass
    try:
        return [operator.index(row) for row in rows]
    except TypeError as error:
        raise BadRequestError("A selection is a row number, a range, or row numbers counted from 0.") from error


def merged(ranges: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Sort ranges and join those that touch or overlap; empty ones are dropped.

    Raises
    ------
    BadRequestError
        Where one begins before row 0.
    """
    result: list[tuple[int, int]] = []
    for start, stop in sorted((int(start), int(stop)) for start, stop in ranges):
        if start < 0:
            raise BadRequestError(f"There is no row {start}.")
        if start >= stop:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return tuple(result)
