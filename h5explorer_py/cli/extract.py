"""``h5explorer extract``: a subset of a data set."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from h5explorer_py.cli.progress import Progress
from h5explorer_py.cli.source import add_rows, add_source, chosen_rows, key_columns, moved_to, tell, tell_missing

if TYPE_CHECKING:
    import argparse

    from h5explorer_py.bulk.report import Report

_FAILURES_SHOWN = 10
INCOMPLETE = 3


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "extract",
        allow_abbrev=False,
        usage="h5explorer extract LOOKUP OUT [--filter SQL] [--rows START:STOP ... | --uuids FILE] [options]",
        help="take rows out of a data set, with their images and metadata",
        description="Write a data set of some rows of another: their images as they are stored, their metadata, a "
        "lookup in the order in which the rows are chosen. All rows, where none are chosen.",
        epilog="Ends with 0; with 1 where it failed, and nothing was written; with 2 where it was not understood, the "
        "condition included; with 3 where something is left out: "
        "images or records that cannot be read (all are listed in OUT/failures.csv), uuids that are not there.",
    )
    add_source(parser)
    parser.add_argument("out", metavar="OUT", help="the folder to write, which must not be there")
    add_rows(parser)
    parser.add_argument("--images-per-shard", metavar="N", type=_positive, help="at most (10,000)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace OUT, if it was written by h5explorer and holds nothing else"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 3 where something is left out.

    Raises
    ------
    ExplorerError
        Where nothing was written.
    """
    from h5explorer_py.bulk.extract import extract
    from h5explorer_py.bulk.shard_writer import IMAGES_PER_SHARD
    from h5explorer_py.dataset import Dataset

    with ExitStack() as resources:
        dataset = resources.enter_context(closing(Dataset(chosen.lookup, key_columns(chosen), moved_to(chosen))))
        rows = chosen_rows(dataset, chosen, resources)
        with Progress(rows.total) as progress:
            report = extract(
                dataset,
                rows.rows,
                chosen.out,
                images_per_shard=chosen.images_per_shard or IMAGES_PER_SHARD,
                overwrite=chosen.overwrite,
                progress=progress,
            )
    _tell(report)
    missing = tell_missing(rows.uuids)
    return INCOMPLETE if report.failed or missing else 0


def _tell(report: Report) -> None:
    print(os.fsencode(report.lookup).decode("utf-8", "backslashreplace"))  # noqa: T201
    for sentence in report.sentences():
        tell(sentence)
    for failure in report.failures[:_FAILURES_SHOWN]:
        tell(f"  row {failure.row}, {failure.what}: {failure.reason}")
    if report.failed > _FAILURES_SHOWN:
        tell(f"  ... and {report.failed - _FAILURES_SHOWN:,} more")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
