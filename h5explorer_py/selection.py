"""Rows chosen by a person: ranges of positions, however many rows they hold."""

from __future__ import annotations

import operator
from array import array
from typing import TYPE_CHECKING, Any, SupportsIndex

from h5explorer_py.errors import BadRequestError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
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
        """Make a selection out of whatever names rows.

        Parameters
        ----------
        rows : int, range, Selection, or iterable of int and range
            Row numbers, ranges of them, or both: ``range(5)``, ``[3, 7, range(10, 20)]``,
            ``numpy.flatnonzero(mask)``. Two numbers are two rows, never a range.
        read : callable, optional
            Returns rows ``start`` to ``stop`` as a table, for :meth:`to_arrow`.

        Raises
        ------
        BadRequestError
            Where it is none of these.
        UnsupportedError
            Where a range with steps is more ranges than a selection has.
        """
        if isinstance(rows, Selection):
            return cls(rows.ranges, read)
        if rows is None:
            return cls((), read)
        if isinstance(rows, range):
            return cls(_pieces(rows), read)
        if _is_array(rows):
            return cls(_runs(rows), read)
        return cls(_ranges(rows), read)

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


def _ranges(rows: Any) -> list[tuple[int, int]]:
    if isinstance(rows, (bool, str, bytes)):
        raise _none()
    try:
        row = operator.index(rows)
    except TypeError:
        pass
    else:
        return [(row, row + 1)]
    found: list[tuple[int, int]] = []
    numbers = array("q")  # 8 bytes a row, however long the list is
    try:
        for each in rows:
            if isinstance(each, range):
                found += _pieces(each)
            elif isinstance(each, bool):
                raise _none()
            else:
                numbers.append(operator.index(each))
    except (TypeError, OverflowError) as error:
        raise _none() from error
    return found + _runs(numbers)


def _pieces(rows: range) -> list[tuple[int, int]]:
    if len(rows) == 0:
        return []
    if abs(rows.step) == 1:
        return [(min(rows[0], rows[-1]), max(rows[0], rows[-1]) + 1)]
    if len(rows) > MOST_RANGES:
        raise too_many(len(rows))
    return [(row, row + 1) for row in rows]


def _is_array(rows: Any) -> bool:
    """Whether these are many numbers that NumPy takes without looking at each."""
    return hasattr(rows, "__array__") and getattr(rows, "ndim", 1) == 1


def _runs(rows: Any) -> list[tuple[int, int]]:
    """Return the ranges that numbers in any order make."""
    import numpy as np

    numbers: np.ndarray[Any, Any] = np.asarray(rows)
    if numbers.size == 0:
        return []
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise _none()
    numbers = np.unique(numbers)
    ends = np.flatnonzero(numbers[1:] - numbers[:-1] != 1)
    starts = [int(numbers[0]), *(int(numbers[at + 1]) for at in ends)]
    stops = [*(int(numbers[at]) + 1 for at in ends), int(numbers[-1]) + 1]
    return list(zip(starts, stops, strict=True))


def _none() -> BadRequestError:
    return BadRequestError(
        "A selection is a row number, a range, or several of these, counted from 0.",
        action="Of a mask, take numpy.flatnonzero(mask).",
    )


def too_many(ranges: int) -> UnsupportedError:
    """Return the error of a selection that is not small any longer."""
    return UnsupportedError(f"A selection has up to {MOST_RANGES} ranges; this has {ranges:,}.")


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
