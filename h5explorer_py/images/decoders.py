"""The parts of Pillow that decode pictures: each is asked by its name, and no other ever sees a picture's bytes."""

from __future__ import annotations

import importlib
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.ImageFile import ImageFile

DECODERS: Final = {
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "WebP": ("WebPImagePlugin", "WebPImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "ICO": ("IcoImagePlugin", "IcoImageFile"),
    "AVIF": ("AvifImagePlugin", "AvifImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "JPEG 2000": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
}
"""What decodes each format. Nothing else of Pillow's is let near the bytes: some of it starts other programs."""


def open_picture(file: BinaryIO, kind: str) -> ImageFile:
    """Read the header. The pixels are decoded later; ``PIL.Image.open`` would refuse or warn by a bound of its own.

    Parameters
    ----------
    file : binary file
        Is kept until the pixels are decoded, and not closed.
    kind : str
        One of `DECODERS`.

    Raises
    ------
    Exception
        Of whatever kind Pillow's plugins raise on damaged bytes.
    """
    module, decoder = DECODERS[kind]
    made: Callable[[BinaryIO], ImageFile] = getattr(importlib.import_module(f"PIL.{module}"), decoder)
    return made(file)


def webp_size(data: bytes) -> tuple[int, int]:
    """Read a WebP picture's size out of its first chunk; (0, 0) where that is none that is known.

    Pillow makes room for its pixels as soon as it is opened.
    """
    chunk = data[12:16]
    if len(data) < 30:
        return 0, 0
    if chunk == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
