"""Sets of rows of a lookup, paged by position: all of them, those that a filter keeps, or in another order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_BLOCK_BYTES = 1024
_SPARSE = 32
_STREAMED = 1 << 20
_DENSE = 32  # one row among so many: marking each in between takes a fifth of the time
_MOST_MARKED = 1 << 26  # a byte for every row takes a third of the time that a bit takes, while it is collected


class RowSet(ABC):
    """Rows of a lookup in some order, each at most once. All methods may be called from any thread."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def rows(self, start: int, stop: int) -> Numbers:
        """Return the rows at positions ``start`` to ``stop``, as far as there are."""

    @abstractmethod
    def position(self, row: int) -> int | None:
        """Return the position of a row; ``None`` where it is not among them."""

    @property
    def ascending(self) -> bool:
        """Whether the rows come in the order of their numbers."""
        return True

    def stream(self) -> Iterator[Numbers]:
        """Go through all rows in their order, some at a time."""
        for start in range(0, len(self), _STREAMED):
            yield self.rows(start, start + _STREAMED)

    def close(self) -> None:  # noqa: B027  (most hold nothing)
        """Let go of files."""


class AllRows(RowSet):
    """The rows of a lookup as they are.

    Parameters
    ----------
    count : int
        How many there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def rows(self, start: int, stop: int) -> Numbers:
        return np.arange(max(0, start), max(0, start, min(stop, self._count)), dtype=np.int64)

    def position(self, row: int) -> int | None:
        return row if 0 <= row < self._count else None


class RowList(RowSet):
    """Few rows in the order of their numbers, 4 bytes each.

    Parameters
    ----------
    numbers : ndarray of uint32
        The rows, ascending.
    """

    def __init__(self, numbers: NDArray[np.uint32]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def rows(self, start: int, stop: int) -> Numbers:
        return self._numbers[max(0, start) : max(0, stop)].astype(np.int64)

    def position(self, row: int) -> int | None:
        if not 0 <= row <= np.iinfo(np.uint32).max:
            return None
        at = int(np.searchsorted(self._numbers, np.uint32(row)))
        return at if at < len(self._numbers) and self._numbers[at] == row else None


class RowBits(RowSet):
    """Rows in the order of their numbers, one bit for every row of the lookup, and where every 8,192nd begins.

    Parameters
    ----------
    bits : ndarray of uint8
        A bit for each row, the lowest bit of a byte first.
    """

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        blocks = max(1, -(-len(bits) // _BLOCK_BYTES))
        self._bits = np.zeros(blocks * _BLOCK_BYTES, np.uint8)
        self._bits[: len(bits)] = bits
        counts = np.bitwise_count(self._bits.view(np.uint64)).reshape(blocks, -1).sum(axis=1, dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < 8 * len(self._bits) and bool(self._bits[row >> 3] >> (row & 7) & 1)

    def holds(self, rows: Numbers) -> NDArray[np.bool_]:
        """Tell which of the rows are among them."""
        found: NDArray[np.bool_] = (self._bits[rows >> 3] >> (rows & 7).astype(np.uint8) & 1).astype(np.bool_)
        return found

    def rows(self, start: int, stop: int) -> Numbers:
        start, stop = max(0, start), min(stop, len(self))
        if start >= stop:
            return np.empty(0, np.int64)
        first = int(np.searchsorted(self._starts, start, "right")) - 1
        last = int(np.searchsorted(self._starts, stop, "left"))
        data = self._bits[first * _BLOCK_BYTES : last * _BLOCK_BYTES]
        used = np.flatnonzero(data)  # empty stretches are not unpacked
        which = np.flatnonzero(np.unpackbits(data[used], bitorder="little"))
        skipped = int(self._starts[first])
        which = which[start - skipped : stop - skipped]
        found: Numbers = (used[which >> 3] + first * _BLOCK_BYTES) * 8 + (which & 7)
        return found

    def position(self, row: int) -> int | None:
        if row not in self:
            return None
        block = (row >> 3) // _BLOCK_BYTES
        begin = block * _BLOCK_BYTES
        before = int(np.bitwise_count(self._bits[begin : row >> 3]).sum(dtype=np.int64))
        within = int(self._bits[row >> 3]) & ((1 << (row & 7)) - 1)
        return int(self._starts[block]) + before + within.bit_count()


class RowBitsBuilder:
    """Collects rows in any order.

    Parameters
    ----------
    count : int
        How many rows the lookup has.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._marks = np.zeros(count if count <= _MOST_MARKED else 0, np.bool_)
        self._bits = np.zeros(0 if count <= _MOST_MARKED else -(-count // 8), np.uint8)

    def add(self, rows: NDArray[np.integer[Any]]) -> None:
        """Add rows; those that are there already stay so."""
        if len(self._marks):
            self._marks[rows] = True
        elif len(rows):
            low, high = int(rows.min()) & ~7, int(rows.max())
            if high - low < _DENSE * len(rows):
                marks = np.zeros((high - low | 7) + 1, np.bool_)
                marks[rows - low] = True
                packed = np.packbits(marks, bitorder="little")
                self._bits[low >> 3 : (low >> 3) + len(packed)] |= packed
            else:
                np.bitwise_or.at(self._bits, rows >> 3, np.left_shift(np.uint8(1), (rows & 7).astype(np.uint8)))

    def invert(self) -> None:
        """Take those rows that are not there for those that are."""
        np.logical_not(self._marks, out=self._marks)
        np.invert(self._bits, out=self._bits)
        if len(self._bits) and self._count % 8:
            self._bits[-1] &= (1 << self._count % 8) - 1

    def finish(self) -> RowSet:
        """Return the rows."""
        found = RowBits(np.packbits(self._marks, bitorder="little") if len(self._marks) else self._bits)
        if len(found) * _SPARSE < self._count:
            return RowList(found.rows(0, len(found)).astype(np.uint32))
        return found
