"""Object headers: the messages that say what an object is."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from h5explorer_py.hdf5.checksum import checked
from h5explorer_py.hdf5.pages import UnrecognisedError

if TYPE_CHECKING:
    from h5explorer_py.hdf5.pages import Pages

NOTHING, DATASPACE, LINK_INFO, DATATYPE, OLD_FILL, FILL, LINK = range(7)
LAYOUT = 0x08
GROUP_INFO = 0x0A
CONTINUATION = 0x10
SYMBOL_TABLE = 0x11
_ATTRIBUTE, _TIME, _ATTRIBUTES, _REFERENCES = 0x0C, 0x12, 0x15, 0x16
BESIDES = frozenset({NOTHING, _ATTRIBUTE, CONTINUATION, _TIME, _ATTRIBUTES, _REFERENCES})
"""Messages that have no say in where an object is."""

_LOOKED_AT = frozenset({_TIME, _ATTRIBUTES, _REFERENCES})
_OLD = Struct("<BxHII4x")
_OLD_MESSAGE = Struct("<HHB3x")
_NEW = Struct("<4sBB")
_PLACE = Struct("<QQ")

_CONSTANT, _NOT_SHAREABLE = 0x01, 0x04
_MOST_CHUNKS = 16
_LARGEST = 1 << 15


class Message(NamedTuple):
    """A message: its kind, and its bytes."""

    kind: int
    data: bytes


def read_messages(pages: Pages, address: int) -> list[Message]:
    """Read all messages of an object header, as far as none of them is shared.

    The specification's IV.A.1, versions 1 and 2.

    Raises
    ------
    UnrecognisedError
    """
    start = pages.get(address, _OLD.size)
    if start[0] == 1:
        return _read_old(pages, address, start)
    if start[:4] == b"OHDR":
        return _read_new(pages, address, start)
    raise UnrecognisedError("no object header")


def _read_old(pages: Pages, address: int, start: bytes) -> list[Message]:
    _, count, references, size = _OLD.unpack(start)
    if not references:
        raise UnrecognisedError("an object that nothing refers to")
    found: list[Message] = []
    chunks = [(address + _OLD.size, size)]
    for number, (at, length) in enumerate(chunks):
        _check_chunk(number, length)
        _take_old(pages.get(at, length), found)
        chunks += _continued(found, len(chunks) - 1)
    if len(found) != count:
        raise UnrecognisedError("the number of messages")
    return found


def _take_old(chunk: bytes, found: list[Message]) -> None:
    at = 0
    while at < len(chunk):
        if at + _OLD_MESSAGE.size > len(chunk):
            raise UnrecognisedError("a message is cut short")
        kind, size, flags = _OLD_MESSAGE.unpack_from(chunk, at)
        at += _OLD_MESSAGE.size
        if size % 8:
            raise UnrecognisedError("the length of a message")
        found.append(_message(kind, flags, chunk, at, size))
        at += size


def _read_new(pages: Pages, address: int, start: bytes) -> list[Message]:
    _, version, flags = _NEW.unpack_from(start)
    if version != 2 or flags & 0xC0:
        raise UnrecognisedError("the object header's version")
    head = _NEW.size + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(pages.get(address, head + width)[head:], "little")
    _check_chunk(0, size)
    ordered = bool(flags & 0x04)
    found: list[Message] = []
    first = head + width
    _take_new(checked(pages.get(address, first + size + 4))[first:], found, ordered=ordered)
    chunks = _continued(found, 0)
    for number, (at, length) in enumerate(chunks, 1):
        _check_chunk(number, length)
        chunk = checked(pages.get(at, length))
        if chunk[:4] != b"OCHK":
            raise UnrecognisedError("no continuation")
        _take_new(chunk[4:], found, ordered=ordered)
        chunks += _continued(found, len(chunks))
    return found


def _take_new(chunk: bytes, found: list[Message], *, ordered: bool) -> None:
    head = 6 if ordered else 4
    at, before = 0, len(found)
    while at + head <= len(chunk):
        kind, size, flags = chunk[at], int.from_bytes(chunk[at + 1 : at + 3], "little"), chunk[at + 3]
        at += head
        found.append(_message(kind, flags, chunk, at, size))
        at += size
    if at < len(chunk) and any(message.kind == NOTHING for message in found[before:]):
        raise UnrecognisedError("a gap beside an empty message")


def _message(kind: int, flags: int, chunk: bytes, at: int, size: int) -> Message:
    if at + size > len(chunk):
        raise UnrecognisedError("a message is cut short")
    if flags & ~(_CONSTANT | _NOT_SHAREABLE):
        raise UnrecognisedError("a message that is shared, or must be understood")
    data = chunk[at : at + size]
    if kind in _LOOKED_AT and (
        (kind == _REFERENCES and (size < 5 or data[0] or not any(data[1:5])))
        or (kind == _TIME and (size < 8 or data[0] != 1))
        or (kind == _ATTRIBUTES and (size < 18 or data[0] or data[1] > 3))
    ):
        raise UnrecognisedError("a message of another version")
    return Message(kind, data)


def _continued(found: list[Message], known: int) -> list[tuple[int, int]]:
    """Return the places of the continuations, but for those that are known."""
    places = [message.data for message in found if message.kind == CONTINUATION]
    return [_PLACE.unpack_from(data) for data in places[known:]]


def _check_chunk(number: int, size: int) -> None:
    if number >= _MOST_CHUNKS or size > _LARGEST or (number and not size):
        raise UnrecognisedError("the size of an object header")


def the_only(messages: list[Message], kind: int) -> bytes:
    """Return the bytes of the one message of a kind.

    Raises
    ------
    UnrecognisedError
        Where there is none, or more than one.
    """
    found = [message.data for message in messages if message.kind == kind]
    if len(found) != 1:
        raise UnrecognisedError("the messages of an object")
    return found[0]
