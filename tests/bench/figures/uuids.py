"""The row of one uuid: by the index, without it, and by DuckDB over the file."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from tests.bench.figures.alone import Measured, measure_alone, reads_of
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures.bench import Bench

KEYS = 6
FOUND = "found"
READS = "reads"


def some_keys(path: str, rows: list[int]) -> Measured:
    """Answer with the uuids of rows, as pyarrow reads them."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    begin, keys = 0, {}
    for at in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(at).num_rows
        here = [row for row in rows if begin <= row < begin + count]
        if here:
            column = file.read_row_group(at, columns=["uuid"]).column(0)
            keys.update({row: column[row - begin].as_py() for row in here})
        begin += count
    return Measured({}, [keys[row] for row in rows])


def measured(rows_of: Callable[[str], list[int]], keys: list[str]) -> Measured:
    """Take the time of each uuid; the first does not count."""
    answer = [rows_of(keys[0])]
    seconds = []
    for key in keys[1:]:
        begun = time.perf_counter()
        rows = rows_of(key)
        seconds.append(time.perf_counter() - begun)
        answer.append(rows)
    reads = statistics.median(reads_of(rows_of, key) for key in keys[1:4])
    return Measured({FOUND: statistics.median(seconds), READS: reads}, answer)


def by_index(path: str, keys: list[str], cache: str) -> Measured:
    from tests.bench.figures.preparing import opened

    return measured(opened(path, cache).rows.of_key, keys)


def without_index(path: str, keys: list[str]) -> Measured:
    """Look for uuids while the index is not there: all rows are packed, and just being sorted."""
    import tempfile

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.packed import preparation
    from h5explorer_py.options import KeyColumns

    class Halted(Exception):  # noqa: N818
        """Sorting does not begin."""

    halted: list[Measured] = []

    def measure_instead(*_: object) -> None:
        halted.append(measured(dataset.rows.of_key, keys))
        raise Halted

    setattr(preparation, "build_uuid_index", measure_instead)  # noqa: B010  (a name that the module has imported)
    with tempfile.TemporaryDirectory() as cache:
        dataset = Dataset(path, KeyColumns(), cache=cache)
        assert dataset.rows.preparation is not None
        dataset.rows.preparation.begin()
        dataset.rows.preparation.wait()
        dataset.close()
    return halted[0]


def with_duckdb(path: str, keys: list[str]) -> Measured:
    import duckdb

    connection = duckdb.connect()
    sql = f"SELECT file_row_number FROM read_parquet('{path}', file_row_number = true) WHERE uuid = ?"
    return measured(lambda key: [row[0] for row in connection.execute(sql, [key]).fetchall()], keys)


def figures(bench: Bench) -> Iterator[Line]:
    """Measure an exact uuid in a Parquet file with row groups of 1,048,576 rows."""
    path = bench.packed()
    rows = np.random.default_rng(32).integers(0, bench.rows, KEYS + 1).tolist()
    keys = measure_alone(some_keys, {"path": path, "rows": rows}).answer
    given = {"path": path, "keys": keys}
    ways = {
        "by its index": Way(by_index, {**given, "cache": bench.cache}),
        "without the index": Way(without_index, given),
        "DuckDB over the Parquet": Way(with_duckdb, given),
    }
    taken = take_turns(ways, bench.turns)
    theirs = taken["DuckDB over the Parquet"]
    assert theirs.runs[0].answer == [[row] for row in rows]
    for ours, bar, reads_bar in (("by its index", 1 / 1000, 6), ("without the index", 1 / 5, None)):
        mine = taken[ours]
        yield Line(
            f"One uuid, {ours}",
            mine.median(FOUND),
            "DuckDB over the Parquet",
            theirs.median(FOUND),
            mine.ratio(FOUND, theirs),
            bar,
            mine.peak,
            peer_peak=theirs.peak,
            reads=mine.median(READS),
            reads_bar=reads_bar,
        )
