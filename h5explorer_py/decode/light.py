"""What the headers of plain JPEG and PNG pictures say, read here in a twentieth of the time that a decoder takes.

Nothing is told of a header with anything that is out of the common: the decoder reads that, as it reads the pixels.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Final

from h5explorer_py.decode.facts import DecodeOptions, Facts, Kind, check_size
from h5explorer_py.decode.picture import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

_JPEG_MODES: Final[dict[int, tuple[str, Kind, int]]] = {
    1: ("L", "grey", 1),
    3: ("RGB", "colour", 3),
    4: ("CMYK", "colour", 3),
}
"""By the number of components: Pillow's mode, and what it decodes to."""

_FRAMES: Final = {0xC0, 0xC1, 0xC2}
_SCAN: Final = 0xDA
_TABLES: Final = 0xDB
_EXIF: Final = 0xE1
_LEAST: Final = dict.fromkeys((0xC4, 0xDD, 0xFE, *range(0xE3, 0xED), 0xEF), 0) | {0xE0: 14, 0xE2: 14, 0xEE: 12}
"""Segments that tell nothing here, with the lengths that they have at least: the decoder reads how some begin."""

_SIDEWAYS: Final = {5, 6, 7, 8}
_ORIENTATION: Final = 274
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
"""Bytes of a value of each type of EXIF."""

_PNG_START: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_MODES: Final[dict[tuple[int, int], tuple[str, Kind, int, str]]] = {
    (1, 0): ("1", "grey", 1, "uint8"),
    (2, 0): ("L", "grey", 1, "uint8"),
    (4, 0): ("L", "grey", 1, "uint8"),
    (8, 0): ("L", "grey", 1, "uint8"),
    (16, 0): ("I;16", "grey", 1, "uint16"),
    (8, 2): ("RGB", "colour", 3, "uint8"),
    (8, 4): ("LA", "grey+alpha", 2, "uint8"),
    (8, 6): ("RGBA", "colour+alpha", 4, "uint8"),
}
_PNG_PLAIN: Final = {b"sRGB": 1, b"gAMA": 4, b"pHYs": 9, b"cHRM": 32}
"""Chunks that change nothing, with their lengths."""


def facts_in(data: bytes, options: DecodeOptions) -> Facts:
    """Read what a picture file in memory says about itself: the same as `facts_of` does.

    Raises
    ------
    ExplorerError
        As `facts_of` does.
    """
    if options.page == 0:
        told = _jpeg(data) if data[:3] == b"\xff\xd8\xff" else _png(data) if data[:16] == _PNG_START else None
        if told is not None:
            check_size(told.width, told.height, told.channels * (1 + (told.dtype == "uint16")), options.most_pixels)
            return told
    return facts_of(io.BytesIO(data), options)


def _jpeg(data: bytes) -> Facts | None:
    """Walk the segments up to the first scan; ``None`` at the least doubt."""
    frame = exif = b""
    has_xmp = False
    for marker, begin, end in _segments(data):
        if marker == _SCAN:
            return _jpeg_facts(frame, exif, has_xmp=has_xmp) if frame else None
        if marker in _FRAMES and not frame:
            frame = data[begin:end]
        elif marker == _EXIF and data.startswith(b"Exif\0\0", begin) and not exif:
            exif = data[begin:end]
        elif marker == _EXIF and not data.startswith(b"Exif\0\0", begin):
            has_xmp = True
        elif marker == _TABLES and _tables_fit(data, begin, end):
            pass
        elif marker not in _LEAST or end - begin < _LEAST[marker]:
            return None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Give marker, begin and end of each segment that is whole, as long as one follows the other."""
    at, last = 2, len(data)
    while at + 4 <= last and data[at] == 0xFF:
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if not at + 4 <= end <= last:
            return
        yield data[at + 1], at + 4, end
        at = end


def _tables_fit(data: bytes, at: int, end: int) -> bool:
    while at < end:
        at += 65 if data[at] < 16 else 129
    return at == end


def _jpeg_facts(frame: bytes, exif: bytes, *, has_xmp: bool) -> Facts | None:
    if len(frame) < 6:
        return None
    height, width = frame[1] << 8 | frame[2], frame[3] << 8 | frame[4]
    known = _JPEG_MODES.get(frame[5])
    if known is None or frame[0] != 8 or (len(frame) - 6) % 3 or not width or not height:
        return None
    if exif:
        turn = _orientation(exif[6:])
        if turn is None or (turn == 0 and has_xmp):
            return None
        if turn in _SIDEWAYS:
            width, height = height, width
    mode, kind, channels = known
    return Facts("JPEG", mode, width, height, kind, channels, "uint8")


def _orientation(exif: bytes) -> int | None:
    """Return the orientation that EXIF data asks for, 0 for none; ``None`` at the least doubt."""
    order: Literal["little", "big"] = "little" if exif[:4] == b"II*\0" else "big"
    if order == "big" and exif[:4] != b"MM\0*":
        return None
    start = int.from_bytes(exif[4:8], order)
    count = int.from_bytes(exif[start : start + 2], order)
    if start < 8 or start + 2 + 12 * count + 4 > len(exif):
        return None
    found = 0
    before = -1
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind = int.from_bytes(exif[at : at + 2], order), int.from_bytes(exif[at + 2 : at + 4], order)
        length = int.from_bytes(exif[at + 4 : at + 8], order)
        size = length * _SIZES.get(kind, 0)
        if tag <= before or not size:
            return None
        if size > 4 and int.from_bytes(exif[at + 8 : at + 12], order) + size > len(exif):
            return None
        if tag == _ORIENTATION:
            found = int.from_bytes(exif[at + 8 : at + 10], order)
            if kind != 3 or length != 1 or not found:
                return None
        before = tag
    return found


def _png(data: bytes) -> Facts | None:
    """Walk the chunks up to the first of pixels; ``None`` at the least doubt."""
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    known = _PNG_MODES.get((data[24], data[25])) if len(data) > 33 else None
    if known is None or data[27] or not width or not height or not _sound(data, 8, 33):
        return None
    at = 33
    while at + 12 <= len(data):
        name = data[at + 4 : at + 8]
        if name == b"IDAT":
            return Facts("PNG", known[0], width, height, *known[1:])
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end - at - 12 != _PNG_PLAIN.get(name) or end > len(data) or not _sound(data, at, end):
            return None
        at = end
    return None


def _sound(data: bytes, begin: int, end: int) -> bool:
    """Tell whether a chunk's check sum is right."""
    return zlib.crc32(data[begin + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
