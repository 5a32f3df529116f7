"""How often uuids come again in a lookup, told within bounded memory."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.files import arrow_path
from h5explorer_py.lookup.parquet import BATCH_ROWS
from h5explorer_py.lookup.text import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY = "300MB"
_SCHEMA = pa.schema([("key", pa.string())])
_COUNT = """
SELECT coalesce(sum(times - 1), 0)::BIGINT
FROM (SELECT count(*) AS times FROM keys WHERE key IS NOT NULL GROUP BY md5_number(key))
"""


def count_repeats(path: str, column: str, folder: str) -> int:
    """Count the rows whose uuid another row above them has.

    Parameters
    ----------
    path : str
        A Parquet file.
    column : str
        The column of its uuids.
    folder : str
        Where DuckDB may put aside what does not fit into its memory.

    Raises
    ------
    OSError
        Where that folder has no room.
    """
    import duckdb

    def batches() -> Iterator[pa.RecordBatch]:
        with arrow_path(path) as source:
            file = pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20)
        with file:
            for batch in file.iter_batches(BATCH_ROWS, columns=[column], use_threads=False):
                for keys in as_text(pa.chunked_array([batch.column(0)])).chunks:
                    yield pa.RecordBatch.from_arrays([keys], schema=_SCHEMA)

    with TemporaryDirectory(dir=folder) as made, arrow_path(made) as aside:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": 2,
            "memory_limit": _MEMORY,
            "temp_directory": os.path.join(aside, "duckdb"),
            "preserve_insertion_order": False,
        }
        try:
            with duckdb.connect(config=settings) as connection:
                connection.register("keys", pa.RecordBatchReader.from_batches(_SCHEMA, batches()))
                found = connection.execute(_COUNT).fetchone()
        except duckdb.Error as error:
            raise OSError(f"its uuids cannot be counted: {error}") from error
    return int(found[0]) if found else 0
