"""A window of 100 rows somewhere in the lookup: from its file, and from what has been packed."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.bench.figures.alone import Measured, digest, reads_of
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures.bench import Bench

SHOWN = 100
WINDOWS = 25
WINDOW = "window"
READS = "reads"

Texts = tuple[list[str], list[str]]


def starts_in(rows: int, count: int = WINDOWS) -> list[int]:
    """Return where windows begin: the same ones for every way."""
    found: list[int] = np.random.default_rng(31).integers(0, rows - 4096, count + 1).tolist()
    return found


def measured(window: Callable[[int], Texts], starts: list[int]) -> Measured:
    """Take the time of each window; the first does not count, as connections and footers are made ready in it."""
    answer: list[Texts] = [window(starts[0])]
    seconds, reads = [], []
    for start in starts[1:]:
        begun = time.perf_counter()
        rows = window(start)
        seconds.append(time.perf_counter() - begun)
        answer.append(rows)
    for start in starts[1:]:  # other rows than those that were read before, which may be held
        reads.append(reads_of(lambda start=start + 2048: window(start)))  # type: ignore[misc]
    values = {WINDOW: statistics.median(seconds), READS: statistics.median(reads)}
    return Measured(values, digest(answer))


def of_file(path: str, starts: list[int]) -> Measured:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns

    dataset = Dataset(path, KeyColumns(), cache=False)
    return measured(lambda start: _texts(dataset.keys(start, start + SHOWN)), starts)


def of_packed(path: str, starts: list[int], cache: str) -> Measured:
    from tests.bench.figures.preparing import opened

    dataset = opened(path, cache)
    return measured(lambda start: _texts(dataset.keys(start, start + SHOWN)), starts)


def with_pyarrow(path: str, starts: list[int]) -> Measured:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(at).num_rows for at in range(file.metadata.num_row_groups)]
    begins = np.concatenate([[0], np.cumsum(groups)])

    def window(start: int) -> Texts:
        first = int(np.searchsorted(begins, start, "right")) - 1
        last = int(np.searchsorted(begins, start + SHOWN - 1, "right")) - 1
        if first == last:
            table = file.read_row_group(first, columns=["uuid", "filepath"])
        else:
            table = file.read_row_groups(list(range(first, last + 1)), columns=["uuid", "filepath"])
        return _texts(table.slice(start - int(begins[first]), SHOWN))

    return measured(window, starts)


def with_duckdb(path: str, starts: list[int]) -> Measured:
    import duckdb

    connection = duckdb.connect()
    sql = f"SELECT uuid, filepath FROM read_parquet('{path}', file_row_number = true) WHERE file_row_number BETWEEN ? AND ?"

    def window(start: int) -> Texts:
        rows = connection.execute(sql, [start, start + SHOWN - 1]).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]

    return measured(window, starts)


def with_polars(path: str, starts: list[int]) -> Measured:
    import polars as pl

    frame = pl.scan_parquet(path).select("uuid", "filepath")

    def window(start: int) -> Texts:
        rows = frame.slice(start, SHOWN).collect()
        return rows["uuid"].to_list(), rows["filepath"].to_list()

    return measured(window, starts)


def _texts(table: Any) -> Texts:
    return table.column("uuid").to_pylist(), table.column("filepath").to_pylist()


def figures(bench: Bench) -> Iterator[Line]:
    """Measure windows of a Parquet file with row groups of 1,048,576 rows."""
    given = {"path": bench.packed(), "starts": starts_in(bench.rows)}
    ways = {
        "file": Way(of_file, given),
        "packed": Way(of_packed, {**given, "cache": bench.cache}),
        "pyarrow read_row_group": Way(with_pyarrow, given),
        "DuckDB file_row_number": Way(with_duckdb, given),
        "polars slice": Way(with_polars, given),
    }
    taken = take_turns(ways, bench.turns)
    bars = {("file", "pyarrow read_row_group"): 1 / 5, ("packed", "DuckDB file_row_number"): 1 / 50}
    for ours, operation in (("file", "Window of 100 rows, not packed yet"), ("packed", "Window of 100 rows, packed")):
        for peer in list(ways)[2:]:
            mine, theirs = taken[ours], taken[peer]
            yield Line(
                operation,
                mine.median(WINDOW),
                peer,
                theirs.median(WINDOW),
                mine.ratio(WINDOW, theirs),
                bars.get((ours, peer)),
                mine.peak,
                peer_peak=theirs.peak,
                reads=mine.median(READS),
                reads_bar=2 if ours == "packed" else None,
            )
