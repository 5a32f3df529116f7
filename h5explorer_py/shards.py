"""From the filepath of a lookup's row to the files of the shard that it names."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from h5explorer_py.errors import ShardNotFoundError, UnsupportedError
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGES_SUFFIX = "_images.h5"
METADATA_SUFFIX = "_metadata.parquet"
HDF5_SUFFIXES = (".h5", ".hdf5", ".he5", ".nxs")


class ShardFiles(NamedTuple):
    """The two files of a shard.

    Attributes
    ----------
    images : str
        The HDF5 file.
    metadata : str
        The Parquet file.
    """

    images: str
    metadata: str


class ShardPaths:
    """Resolves filepaths.

    Parameters
    ----------
    root : str or mapping, optional
        A folder that relative filepaths start from, and below which absolute ones are looked for that are not where
        they say; or a mapping of old path prefixes to new ones, of which the longest that fits is taken.
    """

    def __init__(self, root: str | os.PathLike[str] | Mapping[str, str] | None = None) -> None:
        self._folder = ""
        self._moved: list[tuple[PurePath, str]] = []
        if isinstance(root, (str, os.PathLike)):
            self._folder = os.path.abspath(os.path.expanduser(root))
        elif root is not None:
            pairs = [(PurePath(old), os.path.abspath(os.path.expanduser(new))) for old, new in root.items()]
            self._moved = sorted(pairs, key=lambda pair: len(pair[0].parts), reverse=True)

    def files(self, filepath: str, folder: str) -> ShardFiles:
        """Return the files that a filepath names.

        Parameters
        ----------
        filepath : str
            As the lookup has it: the path of the two files without ``_images.h5`` and ``_metadata.parquet``, or the
            path of the HDF5 file itself.
        folder : str
            Where a relative filepath starts.

        Raises
        ------
        ShardNotFoundError
            Where it cannot be a path.
        UnsupportedError
            Where it is an address.
        """
        if "\0" in filepath:
            raise ShardNotFoundError("The filepath holds a NUL character, which no path can.")
        if "://" in filepath:
            raise UnsupportedError(
                f"Shards at addresses ({shorten(filepath)}) are not read by this version.",
                action="Copy them, or re-map their prefix with root={...}.",
            )
        return files_of(self._place(filepath, folder))

    def _place(self, filepath: str, folder: str) -> str:
        path = PurePath(filepath)
        for old, new in self._moved:
            if path.is_relative_to(old):
                return os.path.join(new, path.relative_to(old))
        placed = os.path.join(self._folder or folder, filepath)
        if not self._folder or not path.is_absolute() or os.path.exists(files_of(placed).images):
            return placed
        for start in range(1, len(path.parts)):
            below = os.path.join(self._folder, *path.parts[start:])
            if os.path.exists(files_of(below).images):
                return below
        return placed


def files_of(path: str) -> ShardFiles:
    """Return the files of a shard by its prefix, or by the path of one of its files."""
    if path.endswith(METADATA_SUFFIX):
        path = path.removesuffix(METADATA_SUFFIX)
    if path.endswith(HDF5_SUFFIXES):
        stem = path.removesuffix(IMAGES_SUFFIX) if path.endswith(IMAGES_SUFFIX) else os.path.splitext(path)[0]
        return ShardFiles(path, stem + METADATA_SUFFIX)
    return ShardFiles(path + IMAGES_SUFFIX, path + METADATA_SUFFIX)
