"""The heap that the links of a large group of the newer kind are in."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.checksum import checked, lookup3
from h5explorer_py.hdf5.pages import UnrecognisedError
from h5explorer_py.hdf5.superblock import UNDEFINED

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Pages

LARGEST_BLOCK = 1 << 14
"""Bytes of a block that is read: its checksum takes 0.15 ms for every 1,000. What is in larger ones, as it is in groups
of more than some 2,000, is left to HDF5."""

_HEADER = Struct("<4sBHHBI8xQ8x8xQ8x8x8x8x8x8x8xHQQHHQH4x")
_CHECKED = 0x02
_WRAPPED = 0x01
_BLOCK_HEAD = 13
_CHECKSUM = 4
_KNOWN_BY = 7
_MOST_ROWS = 64


class FractalHeap:
    """A fractal heap without filters, of objects that are not huge.

    The specification's III.G.

    Parameters
    ----------
    pages : Pages
        The file.
    address : int
        Where its header is.

    Raises
    ------
    UnrecognisedError
    """

    def __init__(self, pages: Pages, address: int) -> None:
        data = pages.get(address, _HEADER.size)
        checked(data)
        signature, version, known_by, filters, flags, largest, huge, size, *table = _HEADER.unpack(data)
        self._width, self._first, self._last, bits, _, self._root, self._rows = table
        if (signature, version, known_by, filters, huge) != (b"FRHP", 0, _KNOWN_BY, 0, UNDEFINED) or flags & ~(
            _CHECKED | _WRAPPED
        ):
            raise UnrecognisedError("a heap of another kind")
        if not (_is_power(self._width) and _is_power(self._first) and _is_power(self._last)):
            raise UnrecognisedError("the blocks of a heap")
        if not (self._first <= self._last and 8 <= bits <= 64 and largest and self._rows <= _MOST_ROWS):
            raise UnrecognisedError("the blocks of a heap")
        self._pages = pages
        self._address = address
        self._largest = largest
        self._size = size
        self._checked = bool(flags & _CHECKED)
        self._offset_width = (bits + 7) // 8
        self._length_width = min((_log2(self._last) + 7) // 8, _log2(largest) // 8 + 1)
        self._direct_rows = _log2(self._last) - _log2(self._first) + 2
        self._first_row = _log2(self._first) + _log2(self._width)
        self._whole: set[int] = set()
        if 1 + self._offset_width + self._length_width > _KNOWN_BY:
            raise UnrecognisedError("a heap of another kind")

    def get(self, known_by: bytes) -> bytes:
        """Return an object.

        Raises
        ------
        UnrecognisedError
        """
        end = 1 + self._offset_width
        offset = int.from_bytes(known_by[1:end], "little")
        length = int.from_bytes(known_by[end : end + self._length_width], "little")
        if known_by[0] or not 0 < offset < self._size or not 0 < length <= self._largest:
            raise UnrecognisedError("an object of another kind")
        address, start, size = self._block(offset)
        head = _BLOCK_HEAD + self._offset_width + (_CHECKSUM if self._checked else 0)
        at = offset - start
        if at < head or at + length > size:
            raise UnrecognisedError("an object is not in its block")
        if size > LARGEST_BLOCK:
            raise UnrecognisedError("a large block")
        block = self._pages.get(address, size)
        self._check(block, b"FHDB", start)
        if self._checked and address not in self._whole:
            at_sum = head - _CHECKSUM
            zeroed = block[:at_sum] + bytes(_CHECKSUM) + block[head:]
            if int.from_bytes(block[at_sum:head], "little") != lookup3(zeroed):
                raise UnrecognisedError("a checksum is wrong")
            self._whole.add(address)
        return block[at : at + length]

    def _block(self, offset: int) -> tuple[int, int, int]:
        """Return the address, the start within the heap, and the size of the block that holds an offset."""
        if not self._rows:
            return self._root, 0, self._first
        address, start, rows = self._root, 0, self._rows
        while True:
            row, column = self._cell(offset - start)
            if row >= rows:
                raise UnrecognisedError("an object beyond its heap")
            head = _BLOCK_HEAD + self._offset_width
            data = checked(self._pages.get(address, head + 8 * rows * self._width + _CHECKSUM))
            self._check(data, b"FHIB", start)
            at = head + 8 * (row * self._width + column)
            address = int.from_bytes(data[at : at + 8], "little")
            size = self._first << max(row - 1, 0)
            start += (size * self._width if row else 0) + column * size
            if row < self._direct_rows:
                return address, start, size
            rows = _log2(size) - self._first_row + 1

    def _cell(self, offset: int) -> tuple[int, int]:
        """Return the row and the column of the block of a table of blocks that holds an offset."""
        if offset < self._first * self._width:
            return 0, offset // self._first
        high = _log2(offset)
        row = high - self._first_row + 1
        return row, (offset - (1 << high)) // (self._first << (row - 1))

    def _check(self, data: bytes, signature: bytes, start: int) -> None:
        head = signature + b"\0" + self._address.to_bytes(8, "little") + start.to_bytes(self._offset_width, "little")
        if not data.startswith(head):
            raise UnrecognisedError("a block of another heap")


def _is_power(number: int) -> bool:
    return number > 0 and not number & (number - 1)


def _log2(number: int) -> int:
    return number.bit_length() - 1
