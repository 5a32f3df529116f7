"""The index of the names of a large group of the newer kind: a tree of records, sorted by the hash of the name."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.checksum import checked
from h5explorer_py.hdf5.pages import UnrecognisedError

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Pages

_HEADER = Struct("<4sBBIHHBBQHQ4x")
_BY_NAME = 5
_RECORD = Struct("<I7s")
_HEAD = 6
_CHECKSUM = 4
_DEEPEST = 8
_LARGEST_NODE = 1 << 14


class NameIndex:
    """A version 2 B-tree with records of type 5.

    The specification's III.A.2.

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
        signature, version, kind, node_size, width, depth, _, _, root, count, _ = _HEADER.unpack(data)
        if (signature, version, kind, width) != (b"BTHD", 0, _BY_NAME, _RECORD.size):
            raise UnrecognisedError("an index of another kind")
        if not 64 <= node_size <= _LARGEST_NODE or depth > _DEEPEST:
            raise UnrecognisedError("an index of another size")
        self._pages = pages
        self._root = (root, count)
        self._depth = depth
        self._node_size = node_size
        # How many records a node at each height has room for, and how many bytes the counts in the pointers to it take.
        self._most = [(node_size - _HEAD - _CHECKSUM) // _RECORD.size]
        self._count_width = _width_of(self._most[0])
        self._total_widths = [0]
        below = self._most[0]
        for _ in range(depth):
            pointer = 8 + self._count_width + self._total_widths[-1]
            most = (node_size - _HEAD - _CHECKSUM - pointer) // (_RECORD.size + pointer)
            below = (most + 1) * below + most
            self._most.append(most)
            self._total_widths.append(_width_of(below))

    def find(self, wanted: int) -> bytes:
        """Return what the heap knows the link by whose name has a hash.

        Raises
        ------
        UnrecognisedError
            Where there is none.
        """
        address, count = self._root
        for height in range(self._depth, -1, -1):
            if count > self._most[height]:
                raise UnrecognisedError("a node has too many records")
            pointer = 8 + self._count_width + self._total_widths[height - 1] if height else 0
            self._pages.offset(address, self._node_size)
            data = checked(
                self._pages.get(
                    address, _HEAD + count * _RECORD.size + (count + 1 if height else 0) * pointer + _CHECKSUM
                )
            )
            if data[:_HEAD] != (b"BTIN" if height else b"BTLF") + bytes([0, _BY_NAME]):
                raise UnrecognisedError("a node of an index")
            low, high = 0, count
            while low < high:
                middle = (low + high) // 2
                hashed, known_by = _RECORD.unpack_from(data, _HEAD + middle * _RECORD.size)
                if hashed == wanted:
                    return bytes(known_by)
                if wanted < hashed:
                    high = middle
                else:
                    low = middle + 1
            at = _HEAD + count * _RECORD.size + low * pointer
            address = int.from_bytes(data[at : at + 8], "little")
            count = int.from_bytes(data[at + 8 : at + 8 + self._count_width], "little")
        raise UnrecognisedError("no such name")


def _width_of(most: int) -> int:
    """Return how many bytes numbers up to one take."""
    return (most.bit_length() - 1) // 8 + 1
