"""What a picture file says about itself before its pixels are decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from h5explorer_py.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["grey", "grey+alpha", "colour", "colour+alpha", "bands"]
"""What the channels are."""

KINDS: dict[Kind, int] = {"grey": 1, "grey+alpha": 2, "colour": 3, "colour+alpha": 4}
"""How many channels each has; bands have as many as the file says."""

MOST_PIXELS = 1 << 27
"""Pixels of a picture that is decoded: 400 MB of three 8-bit channels."""

MOST_BYTES = 1 << 30
"""Bytes of the decoded array."""

FitsExtension = int | str | tuple[int | str, ...] | None


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What is decoded of a file that holds more than one picture, and how large it may be.

    Attributes
    ----------
    page : int
        Which picture of a file of several pages or frames, from 0.
    fits_extension : int, str, tuple or None
        Which unit of a FITS file, by number or name; of several, the planes are put one behind the other. ``None`` is
        the first unit, or where that has no data the first that has.
    most_pixels : int
        Width times height of a picture that is decoded.
    """

    page: int = 0
    fits_extension: FitsExtension = None
    most_pixels: int = MOST_PIXELS


@dataclass(frozen=True, slots=True)
class Facts:
    """What the header of a picture file says.

    Attributes
    ----------
    format : str
        ``"JPEG"``, ``"PNG"``, ``"TIFF"``, ``"FITS"``, ...
    mode : str
        How the decoder calls the kind of its values: Pillow's mode, or dtype and axes.
    width, height : int
        In pixels, upright: after the turn that EXIF asks for.
    kind : str
        What the channels are once it is decoded: a palette is colours then, CMYK too.
    channels : int
        How many.
    dtype : str
        NumPy's name of the decoded values' type, in this machine's byte order.
    pages : int
        How many pictures the file holds, of which one is decoded.
    """

    format: str
    mode: str
    width: int
    height: int
    kind: Kind
    channels: int
    dtype: str
    pages: int = 1


def check_size(width: int, height: int, bytes_per_pixel: int, most_pixels: int = MOST_PIXELS) -> None:
    """Refuse what would take too much memory.

    Raises
    ------
    TooLargeError
    """
    pixels = width * height
    if pixels <= most_pixels and pixels * bytes_per_pixel <= MOST_BYTES:
        return
    what = f"has {width:,} × {height:,} pixels"
    if pixels <= most_pixels:
        what = f"takes {pixels * bytes_per_pixel:,} bytes decoded"
    raise TooLargeError(
        f"The picture {what}, more than is decoded.",
        action="Raise the limit of pixels if it is no mistake." if pixels > most_pixels else "",
        width=width,
        height=height,
    )


def kind_of(channels: int, alpha: bool) -> Kind:  # noqa: FBT001
    """Tell what so many channels are, the last of which may be alpha."""
    kinds: dict[tuple[int, bool], Kind] = {
        (1, False): "grey",
        (2, True): "grey+alpha",
        (3, False): "colour",
        (4, True): "colour+alpha",
    }
    return kinds.get((channels, alpha), "bands")


def planes_of(shape: Sequence[int]) -> tuple[int, int, int] | None:
    """Read a shape as channels, height and width; ``None`` where it is none of a picture.

    Leading lengths of 1 do not count. Of three, a last one of up to 4 behind a longer first is the channels'.
    """
    left = list(shape)
    while len(left) > 2 and left[0] == 1:
        left.pop(0)
    if len(left) == 2:
        return 1, left[0], left[1]
    if len(left) == 3:
        if is_channels_last(left):
            return left[2], left[0], left[1]
        return left[0], left[1], left[2]
    return None


def is_channels_last(shape: Sequence[int]) -> bool:
    """Tell whether of three lengths the last is the channels': it is at most 4, and the first is more."""
    return len(shape) == 3 and shape[2] <= 4 < shape[0]
