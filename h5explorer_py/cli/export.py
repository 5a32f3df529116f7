"""``h5explorer export``: rows of a lookup as a table."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from h5explorer_py.cli.progress import Progress
from h5explorer_py.cli.source import add_rows, add_source, chosen_rows, key_columns, tell, tell_missing

if TYPE_CHECKING:
    import argparse

    from h5explorer_py.lookup.base import Lookup

INCOMPLETE = 3


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "export",
        allow_abbrev=False,
        usage="h5explorer export LOOKUP OUT [--rows START:STOP ... | --uuids FILE] [options]",
        help="write rows of a lookup to a Parquet, CSV or TSV file",
        description="Write rows of a lookup with all its columns. All rows, where none are chosen.",
        epilog="Ends with 0; with 1 where it failed, and nothing was written; with 3 where uuids are not there.",
    )
    add_source(parser)
    parser.add_argument("out", metavar="OUT", help="the file to write: .parquet, .csv, .tsv, .csv.gz or .tsv.gz")
    add_rows(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT, if it is there")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 3 where uuids were not found.

    Raises
    ------
    ExplorerError
        Where nothing was written.
    """
    from h5explorer_py.bulk.export_lookup import export_lookup
    from h5explorer_py.lookup.open import open_lookup

    with ExitStack() as resources:
        lookup = resources.enter_context(closing(open_lookup(chosen.lookup, key_columns(chosen))))
        rows = chosen_rows(lookup, chosen, resources)
        with Progress(rows.total) as progress:
            written = export_lookup(lookup, rows.rows, chosen.out, overwrite=chosen.overwrite, progress=progress)
        print(os.fsencode(chosen.out).decode("utf-8", "backslashreplace"))  # noqa: T201
        tell(f"Rows: {written:,}.")
        for notice in (*_moved(lookup, chosen.out), *lookup.notices):
            tell(notice)
    return INCOMPLETE if tell_missing(rows.uuids) else 0


def _moved(lookup: Lookup, out: str) -> list[str]:
    """Say so where filepaths are relative to a folder that the new file is not in."""
    if not lookup.num_rows or os.path.realpath(lookup.folder) == os.path.dirname(os.path.realpath(out)):
        return []
    filepath = lookup.keys(0, 1).column("filepath")[0].as_py()
    if not filepath or os.path.isabs(filepath):
        return []
    return [f"Its filepaths start from {lookup.folder}: give that as root where the new file is opened."]
