"""Groups of the newer kind: links, in the group's object header or in a heap with an index of their names."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.checksum import lookup3
from h5explorer_py.hdf5.fractal_heap import FractalHeap
from h5explorer_py.hdf5.name_index import NameIndex
from h5explorer_py.hdf5.object_header import LINK, LINK_INFO, the_only
from h5explorer_py.hdf5.pages import UnrecognisedError
from h5explorer_py.hdf5.superblock import UNDEFINED

if TYPE_CHECKING:
    from h5explorer_py.hdf5.object_header import Message
    from h5explorer_py.hdf5.pages import Pages

_ORDER_TRACKED, _ORDER_INDEXED = 0x01, 0x02
_ADDRESSES = Struct("<QQ")
_ADDRESS = Struct("<Q")

_WIDTH, _HAS_ORDER, _HAS_KIND, _HAS_CHARSET, _ANY = 0x03, 0x04, 0x08, 0x10, 0x1F
_HARD = 0
_KINDS = frozenset({_HARD, 1, 64})


class Links:
    """A group of the newer kind.

    The specification's IV.A.2.c (link info) and IV.A.2.g (link).

    Parameters
    ----------
    pages : Pages
        The file.
    messages : list of Message
        The messages of the group's object header.

    Raises
    ------
    UnrecognisedError
    """

    def __init__(self, pages: Pages, messages: list[Message]) -> None:
        info = the_only(messages, LINK_INFO)
        if len(info) < 2 or info[0] or info[1] & ~(_ORDER_TRACKED | _ORDER_INDEXED):
            raise UnrecognisedError("a group's links")
        at = 2 + (8 if info[1] & _ORDER_TRACKED else 0)
        if info[1] & _ORDER_TRACKED and len(info) > 9 and info[9] & 0x80:
            raise UnrecognisedError("the order of a group's links")
        heap, index = _ADDRESSES.unpack_from(info, at)
        if info[1] & _ORDER_INDEXED and len(info) < at + _ADDRESSES.size + _ADDRESS.size:
            raise UnrecognisedError("a group's links")
        self._own: dict[bytes, int] | None = None
        if heap == UNDEFINED:
            links = [_link(message.data) for message in messages if message.kind == LINK]
            self._own = {name: address for name, address in links if address is not None}
            if len({name for name, _ in links}) < len(links):
                raise UnrecognisedError("two links of one name")
        else:
            self._heap = FractalHeap(pages, heap)
            self._index = NameIndex(pages, index)

    @property
    def nbytes(self) -> int:
        """How many bytes are held, at most."""
        return 0

    def find(self, name: bytes) -> tuple[int, bytes]:
        """Return the address of a member's object header.

        Raises
        ------
        UnrecognisedError
            Where there is no such member, too, or the link to it is no hard one.
        """
        if self._own is not None:
            address = self._own.get(name)
        else:
            found, address = _link(self._heap.get(self._index.find(lookup3(name))))
            if found != name:
                raise UnrecognisedError("names of one hash")
        if address is None:
            raise UnrecognisedError("no such name")
        return address, b""


def _link(data: bytes) -> tuple[bytes, int | None]:
    """Return the name of a link, and where it leads if it is a hard one."""
    if len(data) < 3 or data[0] != 1 or data[1] & ~_ANY:
        raise UnrecognisedError("a link of another version")
    flags, at = data[1], 2
    kind = _HARD
    if flags & _HAS_KIND:
        kind, at = data[at], at + 1
    if flags & _HAS_ORDER:
        at += 8
    if flags & _HAS_CHARSET:
        if at >= len(data) or data[at] > 1:
            raise UnrecognisedError("the characters of a link")
        at += 1
    width = 1 << (flags & _WIDTH)
    length = int.from_bytes(data[at : at + width], "little")
    at += width
    name = data[at : at + length]
    at += length
    if kind not in _KINDS or not length or at > len(data):
        raise UnrecognisedError("a link")
    if kind != _HARD:
        return name, None
    if len(data) < at + _ADDRESS.size:
        raise UnrecognisedError("a link is cut short")
    return name, int(_ADDRESS.unpack_from(data, at)[0])
