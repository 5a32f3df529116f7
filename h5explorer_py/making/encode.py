"""Encoding arrays of pictures without a loss: as PNG where that holds their values, else as TIFF."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import BadRequestError, MissingPackageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import Kind

_PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_PNG_LEVEL = 4
_TIFF_TYPES = frozenset("u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8".split())  # noqa: SIM905


def encode(values: NDArray[Any], kind: Kind) -> bytes:
    """Encode a picture; `h5explorer_py.decode.picture.pixels_of` gives the same values, of the same type.

    Grey and colours, with alpha or without, of 8 or 16 bits without a sign become PNG, which pages show; all others,
    bands too, become TIFF, compressed by deflate.

    Parameters
    ----------
    values : ndarray, shape (height, width, channels)
    kind : str
        What its channels are.

    Raises
    ------
    BadRequestError
        Where they are no picture, or of a type that no format holds.
    MissingPackageError
    """
    if values.ndim != 3 or not values.size:
        raise BadRequestError(f"An array of shape {values.shape} is none of a picture.")
    if f"{values.dtype.kind}{values.dtype.itemsize}" not in _TIFF_TYPES:
        raise BadRequestError(f"Values of type {values.dtype.name} are not encoded as a picture.")
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if kind != "bands" and native.dtype in (np.uint8, np.uint16):
        return _png(native)
    return _tiff(native, kind)


def _png(values: NDArray[Any]) -> bytes:
    channels = values.shape[2]
    if values.dtype == np.uint16 and channels > 1:
        return bytes(_imagecodecs().png_encode(values, level=_PNG_LEVEL))
    from PIL import Image as pil

    image = pil.fromarray(values[..., 0] if channels == 1 else values)
    assert image.mode in {_PILLOW_MODES[channels], "I;16"}
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def _tiff(values: NDArray[Any], kind: Kind) -> bytes:
    try:
        import tifffile
    except ImportError as error:
        raise MissingPackageError(
            "Encoding TIFF pictures takes the package tifffile.", action='Install it: pip install "h5explorer[convert]"'
        ) from error
    alpha = kind.endswith("alpha")
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        values[..., 0] if values.shape[2] == 1 else values,
        photometric="rgb" if kind.startswith("colour") else "minisblack",
        planarconfig="contig" if values.shape[2] > 1 else None,
        extrasamples=["unassalpha"] if alpha else None,
        compression="zlib",
        metadata=None,
    )
    return file.getvalue()


def _imagecodecs() -> Any:
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingPackageError(
            "Encoding PNG pictures of 16-bit colours takes the package imagecodecs.",
            action='Install it: pip install "h5explorer[convert]"',
        ) from error
    return imagecodecs
