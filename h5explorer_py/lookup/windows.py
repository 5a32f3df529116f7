"""Two roads to a window of keys in a Parquet file.

Which one is quick depends on the size of the row groups: see ``SMALL_GROUP`` in ``parquet.py``.
"""

from __future__ import annotations

import glob
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from pyarrow import types

from h5explorer_py.lookup.base import KEYS_SCHEMA, keys_of
from h5explorer_py.lookup.text import is_unicode, no_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from h5explorer_py.options import KeyColumns

    ReadGroup = Callable[[int, int, Sequence[str]], tuple[int, pa.Table]]
    Scan = Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]

_GROUPS_KEPT = 8
_DUCKDB_MEMORY = "300MB"
_ROW_NUMBER = "file_row_number"


class Windows(Protocol):
    """Gives rows ``start`` to ``stop`` as text."""

    def keys(self, start: int, stop: int) -> pa.Table:
        """Return the rows in the columns of ``KEYS_SCHEMA``."""

    def close(self) -> None:
        """Let go of what is held."""


class GroupWindows:
    """Decodes whole row groups and keeps the last few.

    Parameters
    ----------
    read_group : callable
        Given a range of rows and column names, returns the row at which the table starts, and the table: all row
        groups that the range touches.
    columns : KeyColumns
        The names of the key columns.
    """

    def __init__(self, read_group: ReadGroup, columns: KeyColumns) -> None:
        self._read_group = read_group
        self._columns = columns
        self._kept: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()
        self._lock = threading.Lock()

    def keys(self, start: int, stop: int) -> pa.Table:
        if start >= stop:
            return no_rows(KEYS_SCHEMA)
        with self._lock:
            for (first, end), table in self._kept.items():
                if first <= start and stop <= end:
                    self._kept.move_to_end((first, end))
                    return table.slice(start - first, stop - start)
        first, stored = self._read_group(start, stop, [self._columns.uuid, self._columns.filepath])
        table = keys_of([stored.column(self._columns.uuid), stored.column(self._columns.filepath)])
        with self._lock:
            self._kept[first, first + table.num_rows] = table
            while len(self._kept) > _GROUPS_KEPT:
                self._kept.popitem(last=False)
        return table.slice(start - first, stop - start)

    def close(self) -> None:
        with self._lock:
            self._kept.clear()


class StreamWindows:
    """Streams through row groups that are too large to be decoded whole, up to the rows that are wanted.

    Parameters
    ----------
    scan : callable
        Given column names and a row, goes through the lookup from that row on.
    columns : KeyColumns
        The names of the key columns.
    """

    def __init__(self, scan: Scan, columns: KeyColumns) -> None:
        self._scan = scan
        self._columns = columns

    def keys(self, start: int, stop: int) -> pa.Table:
        parts = [no_rows(KEYS_SCHEMA)]
        if start >= stop:
            return parts[0]
        wanted = stop - start
        for batch in self._scan([self._columns.uuid, self._columns.filepath], start):
            taken = pa.Table.from_batches([batch.slice(0, wanted)])
            parts.append(keys_of([taken.column(self._columns.uuid), taken.column(self._columns.filepath)]))
            wanted -= taken.num_rows
            if wanted <= 0:
                break
        return pa.concat_tables(parts)

    def close(self) -> None:
        """Nothing is held."""


class SqlWindows:
    """Asks DuckDB for the rows by their number in the file.

    Parameters
    ----------
    path : str
        The Parquet file.
    columns : KeyColumns
        The names of the key columns.
    schema : pyarrow.Schema
        The stored types.
    instead : GroupWindows
        What is asked where DuckDB fails: it does not read all that Arrow reads.
    """

    def __init__(self, path: str, columns: KeyColumns, schema: pa.Schema, instead: GroupWindows) -> None:
        self._columns = columns
        self._kinds = [schema.field(name).type for name in (columns.uuid, columns.filepath)]
        self._instead = instead
        self._pattern = glob.escape(path)  # DuckDB takes every path as a pattern
        self._lock = threading.Lock()
        self._connection: Any = None

    @staticmethod
    def can_read(path: str, columns: KeyColumns, schema: pa.Schema) -> bool:
        """Tell whether DuckDB can open the file, and, with upper and lower case alike to it, tell its columns apart."""
        if not is_unicode(path):
            return False
        names = [name.lower() for name in schema.names]
        keys = (columns.uuid.lower(), columns.filepath.lower())
        return _ROW_NUMBER not in names and all(names.count(name) == 1 for name in keys)

    def keys(self, start: int, stop: int) -> pa.Table:
        import duckdb

        if start >= stop:
            return no_rows(KEYS_SCHEMA)
        uuid, filepath = (_quoted(name) for name in (self._columns.uuid, self._columns.filepath))
        sql = (
            f"SELECT {uuid} AS uuid, {filepath} AS filepath "  # noqa: S608
            f"FROM read_parquet(?, {_ROW_NUMBER} = true) WHERE {_ROW_NUMBER} BETWEEN ? AND ? ORDER BY {_ROW_NUMBER}"
        )
        try:
            with self._lock:
                found = self._connect().sql(sql, params=[self._pattern, start, stop - 1]).to_arrow_table()
        except duckdb.Error:
            return self._instead.keys(start, stop)
        return keys_of([_as_stored(*each) for each in zip(found.columns, self._kinds, strict=True)])

    def _connect(self) -> Any:
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(
                config={"threads": 2, "memory_limit": _DUCKDB_MEMORY, "autoinstall_known_extensions": False}
            )
        return self._connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        self._instead.close()


def _as_stored(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Give values their length back: to DuckDB 16 bytes that are a uuid are like all other bytes."""
    return column.cast(kind) if types.is_fixed_size_binary(kind) else column


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
