"""The array of pictures in a Zarr store that is there, of any version."""

from __future__ import annotations

from typing import Any

from h5explorer_py.errors import MissingPackageError, NotAnImageError, SourceNotFoundError
from h5explorer_py.files import why

_IMAGES = "images"


def open_array(path: str) -> Any:
    """Open the array of a store: ``images`` of a group, or the array that the store itself is.

    Raises
    ------
    MissingPackageError, SourceNotFoundError, NotAnImageError
    """
    try:
        import zarr
    except ImportError as error:
        raise MissingPackageError(
            "Reading Zarr takes the package zarr.", action='Install it: pip install "h5explorer[convert]"'
        ) from error
    try:
        found = zarr.open(path, mode="r")
        array: Any = found if isinstance(found, zarr.Array) else found.get(_IMAGES)
    except Exception as error:  # of a damaged store it raises many kinds
        raise SourceNotFoundError(f"{path} cannot be read as Zarr: {why(error).rstrip('.')}.") from error
    if not isinstance(array, zarr.Array):
        raise NotAnImageError(f"{path} holds no array called {_IMAGES}.")
    if array.ndim not in {3, 4} or array.dtype.kind not in "iuf" or 0 in array.shape[1:]:
        raise NotAnImageError(f"In {path} the array has shape {array.shape} and type {array.dtype}: no pictures.")
    return array
