"""``h5explorer convert``: pictures become a Zarr store, one HDF5 file, or shards."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from h5explorer_py.cli.text import visible
from h5explorer_py.errors import ExplorerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from h5explorer_py.making.convert import Conversion

_FAILURES_SHOWN = 20
_COMPRESSORS = ("lz4", "zstd", "blosc", "gzip", "none")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "convert",
        allow_abbrev=False,
        usage="h5explorer convert SOURCE... (--out STORE | --output FILE) [--to shards|h5|zarr] [options]",
        help="make a data set of pictures: a Zarr store, one HDF5 file, or shards",
        description="Convert pictures (FITS, PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000, JPEG XL, AVIF). --out writes "
        "a sharded Zarr store, --output one HDF5 file, unless --to or the suffix .zarr, .h5 or .hdf5 says otherwise. "
        "--to shards writes the data set that the explorer shows, with the files' bytes as they are.",
        epilog="Ends with 0 where all is done; with 1 where it was refused or failed, and what was there before is "
        "there still; with 2 where it was not understood; with 3 where it is done, but for pictures that could not be "
        "read.",
    )
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+", help="a folder, a file, a pattern, or @LIST with one path a line"
    )
    _add_output(parser)
    _add_reading(parser)
    _add_writing(parser)
    _add_running(parser)
    parser.set_defaults(run=run, parser=parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    outputs = parser.add_mutually_exclusive_group(required=True)
    outputs.add_argument(
        "--out", metavar="STORE", type=_path, help="a Zarr store X.zarr, or a folder for images.zarr; a path or URL"
    )
    outputs.add_argument(
        "--output", metavar="FILE", type=_path, help="an HDF5 file; .h5 is put behind a name without a suffix"
    )
    parser.add_argument("--to", choices=["shards", "h5", "zarr"], help="what to write, where the name does not say")
    there = parser.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace what is there")
    there.add_argument("--append", action="store_true", help="add to what is there (zarr and shards)")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is read")
    group.add_argument("--recursive", action="store_true", help="folders below folders, too")
    group.add_argument(
        "--metadata", metavar="TABLE", help="a CSV, TSV or Parquet file with a column filename, joined by names"
    )
    group.add_argument("--fits-ext", metavar="UNITS", type=_units, help="units of FITS files: 1, SCI, or 0,1,ERR")
    group.add_argument(
        "--pages", choices=["first", "each"], default="first", help="of files with several pictures (first)"
    )
    group.add_argument(
        "--on-error",
        choices=["zero", "skip", "stop"],
        default="zero",
        help="a picture that cannot be read is zeros, left out, or ends it all (zero)",
    )
    group.add_argument(
        "--max-pixels", metavar="N", type=_positive, help="larger pictures are not decoded (134,217,728)"
    )


def _add_writing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what pictures become")
    sizes = group.add_mutually_exclusive_group()
    sizes.add_argument("--resize", metavar="HEIGHT,WIDTH", type=_pair, help="bring all to one size")
    sizes.add_argument("--dim", metavar="N", type=_positive, help="bring all to N x N")
    group.add_argument("--fit", choices=["stretch", "pad", "crop"], default="stretch", help="how (stretch)")
    group.add_argument(
        "--interpolation-order", metavar="0..5", type=int, choices=range(6), default=1, help="0 nearest, 1 linear, ..."
    )
    group.add_argument("--dtype", metavar="TYPE", type=_dtype, help="the type, where values may lose something by it")
    group.add_argument("--channels", type=int, choices=[1, 2, 3, 4], help="grey, with alpha; colours, with alpha")
    zarr = parser.add_argument_group("how a Zarr store is written")
    zarr.add_argument("--chunk-shape", metavar="N,H,W", type=_chunk, default=(1, 256, 256), help="(1,256,256)")
    zarr.add_argument("--shard-size", metavar="SIZE", type=_shard, help="pictures of a file, or its size (24MiB)")
    zarr.add_argument("--compressor", choices=_COMPRESSORS, help="(lz4; gzip for HDF5)")
    zarr.add_argument("--clevel", metavar="1..9", type=int, choices=range(1, 10), help="(1)")
    shards = parser.add_argument_group("how shards are written")
    shards.add_argument("--images-per-shard", metavar="N", type=_positive, help="at most")
    shards.add_argument("--stats", action="store_true", help="decode pictures for their least, greatest and mean value")


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it runs")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=_positive, help="processes (one for each processor, up to 16)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786")
    where.add_argument("--slurm", metavar="QUEUE,ACCOUNT,NODES", help="start a Dask cluster by SLURM")
    group.add_argument("--log", metavar="FILE", help="write what happens to a file, too")
    group.add_argument("--quiet", action="store_true", help="show nothing but what went wrong")


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 3 where pictures could not be read.

    Raises
    ------
    ExplorerError
        Where it was refused or failed.
    """
    from h5explorer_py.making.convert import run_conversion, target_of

    named = chosen.output if chosen.out is None else chosen.out
    to, output = target_of(named, chosen.to, "h5" if chosen.out is None else "zarr")
    with _logged_to(chosen.log):
        try:
            report = run_conversion(chosen.sources, output, to, conversion_of(chosen), progress=not chosen.quiet)
        except ExplorerError:
            raise
        except ValueError as error:  # options that do not go together, or with these pictures
            chosen.parser.error(str(error))
    if not chosen.quiet:
        for sentence in report.sentences(named=False):
            print(visible(sentence))  # noqa: T201
    for failure in report.failures[:_FAILURES_SHOWN]:
        print(f"h5explorer: {visible(failure.path)}: {visible(failure.reason)}", file=sys.stderr)  # noqa: T201
    if report.failed > _FAILURES_SHOWN:
        print(f"h5explorer: and {report.failed - _FAILURES_SHOWN:,} more", file=sys.stderr)  # noqa: T201
    return report.exit_code


def conversion_of(chosen: argparse.Namespace) -> Conversion:
    """Put together what was chosen."""
    from h5explorer_py.decode.facts import MOST_PIXELS
    from h5explorer_py.making.convert import CHANNELS, Conversion, Running
    from h5explorer_py.making.fit import Fit
    from h5explorer_py.making.job import JobOptions
    from h5explorer_py.making.reading import ReadOptions
    from h5explorer_py.making.zarr.target import ZarrOptions

    job = JobOptions(
        recursive=chosen.recursive,
        metadata=chosen.metadata,
        size=(chosen.dim, chosen.dim) if chosen.dim else chosen.resize,
        dtype=chosen.dtype,
        kind=CHANNELS[chosen.channels] if chosen.channels else None,
        pages=chosen.pages,
        on_error=chosen.on_error,
        reading=ReadOptions(
            fits_extension=chosen.fits_ext,
            most_pixels=chosen.max_pixels or MOST_PIXELS,
            fit=Fit(chosen.fit, chosen.interpolation_order),
        ),
    )
    zarr = ZarrOptions(
        chunk_shape=chosen.chunk_shape,
        shard_size=chosen.shard_size,
        compressor=chosen.compressor or "lz4",
        level=chosen.clevel or 1,
        overwrite=chosen.overwrite,
        append=chosen.append,
    )
    return Conversion(
        job,
        zarr,
        compression=chosen.compressor,
        level=chosen.clevel,
        images_per_shard=chosen.images_per_shard,
        stats=chosen.stats,
        running=Running(chosen.workers, chosen.scheduler, chosen.slurm),
    )


@contextlib.contextmanager
def _logged_to(path: str | None) -> Iterator[None]:
    """Write what is told to a file, too, until the end; how it ended is the last that is told."""
    if path is None:
        yield
        return
    import logging

    from h5explorer_py.making.watching import log

    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level, propagate = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    except BaseException as error:
        log.error("%s", "Interrupted." if isinstance(error, KeyboardInterrupt) else visible(str(error)))
        raise
    finally:
        log.removeHandler(handler)
        handler.close()
        log.setLevel(level)
        log.propagate = propagate


def _path(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("no name is given")
    return text


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return number


def _numbers(text: str, counts: tuple[int, ...]) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) not in counts:
        raise argparse.ArgumentTypeError(f"{text!r} is not {' or '.join(map(str, counts))} numbers with commas between")
    return tuple(_positive(part.strip()) for part in parts)


def _pair(text: str) -> tuple[int, ...]:
    return _numbers(text, (2,))


def _chunk(text: str) -> tuple[int, ...]:
    return _numbers(text, (3, 4))


def _shard(text: str) -> int | str:
    from h5explorer_py.making.zarr.layout import count_of

    size: int | str = int(text) if text.isascii() and text.isdigit() else text
    try:
        count_of(size, 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return size


def _units(text: str) -> Any:
    parts = [int(part) if part.isascii() and part.isdigit() else part for part in text.split(",") if part]
    if not parts:
        raise argparse.ArgumentTypeError("no unit is named")
    return parts[0] if len(parts) == 1 else tuple(parts)


def _dtype(text: str) -> str:
    known = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)] + ["float32", "float64"]
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(known)}")
    return text
