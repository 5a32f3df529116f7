"""A picture file's facts and pixels, whatever its format."""

from __future__ import annotations

import os
import struct
import warnings
from typing import TYPE_CHECKING, BinaryIO, Protocol

from h5explorer_py.decode.facts import DecodeOptions, Facts
from h5explorer_py.errors import (
    EmptyImageError,
    ExplorerError,
    FormatNotReadError,
    NotAnImageError,
    TooLargeError,
    TruncatedImageError,
)
from h5explorer_py.files import why
from h5explorer_py.images.decoders import DECODERS
from h5explorer_py.images.sniff import format_of

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as pil

_HEAD = 1024
_SENSELESS = (TypeError, LookupError, AttributeError, ArithmeticError, struct.error)
"""What decoders raise where a header says what cannot be."""

SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .tif .tiff .fits .fit .fts .webp .gif .bmp .jp2 .j2k .jpx .jxl .avif".split()  # noqa: SIM905
)
"""How the names of picture files end, in lower case."""


class _Decoder(Protocol):
    def facts(self, file: BinaryIO, kind: str, options: DecodeOptions) -> Facts: ...

    def pixels(self, file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[NDArray[np.generic], Facts]: ...


def facts_of(file: BinaryIO, options: DecodeOptions | None = None) -> Facts:
    """Read what a picture file says about itself, without decoding its pixels.

    Parameters
    ----------
    file : binary file
        Which can be sought in. It is not closed.
    options : DecodeOptions, optional

    Raises
    ------
    EmptyImageError, FormatNotReadError, TruncatedImageError, TooLargeError, NotAnImageError
        Where it cannot be decoded, as far as its header tells.
    MissingPackageError
        Where a package is missing that decodes this format.
    """
    kind = _kind(file)
    with _Typed(kind):
        return _decoder(kind).facts(file, kind, options or DecodeOptions())


def pixels_of(file: BinaryIO, options: DecodeOptions | None = None) -> tuple[NDArray[np.generic], Facts]:
    """Decode a picture.

    Parameters
    ----------
    file : binary file
        Which can be sought in. It is not closed.
    options : DecodeOptions, optional

    Returns
    -------
    pixels : ndarray, shape (height, width, channels)
        The values that the file holds, upright, in this machine's byte order. Palettes and CMYK become colours, what
        has one bit becomes 0 and 255, FITS values are scaled as their header says.
    facts : Facts
        What they are.

    Raises
    ------
    As `facts_of` does, and where the pixels are damaged or cut short.
    """
    kind = _kind(file)
    with _Typed(kind):
        return _decoder(kind).pixels(file, kind, options or DecodeOptions())


def image_of(file: BinaryIO, options: DecodeOptions | None = None) -> tuple[pil.Image, Facts] | None:
    """Decode a picture to what Pillow holds, where it has 8 bits and Pillow decodes all of it; ``None`` where not.

    Raises
    ------
    As `pixels_of` does.
    """
    kind = _kind(file)
    if kind in {"TIFF", "FITS", "JPEG XL"}:
        return None
    from h5explorer_py.decode import pillow

    with _Typed(kind):
        return pillow.image(file, kind, options or DecodeOptions())


def _kind(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    if not head:
        raise EmptyImageError("The file is empty: it has no bytes.")
    kind = format_of(head)
    if kind in {"TIFF", "FITS", "JPEG XL"} or (kind in DECODERS and kind != "ICO"):
        return kind
    what = f"a file of format {kind}" if kind else "no picture of a known format"
    raise FormatNotReadError(f"This is {what}, which is not decoded.", format=kind)


def _decoder(kind: str) -> _Decoder:
    module: ModuleType
    if kind == "TIFF":
        from h5explorer_py.decode import tiff as module
    elif kind == "FITS":
        from h5explorer_py.decode import fits as module
    else:
        from h5explorer_py.decode import pillow as module
    return module


class _Typed:
    """Turns what decoders raise on damaged bytes, which is of all kinds, into typed errors; silences their warnings."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._warnings.__exit__(None, None, None)
        if error is None or isinstance(error, ExplorerError) or not isinstance(error, Exception):
            return
        if isinstance(error, MemoryError):
            raise TooLargeError(f"Decoding the {self._kind} picture takes more memory than there is.") from error
        if isinstance(error, OSError) and error.errno is not None:
            raise NotAnImageError(f"The file cannot be read: {os.strerror(error.errno)}.") from error
        if type(error).__name__ == "DecompressionBombError":  # Pillow's, of a frame within the picture
            raise TooLargeError(f"The {self._kind} picture has more pixels than are decoded.") from error
        said = why(error).strip().rstrip(".") or type(error).__name__
        if isinstance(error, _SENSELESS):
            said = "its header makes no sense"
        if "truncated" in said.lower() or isinstance(error, EOFError):
            raise TruncatedImageError(f"The {self._kind} picture is cut short: {said}.") from error
        raise NotAnImageError(f"The {self._kind} picture is damaged: {said}.") from error
