"""Rows in the order of a column: from what is packed where that tells, else sorted once by DuckDB and kept."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import BadRequestError, WrongColumnsError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.arrays import numbers_of
from h5explorer_py.lookup.columns import nearest
from h5explorer_py.lookup.packed.keycolumn import UuidColumn
from h5explorer_py.lookup.sql.names import quoted
from h5explorer_py.lookup.sql.running import run
from h5explorer_py.view.columns import metadata_names
from h5explorer_py.view.filtering import OF_RECORDS, records_of
from h5explorer_py.view.orders import FileOrder, KeptOrder, UuidOrder
from h5explorer_py.view.rowsets import RowBits, RowSet
from h5explorer_py.view.scans import (
    RECORDS,
    ROW,
    called,
    lookup_files,
    lookup_relation,
    query_connection,
    stream_of_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.view.rowsets import Numbers
    from h5explorer_py.view.work import Work

SortKey = tuple[str, str]
"""A column, and "asc" or "desc"."""

_MOST_KEYS = 8


def sort_keys(sort: Any) -> tuple[SortKey, ...]:
    """Understand an order.

    Raises
    ------
    BadRequestError
        Where it is not a list of pairs of a column and "asc" or "desc".
    """
    if sort is None:
        return ()
    if isinstance(sort, str) or not isinstance(sort, (list, tuple)):
        raise BadRequestError('A sort is a list of pairs such as ("uuid", "asc").')
    keys = []
    for pair in sort:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
            raise BadRequestError('A sort is a list of pairs such as ("uuid", "asc").')
        if pair[1] not in {"asc", "desc"}:
            raise BadRequestError(f'The direction of a sort is "asc" or "desc", not {shorten(str(pair[1]))!r}.')
        keys.append((pair[0], str(pair[1])))
    if len(keys) > _MOST_KEYS:
        raise BadRequestError(f"Rows are sorted by up to {_MOST_KEYS} columns.")
    return tuple(keys)


def check_sort(dataset: Dataset, keys: Sequence[SortKey]) -> None:
    """Raise where a column is not there.

    Raises
    ------
    WrongColumnsError
    """
    own = [name for name in dataset.lookup.schema.names if name != ROW]
    names = own if all(name in own for name, _ in keys) else [*own, *metadata_names(dataset, own)]
    for name, _ in keys:
        if name not in names:
            near = nearest(name, names)
            raise WrongColumnsError(
                f"There is no column {shorten(name)!r} to sort by.",
                action=f"The nearest is {near!r}." if near else "",
                missing=name,
                nearest=near,
            )


def sorted_rows(dataset: Dataset, keys: Sequence[SortKey], kept: RowSet | None, work: Work) -> RowSet:
    """Sort rows: those that are equal in all columns in the order of the lookup, nulls last.

    Parameters
    ----------
    dataset : Dataset
        The data set.
    keys : sequence of SortKey
        The columns, the first before the second.
    kept : RowSet, optional
        The rows that a filter keeps.
    work : Work
        How the query is to be run.

    Raises
    ------
    ExplorerError
        Where a column is not there, or there is not enough room.
    """
    check_sort(dataset, keys)
    whole = _from_packed(dataset, keys)
    if whole is not None and kept is None:
        return whole
    if whole is not None and kept is not None:
        return KeptOrder(_only_of(whole.stream(), kept, work), work.scratch)
    ordered = _sorted_by_duckdb(dataset, keys, work)
    return KeptOrder(ordered if kept is None else _only_of(ordered, kept, work), work.scratch)


def _from_packed(dataset: Dataset, keys: Sequence[SortKey]) -> RowSet | None:
    packed = dataset.rows.packed
    columns = dataset.lookup.columns
    if packed is None or len(keys) != 1:
        return None
    ((name, direction),) = keys
    if name == columns.filepath and packed.files is not None:
        return FileOrder(packed.files, packed.keys.rows, descending=direction == "desc")
    column = packed.keys.uuids
    if name == columns.uuid and packed.uuids is not None and isinstance(column, UuidColumn) and not column.odd_rows:
        return UuidOrder(packed, descending=direction == "desc")
    return None


def _only_of(ordered: Iterable[Numbers], kept: RowSet, work: Work) -> Iterator[Numbers]:
    for rows in ordered:
        work.give_up()
        if isinstance(kept, RowBits):
            yield rows[kept.holds(rows)]
        else:
            few = kept.rows(0, len(kept))
            at = np.minimum(np.searchsorted(few, rows), max(0, len(few) - 1))
            yield rows[few[at] == rows] if len(few) else rows[:0]


def _sorted_by_duckdb(dataset: Dataset, keys: Sequence[SortKey], work: Work) -> Iterator[Numbers]:
    lookup = dataset.lookup
    own = [name for name, _ in keys if name in lookup.schema.names]
    others = [name for name, _ in keys if name not in own]
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(query_connection(dataset, lookup_files(lookup), work.scratch))
        relation = lookup_relation(connection, lookup, own)
        row, written = quoted(ROW), called(lookup)
        columns = ", ".join([f"{relation.row} AS {row}", *(quoted(written.get(name, name)) for name in own)])
        source = f"(SELECT {columns} FROM {relation.sql}) l"  # noqa: S608
        records = None
        if others:
            records = stack.enter_context(contextlib.closing(records_of(dataset, work.part(0.0, OF_RECORDS))))
            work = work.part(OF_RECORDS, 1.0)
            missing = [name for name in others if name not in records.schema.names]
            if missing:
                raise WrongColumnsError(f"No metadata has the column {shorten(missing[0])!r}.", missing=missing[0])
            schema, batches = stream_of_records(records, others, work.give_up)
            connection.register(RECORDS, pa.RecordBatchReader.from_batches(schema, batches))
            source += f" LEFT JOIN {RECORDS} ON l.{row} = {RECORDS}.{row}"
        order = ", ".join(
            f"{quoted(written.get(name, name))} {direction.upper()} NULLS LAST" for name, direction in keys
        )
        sql = f"SELECT l.{row} FROM {source} ORDER BY {order}, l.{row}"  # noqa: S608
        for batch in run(connection, sql, relation.params, work.give_up, progress=work.progress):
            yield numbers_of(batch.column(0))
        if records is not None:
            records.check_unchanged()
