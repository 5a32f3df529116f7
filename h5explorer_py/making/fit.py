"""Resizing: by Pillow where it knows the values' type and the filter, else by SciPy's splines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from h5explorer_py.errors import MissingPackageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image as pil

    from h5explorer_py.decode.facts import Kind

How = Literal["stretch", "pad", "crop"]

_BY_PILLOW: Final = {0: 0, 1: 2, 3: 3}
"""Orders of splines as Pillow's filters: nearest, bilinear, bicubic."""

_PILLOW_TYPES: Final = {"uint8", "uint16", "int32", "float32"}


@dataclass(frozen=True, slots=True)
class Fit:
    """How pictures come to one size.

    Attributes
    ----------
    how : str
        ``"stretch"``: height and width each by itself. ``"pad"``: the shape is kept, with zeros beside it. ``"crop"``:
        the shape is kept, and what stands over on both sides is cut off.
    order : int
        Of the interpolation: 0 nearest, 1 linear, 2 quadratic, 3 cubic, 4 and 5 splines of that order.
    """

    how: How = "stretch"
    order: int = 1


def size_of(picture: NDArray[Any] | pil.Image) -> tuple[int, int]:
    """Return height and width."""
    if isinstance(picture, np.ndarray):
        return picture.shape[0], picture.shape[1]
    return picture.height, picture.width


def array_of(picture: NDArray[Any] | pil.Image) -> NDArray[Any]:
    """Return a picture as an array of height, width and channels."""
    values = np.asarray(picture)
    return values if values.ndim == 3 else values[..., np.newaxis]


def resized(picture: NDArray[Any] | pil.Image, kind: Kind, size: tuple[int, int], fit: Fit) -> NDArray[Any]:
    """Resize a picture.

    Parameters
    ----------
    picture : ndarray, shape (height, width, channels), or image of Pillow with 8 bits
    kind : str
        What its channels are: colours are weighted by their alpha.
    size : (int, int)
        Height and width.
    fit : Fit

    Returns
    -------
    ndarray, shape (height, width, channels)
        Of the same type; values are not beyond those of the picture.
    """
    if fit.how == "stretch":
        return scaled(picture, kind, size, fit.order)
    height, width = size_of(picture)
    scales = size[0] / height, size[1] / width
    scale = min(scales) if fit.how == "pad" else max(scales)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    inner = (min(inner[0], size[0]), min(inner[1], size[1])) if fit.how == "pad" else inner
    inner = inner if fit.how == "pad" else (max(inner[0], size[0]), max(inner[1], size[1]))
    small = scaled(picture, kind, inner, fit.order)
    top, left = abs(size[0] - inner[0]) // 2, abs(size[1] - inner[1]) // 2
    if fit.how == "crop":
        return small[top : top + size[0], left : left + size[1]]
    padded = np.zeros((*size, small.shape[2]), small.dtype)
    padded[top : top + inner[0], left : left + inner[1]] = small
    return padded


def scaled(picture: NDArray[Any] | pil.Image, kind: Kind, size: tuple[int, int], order: int) -> NDArray[Any]:
    """Stretch a picture to a size."""
    if size_of(picture) == size:
        return array_of(picture)
    if not isinstance(picture, np.ndarray) and order in _BY_PILLOW:
        return array_of(picture.resize(size[::-1], _BY_PILLOW[order]))
    values = array_of(picture)
    if order in _BY_PILLOW and values.dtype.name in _PILLOW_TYPES:
        return _by_pillow(values, kind, size, _BY_PILLOW[order])
    return np.stack([_by_splines(values[..., n], size, order) for n in range(values.shape[2])], axis=-1)


def _by_pillow(values: NDArray[Any], kind: Kind, size: tuple[int, int], method: int) -> NDArray[Any]:
    from PIL import Image

    height, width = size
    resampling = Image.Resampling(method)
    if values.dtype == np.uint8 and kind != "bands":
        picture = values[..., 0] if values.shape[2] == 1 else values
        mode = {2: "LA", 4: "RGBA"}.get(values.shape[2])
        image = Image.fromarray(np.ascontiguousarray(picture))
        assert mode is None or image.mode == mode
        return array_of(image.resize((width, height), resampling))
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., n])).resize((width, height), resampling))
        for n in range(values.shape[2])
    ]
    return np.stack(planes, axis=-1)


def _by_splines(plane: NDArray[Any], size: tuple[int, int], order: int) -> NDArray[Any]:
    """Resize one channel by splines, smoothed before where it gets smaller: by (factor - 1) / 2 pixels."""
    try:
        from scipy import ndimage
    except ImportError as error:
        raise MissingPackageError(
            f"Resizing values of type {plane.dtype.name} with order {order} takes the package scipy.",
            action='Install it: pip install "h5explorer[convert]"',
        ) from error
    values = plane.astype(np.float64)
    if order > 0:
        spread = [max(0.0, (old / new - 1) / 2) for old, new in zip(plane.shape, size, strict=True)]
        if any(spread):
            values = ndimage.gaussian_filter(values, spread, mode="mirror")
    zoom = [new / old for old, new in zip(plane.shape, size, strict=True)]
    small = ndimage.zoom(values, zoom, order=order, mode="mirror", grid_mode=True)
    if plane.dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.asarray(np.clip(small, np.nanmin(plane), np.nanmax(plane)), plane.dtype)
    low, high = plane.min(), plane.max()
    whole = np.rint(np.clip(small, float(low), float(high)))
    inner = np.where(whole <= float(low), low, whole.astype(plane.dtype))
    return np.asarray(np.where(whole >= float(high), high, inner))
