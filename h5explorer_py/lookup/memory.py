"""A lookup that is already a table in memory: Arrow, pandas, polars, a DuckDB relation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import why
from h5explorer_py.lookup.base import Lookup
from h5explorer_py.lookup.columns import check_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
        self._table = table

    @property
    def num_rows(self) -> int:
        return len(self._table)

    def read(self, start: int, stop: int) -> pa.Table:
        return self._table.slice(start, max(0, min(stop, self.num_rows) - start))

    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        yield from self._table.select(list(columns)).slice(start).to_batches(max_chunksize=_BATCH_ROWS)


def table_from(source: Any) -> tuple[pa.Table, str] | None:
    """Turn a table of another library into an Arrow table and a name for it; ``None`` for anything else.

    None of the libraries is imported: an object of theirs is known by where its class comes from.

    Raises
    ------
    LookupUnreadableError
        Where the library does not make a table of it.
    """
    if isinstance(source, pa.Table):
        return source, "Arrow table"
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source]), "Arrow record batch"
    known = _CONVERSIONS.get((type(source).__module__.partition(".")[0], type(source).__name__))
    if known is None:
        return None
    name, convert = known
    try:
        return convert(source), name
    except Exception as error:  # whatever its library raises
        raise LookupUnreadableError(f"The {name} cannot be turned into an Arrow table: {why(error)}.") from error


_CONVERSIONS: dict[tuple[str, str], tuple[str, Callable[[Any], pa.Table]]] = {
    ("pandas", "DataFrame"): ("pandas data frame", lambda frame: pa.Table.from_pandas(frame, preserve_index=False)),
    ("polars", "DataFrame"): ("polars data frame", lambda frame: frame.to_arrow()),
    ("polars", "LazyFrame"): ("polars data frame", lambda frame: frame.collect().to_arrow()),
    ("duckdb", "DuckDBPyRelation"): ("DuckDB relation", lambda relation: relation.to_arrow_table()),
    ("_duckdb", "DuckDBPyRelation"): ("DuckDB relation", lambda relation: relation.to_arrow_table()),
}
