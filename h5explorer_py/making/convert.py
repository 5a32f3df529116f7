"""Converting pictures: what people call, from Python and from the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from h5explorer_py.bulk.cluster import open_executor
from h5explorer_py.cli.text import visible
from h5explorer_py.decode.facts import MOST_PIXELS
from h5explorer_py.errors import UnsupportedError
from h5explorer_py.making.fit import Fit, How
from h5explorer_py.making.job import Context, JobOptions, OnError, Pages
from h5explorer_py.making.reading import ReadOptions
from h5explorer_py.making.watching import Watch, log
from h5explorer_py.making.zarr.target import ZarrOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from h5explorer_py.decode.facts import FitsExtension, Kind
    from h5explorer_py.making.report import ConvertReport

To = Literal["shards", "h5", "zarr"]
CHANNELS: dict[int, Kind] = {1: "grey", 2: "grey+alpha", 3: "colour", 4: "colour+alpha"}
ORDERS = range(6)

_SUFFIXES: dict[str, To] = {".zarr": "zarr", ".h5": "h5", ".hdf5": "h5"}
_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Running:
    """What a conversion runs on: one of these, else processes of this machine.

    Attributes
    ----------
    workers : int or None
        How many processes.
    scheduler : str, Client, Cluster, Executor or None
        See `open_executor`.
    slurm : str or None
        ``"queue,account,nodes"``.
    """

    workers: int | None = None
    scheduler: Any = None
    slurm: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """Everything that a conversion may be told.

    Attributes
    ----------
    job : JobOptions
    zarr : ZarrOptions
        Of which the other targets take whether to overwrite and to append.
    compression, level : str or None, int or None
        Of an HDF5 file.
    images_per_shard, bytes_per_shard : int or None
        Of shards.
    stats : bool
        Whether values are measured of pictures that are not decoded otherwise.
    running : Running
    """

    job: JobOptions = field(default_factory=JobOptions)
    zarr: ZarrOptions = field(default_factory=ZarrOptions)
    compression: str | None = None
    level: int | None = None
    images_per_shard: int | None = None
    bytes_per_shard: int | None = None
    stats: bool = False
    running: Running = field(default_factory=Running)


def target_of(output: str, to: str | None, otherwise: To | None) -> tuple[To, str]:
    """Tell what is to be written, and under which name.

    A suffix that is known says so, and so does ``to``, before that. One that is not known is part of the name.

    Returns
    -------
    to : str
    output : str
        With the suffix that the kind has.

    Raises
    ------
    UnsupportedError
        Where it cannot be told, or the suffix says another thing than ``to``.
    """
    if to is not None and to not in get_args(To):
        raise UnsupportedError(f"There is no target {to!r}.", action=f"Take one of {', '.join(get_args(To))}.")
    suffix = os.path.splitext(output.rstrip("/"))[1].lower()
    by_suffix = _SUFFIXES.get(suffix)
    if to is not None and by_suffix not in {None, to}:
        raise UnsupportedError(
            f"{output} is named as what {by_suffix} makes, and {to} is asked for.",
            action="Name it otherwise, or leave out which to make (to).",
        )
    chosen: To | None = _SUFFIXES.get(f".{to}", "shards") if to is not None else by_suffix or otherwise
    if chosen is None:
        raise UnsupportedError(
            f"What {output} is to be is not told by its name.", action="Say it (to): shards, h5 or zarr."
        )
    if chosen == "h5" and by_suffix != "h5":
        output = f"{output.rstrip('/')}.h5"
    return chosen, output


def convert(
    sources: Any,
    output: str | os.PathLike[str],
    *,
    to: To | None = None,
    metadata: Any = None,
    recursive: bool = False,
    resize: tuple[int, int] | None = None,
    fit: How = "stretch",
    interpolation_order: int = 1,
    dtype: str | None = None,
    channels: int | None = None,
    pages: Pages = "first",
    fits_extension: int | str | list[int | str] | tuple[int | str, ...] | None = None,
    on_error: OnError = "zero",
    most_pixels: int = MOST_PIXELS,
    overwrite: bool = False,
    append: bool = False,
    workers: int | None = None,
    scheduler: Any = None,
    slurm: str | None = None,
    progress: bool = True,
    **options: Any,
) -> ConvertReport:
    """Convert pictures to a Zarr store, one HDF5 file, or shards that the Explorer shows.

    Parameters
    ----------
    sources : path or list of path
        Folders, files, patterns.
    output : path or URL
        What is written; its suffix tells what that is, ``.zarr``, ``.h5`` or ``.hdf5``, unless ``to`` does.
    to : str, optional
        ``"shards"``, ``"h5"`` or ``"zarr"``.
    metadata : path, data frame or table, optional
        With a column ``filename``, joined by names.
    recursive : bool
        Whether folders below folders count.
    resize : (int, int), optional
        Height and width. Without it all pictures must have one size.
    fit : str
        ``"stretch"``, ``"pad"`` or ``"crop"``.
    interpolation_order : int
        0 to 5.
    dtype : str, optional
        The type, where values may lose something by it.
    channels : int, optional
        1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha: where something may be lost by it.
    pages : str
        Of files with several pictures ``"first"`` or ``"each"``.
    fits_extension : int, str or list, optional
        Which units of FITS files.
    on_error : str
        ``"zero"``, ``"skip"`` or ``"stop"``.
    most_pixels : int
        Pixels of a picture that is decoded.
    overwrite, append : bool
        Whether to replace what is there, or to add to it.
    workers, scheduler, slurm
        What it runs on: see `h5explorer_py.bulk.cluster.open_executor`.
    progress : bool
        Whether to show how far it is.
    **options
        Fields of `ZarrOptions` (``chunk_shape``, ``shard_size``, ``compressor``, ``level``) and of `Conversion`.

    Returns
    -------
    ConvertReport

    Raises
    ------
    ExplorerError
        Where it is refused or fails; what was there before is there still.
    """
    job = JobOptions(
        recursive=recursive,
        metadata=metadata,
        size=_size(resize),
        dtype=None if dtype is None else str(dtype),
        kind=None if channels is None else _kind(channels),
        pages=_one_of(pages, Pages, "pages"),
        on_error=_one_of(on_error, OnError, "on_error"),
        reading=ReadOptions(
            fits_extension=_extension(fits_extension),
            most_pixels=most_pixels,
            fit=Fit(_one_of(fit, How, "fit"), _order(interpolation_order)),
        ),
    )
    of_zarr = {
        name: options.pop(name) for name in ("chunk_shape", "shard_size", "compressor", "level") if name in options
    }
    zarr = ZarrOptions(overwrite=overwrite, append=append, **of_zarr)
    conversion = Conversion(job, zarr, running=Running(workers, scheduler, slurm), **options)
    named = [sources] if isinstance(sources, (str, os.PathLike)) else list(sources)
    chosen, where = target_of(os.fsdecode(output), to, None)
    return run_conversion(named, where, chosen, conversion, progress=progress)


def run_conversion(
    sources: Iterable[str | os.PathLike[str]], output: str, to: To, conversion: Conversion, *, progress: bool = True
) -> ConvertReport:
    """Do a conversion, with processes or a cluster, and tell how far it is.

    Raises
    ------
    ExplorerError
    """
    running = conversion.running
    with (
        open_executor(workers=running.workers, scheduler=running.scheduler, slurm=running.slurm) as executor,
        Watch(shown=progress) as watch,
    ):
        report = _written(list(sources), output, to, conversion, Context(executor, watch))
    for sentence in report.sentences(named=False):
        log.info("%s", visible(sentence))
    for failure in report.failures:
        log.warning("%s: %s", visible(failure.path), visible(failure.reason))
    return report


def _written(
    sources: list[str | os.PathLike[str]], output: str, to: To, conversion: Conversion, context: Context
) -> ConvertReport:
    job, zarr = conversion.job, conversion.zarr
    if to == "zarr":
        from h5explorer_py.making.zarr.write import write_zarr

        return write_zarr(sources, output, job, zarr, context)
    if to == "h5":
        from h5explorer_py.making.h5.packing import LEVEL
        from h5explorer_py.making.h5.write import H5Options, write_h5

        if zarr.append:
            raise UnsupportedError(
                "An HDF5 file is not appended to.", action="Convert the others, and merge the files."
            )
        name = conversion.compression or "gzip"
        if name not in {"gzip", "none"}:
            raise UnsupportedError(f"An HDF5 file is not compressed by {name}.", action="Take gzip or none.")
        level = LEVEL if conversion.level is None else conversion.level
        packed = H5Options("none" if name == "none" else "gzip", level, zarr.overwrite)
        return write_h5(sources, output, job, packed, context)
    from h5explorer_py.making.shards.write import ShardsOptions, write_shards

    shards = ShardsOptions(
        conversion.images_per_shard, conversion.bytes_per_shard, conversion.stats, zarr.overwrite, zarr.append
    )
    return write_shards(sources, output, job, shards, context)


def _size(resize: tuple[int, int] | None) -> tuple[int, int] | None:
    if resize is None:
        return None
    height, width = (int(each) for each in resize)
    if height < 1 or width < 1:
        raise ValueError(f"Pictures cannot be resized to {height} × {width}: both have to be at least 1.")
    return height, width


def _kind(channels: int) -> Kind:
    if channels not in CHANNELS:
        raise ValueError(f"There are no pictures of {channels} channels to be asked for: say 1, 2, 3 or 4.")
    return CHANNELS[channels]


def _order(order: int) -> int:
    if order not in ORDERS:
        raise ValueError(f"The order of the interpolation is {order}, and has to be from 0 to 5.")
    return order


def _one_of(value: Any, of: Any, name: str) -> Any:
    if value not in get_args(of):
        raise ValueError(f"{name} is {value!r}, and has to be one of {', '.join(get_args(of))}.")
    return value


def _extension(given: int | str | list[int | str] | tuple[int | str, ...] | None) -> FitsExtension:
    if given is None or isinstance(given, int | str):
        return given
    return tuple(given)
