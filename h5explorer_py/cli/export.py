"""``h5explorer export``: rows of a lookup as a table."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from h5explorer_py.cli.progress import Progress
from h5explorer_py.cli.source import add_rows, add_source, chosen_rows, key_columns, moved_to, tell, tell_missing

if TYPE_CHECKING:
    import argparse

INCOMPLETE = 3


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "export",
        allow_abbrev=False,
        usage="h5explorer export LOOKUP OUT [--filter SQL] [--rows START:STOP ... | --uuids FILE] [options]",
        help="write rows of a lookup to a Parquet, CSV or TSV file",
        description="Write rows of a lookup with all its columns. All rows, where none are chosen.",
        epilog="Ends with 0; with 1 where it failed, and nothing was written; with 2 where it was not understood, the "
        "condition included; with 3 where uuids are not there.",
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
    from h5explorer_py.bulk.export_lookup import UNORDERED_ROWS, export_lookup, moved_filepaths
    from h5explorer_py.dataset import Dataset

    with ExitStack() as resources:
        dataset = resources.enter_context(closing(Dataset(chosen.lookup, key_columns(chosen), moved_to(chosen))))
        lookup = dataset.lookup
        rows = chosen_rows(dataset, chosen, resources)
        with Progress(rows.total) as progress:
            written = export_lookup(
                lookup,
                rows.rows,
                chosen.out,
                overwrite=chosen.overwrite,
                progress=progress,
                batch_rows=None if rows.in_order else UNORDERED_ROWS,
            )
        print(os.fsencode(chosen.out).decode("utf-8", "backslashreplace"))  # noqa: T201
        tell(f"Rows: {written:,}.")
        for notice in (*moved_filepaths(lookup, chosen.out), *lookup.notices):
            tell(notice)
    return INCOMPLETE if tell_missing(rows.uuids) else 0
