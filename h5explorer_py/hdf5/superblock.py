"""Where an HDF5 file begins."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.checksum import checked
from h5explorer_py.hdf5.pages import UnrecognisedError

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Pages

UNDEFINED = 0xFFFFFFFFFFFFFFFF
"""The address of what is not there."""

SYMBOL_TABLE = 1
"""The kind of what an entry of a symbol table caches: the addresses of a group's tree and heap."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_STARTS = (0, 512, 1024, 2048, 4096, 8192)
_OLD = Struct("<8s8BHHI4Q")
_OLD_NODES_OF_CHUNKS = Struct("<HH")
_NEW = Struct("<8s4B4QI")
ENTRY = Struct("<QQII16s")
"""An entry of a symbol table (the specification's III.C): name, object header, what it caches, reserved, the cached."""

_MOST_ENTRIES = 512


@dataclass(frozen=True)
class Superblock:
    """What the superblock says.

    Attributes
    ----------
    root : int
        The address of the root group's object header.
    cached : bytes
        The addresses of the root group's tree and heap, as they are cached; empty where they are not.
    leaf_entries, tree_children : int
        How many entries a node of a symbol table has room for, and how many children a node of its tree.
    """

    root: int
    cached: bytes = b""
    leaf_entries: int = 8
    tree_children: int = 32


def read_superblock(pages: Pages) -> Superblock:
    """Read the superblock, and take addresses to count from it.

    The specification's II.A, versions 0, 2 and 3, with addresses and lengths of 8 bytes.

    Raises
    ------
    UnrecognisedError
    """
    for start in _STARTS:
        if pages.get(start, 8) == _SIGNATURE:
            break
    else:
        raise UnrecognisedError("no signature")
    version = pages.get(start + 8, 1)[0]
    if version == 0:
        return _read_old(pages, start)
    if version in {2, 3}:
        return _read_new(pages, start)
    raise UnrecognisedError("the superblock's version")


def _read_old(pages: Pages, start: int) -> Superblock:
    head = _OLD.unpack(pages.get(start, _OLD.size))
    free_space, root_entry, shared = head[2], head[3], head[5]
    offsets, lengths = head[6], head[7]
    leaf_k, tree_k, flags, base, free, end, driver = head[9:]
    if (free_space, root_entry, shared, offsets, lengths, flags) != (0, 0, 0, 8, 8, 0):
        raise UnrecognisedError("the superblock's versions and sizes")
    if (base, free, driver) != (start, UNDEFINED, UNDEFINED):
        raise UnrecognisedError("the superblock's addresses")
    if not (0 < leaf_k <= _MOST_ENTRIES and 0 < tree_k <= _MOST_ENTRIES):
        raise UnrecognisedError("the sizes of nodes")
    _, root, kind, _, cached = ENTRY.unpack(pages.get(start + _OLD.size, ENTRY.size))
    if kind not in {0, SYMBOL_TABLE}:
        raise UnrecognisedError("the root group's entry")
    pages.count_from(base, end)
    return Superblock(root, cached if kind == SYMBOL_TABLE else b"", 2 * leaf_k, 2 * tree_k)


def _read_new(pages: Pages, start: int) -> Superblock:
    data = pages.get(start, _NEW.size)
    checked(data)
    _, _, offsets, lengths, flags, base, extension, end, root, _ = _NEW.unpack(data)
    if (offsets, lengths, flags, base, extension) != (8, 8, 0, start, UNDEFINED):
        raise UnrecognisedError("the superblock's sizes and addresses")
    pages.count_from(base, end)
    return Superblock(root)
