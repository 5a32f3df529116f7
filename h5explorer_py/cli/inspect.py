"""``h5explorer inspect``: what a Zarr store of pictures is and holds."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from h5explorer_py.cli.text import show

if TYPE_CHECKING:
    import argparse

_INCOMPLETE = 3


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "inspect",
        allow_abbrev=False,
        help="say what a Zarr store of pictures is and holds",
        description="Say what a Zarr store of pictures is and holds: its size, formats, types, errors, compression, "
        "chunks and shards.",
        epilog="Ends with 0; with 1 where it cannot be read; with 3 where pictures in it are zeros, as they could not "
        "be read.",
    )
    parser.add_argument("store", metavar="STORE", help="a store, or a folder that has images.zarr; a path or URL")
    parser.add_argument("--json", action="store_true", help="as JSON")
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
        Where it is no store of pictures.
    """
    from h5explorer_py.zarr.describe import described_store
    from h5explorer_py.zarr.inspect import summary

    facts = described_store(chosen.store)
    if chosen.json:
        print(json.dumps(dataclasses.asdict(facts), indent=2))  # noqa: T201
    else:
        for line in summary(facts):
            show(line)
    return _INCOMPLETE if facts.failed else 0
