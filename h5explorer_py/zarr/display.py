"""``display_sample_images`` as images_to_zarr has it: some pictures of a store in a grid, the right way up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from PIL import Image as pil

from h5explorer_py.bulk.contact_sheet import Named, check_sheet, draw_sheet, save_sheet
from h5explorer_py.errors import SourceNotFoundError
from h5explorer_py.making.watching import in_notebook
from h5explorer_py.making.zarr.beside import read_beside, table_beside
from h5explorer_py.making.zarr.fitting import kind_of_store
from h5explorer_py.making.zarr.store import array_at, open_existing
from h5explorer_py.zarr.describe import store_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import Kind

Normalise = Literal["each", "together", "none"]

_DOTS = 100
"""Pixels of an inch of a figure."""

_GAP, _LINE = 12, 18
_LEAST = 64


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
    width, height = (int(side * _DOTS) for side in figsize)
    if min(width, height) < 1:
        raise ValueError(f"figsize is {figsize}, and has to be more than nothing.")
    pictures = sample_pictures(store, count, normalise=normalise, seed=seed)
    size = pictures[0][1].size  # which all have
    columns, scale = grid_of(len(pictures), size, width, height)
    wide, tall = (max(1, round(side * scale)) for side in size)
    named = [Named(name, _scaled(picture, (wide, tall))) for name, picture in pictures]
    check_sheet("", columns, -(-len(named) // columns), max(wide, tall))
    return draw_sheet(named, columns, max(wide, _LEAST), tall)


def sample_pictures(
    store: str, count: int, *, normalise: Normalise = "each", seed: int | None = None
) -> list[tuple[str, pil.Image]]:
    """Return some pictures of a store with their names, as they are shown, in their own size."""
    if count < 1:
        raise ValueError(f"num_samples is {count}, and has to be at least 1.")
    if normalise not in get_args(Normalise):
        raise ValueError(f"normalise is {normalise!r}, and has to be one of {', '.join(get_args(Normalise))}.")
    where = store_at(store)
    existing = open_existing(where)
    if not existing.images:
        raise SourceNotFoundError(f"{where} has no pictures.")
    array = array_at(where, existing.description)
    chosen = np.random.default_rng(seed).choice(existing.images, min(count, existing.images), replace=False)
    places = sorted(int(each) for each in chosen)
    names = read_beside(table_beside(where), existing.images, existing.mark)[0]["filename"]
    kind = kind_of_store(existing)
    pictures = [np.asarray(array[place]).reshape(existing.picture) for place in places]
    shared = limits_of(pictures, kind) if normalise == "together" else None
    found = []
    for place, picture in zip(places, pictures, strict=True):
        name = names[place].as_py() or str(place)
        found.append((name, as_picture(picture, kind, limits_of([picture], kind) if normalise == "each" else shared)))
    return found


def grid_of(count: int, size: tuple[int, int], width: int, height: int) -> tuple[int, float]:
    """Return how many pictures go beside each other so that they are as large as they can be, and their scale."""
    best = 1, 0.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        scale = min((width / columns - _GAP) / size[0], (height / rows - _GAP - _LINE) / size[1])
        if scale > best[1]:
            best = columns, scale
    if best[1] * max(size) >= _LEAST:
        return best
    return max(1, width // (_LEAST + _GAP)), _LEAST / max(size)


def limits_of(pictures: list[NDArray[Any]], kind: Kind) -> tuple[float, float] | None:
    """Return the least and the greatest finite value but alpha; ``None`` for none, or where values have 8 bits."""
    if pictures[0].dtype == np.uint8:
        return None
    seen = [_seen(picture, kind)[0] for picture in pictures]
    finite = [values for picture in seen if (values := picture[np.isfinite(picture)]).size]
    if not finite:
        return None
    return min(float(values.min()) for values in finite), max(float(values.max()) for values in finite)


def as_picture(values: NDArray[Any], kind: Kind, limits: tuple[float, float] | None) -> pil.Image:
    """Make what can be seen of a picture; row 0 is on top. Of many bands the first is shown.

    Parameters
    ----------
    values : ndarray, shape (channels, height, width)
    kind : str
        What the channels are.
    limits : (float, float) or None
        What becomes black and white; ``None`` for those of the type. Those of alpha are.
    """
    seen, alpha = _seen(values, kind)
    planes = [_bytes(seen, limits), *([] if alpha is None else [_bytes(alpha, None)])]
    pixels = np.ascontiguousarray(np.moveaxis(np.concatenate(planes), 0, -1))
    return pil.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _seen(values: NDArray[Any], kind: Kind) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Take grey or colours, and alpha where there is one, out of the channels."""
    if kind.endswith("alpha"):
        return values[:-1], values[-1:]
    return (values if len(values) == 3 else values[:1]), None


def _bytes(values: NDArray[Any], limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    low, high = limits or _of_type(values.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values.astype(np.float64) - low) * (255 / ((high - low) or 1))
    return np.clip(np.nan_to_num(scaled, nan=0, posinf=255, neginf=0) + 0.5, 0, 255).astype(np.uint8)


def _of_type(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in "fb":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def _scaled(picture: pil.Image, size: tuple[int, int]) -> pil.Image:
    """Bring a picture to a size; small ones are enlarged so that each pixel is seen."""
    return picture.resize(size, pil.Resampling.LANCZOS if size < picture.size else pil.Resampling.NEAREST)
