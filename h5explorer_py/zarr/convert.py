"""``convert`` as images_to_zarr has it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from h5explorer_py.making.convert import convert as convert_pictures
from h5explorer_py.making.job import Context
from h5explorer_py.making.watching import Watch
from h5explorer_py.making.zarr.arrays import write_arrays
from h5explorer_py.making.zarr.layout import CHUNK
from h5explorer_py.making.zarr.store import is_url
from h5explorer_py.making.zarr.target import ZarrOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.making.report import ConvertReport


def convert(  # noqa: PLR0917  (as images_to_zarr has it)
    output_dir: str | os.PathLike[str],
    folders: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    metadata: Any = None,
    recursive: bool = False,  # noqa: FBT001, FBT002
    num_parallel_workers: int | None = 8,
    fits_extension: int | str | Sequence[int | str] | None = None,
    resize: tuple[int, int] | None = None,
    interpolation_order: int = 1,
    *,
    images: Any = None,
    image_metadata: Any = None,
    chunk_shape: Sequence[int] = CHUNK,
    compressor: str | None = "lz4",
    clevel: int = 1,
    overwrite: bool = False,
    append: bool = False,
    **options: Any,
) -> Path | str:
    """Convert pictures to a sharded Zarr store.

    Parameters
    ----------
    output_dir : path or URL
        The store, where it ends in ``.zarr``; its table lies beside it. Else a folder for ``images.zarr`` and
        ``images_metadata.parquet``.
    folders : path or list of path
        Folders of pictures, files, patterns.
    metadata : path or data frame, optional
        A table with a column ``filename``, joined by names.
    recursive : bool
        Whether folders below folders count.
    num_parallel_workers : int
        How many processes, at most as many as there are processors.
    fits_extension : int, str or list, optional
        Which units of FITS files; of several the planes become channels.
    resize : (int, int), optional
        Height and width.
    interpolation_order : int
        0 to 5.
    images : array, shape (pictures, channels, height, width), optional
        Pictures that are in memory already, instead of folders.
    image_metadata : list of dict or data frame, optional
        A row for each of them.
    chunk_shape : (int, int, int)
        Pictures, height and width of what is compressed by itself.
    compressor : str
        ``"lz4"``, ``"zstd"``, ``"blosc"``, ``"gzip"`` or ``"none"``.
    clevel : int
        1 to 9.
    overwrite, append : bool
        Whether to replace a store that is there, or to add to it.
    **options
        Of `h5explorer_py.convert`: ``fit``, ``dtype``, ``channels``, ``pages``, ``on_error``, ``shard_size``,
        ``scheduler``, ``slurm``, ``progress``.

    Returns
    -------
    Path
        Of the store; its URL where it is not on this machine.

    Raises
    ------
    ExplorerError
        Where it is refused or fails; what was there before is there still.
    """
    name = "none" if compressor is None else compressor
    of_zarr: dict[str, Any] = {"chunk_shape": tuple(chunk_shape), "compressor": name, "level": clevel}
    if images is not None:
        if folders is not None or metadata is not None:
            raise ValueError("Give folders and metadata, or images and image_metadata.")
        if resize is not None:
            raise ValueError("Pictures in memory are not resized (resize).")
        zarr = ZarrOptions(**of_zarr, shard_size=options.pop("shard_size", None), overwrite=overwrite, append=append)
        report = _from_memory(images, image_metadata, os.fsdecode(output_dir), zarr, options)
    else:
        if folders is None:
            raise ValueError("Give folders of pictures, or images.")
        if image_metadata is not None:
            raise ValueError("image_metadata goes with images; of folders it is metadata.")
        report = convert_pictures(
            folders,
            output_dir,
            to="zarr",
            metadata=metadata,
            recursive=recursive,
            resize=resize,
            interpolation_order=interpolation_order,
            fits_extension=fits_extension if isinstance(fits_extension, int | str | None) else tuple(fits_extension),
            overwrite=overwrite,
            append=append,
            workers=None if options.get("scheduler") or options.get("slurm") else workers_of(num_parallel_workers),
            **of_zarr,
            **options,
        )
    return report.output if is_url(report.output) else Path(report.output)


def workers_of(asked: int | None) -> int:
    """Return how many processes are started: as many as asked for, at most as there are processors."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(asked or there, there))


def _from_memory(images: Any, metadata: Any, output: str, zarr: ZarrOptions, options: dict[str, Any]) -> ConvertReport:
    dtype, shown = options.pop("dtype", None), options.pop("progress", True)
    if options:
        raise TypeError(f"Pictures in memory take no option {next(iter(options))!r}.")
    with ThreadPoolExecutor(1) as executor, Watch(shown=shown) as watch:
        return write_arrays(images, metadata, output, zarr, Context(executor, watch), dtype=dtype)
