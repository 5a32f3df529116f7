"""Writing rows of a view: to a table, or with their images and metadata to a data set of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.bulk.export_lookup import UNORDERED_ROWS, export_lookup, moved_filepaths
from h5explorer_py.bulk.extract import extract
from h5explorer_py.bulk.shard_writer import IMAGES_PER_SHARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from h5explorer_py.bulk.report import Report
    from h5explorer_py.view.rowsets import Numbers
    from h5explorer_py.view.view import View

_TABLES = (".parquet", ".csv", ".tsv", ".gz")
_BLOCK_ROWS = 65_536


@dataclass(frozen=True)
class Exported:
    """What has been written.

    Attributes
    ----------
    path : str
        The table, or the lookup of the new data set.
    rows : int
        How many rows it has.
    images : Report or None
        What came of the images and records; ``None`` where only a table was asked for.
    notices : tuple of str
        What else is to be said.
    """

    path: str
    rows: int
    images: Report | None = None
    notices: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """How many images and records could not be read."""
        return 0 if self.images is None else self.images.failed

    def __str__(self) -> str:
        said = [f"Rows: {self.rows:,}.", *self.notices] if self.images is None else self.images.sentences()
        return "\n".join([self.path, *said])


def positions_in_blocks(view: View, ranges: Iterable[tuple[int, int]]) -> Iterator[Numbers]:
    """Give the rows of the lookup that stand at ranges of positions of a view, some at a time."""
    for start, stop in ranges:
        for at in range(start, stop, _BLOCK_ROWS):
            yield view.rows.rows(at, min(at + _BLOCK_ROWS, stop))


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a table, by its suffix; any other is that of a folder."""
    return os.fsdecode(path).lower().endswith(_TABLES)


def export(
    view: View,
    path: str | os.PathLike[str],
    ranges: Iterable[tuple[int, int]] | None = None,
    *,
    overwrite: bool = False,
    images_per_shard: int = IMAGES_PER_SHARD,
    progress: Callable[[int], None] | None = None,
    give_up: Callable[[], None] = lambda: None,
) -> Exported:
    """Write rows of a view, in their order.

    Parameters
    ----------
    view : View
        The rows.
    path : path
        A file ``.parquet``, ``.csv``, ``.tsv``, ``.csv.gz`` or ``.tsv.gz`` for the rows with all columns of the
        lookup; any other is a folder, for a data set of these rows with their images and metadata. Nothing is there
        until it is whole.
    ranges : iterable of (int, int), optional
        Half-open ranges of positions; all where there are none.
    overwrite : bool
        Whether to replace a file, or a folder that was written by h5explorer and holds nothing else.
    images_per_shard : int
        How many images a shard of the data set has at most.
    progress : callable, optional
        Is told now and then how many rows have been dealt with.
    give_up : callable
        Called now and then; ends the work by raising.

    Returns
    -------
    Exported

    Raises
    ------
    TargetExistsError
        Where something is there that is not to be replaced.
    WriteFailedError
        Where it cannot be written.
    ExplorerError
        Where the lookup cannot be read any more. In all these cases nothing is left.
    """
    path = os.path.expanduser(os.fsdecode(path))
    lookup = view.dataset.lookup
    lookup.wait_counted(give_up)
    rows = view.rows.stream() if ranges is None else positions_in_blocks(view, ranges)
    if is_table(path):
        written = export_lookup(
            lookup,
            None if ranges is None and view.is_all else rows,
            path,
            overwrite=overwrite,
            progress=progress,
            give_up=give_up,
            batch_rows=None if view.rows.ascending else UNORDERED_ROWS,
        )
        return Exported(os.path.abspath(path), written, None, (*moved_filepaths(lookup, path), *lookup.notices))
    report = extract(
        view.dataset,
        rows,
        path,
        images_per_shard=images_per_shard,
        overwrite=overwrite,
        progress=progress,
        give_up=give_up,
    )
    return Exported(report.lookup, report.rows, report, report.notices)
