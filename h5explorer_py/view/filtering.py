"""From a condition to the rows that meet it: one query, whose row numbers are kept."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import ConditionError
from h5explorer_py.lookup.arrays import numbers_of
from h5explorer_py.lookup.sql.condition import Condition, parse_condition
from h5explorer_py.lookup.sql.names import quoted
from h5explorer_py.lookup.sql.running import run
from h5explorer_py.view.columns import metadata_names
from h5explorer_py.view.records import record_index
from h5explorer_py.view.rowsets import RowBitsBuilder
from h5explorer_py.view.scans import (
    NULLS,
    RECORDS,
    ROW,
    called,
    lookup_files,
    lookup_relation,
    metadata_files,
    metadata_relation,
    query_connection,
    stream_of_records,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.view.records import RecordIndex
    from h5explorer_py.view.work import Work


OF_RECORDS = 0.5
"""The part of the time that finding the records takes, where that has not been done before."""


def condition_on(dataset: Dataset, text: str) -> tuple[Condition, list[str], list[str]]:
    """Understand a condition on a data set.

    Returns
    -------
    condition : Condition
    of_lookup, of_metadata : list of str
        The columns that it names. Where the lookup and the metadata have one of the same name, it is the lookup's.

    Raises
    ------
    ConditionError
        Where it is none, or names a column that is not there.
    """
    own = [name for name in dataset.lookup.schema.names if name != ROW]
    written = called(dataset.lookup)
    try:
        condition = parse_condition(text, own, written=written)
    except ConditionError:
        more = metadata_names(dataset, own)
        if not more:
            raise
        condition = parse_condition(text, [*own, *more], written=written)
    of_lookup = [name for name in condition.columns if name in own]
    return condition, of_lookup, [name for name in condition.columns if name not in of_lookup]


def matching_rows(dataset: Dataset, text: str, work: Work) -> RowBitsBuilder:
    """Return the rows that meet a condition.

    Raises
    ------
    ConditionError
        Where it is no condition, or cannot be computed.
    ExplorerError
        Where a file cannot be read.
    """
    condition, of_lookup, of_metadata = condition_on(dataset, text)
    if not of_metadata:
        return _of_lookup(dataset, condition, work)
    with contextlib.closing(records_of(dataset, work.part(0.0, OF_RECORDS))) as records:
        work = work.part(OF_RECORDS, 1.0)
        if of_lookup:
            found = _of_both(dataset, condition, records, of_lookup, work)
        else:
            found = _of_metadata(dataset, condition, records, work)
        records.check_unchanged()
        return found


def records_of(dataset: Dataset, work: Work) -> RecordIndex:
    """Return the records of all rows, found now where that has not been done before; say which cannot be read."""
    packed = dataset.rows.packed_now(work.give_up, work.part(0.0, 0.5).progress, work.scratch)
    records = record_index(dataset, packed, work.give_up, work.part(0.5, 1.0).progress)
    work.note(records.missing_said)
    return records


def _of_lookup(dataset: Dataset, condition: Condition, work: Work) -> RowBitsBuilder:
    lookup = dataset.lookup
    found = RowBitsBuilder(lookup.num_rows)
    with query_connection(dataset, lookup_files(lookup)) as connection:
        relation = lookup_relation(connection, lookup, condition.columns)
        sql = f"SELECT {relation.row} FROM {relation.sql} WHERE {condition.sql}"  # noqa: S608
        for batch in run(connection, sql, relation.params, work.give_up, progress=work.progress):
            found.add(numbers_of(batch.column(0)))
    return found


def _of_metadata(dataset: Dataset, condition: Condition, records: RecordIndex, work: Work) -> RowBitsBuilder:
    """Have DuckDB look at the metadata files as they are, and turn records into rows afterwards.

    Rows without a record have nulls in all columns. Where the condition is true of these, it is looked for the
    records that do not meet it instead, and all other rows are taken.
    """
    files = metadata_files(records)
    marked = _Marked(files)
    with query_connection(dataset, files) as connection:
        inverted = _true_of_nulls(connection, condition, records.schema, work)
        if files:
            test = f"{condition.sql} IS NOT TRUE" if inverted else condition.sql
            relation = metadata_relation(files)
            sql = f"SELECT file_index, {relation.row} FROM {relation.sql} WHERE {test}"  # noqa: S608
            for batch in run(connection, sql, relation.params, work.give_up, progress=work.progress):
                marked.add(numbers_of(batch.column(0)), numbers_of(batch.column(1)))
    found = RowBitsBuilder(dataset.lookup.num_rows)
    for shard in records.shards:
        numbers = marked.of_file(shard.path) if shard.signature is not None else None
        if numbers is not None:
            work.give_up()
            found.add(records.rows_of(shard, numbers))
    if inverted:
        found.invert()
    return found


class _Marked:
    """Records by their files."""

    def __init__(self, files: list[str]) -> None:
        self._files = files
        self._parts: dict[str, list[NDArray[np.int64]]] = {}

    def add(self, indices: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """Take in records: the index of the file, and the number in it, of each."""
        if len(indices) == 0:
            return
        breaks = np.flatnonzero(indices[1:] != indices[:-1]) + 1
        for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(indices)], strict=True):
            self._parts.setdefault(self._files[int(indices[start])], []).append(numbers[start:stop])

    def of_file(self, path: str) -> NDArray[np.int64] | None:
        parts = self._parts.get(path)
        return None if parts is None else np.concatenate(parts)


def _true_of_nulls(connection: Any, condition: Condition, schema: pa.Schema, work: Work) -> bool:
    kinds = pa.schema([schema.field(name) for name in condition.columns])
    sql = f"SELECT 1 FROM {NULLS} WHERE {condition.sql}"  # noqa: S608
    connection.register(NULLS, pa.Table.from_arrays([pa.nulls(1, field.type) for field in kinds], schema=kinds))
    return any(batch.num_rows for batch in run(connection, sql, [], work.give_up))


def _of_both(
    dataset: Dataset, condition: Condition, records: RecordIndex, of_lookup: list[str], work: Work
) -> RowBitsBuilder:
    """Join the lookup with the records of its rows: in memory as far as that goes."""
    found = RowBitsBuilder(dataset.lookup.num_rows)
    of_metadata = [name for name in condition.columns if name not in of_lookup]
    with query_connection(dataset, lookup_files(dataset.lookup), work.scratch) as connection:
        relation = lookup_relation(connection, dataset.lookup, of_lookup)
        schema, batches = stream_of_records(records, of_metadata, work.give_up)
        connection.register(RECORDS, pa.RecordBatchReader.from_batches(schema, batches))
        written = called(dataset.lookup)
        row, names = quoted(ROW), ", ".join(quoted(written.get(name, name)) for name in of_lookup)
        sql = (
            f"SELECT l.{row} FROM (SELECT {relation.row} AS {row}, {names} FROM {relation.sql}) l "  # noqa: S608
            f"LEFT JOIN {RECORDS} ON l.{row} = {RECORDS}.{row} WHERE {condition.sql}"
        )
        for batch in run(connection, sql, relation.params, work.give_up, progress=work.progress):
            found.add(numbers_of(batch.column(0)))
    return found
