"""A view as a relation of DuckDB, for whoever goes on with its rows in SQL."""

from __future__ import annotations

import glob
import os
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.bulk.aside import written
from h5explorer_py.bulk.rows import RowReader, batches
from h5explorer_py.lookup.memory import MemoryLookup
from h5explorer_py.lookup.sql.messages import told
from h5explorer_py.lookup.sql.names import folded, quoted
from h5explorer_py.lookup.take import take
from h5explorer_py.lookup.text import is_unicode
from h5explorer_py.scratch import temporary_folder
from h5explorer_py.view.filtering import condition_on
from h5explorer_py.view.rowsets import RowBitsBuilder
from h5explorer_py.view.scans import NUMBERED, PARQUET, has_text_keys, reads_itself
from h5explorer_py.view.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from tempfile import TemporaryDirectory

    import duckdb

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.view.rowsets import Numbers
    from h5explorer_py.view.view import View

_HELD_ROWS = 1 << 20
"""Rows whose numbers are held in memory; those of more are kept in a file."""

_WRITTEN_ROWS = 131_072
_ORDER = "h5explorer_rows"
_NUMBER = "file_row_number"


def relation_of(view: View, work: Work | None = None) -> duckdb.DuckDBPyRelation:
    """Make a relation of the rows of a view, in their order, with all columns of the lookup as they are stored.

    It is read when it is asked for, and has a connection of its own, on which it and what is made of it live: whatever
    becomes of the view. Of columns whose names differ in upper and lower case only, DuckDB calls the second ``A_1``.

    ==========================================  =======================================================
    all rows of a Parquet file                  the file
    those that a condition on its columns       the file, with the condition
    keeps
    other rows, or another order                the file, joined with the numbers of the rows
    rows of a table in memory                   the table, in the order of the view
    rows of other lookups                       a temporary Parquet file, which vanishes with the relation
    ==========================================  =======================================================

    Where the numbers of rows are used, the relation raises when the file has changed since.

    Parameters
    ----------
    view : View
        The rows.
    work : Work, optional
        Whether to go on, and where to write what does not fit in memory.

    Returns
    -------
    duckdb.DuckDBPyRelation

    Raises
    ------
    LookupChangedError
        Where the lookup's file is no longer the one that was opened.
    WriteFailedError
        Where there is no room for what is written.
    ExplorerError
        Where the lookup cannot be read any more.
    """
    import duckdb

    lookup = view.dataset.lookup
    lookup.wait_counted()
    lookup.check_unchanged(0, max(1, lookup.num_rows))
    work = work or Work()
    with ExitStack() as undo:
        # What spills would go to the working folder otherwise; what is not built in is not fetched from the internet.
        config: dict[str, Any] = {"autoinstall_known_extensions": False}
        if work.scratch is not None:
            config["temp_directory"] = work.scratch
        connection = duckdb.connect(config=config)
        undo.callback(connection.close)
        try:
            relation = _Maker(connection, view, work).relation()
        except duckdb.Error as error:
            raise told(error, [lookup.location]) from None
        undo.pop_all()
    return relation


class _Maker:
    """Makes one relation."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, view: View, work: Work) -> None:
        self._connection = connection
        self._view = view
        self._lookup: Lookup = view.dataset.lookup
        self._work = work
        self._folder: TemporaryDirectory[str] | None = None

    def relation(self) -> duckdb.DuckDBPyRelation:
        view, lookup = self._view, self._lookup
        path = lookup.parquet_path
        if view.is_all and path is not None and is_unicode(path):
            return self._sql(f"SELECT * FROM {PARQUET}", glob.escape(path))  # noqa: S608
        if isinstance(lookup, MemoryLookup):
            table = lookup.read(0, lookup.num_rows)
            rows = None if view.is_all else np.concatenate([np.empty(0, np.int64), *view.rows.stream()])
            return self._connection.from_arrow(table if rows is None else take(table, rows))
        if not reads_itself(lookup):
            return self._of_copy()
        assert lookup.duckdb_path is not None
        path = glob.escape(lookup.duckdb_path)
        condition = self._own_condition()
        if condition:
            return self._sql(f"SELECT * FROM {PARQUET} WHERE {condition}", path)  # noqa: S608
        return self._joined(path, _NUMBER, guarded=True)

    def _sql(self, sql: str, *params: object) -> duckdb.DuckDBPyRelation:
        return self._connection.sql(sql, params=list(params))

    def _own_condition(self) -> str:
        """Return the condition as SQL, where it and nothing else makes the view, and is on the lookup alone."""
        if self._view.sort or not self._view.filter or not has_text_keys(self._lookup):
            return ""
        condition, _, of_metadata = condition_on(self._view.dataset, self._view.filter)
        return "" if of_metadata else condition.sql

    def _joined(self, path: str, number: str, *, guarded: bool) -> duckdb.DuckDBPyRelation:
        """Join a Parquet file with the numbers of the view's rows: ``number`` is the column that has them."""
        ascending = self._view.rows.ascending
        order, params = self._order()
        by = f"l.{quoted(number)}" if ascending else "o.place"
        of_file = NUMBERED if number == _NUMBER else PARQUET
        guard, guard_params = self._guard(path) if guarded else ("", [])
        return self._sql(
            f"SELECT l.* EXCLUDE ({quoted(number)}) FROM {of_file} AS l "  # noqa: S608
            f"JOIN {order} AS o ON l.{quoted(number)} = o.row {guard} ORDER BY {by}",
            path,
            *params,
            *guard_params,
        )

    def _guard(self, path: str) -> tuple[str, list[object]]:
        """Have DuckDB look, each time, whether the file is still the one whose rows have these numbers."""
        ((_, state),) = self._lookup.sources
        sentence = f"{self._lookup.name} has changed since it was opened. Open it again."
        sql = (
            "WHERE (SELECT CASE WHEN size = ? AND epoch_ms(last_modified) // 1000 = ? THEN true ELSE error(?) END "
            "FROM read_blob(?))"
        )
        return sql, [state.size, state.mtime_ns // 10**9, sentence, path]

    def _order(self) -> tuple[str, list[object]]:
        """Return what has the numbers of the view's rows in the column ``row``, and where each stands in ``place``."""
        rows = self._view.rows
        if len(rows) <= _HELD_ROWS:
            numbers = np.concatenate([np.empty(0, np.uint32), *(part.astype(np.uint32) for part in self._stream())])
            table = pa.table([_array(numbers), _array(np.arange(len(numbers), dtype=np.uint32))], ["row", "place"])
            self._connection.register(_ORDER, table)
            return _ORDER, []
        path = os.path.join(self._temporary(), "rows.parquet")
        with written(path), pq.ParquetWriter(path, pa.schema([("row", pa.uint32())]), compression="zstd") as writer:
            for part in self._stream():
                writer.write_table(pa.table([_array(part.astype(np.uint32))], ["row"]))
        return f'(SELECT "row", {_NUMBER} AS place FROM {NUMBERED})', [glob.escape(path)]  # noqa: S608

    def _stream(self) -> Iterator[Numbers]:
        for part in self._view.rows.stream():
            self._work.give_up()
            yield part

    def _of_copy(self) -> duckdb.DuckDBPyRelation:
        """Copy the rows to a Parquet file, in the order of the lookup, which is read once so."""
        path = os.path.join(self._temporary(), "lookup.parquet")
        if self._view.rows.ascending:
            self._copy(path, self._view.rows.stream(), None)
            return self._sql(f"SELECT * FROM {PARQUET}", glob.escape(path))  # noqa: S608
        kept = RowBitsBuilder(self._lookup.num_rows)
        for part in self._stream():
            kept.add(part)
        number = "row"
        while folded(number) in map(folded, self._lookup.schema.names):
            number += "_"
        self._copy(path, kept.finish().stream(), number)
        return self._joined(glob.escape(path), number, guarded=False)

    def _copy(self, path: str, rows: Iterable[Numbers], number: str | None) -> None:
        """Write rows of the lookup, with their numbers in a column of this name."""
        schema = self._lookup.schema
        schema = schema if number is None else schema.append(pa.field(number, pa.uint32()))
        reader = RowReader(self._lookup, self._work.give_up)
        with written(path), pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in batches(rows, _WRITTEN_ROWS, self._lookup.num_rows):
                table = reader.take(batch)
                if number is not None:
                    table = table.append_column(number, _array(batch.astype(np.uint32)))
                writer.write_table(table)

    def _temporary(self) -> str:
        """Return a folder that is there as long as the connection."""
        if self._folder is None:
            with written(self._work.scratch or "temporary files"):
                self._folder = temporary_folder(self._work.scratch)
            weakref.finalize(self._connection, self._folder.cleanup)
        return self._folder.name


def _array(numbers: Numbers) -> pa.Array:
    # pa.array would import pandas
    return pa.Array.from_buffers(pa.uint32(), len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])
