"""TIFF: what Pillow shows rightly by Pillow, all else (deeper than 8 bits, many bands, planes) by tifffile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from h5explorer_py.decode import pillow
from h5explorer_py.decode.facts import DecodeOptions, Facts, Kind, check_size, kind_of
from h5explorer_py.errors import MissingPackageError, NotAnImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 258
_ORIENTATION = 274
_MINISWHITE, _RGB, _PALETTE = 0, 2, 3
_ALPHAS = {1, 2}


def facts(file: BinaryIO, kind: str, options: DecodeOptions) -> Facts:
    """Read what a picture says about itself."""
    with _opened(file) as tiff:
        page, pages = _page(tiff, options)
        if not _by_pillow(page):
            return _facts(page, pages, options)
    file.seek(0)
    return pillow.facts(file, kind, options)


def pixels(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[NDArray[np.generic], Facts]:
    """Decode a picture."""
    with _opened(file) as tiff:
        page, pages = _page(tiff, options)
        if not _by_pillow(page):
            told = _facts(page, pages, options)
            values = page.asarray(maxworkers=1)
            return _upright(_channels_last(values, page), page), told
    file.seek(0)
    return pillow.pixels(file, kind, options)


def _opened(file: BinaryIO) -> Any:
    try:
        import tifffile
    except ImportError as error:
        raise MissingPackageError(
            "Decoding TIFF pictures takes the package tifffile.", action='Install it: pip install "h5explorer[convert]"'
        ) from error
    return tifffile.TiffFile(file)


def _page(tiff: Any, options: DecodeOptions) -> tuple[Any, int]:
    pages = len(tiff.pages)
    if options.page >= pages:
        raise NotAnImageError(f"The file has {pages:,} pictures, none of number {options.page + 1:,}.")
    page = tiff.pages[options.page]
    return page.aspage(), pages


def _by_pillow(page: Any) -> bool:
    """Tell whether Pillow decodes all that a page holds, and knows what its colours are."""
    bits = page.bitspersample
    depth = max(bits) if isinstance(bits, tuple) else bits
    if depth > 8 or page.sampleformat not in {1, None} or int(page.imagedepth) > 1:
        return False
    samples = page.samplesperpixel
    if page.planarconfig == 2 or _kind(page) == "bands":
        return bool(samples == 1)
    return True


def _kind(page: Any) -> Kind:
    samples = int(page.samplesperpixel)
    extra = tuple(int(each) for each in page.extrasamples)
    colour = int(page.photometric) not in {0, 1}
    if len(extra) == samples - (3 if colour else 1) == 1 and extra[0] in _ALPHAS:
        return kind_of(samples, alpha=True)
    if colour and samples == 4 and int(page.photometric) == 5:
        return "colour"  # CMYK, which becomes RGB
    return kind_of(samples, alpha=False) if samples == (3 if colour else 1) else "bands"


def _facts(page: Any, pages: int, options: DecodeOptions) -> Facts:
    width, height, samples = int(page.imagewidth), int(page.imagelength), int(page.samplesperpixel)
    if page.dtype is None:
        raise NotAnImageError(f"The TIFF picture has values of {page.bitspersample} bits, which are not decoded.")
    if int(page.imagedepth) > 1:
        raise NotAnImageError("The TIFF picture is a volume, which is not decoded as a picture.")
    dtype = np.dtype(page.dtype).newbyteorder("=")
    dtype = np.dtype(np.uint8) if dtype == np.bool_ else dtype
    if dtype.kind not in "iuf":
        raise NotAnImageError(f"The TIFF picture has values of type {dtype.name}, which are not decoded.")
    check_size(width, height, samples * dtype.itemsize, options.most_pixels)
    if _turn(page) >= 5:
        width, height = height, width
    kind = _kind(page)
    return Facts("TIFF", f"{dtype.name} {page.axes}", width, height, kind, samples, dtype.name, pages)


def _channels_last(values: NDArray[np.generic], page: Any) -> NDArray[np.generic]:
    axes = page.axes
    if axes == "YX":
        values = values[..., np.newaxis]
    elif axes == "SYX":
        values = np.moveaxis(values, 0, -1)
    elif axes != "YXS":
        raise NotAnImageError(f"The TIFF picture has axes {axes}, which are not decoded.")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    if int(page.photometric) == _MINISWHITE and values.dtype.kind == "u":
        values = np.invert(values)
    return values


def _turn(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _upright(values: NDArray[np.generic], page: Any) -> NDArray[np.generic]:
    """Turn and mirror as the tag says (TIFF 6.0, section 8: where row 0 and column 0 are)."""
    turn = _turn(page)
    if turn >= 5:
        values = values.transpose(1, 0, 2)
    if turn in {3, 4, 7, 8}:
        values = values[::-1]
    if turn in {2, 3, 6, 7}:
        values = values[:, ::-1]
    return values
