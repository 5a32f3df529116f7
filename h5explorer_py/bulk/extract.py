"""Taking rows out of a data set, with their images and records, into a data set of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.bulk.aside import written
from h5explorer_py.bulk.gather import Gathered, Gatherer, Wanted
from h5explorer_py.bulk.report import FAILURES, Failure, FailureLog, Report
from h5explorer_py.bulk.rows import RowReader, batches
from h5explorer_py.bulk.shard_writer import IMAGES_PER_SHARD, ShardWriter
from h5explorer_py.dataset import Entry
from h5explorer_py.errors import BadKeyError, EmptyImageError, ExplorerError, KeyNotFoundError, TargetExistsError
from h5explorer_py.lookup.take import take
from h5explorer_py.lookup.text import as_text, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.shards import ShardFiles

BATCH_ROWS = 131_072
"""Rows whose images are put in order at once: they take up 60 MB."""


def extract(
    dataset: Dataset,
    rows: Iterable[NDArray[np.int64]],
    out: str | os.PathLike[str],
    *,
    images_per_shard: int = IMAGES_PER_SHARD,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    give_up: Callable[[], None] = lambda: None,
    batch_rows: int = BATCH_ROWS,
) -> Report:
    """Write a data set of some rows of another.

    Its lookup has the source's columns, and the rows in the order in which they are given. Images are stored as they
    are, and records with the columns, types and values that they have. A row whose image cannot be read is left out;
    one whose record cannot be read keeps its image. The report counts both, and ``failures.csv`` lists them.

    Parameters
    ----------
    dataset : Dataset
        The source.
    rows : iterable of ndarray of int64
        Row numbers of its lookup, in arrays of any sizes.
    out : path
        The folder of the new data set. Nothing is there until it is whole.
    images_per_shard : int
        How many images a shard has at most.
    overwrite : bool
        Whether to replace a folder that was written by h5explorer and holds nothing else.
    progress : callable, optional
        Is told now and then how many rows have been dealt with.
    give_up : callable
        Called now and then; ends the work by raising.
    batch_rows : int
        How many rows are read in the order of their places in the files, rather than in their own.

    Returns
    -------
    Report

    Raises
    ------
    TargetExistsError
        Where the folder is there, and is not to be replaced.
    WriteFailedError
        Where it cannot be written.
    RowOutOfRangeError
        Where there is no such row.
    ExplorerError
        Where the lookup cannot be read any more. In all these cases nothing is left.
    """
    lookup = dataset.lookup
    writer = ShardWriter(
        out,
        images_per_shard=images_per_shard,
        lookup_schema=lookup.schema,
        columns=lookup.columns,
        overwrite=overwrite,
    )
    with writer, FailureLog(writer.path_of(FAILURES)) as log, Gatherer(dataset, give_up) as gatherer:
        _check_apart(lookup.location, writer.folder)
        job = _Job(dataset, writer, log, gatherer, progress or (lambda _: None), give_up)
        reader = RowReader(lookup, give_up)
        for batch in batches(rows, batch_rows, lookup.num_rows):
            give_up()
            job.do(batch, reader.take(batch))
        with written(writer.folder):
            log.close()
    done = writer.finish()
    return Report(
        lookup=done.lookup,
        asked=job.asked,
        rows=done.rows,
        images=done.images,
        records=done.records,
        shards=done.shards,
        bytes=done.bytes,
        repeated=done.repeated,
        several_records=job.several_records,
        failed_images=log.images,
        failed_records=log.records,
        failures=tuple(log.kept),
        notices=(*writer.notices, *lookup.notices),
    )


@dataclass
class _Job:
    """What goes on from batch to batch."""

    dataset: Dataset
    writer: ShardWriter
    log: FailureLog
    gatherer: Gatherer
    progress: Callable[[int], None]
    give_up: Callable[[], None]
    asked: int = 0
    several_records: int = 0
    dealt_with: int = 0

    def do(self, rows: NDArray[np.int64], table: pa.Table) -> None:
        """Take the rows of one batch."""
        self.asked += len(rows)
        names: list[str | None] = [None] * len(rows)
        failures: list[tuple[int, Failure]] = []
        entries = self._entries(rows, table)
        wanted, places = self._wanted(entries, failures)
        self._dealt(len(failures))
        for gathered in self.gatherer.read(wanted.values()):
            self.give_up()
            at = places[gathered.files, gathered.key]
            name = self._store(gathered, [(place, entries[place]) for place in at], failures)
            for place in at:
                names[place] = name
            self._dealt(len(at))
        with written(self.writer.folder):
            for _, failure in sorted(failures):
                self.log.add(failure)
        self._list(table, names)

    def _dealt(self, more: int) -> None:
        self.dealt_with += more
        self.progress(self.dealt_with)

    def _entries(self, rows: NDArray[np.int64], table: pa.Table) -> list[Entry]:
        columns = self.dataset.lookup.columns
        keys = as_text(table.column(columns.uuid)).to_pylist()
        filepaths = as_text(table.column(columns.filepath)).to_pylist()
        return [Entry(*each) for each in zip(rows.tolist(), keys, filepaths, strict=True)]

    def _wanted(
        self, entries: list[Entry], failures: list[tuple[int, Failure]]
    ) -> tuple[dict[ShardFiles, Wanted], dict[tuple[ShardFiles, str], list[int]]]:
        """Group the rows by shard; return for each image of one the places of its rows in the batch."""
        wanted: dict[ShardFiles, Wanted] = {}
        places: dict[tuple[ShardFiles, str], list[int]] = {}
        for at, entry in enumerate(entries):
            try:
                files, folders = self.dataset.shard(entry)
                if not entry.key:
                    name = self.dataset.lookup.name
                    raise KeyNotFoundError(f"Row {entry.row + 1:,} of {name} has no uuid.", row=entry.row)
            except ExplorerError as error:
                failures.append((at, Failure.of(entry.row, entry.key, "image", error)))
                continue
            if files not in wanted:
                _check_apart(files.images, self.writer.folder)
                wanted[files] = Wanted(files, folders)
            wanted[files].entries.setdefault(entry.key, entry)
            places.setdefault((files, entry.key), []).append(at)
        return wanted, places

    def _store(
        self, gathered: Gathered, rows: list[tuple[int, Entry]], failures: list[tuple[int, Failure]]
    ) -> str | None:
        """Store an image with its record; return the filepath of its rows, ``None`` where they are left out."""
        image, record = gathered.image, gathered.record
        if isinstance(image, ExplorerError):
            failures += [(at, Failure.of(entry.row, entry.key, "image", image)) for at, entry in rows]
            return None
        kept = None if isinstance(record, ExplorerError) else record
        try:
            name = self.writer.put(gathered.key, image, kept, origin=gathered.files.images)
        except (BadKeyError, EmptyImageError) as error:
            failures += [(at, Failure.of(entry.row, entry.key, "image", error)) for at, entry in rows]
            return None
        if isinstance(record, ExplorerError):
            failures += [(at, Failure.of(entry.row, entry.key, "record", record)) for at, entry in rows]
        self.several_records += gathered.several
        return name

    def _list(self, table: pa.Table, names: list[str | None]) -> None:
        """Add the rows that have an image to the lookup."""
        kept = np.flatnonzero([name is not None for name in names])
        if len(kept) < len(names):
            table = take(table, kept)
        schema = self.writer.lookup_schema
        filepaths = text_array([name for name in names if name is not None])
        arrays = table.columns
        arrays[schema.get_field_index(self.dataset.lookup.columns.filepath)] = filepaths
        self.writer.list_rows(pa.Table.from_arrays(arrays, schema=schema))


def _check_apart(source: str, target: str) -> None:
    """Raise where a file of the source lies in the folder that is to be written."""
    real = os.path.realpath(source) if source else ""
    if real == target or real.startswith(os.path.join(target, "")):
        raise TargetExistsError(
            f"{target} holds what is to be extracted from: {os.path.basename(real)}.", action="Name another folder."
        )
