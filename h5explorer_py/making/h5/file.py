"""An HDF5 file of pictures in one array, as this package and h5manager write it.

Runs in processes that may crash without harm: a damaged file can bring down the one that parses it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5d

from h5explorer_py.errors import (
    ExplorerError,
    MissingFilterError,
    NoImagesGroupError,
    NotAnImageError,
    OutsideDataError,
    ShardUnreadableError,
    SourceNotFoundError,
    TooLargeError,
)
from h5explorer_py.files import regular_file, why
from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import plain
from h5explorer_py.making.h5.names import IMAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 1 << 27
"""Pictures of one file; a damaged one may say any number."""

Filter = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """What an array of pictures is like.

    Attributes
    ----------
    shape : tuple of int
        How many, then height, width and channels; without the last where there is but one.
    dtype : str
        NumPy's name of the type, in this machine's byte order.
    stored : str
        The type with the byte order of the file.
    chunks : tuple of int or None
    filters : tuple of (int, int, tuple of int)
        Code, flags and values of each.
    """

    shape: tuple[int, ...]
    dtype: str
    stored: str
    chunks: tuple[int, ...] | None
    filters: tuple[Filter, ...]

    @property
    def picture_bytes(self) -> int:
        """How many bytes one picture has."""
        return int(np.prod(self.shape[1:], dtype=object)) * np.dtype(self.dtype).itemsize


class PicturesFile:
    """A file that is open.

    Parameters
    ----------
    path : str

    Raises
    ------
    SourceNotFoundError, ShardUnreadableError, NoImagesGroupError, NotAnImageError, OutsideDataError
    MissingFilterError, TooLargeError
        Where it is not there, is damaged, or holds no array of pictures of its own.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            regular_file(path)
        except (OSError, ValueError) as error:
            raise SourceNotFoundError(f"{path} cannot be read: {why(error).rstrip('.')}.") from error
        try:
            self.file = h5py.File(os.path.realpath(path), "r", locking=False)
        except OSError as error:
            raise ShardUnreadableError(f"{path} cannot be read as HDF5: {plain(error)}.") from error
        try:
            self.array = self._images()
            self.facts = self._facts()
        except ExplorerError:
            self.close()
            raise
        except Exception as error:  # h5py raises many kinds on a damaged file
            self.close()
            raise ShardUnreadableError(f"{path} cannot be read: {plain(error)}.") from error

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return some pictures, in this machine's byte order.

        Raises
        ------
        ShardUnreadableError
        """
        try:
            values = self.array[start:stop]
        except Exception as error:
            raise ShardUnreadableError(f"{self.path} cannot be read: {plain(error)}.") from error
        return np.asarray(values, self.facts.dtype)

    def own(self, path: str, count: int) -> Any:
        """Return a data set of so many values of the file itself; ``None`` where there is none such."""
        here: Any = self.file
        for part in path.split("/"):
            if not isinstance(here, h5py.Group) or not isinstance(here.get(part, getlink=True), h5py.HardLink):
                return None
            here = here[part]
        if not isinstance(here, h5py.Dataset) or not _is_own(here) or here.shape != (count,):
            return None
        return None if load_filters(here.id.get_create_plist()) else here

    def _images(self) -> Any:
        link = self.file.get(IMAGES, getlink=True)
        if link is None:
            raise NoImagesGroupError(f"{self.path} holds no array called {IMAGES}.")
        if not isinstance(link, h5py.HardLink):
            raise OutsideDataError(f"In {self.path} {IMAGES} is a link, which is not followed.")
        found = self.file[IMAGES]
        if not isinstance(found, h5py.Dataset):
            raise NoImagesGroupError(
                f"{self.path} holds a group of encoded pictures, and no array called {IMAGES}: it is a shard.",
                action="Convert it first.",
            )
        if not _is_own(found):
            raise OutsideDataError(f"{self.path} takes its pictures from other files, which are not opened.")
        return found

    def _facts(self) -> ArrayFacts:
        array = self.array
        made = array.id.get_create_plist()
        if array.ndim not in {3, 4} or array.dtype.kind not in "iuf" or 0 in array.shape[1:]:
            raise NotAnImageError(
                f"In {self.path} {IMAGES} has shape {array.shape} and type {array.dtype}: no pictures.",
            )
        if array.shape[0] > MOST:
            raise TooLargeError(f"{self.path} says that it holds {array.shape[0]:,} pictures, more than are read.")
        missing = load_filters(made)
        if missing:
            raise MissingFilterError(
                f"{self.path} is compressed with the HDF5 filter {missing[0]} ({missing[1] or 'without a name'}), "
                "which is not installed.",
            )
        filters = tuple(made.get_filter(number)[:3] for number in range(made.get_nfilters()))
        return ArrayFacts(
            tuple(map(int, array.shape)),
            array.dtype.newbyteorder("=").name,
            array.dtype.str,
            None if array.chunks is None else tuple(map(int, array.chunks)),
            tuple((int(code), int(flags), tuple(map(int, values))) for code, flags, values in filters),
        )


def _is_own(dataset: Any) -> bool:
    """Tell whether all of a data set lies in its file."""
    made = dataset.id.get_create_plist()
    return bool(made.get_external_count() == 0 and made.get_layout() != h5d.VIRTUAL)
