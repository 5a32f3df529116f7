"""Pictures that are deeper than Pillow can hold, and formats that it does not know: decoded by imagecodecs.

Pillow gives 8 bits of a colour PNG or AVIF of more, without a word, and scales JPEG 2000 of 12 bits to 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from h5explorer_py.decode.facts import DecodeOptions, Facts, check_size, kind_of
from h5explorer_py.errors import MissingPackageError, NotAnImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD = 1 << 16
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}
_JXL_BITS = (9, 13, 18, 30)
_JXL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_FUNCTIONS = {"PNG": "png_decode", "JPEG 2000": "jpeg2k_decode", "JPEG XL": "jpegxl_decode", "AVIF": "avif_decode"}


def is_deep(file: BinaryIO, kind: str) -> bool:
    """Tell whether Pillow would give less than a picture holds, or nothing."""
    head = _head(file)
    if kind == "PNG":
        return len(head) > 25 and head[24] == 16 and head[25] in _PNG_CHANNELS
    if kind == "JPEG 2000":
        components = _components(head)
        return any(depth != 8 for depth in components[2])
    if kind == "AVIF":
        at = head.find(b"av1C")
        return 0 <= at < len(head) - 6 and bool(head[at + 6] & 0x40)
    return kind == "JPEG XL"


def facts(file: BinaryIO, kind: str, options: DecodeOptions) -> Facts:
    """Read what such a picture says about itself: out of its header where that is plain, else by decoding it."""
    head = _head(file)
    if kind == "PNG":
        channels = _PNG_CHANNELS[head[25]]
        width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        check_size(width, height, 2 * channels, options.most_pixels)
        return Facts(kind, "uint16", width, height, kind_of(channels, channels in {2, 4}), channels, "uint16")
    return pixels(file, kind, options)[1]


def pixels(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[NDArray[np.generic], Facts]:
    """Decode such a picture."""
    head = _head(file)
    if kind == "JPEG XL":
        check_size(*_jxl_size(head), 4, options.most_pixels)
    elif kind == "JPEG 2000":
        width, height, depths = _components(head)
        check_size(width, height, 4 * len(depths), options.most_pixels)
    elif kind == "PNG":
        facts(file, kind, options)
    else:
        from h5explorer_py.images.decoders import open_picture

        check_size(*open_picture(file, kind).size, 8, options.most_pixels)
    file.seek(0)
    values = np.asarray(getattr(_imagecodecs(kind), _FUNCTIONS[kind])(file.read()))
    pages = 1
    if values.ndim == 4:
        pages, values = len(values), values[min(options.page, len(values) - 1)]
    values = values[..., np.newaxis] if values.ndim == 2 else values
    height, width, channels = values.shape
    dtype = values.dtype.name
    return values, Facts(kind, dtype, width, height, kind_of(channels, channels in {2, 4}), channels, dtype, pages)


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    return head


def _imagecodecs(kind: str) -> Any:
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingPackageError(
            f"Decoding this {kind} picture takes the package imagecodecs.",
            action='Install it: pip install "h5explorer[convert]"',
        ) from error
    return imagecodecs


def _components(head: bytes) -> tuple[int, int, list[int]]:
    """Read width, height and the bits of each component of a JPEG 2000 picture; signed ones count 100 more.

    The marker segment SIZ is laid out in ISO/IEC 15444-1, A.5.1.
    """
    at = head.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(head) < at + 42:
        raise NotAnImageError("The JPEG 2000 picture has no size in its header.")
    right, bottom, left, top = (int.from_bytes(head[at + 8 + 4 * n : at + 12 + 4 * n], "big") for n in range(4))
    count = int.from_bytes(head[at + 40 : at + 42], "big")
    depths = [(each & 0x7F) + 1 + (100 if each & 0x80 else 0) for each in head[at + 42 : at + 42 + 3 * count : 3]]
    return right - left, bottom - top, depths


def _jxl_size(head: bytes) -> tuple[int, int]:
    """Read width and height of a JPEG XL picture: SizeHeader of ISO/IEC 18181-1, D.3.2, least significant bit first."""
    if head[:2] != b"\xff\x0a":
        at = head.find(b"jxlc")
        at = at + 4 if at >= 0 else head.find(b"jxlp") + 8  # the latter has a number before the picture
        head = head[at:]
    if head[:2] != b"\xff\x0a":
        raise NotAnImageError("The JPEG XL picture has no size in its header.")
    bits = int.from_bytes(head[2:16], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take(_JXL_BITS[take(2)]) + 1

    height = side()
    ratio = take(3)
    if ratio == 0:
        return side(), height
    over, under = _JXL_RATIOS[ratio - 1]
    return height * over // under, height
