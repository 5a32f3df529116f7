"""The checksum of HDF5's newer structures."""

from __future__ import annotations

from struct import unpack_from

from h5explorer_py.hdf5.pages import UnrecognisedError

_MASK = 0xFFFFFFFF
_BEGIN = 0xDEADBEEF


def lookup3(data: bytes) -> int:
    """Return Bob Jenkins' lookup3 hash of bytes, from 0 on.

    Source: ``hashlittle`` of https://burtleburtle.net/bob/c/lookup3.c, which the specification names.
    """
    length = len(data)
    a = b = c = (_BEGIN + length) & _MASK
    if not length:
        return c
    rounds = (length - 1) // 12
    words: tuple[int, ...] = unpack_from(f"<{rounds * 3}I", data)
    for at in range(0, rounds * 3, 3):
        a = a + words[at] & _MASK
        b = b + words[at + 1] & _MASK
        c = c + words[at + 2] & _MASK
        a = (a - c & _MASK) ^ (c << 4 & _MASK | c >> 28)
        c = c + b & _MASK
        b = (b - a & _MASK) ^ (a << 6 & _MASK | a >> 26)
        a = a + c & _MASK
        c = (c - b & _MASK) ^ (b << 8 & _MASK | b >> 24)
        b = b + a & _MASK
        a = (a - c & _MASK) ^ (c << 16 & _MASK | c >> 16)
        c = c + b & _MASK
        b = (b - a & _MASK) ^ (a << 19 & _MASK | a >> 13)
        a = a + c & _MASK
        c = (c - b & _MASK) ^ (b << 4 & _MASK | b >> 28)
        b = b + a & _MASK
    last: tuple[int, ...] = unpack_from("<3I", data[rounds * 12 :].ljust(12, b"\0"))
    a, b, c = a + last[0] & _MASK, b + last[1] & _MASK, c + last[2] & _MASK
    c = (c ^ b) - (b << 14 & _MASK | b >> 18) & _MASK
    a = (a ^ c) - (c << 11 & _MASK | c >> 21) & _MASK
    b = (b ^ a) - (a << 25 & _MASK | a >> 7) & _MASK
    c = (c ^ b) - (b << 16 & _MASK | b >> 16) & _MASK
    a = (a ^ c) - (c << 4 & _MASK | c >> 28) & _MASK
    b = (b ^ a) - (a << 14 & _MASK | a >> 18) & _MASK
    return (c ^ b) - (b << 24 & _MASK | b >> 8) & _MASK


def checked(data: bytes) -> bytes:
    """Return what is before the checksum that a structure ends with.

    Raises
    ------
    UnrecognisedError
        Where it is not the checksum of that.
    """
    body = data[:-4]
    if len(data) < 4 or int.from_bytes(data[-4:], "little") != lookup3(body):
        raise UnrecognisedError("a checksum is wrong")
    return body
