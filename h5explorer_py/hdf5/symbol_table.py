"""Groups of the older kind: a tree of nodes with sorted names, which are in a heap."""

from __future__ import annotations

from struct import Struct, unpack_from
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.pages import PAGE, UnrecognisedError
from h5explorer_py.hdf5.superblock import ENTRY, SYMBOL_TABLE

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Pages
    from h5explorer_py.hdf5.superblock import Superblock

LARGEST_HEAP = 8 << 20
"""Bytes of names that are read: those of some 200,000 images. The names of larger groups are left to HDF5."""

_ADDRESSES = Struct("<QQ")
_HEAP = Struct("<4sB3xQQQ")
_TREE = Struct("<4sBBH16x")
_NODE = Struct("<4sBxH")
_FREE = Struct("<QQ")
_KIND = "16xI20x"
_SOFT_LINK = 2
_NO_MORE = 1
_MOST_FREE = 10_000
_DEEPEST = 16


class SymbolTable:
    """A group of the older kind.

    The specification's III.A.1, III.B, III.C, III.D and IV.A.2.r.

    Parameters
    ----------
    pages : Pages
        The file.
    superblock : Superblock
        Says how large nodes are.
    message : bytes
        The group's symbol table message.
    cached : bytes
        The same addresses as they are cached by the entry that leads to the group; empty where they are not.

    Raises
    ------
    UnrecognisedError
    """

    def __init__(self, pages: Pages, superblock: Superblock, message: bytes, cached: bytes = b"") -> None:
        if len(message) < _ADDRESSES.size or (cached and cached != message[: _ADDRESSES.size]):
            raise UnrecognisedError("the addresses of a group")
        self._pages = pages
        self._superblock = superblock
        self._tree, heap = _ADDRESSES.unpack_from(message)
        self._names = _read_heap(pages, heap)

    @property
    def nbytes(self) -> int:
        """How many bytes are held."""
        return len(self._names)

    def find(self, name: bytes) -> tuple[int, bytes]:
        """Return the address of a member's object header, and what its entry caches of a group.

        Raises
        ------
        UnrecognisedError
            Where there is no such member, too.
        """
        wanted = name + b"\0"
        address, level = self._child(self._tree, None, wanted)
        while level:
            address, level = self._child(address, level, wanted)
        return self._in_node(address, wanted)

    def _child(self, address: int, above: int | None, wanted: bytes) -> tuple[int, int]:
        """Return the child of a node of the tree that may have a name, and the level of the node."""
        most = self._superblock.tree_children
        data = self._pages.get(address, _TREE.size + 16 * most + 8)
        signature, kind, level, count = _TREE.unpack_from(data)
        if (
            signature != b"TREE"
            or kind
            or count > most
            or level > _DEEPEST
            or (above is not None and level != above - 1)
        ):
            raise UnrecognisedError("a node of a tree")
        words = unpack_from(f"<{2 * count + 1}Q", data, _TREE.size)
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if wanted <= self._name(words[2 * middle], wanted):
                high = middle
            elif wanted > self._name(words[2 * middle + 2], wanted):
                low = middle + 1
            else:
                return words[2 * middle + 1], level
        raise UnrecognisedError("no such name")

    def _in_node(self, address: int, wanted: bytes) -> tuple[int, bytes]:
        most = self._superblock.leaf_entries
        data = self._pages.get(address, _NODE.size + ENTRY.size * most)
        signature, version, count = _NODE.unpack_from(data)
        if signature != b"SNOD" or version != 1 or count > most:
            raise UnrecognisedError("a node of a symbol table")
        if max(unpack_from("<" + _KIND * count, data, _NODE.size), default=0) > _SOFT_LINK:
            raise UnrecognisedError("an entry of an unknown kind")
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            at, header, kind, _, cached = ENTRY.unpack_from(data, _NODE.size + ENTRY.size * middle)
            name = self._name(at, wanted)
            if name == wanted:
                if kind not in {0, SYMBOL_TABLE}:
                    raise UnrecognisedError("a soft link")
                return header, cached if kind == SYMBOL_TABLE else b""
            if wanted < name:
                high = middle
            else:
                low = middle + 1
        raise UnrecognisedError("no such name")

    def _name(self, at: int, wanted: bytes) -> bytes:
        """Return as much of a name, with the zero behind it, as tells it from the one that is wanted."""
        name = self._names[at : at + len(wanted)]
        if len(name) < len(wanted) and b"\0" not in name:
            raise UnrecognisedError("a name is beyond the heap")
        return name


def _read_heap(pages: Pages, address: int) -> bytes:
    signature, version, size, free, data = _HEAP.unpack(pages.get(address, _HEAP.size))
    if signature != b"HEAP" or version or not 0 < size <= LARGEST_HEAP:
        raise UnrecognisedError("a heap")
    names = pages.get(data, size) if size <= PAGE else pages.get_whole(data, size)
    for _ in range(_MOST_FREE):
        if free == _NO_MORE:
            return names
        if not 0 < free <= size - _FREE.size:
            break
        start = free
        free, length = _FREE.unpack_from(names, start)
        if start + length > size:
            break
    raise UnrecognisedError("the free space of a heap")
