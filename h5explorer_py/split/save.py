"""Saving a whole array as a split data set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.bulk.aside import Aside, written
from h5explorer_py.errors import BadArrayError, TargetExistsError
from h5explorer_py.split.block_file import Compression, check_compression, check_dtype
from h5explorer_py.split.blocks import Blocks
from h5explorer_py.split.dataset import SplitDataset
from h5explorer_py.split.layout import block_shape
from h5explorer_py.split.writer import SplitWriter

if TYPE_CHECKING:
    from collections.abc import Sequence


def save_to_split_dataset(  # noqa: PLR0917  (as the original has them)
    data: Any,
    root_name: str | os.PathLike[str],
    block_size: int | Sequence[int | None] | None = None,
    crop: Sequence[tuple[int, int]] | None = None,
    padding: int | Sequence[int] | None = 0,
    prefix: str = "",
    compression: Compression = "blosc",
    *,
    resolution: Sequence[float] | None = None,
    frequency: float | None = None,
    axes: str | None = None,
) -> SplitDataset:
    """Save an array as a folder of HDF5 files, which appears when it is whole.

    A block at a time is held in memory, so the array may be one that lies in files: a ``SplitDataset``, an HDF5 data
    set, a Zarr or dask array.

    Parameters
    ----------
    data : array_like
        What to save.
    root_name : path
        The folder; with a prefix, or a crop, one in it.
    block_size : int or sequence of int or None, optional
        The lengths of a block, from the first axis on; ``None`` in it is the whole axis. Without it, blocks are those
        of ``data`` where it has some, or else have up to 128 MiB.
    crop : sequence of (int, int), optional
        By axis, how many positions to leave out at its start and at its end.
    padding : int or sequence of int
        By how many positions each block goes on into the next one.
    prefix : str
        The name of the folder in ``root_name``; ``_cropped`` is put behind it where there is a crop.
    compression : {"blosc", "zlib", None}
        Of the files.
    resolution : sequence of float, optional
        The distance from one position to the next along each axis; that of ``data`` where it has one.
    frequency : float, optional
        How many items of the first axis there are in a second; that of ``data`` where it has one.
    axes : str, optional
        The axes' names, a letter each.

    Returns
    -------
    SplitDataset
        What has been saved.

    Raises
    ------
    BadArrayError
        Where the array cannot be saved, or not be divided so.
    TargetExistsError
        Where the folder is there and is not empty.
    WriteFailedError
        Where it cannot be written; nothing is left of it.
    """
    source = data if all(hasattr(data, name) for name in ("shape", "dtype", "__getitem__")) else np.asarray(data)
    dtype = check_dtype(source.dtype)
    check_compression(compression)
    whole = Blocks(source.shape, crop=crop)
    size = getattr(source, "shape_block", None) if block_size is None else block_size
    blocks = Blocks(
        whole.shape_full,
        block_shape(whole.shape_cropped, dtype.itemsize) if size is None else size,
        padding=getattr(source, "padding", 0) if padding is None else padding,
        crop=whole.crop,
    )
    if "\0" in prefix or os.path.basename(prefix) != prefix or prefix in {".", ".."}:
        raise BadArrayError(f"The prefix {prefix!r} cannot be the name of a folder.")
    name = prefix + ("" if crop is None else "_cropped")
    target = Aside(os.path.join(os.fsdecode(root_name), name) if name else os.fsdecode(root_name), _check_empty)
    try:
        writer = SplitWriter(
            target.content,
            blocks.shape_cropped,
            dtype,
            blocks.shape_block,
            padding=blocks.padding,
            compression=compression,
            resolution=getattr(source, "resolution", None) if resolution is None else resolution,
            frequency=getattr(source, "frequency", None) if frequency is None else frequency,
            axes=axes,
        )
        for number, (_, bounds) in enumerate(blocks.slices()):
            writer.write(number, np.asarray(source[bounds]), settled=False)
        with written(target.target):
            writer.finalize().close()
            target.publish()
    except BaseException:
        target.discard()
        raise
    return SplitDataset(target.target)


def _check_empty(path: str) -> None:
    if not os.path.isdir(path) or os.listdir(path):
        raise TargetExistsError(f"{path} is there already, and is not an empty folder.", action="Name another one.")
