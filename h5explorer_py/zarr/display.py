"""``display_sample_images`` as images_to_zarr has it: some pictures of a store in a grid, the right way up."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image as pil

from h5explorer_py.bulk.contact_sheet import Named, draw_sheet, save_sheet
from h5explorer_py.making.beside import read_beside, table_beside
from h5explorer_py.making.watching import in_notebook
from h5explorer_py.making.zarr_store import array_at, open_existing
from h5explorer_py.zarr.describe import store_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

Normalise = Literal["each", "together", "none"]

_DOTS = 100
"""Pixels of an inch of a figure."""

_GAP = 12


def display_sample_images(
    store: str | os.PathLike[str],
    num_samples: int = 4,
    figsize: tuple[float, float] = (12, 8),
    save_path: str | os.PathLike[str] | None = None,
    *,
    normalise: Normalise = "each",
    seed: int | None = None,
) -> None:
    """Show some pictures of a store in a grid: in a notebook below the cell, else in the system's viewer.

    Parameters
    ----------
    store : path or URL
        Of a store, or of a folder that `convert` has written one into.
    num_samples : int
        How many, chosen at random, in their order.
    figsize : (float, float)
        Width and height of the grid in inches of 100 pixels.
    save_path : path, optional
        Where to write it instead: ``.png``, ``.jpg`` or ``.webp``. What is there is replaced.
    normalise : str
        What black and white are, of values that are not of 8 bits: the least and the greatest of ``"each"`` picture, of
        all that are shown ``"together"``, or (``"none"``) those of the type. NaN is black.
    seed : int, optional
        Which are chosen: the same ones again for the same number.

    Raises
    ------
    SourceNotFoundError, UnsupportedError
        Where it is no store of pictures.
    """
    sheet = sample_sheet(os.fsdecode(store), num_samples, figsize, normalise=normalise, seed=seed)
    if save_path is not None:
        save_sheet(sheet, os.fsdecode(save_path), overwrite=True)
    elif in_notebook():
        from IPython import display

        show: Any = display.display
        show(sheet)
    else:
        sheet.show()


def sample_sheet(
    store: str,
    count: int,
    figsize: tuple[float, float] = (12, 8),
    *,
    normalise: Normalise = "each",
    seed: int | None = None,
) -> pil.Image:
    """Draw some pictures of a store in a grid (see `display_sample_images`)."""
    where = store_at(store)
    existing = open_existing(where)
    array = array_at(where, existing.description)
    chosen = np.random.default_rng(seed).choice(existing.images, min(max(count, 1), existing.images), replace=False)
    places = sorted(int(each) for each in chosen)
    names = read_beside(table_beside(where), existing.images)[0]["filename"]
    pictures = [np.asarray(array[place]).reshape(existing.picture) for place in places]
    columns = best_columns(len(pictures), figsize)
    side = max(16, int(figsize[0] * _DOTS) // columns - _GAP)
    shared = limits_of(pictures) if normalise == "together" else None
    named = []
    for place, picture in zip(places, pictures, strict=True):
        name = names[place].as_py() if place < len(names) else None
        shown = as_picture(picture, limits_of([picture]) if normalise == "each" else shared)
        named.append(Named(name or str(place), _within(shown, side)))
    return draw_sheet(named, columns, side)


def best_columns(count: int, figsize: tuple[float, float]) -> int:
    """Return how many pictures go beside each other, so that they are as large as they can be."""
    return max(1, min(count, math.ceil(math.sqrt(count * figsize[0] / figsize[1]))))


def limits_of(pictures: list[NDArray[Any]]) -> tuple[float, float] | None:
    """Return the least and the greatest finite value; ``None`` where there is none, or values have 8 bits."""
    if pictures and pictures[0].dtype == np.uint8:
        return None
    finite = [picture[np.isfinite(picture)] for picture in pictures]
    finite = [values for values in finite if values.size]
    if not finite:
        return None
    return min(float(values.min()) for values in finite), max(float(values.max()) for values in finite)


def as_picture(values: NDArray[Any], limits: tuple[float, float] | None) -> pil.Image:
    """Make what can be seen of a picture; row 0 is on top. Of many bands the first is shown.

    Parameters
    ----------
    values : ndarray, shape (channels, height, width)
    limits : (float, float) or None
        What becomes black and white; ``None`` for those of the type.
    """
    channels = values.shape[0]
    shown = values if channels in {1, 3, 4} else values[:1]
    if values.dtype != np.uint8:
        low, high = limits or _of_type(values.dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (shown.astype(np.float64) - low) * (255 / ((high - low) or 1))
        shown = np.clip(np.nan_to_num(scaled, nan=0, posinf=255, neginf=0) + 0.5, 0, 255).astype(np.uint8)
    pixels = np.ascontiguousarray(np.moveaxis(shown, 0, -1))
    return pil.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _of_type(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def _within(picture: pil.Image, side: int) -> pil.Image:
    """Bring a picture to a size; small ones are enlarged so that each pixel is seen."""
    scale = side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, pil.Resampling.LANCZOS if scale < 1 else pil.Resampling.NEAREST)
