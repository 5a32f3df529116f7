"""Reading pieces of an HDF5 file, a few pages at a time.

"The specification" in this package is the HDF5 File Format Specification, version 3.0
(https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html). What is read here is what the usual shards are
made of; of all else, and at the least doubt, it is said that it is not recognised, and the HDF5 library is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[int, int], bytes]
    """Reads so many bytes at an offset of a file; fewer where it ends."""

PAGE = 4096
FIRST = 4 * PAGE
"""Bytes that are read first: a file begins with the groups that were made first."""

MOST_PAGES = 64
"""Pages that are held."""

LARGEST_PIECE = 1 << 16
_LIKELY = 512
"""Bytes of a structure that are wanted when its beginning is, as a rule."""


class UnrecognisedError(Exception):
    """What is there is damaged, or of a kind that is left to the HDF5 library."""


class Pages:
    """The bytes of a file, of which the pages that were read last are held.

    Parameters
    ----------
    read : callable
        Reads the file.
    size : int
        The length of the file in bytes.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._held: dict[int, bytes] = {}
        self._end = size
        self._base = 0

    @property
    def base(self) -> int:
        """Where in the file the addresses begin."""
        return self._base

    def count_from(self, base: int, end: int) -> None:
        """Take addresses to begin at one offset of the file, and what they lead to to end at another.

        Raises
        ------
        UnrecognisedError
            Where the file is shorter.
        """
        if not 0 <= base < end <= self._end:
            raise UnrecognisedError("the file is cut short")
        self._base, self._end = base, end

    def offset(self, address: int, size: int) -> int:
        """Return the offset in the file of so many bytes at an address.

        Raises
        ------
        UnrecognisedError
            Where they are not within the file.
        """
        offset = self._base + address
        if not (address >= 0 and size >= 0 and offset + size <= self._end):
            raise UnrecognisedError("an address is beyond the end")
        return offset

    def get(self, address: int, size: int) -> bytes:
        """Return a piece of a structure.

        Raises
        ------
        UnrecognisedError
            Where it is not within the file, or larger than any structure.
        """
        offset = self.offset(address, size)
        if size > LARGEST_PIECE:
            raise UnrecognisedError("a structure is too large")
        first, last = offset // PAGE, (offset + size - 1) // PAGE
        held = self._held
        if first == last:
            page = held.get(first)
            if page is None:
                page = self._fetch(first, (offset + max(size, _LIKELY) - 1) // PAGE)[0]
            begin = offset - first * PAGE
            return page[begin : begin + size]
        pages = [held.get(number) for number in range(first, last + 1)]
        whole = [page for page in pages if page is not None]
        if len(whole) < len(pages):
            whole = self._fetch(first, last)
        begin = offset - first * PAGE
        return b"".join(whole)[begin : begin + size]

    def get_whole(self, address: int, size: int) -> bytes:
        """Return a large piece, which is not held.

        Raises
        ------
        UnrecognisedError
            Where it is not within the file.
        """
        data = self._read(self.offset(address, size), size)
        if len(data) != size:
            raise UnrecognisedError("the file is cut short")
        return data

    def _fetch(self, first: int, last: int) -> list[bytes]:
        """Read pages in one piece."""
        start = first * PAGE
        stop = min(FIRST if first == 0 and last * PAGE < FIRST else (last + 1) * PAGE, self._end)
        data = self._read(start, stop - start)
        if len(data) != stop - start:
            raise UnrecognisedError("the file is cut short")
        pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
        if len(self._held) + len(pages) > MOST_PAGES:
            self._held = {}
        self._held.update(enumerate(pages, first))
        return pages
