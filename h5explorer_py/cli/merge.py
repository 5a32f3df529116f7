"""``h5explorer merge``: HDF5 files of pictures to one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from h5explorer_py.cli.progress import Line
from h5explorer_py.cli.source import tell

if TYPE_CHECKING:
    import argparse

    from h5explorer_py.making.job import State


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "merge",
        allow_abbrev=False,
        usage="h5explorer merge --inputs FILE[,FILE...] [FILE ...] --output NAME [--overwrite]",
        help="put the pictures of several HDF5 files into one",
        description="Write one HDF5 file with the pictures of several, one behind the other, with their names, labels "
        "and all that is known of each. All files are looked at before anything is written.",
        epilog="Ends with 0; with 1 where it was refused, and nothing was written; with 2 where it was not understood; "
        "with 3 where pictures could not be read, which are zeros.",
    )
    parser.add_argument(
        "--inputs",
        metavar="FILE",
        nargs="+",
        action="extend",
        required=True,
        help="HDF5 files with an array images, and patterns such as 'part*.h5', in their order; with commas between "
        "them, or one by one",
    )
    parser.add_argument(
        "--output",
        metavar="NAME",
        required=True,
        help="the file to write; .h5 is added unless it ends with .h5 or .hdf5",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file, unless it is an input")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 3 where pictures could not be read.

    Raises
    ------
    ExplorerError
        Where nothing was written.
    """
    from h5explorer_py.making.merging.merge import merge
    from h5explorer_py.making.naming import h5_path

    with Line() as line:

        def progress(state: State) -> None:
            errors = f", not read: {state.errors:,}" if state.errors else ""
            line.say(f"{state.doing}: {state.done:,} of {state.total:,}{errors}")

        report = merge(_paths(chosen.inputs), h5_path(chosen.output), overwrite=chosen.overwrite, progress=progress)
    print(os.fsencode(report.output).decode("utf-8", "backslashreplace"))  # noqa: T201
    for sentence in report.sentences():
        tell(sentence)
    return report.exit_code


def _paths(values: list[str]) -> list[str]:
    """Part values at their commas, but for those that are names of files with commas in them."""
    return [path for value in values for path in _parted(value)]


def _parted(value: str) -> list[str]:
    if os.path.lexists(os.path.expanduser(value)):
        return [value]
    return [path for path in value.split(",") if path]
