"""The group of images of a shard, as far as it can be read without the HDF5 library."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.data_set import place_of
from h5explorer_py.hdf5.links import Links
from h5explorer_py.hdf5.object_header import (
    BESIDES,
    GROUP_INFO,
    LINK,
    LINK_INFO,
    SYMBOL_TABLE,
    read_messages,
    the_only,
)
from h5explorer_py.hdf5.pages import MOST_PAGES, PAGE, Pages, UnrecognisedError
from h5explorer_py.hdf5.superblock import read_superblock
from h5explorer_py.hdf5.symbol_table import SymbolTable

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Read
    from h5explorer_py.hdf5.superblock import Superblock

_LONGEST_NAME = 1024
_OLD = BESIDES | {SYMBOL_TABLE}
_NEW = BESIDES | {LINK_INFO, LINK, GROUP_INFO}


class Group:
    """A group of the root group, in one state of its file.

    Parameters
    ----------
    read : callable
        Reads the file.
    size : int
        The length of the file in bytes.
    name : bytes
        The name of the group.

    Raises
    ------
    UnrecognisedError
        Where the file is damaged, or has anything that is left to the HDF5 library.
    OSError
        Where it cannot be read.
    """

    def __init__(self, read: Read, size: int, name: bytes) -> None:
        self._pages = Pages(read, size)
        try:
            superblock = read_superblock(self._pages)
            root = _open(self._pages, superblock, superblock.root, superblock.cached)
            self._members = _open(self._pages, superblock, *root.find(name))
        except struct.error as error:
            raise UnrecognisedError("something is cut short") from error

    @property
    def nbytes(self) -> int:
        """How many bytes are held, at most."""
        return MOST_PAGES * PAGE + self._members.nbytes

    def place(self, name: bytes) -> tuple[int, int]:
        """Return the offset and the size of a data set that is one piece of the file, and holds encoded bytes.

        Parameters
        ----------
        name : bytes
            The name of the data set, in UTF-8.

        Raises
        ------
        UnrecognisedError
            Where there is none, or it is anything else, or anything on the way to it is damaged.
        OSError
            Where the file cannot be read.
        """
        if not name or len(name) > _LONGEST_NAME or b"/" in name or b"\0" in name or name == b".":
            raise UnrecognisedError("no name")
        try:
            address, cached = self._members.find(name)
            if cached:
                raise UnrecognisedError("a group")
            address, size = place_of(read_messages(self._pages, address))
        except struct.error as error:
            raise UnrecognisedError("something is cut short") from error
        return self._pages.offset(address, size), size


def _open(pages: Pages, superblock: Superblock, address: int, cached: bytes) -> SymbolTable | Links:
    messages = read_messages(pages, address)
    kinds = {message.kind for message in messages}
    if kinds <= _NEW and not cached:
        return Links(pages, messages)
    if kinds <= _OLD:
        return SymbolTable(pages, superblock, the_only(messages, SYMBOL_TABLE), cached)
    raise UnrecognisedError("a group of another kind")
