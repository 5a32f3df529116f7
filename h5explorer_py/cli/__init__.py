"""The command ``h5explorer``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from h5explorer_py._version import __version__
from h5explorer_py.cli import cache, convert, doctor, export, extract, info, inspect, merge, page, visualize
from h5explorer_py.cli import open as opening
from h5explorer_py.errors import ExplorerError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0; 1 where it failed, with the reason on the standard error stream; 2 where it was not understood; 3 where it
        was done, but for what the standard error stream says; 130 where it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="h5explorer", description="Image data sets kept in sharded HDF5 files.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        allow_abbrev=False,
        help="write a sample data set of photographs",
        description="Write a sample data set of 1,000 photographs: 4 shards, their metadata, two lookups.",
    )
    demo.add_argument("folder", metavar="DIR", help="where to write it")
    demo.set_defaults(run=_demo)
    opening.add_command(commands)
    visualize.add_command(commands)
    info.add_command(commands)
    convert.add_command(commands)
    inspect.add_command(commands)
    extract.add_command(commands)
    export.add_command(commands)
    merge.add_command(commands)
    cache.add_command(commands)
    doctor.add_command(commands)
    page.add_command(commands)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except ExplorerError as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename or getattr(chosen, 'folder', 'A file')} cannot be written: {why(error)}."
    except KeyboardInterrupt:
        print("\nh5explorer: interrupted; nothing was written.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    print(f"h5explorer: {reason}", file=sys.stderr)  # noqa: T201
    return 1


def _demo(chosen: argparse.Namespace) -> int:
    from h5explorer_py.demo.make import make_dataset

    print(make_dataset(chosen.folder))  # noqa: T201
    return 0
