"""Pictures that Pillow decodes, and the few that are deeper than it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from h5explorer_py.decode import deep
from h5explorer_py.decode.facts import KINDS, DecodeOptions, Facts, Kind, check_size
from h5explorer_py.errors import NotAnImageError
from h5explorer_py.images.decoders import open_picture, webp_size

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image as pil
    from PIL.ImageFile import ImageFile

_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}

_PLAIN: dict[str, tuple[str, Kind]] = {
    "1": ("L", "grey"),
    "L": ("L", "grey"),
    "LA": ("LA", "grey+alpha"),
    "La": ("LA", "grey+alpha"),
    "PA": ("RGBA", "colour+alpha"),
    "RGB": ("RGB", "colour"),
    "RGBX": ("RGB", "colour"),
    "RGBA": ("RGBA", "colour+alpha"),
    "RGBa": ("RGBA", "colour+alpha"),
    "P": ("RGB", "colour"),
    "CMYK": ("RGB", "colour"),
    "YCbCr": ("RGB", "colour"),
    "HSV": ("RGB", "colour"),
}
"""For modes of 8 bits: that to which Pillow converts them, and what its channels are."""

_DEEP = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I;16N": "uint16", "I": "int32", "F": "float32"}
_TRANSPARENT: dict[str, tuple[str, Kind]] = {
    "1": ("LA", "grey+alpha"),
    "L": ("LA", "grey+alpha"),
    "P": ("RGBA", "colour+alpha"),
    "RGB": ("RGBA", "colour+alpha"),
}
"""For those of them that name a colour that is not seen."""


def facts(file: BinaryIO, kind: str, options: DecodeOptions) -> Facts:
    """Read what a picture says about itself."""
    if deep.is_deep(file, kind):
        return deep.facts(file, kind, options)
    opened = _opened(file, kind, options)
    width, height = opened.size
    if kind != "TIFF" and _orientation_of(opened) in _SIDEWAYS:  # whose size is that of the upright picture
        width, height = height, width
    return _facts(opened, kind, options, (width, height))


def pixels(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[NDArray[np.generic], Facts]:
    """Decode a picture."""
    if deep.is_deep(file, kind):
        return deep.pixels(file, kind, options)
    upright, told = _decoded(file, kind, options)
    return _values(upright, told), told


def image(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[pil.Image, Facts] | None:
    """Decode a picture of 8 bits to what Pillow holds, of mode L, LA, RGB or RGBA; ``None`` where it is another.

    As Pillow's ``resize`` takes it, an array need not be made and brought back.
    """
    if deep.is_deep(file, kind):
        return None
    upright, told = _decoded(file, kind, options)
    if told.mode in _DEEP:
        return None
    mode = _mode_of(told)
    return (upright if upright.mode == mode else upright.convert(mode)), told


def _decoded(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[pil.Image, Facts]:
    opened = _opened(file, kind, options)
    told = _facts(opened, kind, options, opened.size)  # checked before its pixels are
    if options.page:
        opened.seek(options.page)
    upright = _upright(opened)
    return upright, _facts(opened, kind, options, upright.size, told)


def _opened(file: BinaryIO, kind: str, options: DecodeOptions) -> ImageFile:
    if kind == "WebP":
        head = file.read(30)
        file.seek(0)
        check_size(*webp_size(head), 4, options.most_pixels)
    opened = open_picture(file, kind)
    if kind == "TIFF" and 0 < options.page < int(getattr(opened, "n_frames", 1)):
        opened.seek(options.page)  # pages of TIFF differ in size and kind; frames of others do not
    return opened


def _facts(opened: Any, kind: str, options: DecodeOptions, size: tuple[int, int], told: Facts | None = None) -> Facts:
    width, height = size
    mode = told.mode if told else opened.mode
    if mode in _DEEP:
        channels: Kind = "grey"
        dtype = _DEEP[mode]
    else:
        channels = told.kind if told else _target(opened)[1]
        dtype = "uint8"
    check_size(width, height, KINDS[channels] * np.dtype(dtype).itemsize, options.most_pixels)
    pages = told.pages if told else int(getattr(opened, "n_frames", 1))
    if options.page >= pages:
        raise NotAnImageError(f"The file has {pages:,} pictures, none of number {options.page + 1:,}.")
    return Facts(kind, mode, width, height, channels, KINDS[channels], dtype, pages)


def _target(image: pil.Image) -> tuple[str, Kind]:
    """Return the mode to which an 8-bit picture is converted."""
    known = _TRANSPARENT.get(image.mode) if image.has_transparency_data else None
    target = known or _PLAIN.get(image.mode)
    if target is None:
        raise NotAnImageError(f"The picture has values of mode {image.mode}, which are not decoded.")
    return target


def _values(image: pil.Image, told: Facts) -> NDArray[np.generic]:
    if told.mode in _DEEP:
        return np.asarray(image).astype(told.dtype, copy=False)[..., np.newaxis]
    mode = _mode_of(told)
    values = np.asarray(image if image.mode == mode else image.convert(mode))
    return values[..., np.newaxis] if values.ndim == 2 else values


def _mode_of(told: Facts) -> str:
    return next(mode for mode, kind in (*_PLAIN.values(), *_TRANSPARENT.values()) if kind == told.kind)


def _orientation_of(image: Any) -> int:
    """Return the orientation that the header asks for: without it, what comes behind the pixels is not looked for."""
    told = {"exif"} if image.format == "PNG" else {"exif", "xmp"}
    if image.format not in {"MPO", "TIFF"} and not told & image.info.keys():
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  (damaged EXIF data is no reason not to decode the picture)
        return 1


def _upright(image: ImageFile) -> pil.Image:
    from PIL import ImageOps

    image.load()
    if _orientation_of(image) == 1:
        return image  # which else would be copied
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  (damaged EXIF data is no reason not to decode the picture)
        return image
