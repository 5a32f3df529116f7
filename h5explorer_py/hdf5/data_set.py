"""Data sets of encoded pictures: where their bytes are."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from h5explorer_py.hdf5.object_header import BESIDES, DATASPACE, DATATYPE, FILL, LAYOUT, OLD_FILL
from h5explorer_py.hdf5.pages import UnrecognisedError

if TYPE_CHECKING:
    from h5explorer_py.hdf5.object_header import Message

_MESSAGES = BESIDES | {DATASPACE, DATATYPE, OLD_FILL, FILL, LAYOUT}
_NEEDED = frozenset({DATASPACE, DATATYPE, LAYOUT})
_SCALAR, _SIMPLE = 0, 1
_HAS_MOST = 0x01
_WHOLE_NUMBER, _TEXT, _OPAQUE = 0, 3, 5
_SIGNED = 0x08
_BIG_ENDIAN = 0x01
_CONTIGUOUS = 1
_LAYOUT = Struct("<BBQQ")
_LENGTH = Struct("<Q")
_TYPE = Struct("<B3BI")
_NUMBER = Struct("<HH")


def place_of(messages: list[Message]) -> tuple[int, int]:
    """Return the address and size of a data set that is one piece of its file, and holds bytes.

    Raises
    ------
    UnrecognisedError
        Of all others: what is in chunks, filtered, in another file, of another shape or type, empty, or damaged.
    """
    found: dict[int, bytes] = {}
    for kind, data in messages:
        if kind not in _MESSAGES or (kind in found and kind not in BESIDES):
            raise UnrecognisedError("a message of another kind")
        found[kind] = data
    if not found.keys() >= _NEEDED:
        raise UnrecognisedError("no data set")
    wide, width = _element(found[DATATYPE])
    shape = _shape(found[DATASPACE])
    if not (len(shape) == 1 if width == 1 and not wide else width == 1 or shape in {(), (1,)}):
        raise UnrecognisedError("the shape of an array")
    count = shape[0] if shape else 1
    if FILL in found:
        _check_fill(found[FILL], width)
    if OLD_FILL in found:
        _check_filling(found[OLD_FILL], width)
    layout = found[LAYOUT]
    if len(layout) < _LAYOUT.size:
        raise UnrecognisedError("a layout is cut short")
    version, kind, address, size = _LAYOUT.unpack_from(layout)
    if not 3 <= version <= 5 or kind != _CONTIGUOUS:
        raise UnrecognisedError("a layout of another kind")
    if size != count * width or size == 0:
        raise UnrecognisedError("the size of a data set")
    return address, size


def _shape(data: bytes) -> tuple[int, ...]:
    """Return the shape out of a dataspace message (the specification's IV.A.2.b), of at most one dimension."""
    if len(data) < 4:
        raise UnrecognisedError("a dataspace is cut short")
    version, rank, flags, kind = data[:4]
    if rank > 1 or flags & ~_HAS_MOST:
        raise UnrecognisedError("a dataspace of another kind")
    if version == 1:
        at = 8
    elif version == 2 and kind == (_SIMPLE if rank else _SCALAR):
        at = 4
    else:
        raise UnrecognisedError("a dataspace of another version")
    if not rank:
        return ()
    end = at + _LENGTH.size
    if len(data) < end + (_LENGTH.size if flags else 0):
        raise UnrecognisedError("a dataspace is cut short")
    (length,) = _LENGTH.unpack_from(data, at)
    if flags and _LENGTH.unpack_from(data, end) != (length,):
        raise UnrecognisedError("a data set that may grow")
    return (length,)


def _element(data: bytes) -> tuple[bool, int]:
    """Return of a datatype message (the specification's IV.A.2.d) whether it is text or opaque, and its size."""
    if len(data) < _TYPE.size:
        raise UnrecognisedError("a type is cut short")
    first, bits, more, most, width = _TYPE.unpack_from(data)
    version, kind = first >> 4, first & 0x0F
    if not 1 <= version <= 3 or more or most or not width:
        raise UnrecognisedError("a type of another version")
    left = len(data) - _TYPE.size
    if kind == _WHOLE_NUMBER:
        if width != 1 or bits & ~(_SIGNED | _BIG_ENDIAN) or left < _NUMBER.size:
            raise UnrecognisedError("numbers of another kind")
        if _NUMBER.unpack_from(data, _TYPE.size) != (0, 8):
            raise UnrecognisedError("numbers of another kind")
        return False, width
    if kind == _TEXT and (bits & 0x0F) <= 2 and (bits >> 4) <= 1:
        return True, width
    if kind == _OPAQUE and bits <= left:
        return True, width
    raise UnrecognisedError("a type of another kind")


def _check_fill(data: bytes, width: int) -> None:
    """See that the value that fills what was not written is well-formed (the specification's IV.A.2.f)."""
    if len(data) >= 4 and data[0] == 2:
        if not 1 <= data[1] <= 3 or data[2] > 2 or data[3] > 1:
            raise UnrecognisedError("a fill value")
        if data[3]:
            _check_filling(data[4:], width)
    elif len(data) >= 2 and data[0] == 3:
        flags = data[1]
        if not flags & 3 or (flags >> 2) & 3 > 2 or flags & 0xC0 or flags & 0x30 == 0x30:
            raise UnrecognisedError("a fill value")
        if flags & 0x20:
            _check_filling(data[2:], width)
    else:
        raise UnrecognisedError("a fill value of another version")


def _check_filling(data: bytes, width: int) -> None:
    size = int.from_bytes(data[:4], "little")
    if len(data) < 4 + size or size not in {0, width}:
        raise UnrecognisedError("a fill value")
