"""What a query of DuckDB looks at: the rows of a lookup, and the records that belong to them."""

from __future__ import annotations

import glob
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.files import arrow_path
from h5explorer_py.lookup.sql.names import folded, quoted
from h5explorer_py.lookup.text import as_text, numbers_array
from h5explorer_py.view.records import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.view.records import RecordIndex
    from h5explorer_py.view.shard_records import ShardRecords

ROW = "row of the lookup"
"""What the column of row numbers is called in a query; a column of this name is not reached by conditions."""

PARQUET = "read_parquet(?, hive_partitioning = false)"
"""A file as it is: DuckDB would take ``lot=7`` in a path for a column, and for the value of one that the file has."""

NUMBERED = "read_parquet(?, hive_partitioning = false, file_row_number = true)"

LOOKUP, RECORDS, NULLS = "lookup", "records", "nulls"
REGISTERED = (LOOKUP, RECORDS, NULLS)
"""What tables of Arrow are called in queries."""

_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Relation:
    """Something that a query selects from.

    Attributes
    ----------
    sql : str
        What stands behind FROM.
    params : tuple
        The values of its parameters.
    row : str
        The expression for the row of the lookup.
    """

    sql: str
    params: tuple[Any, ...]
    row: str


@contextmanager
def query_connection(dataset: Dataset, files: Sequence[str], scratch: str | None = None) -> Iterator[Any]:
    """Give a connection for one query, that may open these files only; nothing that it registers is left behind."""
    with dataset.connections.query(files, scratch) as connection:
        try:
            yield connection
        finally:
            for name in REGISTERED:
                connection.unregister(name)


def lookup_files(lookup: Lookup) -> list[str]:
    """Return the files that a query of a lookup opens."""
    return [] if lookup.duckdb_path is None else [lookup.duckdb_path]


def called(lookup: Lookup) -> dict[str, str]:
    """Return what the columns of a lookup are called in queries, where that is not their name.

    To DuckDB upper and lower case are alike; where columns differ in nothing else, all of them get other names.
    """
    names = lookup.schema.names
    return {} if _told_apart(names) else {name: f"column {number}" for number, name in enumerate(names)}


def lookup_relation(connection: Any, lookup: Lookup, columns: Sequence[str]) -> Relation:
    """Have a lookup's rows to select from: by DuckDB itself where it can read them, else as a stream.

    Parameters
    ----------
    connection : DuckDBPyConnection
        For the query.
    lookup : Lookup
        The lookup.
    columns : sequence of str
        The columns that the query uses.
    """
    if reads_itself(lookup) and has_text_keys(lookup):
        assert lookup.duckdb_path is not None
        path = glob.escape(lookup.duckdb_path)
        return Relation(NUMBERED, (path,), "file_row_number")
    used = [*columns, *([lookup.columns.uuid] if not columns else [])]
    names = called(lookup)
    schema = pa.schema([(ROW, pa.int64()), *((names.get(name, name), _kind(lookup, name)) for name in used)])
    connection.register(LOOKUP, pa.RecordBatchReader.from_batches(schema, _numbered(lookup, used, schema)))
    return Relation(LOOKUP, (), quoted(ROW))


def reads_itself(lookup: Lookup) -> bool:
    """Whether DuckDB can read the rows of a lookup from its file, all columns by their names, in bounded memory."""
    return lookup.duckdb_path is not None and _told_apart(lookup.schema.names)


def has_text_keys(lookup: Lookup) -> bool:
    """Whether uuids and filepaths are stored as text."""
    return all(_is_plain_text(lookup.schema.field(name).type) for name in lookup.schema.names if _is_key(lookup, name))


def _told_apart(names: Sequence[str]) -> bool:
    return len({folded(name) for name in names}) == len(names) and "file_row_number" not in map(folded, names)


def _is_key(lookup: Lookup, name: str) -> bool:
    return name in {lookup.columns.uuid, lookup.columns.filepath}


def _is_plain_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _kind(lookup: Lookup, name: str) -> pa.DataType:
    kind = lookup.schema.field(name).type
    if _is_key(lookup, name):
        return pa.string()
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _numbered(lookup: Lookup, columns: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    row = 0
    for batch in lookup.scan(list(columns)):
        numbers = numbers_array(np.arange(row, row + batch.num_rows))
        arrays = [_fitting(lookup, name, batch.column(at)) for at, name in enumerate(columns)]
        yield pa.RecordBatch.from_arrays([numbers, *arrays], schema=schema)
        row += batch.num_rows


def _fitting(lookup: Lookup, name: str, column: pa.Array) -> pa.Array:
    if _is_key(lookup, name):
        return as_text(pa.chunked_array([column])).combine_chunks()
    return column.cast(_kind(lookup, name))


def metadata_files(records: RecordIndex) -> list[str]:
    """Return the metadata files that there are, each once."""
    return list(dict.fromkeys(shard.path for shard in records.shards if shard.signature is not None))


def metadata_relation(files: Sequence[str]) -> Relation:
    """Have the records of metadata files to select from: ``row`` is the number of a record in its file."""
    sql = "read_parquet(?, hive_partitioning = false, union_by_name = true)"
    return Relation(sql, ([glob.escape(path) for path in files],), "file_row_number")


def stream_of_records(
    records: RecordIndex, columns: Sequence[str], give_up: Callable[[], None]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Go through all rows that have a record, shard after shard, with columns of these records.

    Parameters
    ----------
    records : RecordIndex
        The records of all rows.
    columns : sequence of str
        Their columns.
    give_up : callable
        Raises when nobody wants them any more: it is asked before each shard, and before each batch.

    Returns
    -------
    schema : pyarrow.Schema
        ``ROW``, then the columns.
    batches : iterator of RecordBatch
    """
    kinds = {name: records.schema.field(name).type for name in columns}
    schema = pa.schema([(ROW, pa.int64()), *kinds.items()])

    def batches() -> Iterator[pa.RecordBatch]:
        for shard in records.shards:
            give_up()
            if shard.signature is None:
                continue
            for batch in _of_shard(records, shard, columns, schema):
                give_up()
                yield batch

    return schema, batches()


def _of_shard(
    records: RecordIndex, shard: ShardRecords, columns: Sequence[str], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    rows, numbers = records.pairs(shard)
    if len(rows) == 0:
        return
    with arrow_path(shard.path) as source, pq.ParquetFile(source, pre_buffer=False) as file:
        found = [name for name in columns if name in file.schema_arrow.names]
        table = file.read(found, use_threads=False)
    if table.num_rows <= int(numbers.max()):
        raise changed(shard)
    table = table.slice(0, len(rows)) if shard.by_record else table.take(numbers_array(numbers))
    arrays = [
        table.column(name).cast(schema.field(name).type).combine_chunks()
        if name in found
        else pa.nulls(len(rows), schema.field(name).type)
        for name in columns
    ]
    batch = pa.RecordBatch.from_arrays([numbers_array(rows), *arrays], schema=schema)
    for start in range(0, len(rows), _BATCH_ROWS):
        yield batch.slice(start, _BATCH_ROWS)
