"""A lookup that is already a table in memory: Arrow, pandas, polars, a DuckDB relation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h5explorer_py.lookup.base import Lookup
from h5explorer_py.lookup.columns import check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from h5explorer_py.options import KeyColumns

_BATCH_ROWS = 65_536


class MemoryLookup(Lookup):
    """A lookup held as an Arrow table. Relative filepaths start from the working folder.

    Parameters
    ----------
    table : pyarrow.Table
        The rows.
    columns : KeyColumns
        The names of the two key columns.
    name : str
        What to call it in the panel.

    Raises
    ------
    WrongColumnsError
        Where a key column is missing.
    """

    def __init__(self, table: pa.Table, columns: KeyColumns, name: str) -> None:
        check_schema(table.schema, columns, name)
        self.name = name
        self.location = ""
        self.folder = os.getcwd()
        self.columns = columns
        self.schema = table.schema
        self.num_rows = table.num_rows
        self._table = table

    def read(self, start: int, stop: int) -> pa.Table:
        return self._table.slice(start, max(0, min(stop, self.num_rows) - start))

    def scan(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from self._table.select(list(columns)).to_batches(max_chunksize=_BATCH_ROWS)


def table_from(source: Any) -> tuple[pa.Table, str] | None:
    """Turn a table of another library into an Arrow table and a name for it; ``None`` for anything else.

    None of the libraries is imported: an object of theirs is known by where its class comes from.
    """
    if isinstance(source, pa.Table):
        return source, "Arrow table"
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source]), "Arrow record batch"
    home = type(source).__module__.partition(".")[0]
    kind = type(source).__name__
    if home == "pandas" and kind == "DataFrame":
        return pa.Table.from_pandas(source, preserve_index=False), "pandas data frame"
    if home == "polars" and kind == "LazyFrame":
        source = source.collect()
    if home == "polars" and type(source).__name__ == "DataFrame":
        return source.to_arrow(), "polars data frame"
    if home in {"duckdb", "_duckdb"} and kind == "DuckDBPyRelation":
        return source.to_arrow_table(), "DuckDB relation"
    return None
