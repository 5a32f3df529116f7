"""``h5explorer doctor``: what is amiss, and the command that mends it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from h5explorer_py.cli.source import add_cache, cache_folder
from h5explorer_py.cli.text import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from h5explorer_py.doctor.finding import Finding

_SIGNS = {"good": " ", "note": "-", "bad": "!"}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "doctor",
        allow_abbrev=False,
        help="say what is amiss here, and the command that mends it",
        description="Look at this environment: its packages, the halves of the explorer in JupyterLab and in its "
        "kernels, HDF5's filters and locks, the cache. With PATH, at the file system and a shard of a data set too. "
        "Nothing is changed.",
        epilog="Ends with 0; with 1 where something is marked with an exclamation mark.",
    )
    parser.add_argument("path", metavar="PATH", nargs="?", help="a lookup, one shard, or a folder of shards")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_cache(parser, "the folder of the cache")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 1 where something keeps the explorer from working.
    """
    found = []
    for finding in _findings(chosen):
        found.append(finding)
        if not chosen.json:
            show(f"{_SIGNS[finding.level]} {finding.about}: {finding.text}")
            if finding.command:
                show(f"      {finding.command}")
    if chosen.json:
        print(json.dumps([each.to_json() for each in found], indent=2))  # noqa: T201
    return int(any(each.level == "bad" for each in found))


def _findings(chosen: argparse.Namespace) -> Iterator[Finding]:
    from h5explorer_py.doctor.environment import environment
    from h5explorer_py.doctor.hdf5 import filters
    from h5explorer_py.doctor.kernels import kernels
    from h5explorer_py.doctor.storage import cache, locks

    yield from environment()
    yield from kernels()
    yield filters()
    yield cache(cache_folder(chosen))
    if chosen.path is None:
        yield from locks(None)
    else:
        yield from _of_data(os.path.abspath(os.path.expanduser(chosen.path)))


def _of_data(path: str) -> Iterator[Finding]:
    from h5explorer_py.doctor.finding import Finding
    from h5explorer_py.doctor.hdf5 import a_shard, shard
    from h5explorer_py.doctor.storage import locks, mount
    from h5explorer_py.errors import ExplorerError

    try:
        one = a_shard(path)
    except ExplorerError as error:
        yield Finding("data", "bad", error.message, "")
        return
    if one is None:
        yield Finding("data", "bad", f"{path} holds no shards.", "")
        return
    yield from mount(one)
    yield from locks(one)
    if os.path.exists(one):
        yield from shard(one)
