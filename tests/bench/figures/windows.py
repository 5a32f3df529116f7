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
"""The uuids and filepaths of a window: got out of what the library gives after its time has been taken."""


def starts_in(rows: int, count: int = WINDOWS) -> list[int]:
    """Return where windows begin: the same ones for every way."""
    found: list[int] = np.random.default_rng(31).integers(0, rows - 4096, count + 1).tolist()
    return found


def measured(window: Callable[[int], Any], starts: list[int]) -> Measured:
    """Take the time of each window; the first does not count, as connections and footers are made ready in it.

    Parameters
    ----------
    window : callable
        Given a row, returns the 100 rows from there on as a table of Arrow, or a frame of polars.
    starts : list of int
        The rows.
    """
    answer = [_texts(window(starts[0]))]
    seconds = []
    for start in starts[1:]:
        begun = time.perf_counter()
        rows = window(start)
        seconds.append(time.perf_counter() - begun)
        answer.append(_texts(rows))
    reads = [reads_of(window, start + 2048) for start in starts[1:]]  # those read before may be held
    values = {WINDOW: statistics.median(seconds), READS: statistics.median(reads)}
    return Measured(values, digest(answer))


def of_file(path: str, starts: list[int]) -> Measured:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns

    dataset = Dataset(path, KeyColumns(), cache=False)
    return measured(lambda start: dataset.keys(start, start + SHOWN), starts)


def of_packed(path: str, starts: list[int], cache: str) -> Measured:
    from tests.bench.figures.preparing import opened

    dataset = opened(path, cache)
    return measured(lambda start: dataset.keys(start, start + SHOWN), starts)


def with_pyarrow(path: str, starts: list[int]) -> Measured:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(at).num_rows for at in range(file.metadata.num_row_groups)]
    begins = np.concatenate([[0], np.cumsum(groups)])

    def window(start: int) -> Any:
        first = int(np.searchsorted(begins, start, "right")) - 1
        last = int(np.searchsorted(begins, start + SHOWN - 1, "right")) - 1
        if first == last:
            table = file.read_row_group(first, columns=["uuid", "filepath"])
        else:
            table = file.read_row_groups(list(range(first, last + 1)), columns=["uuid", "filepath"])
        return table.slice(start - int(begins[first]), SHOWN)

    return measured(window, starts)


def with_duckdb(path: str, starts: list[int]) -> Measured:
    import duckdb

    connection = duckdb.connect()
    rows = f"read_parquet('{path}', file_row_number = true)"
    sql = f"SELECT uuid, filepath FROM {rows} WHERE file_row_number BETWEEN ? AND ?"

    def window(start: int) -> Any:
        return connection.execute(sql, [start, start + SHOWN - 1]).to_arrow_table()

    return measured(window, starts)


def with_polars(path: str, starts: list[int]) -> Measured:
    import polars as pl

    frame = pl.scan_parquet(path).select("uuid", "filepath")

    def window(start: int) -> Any:
        return frame.slice(start, SHOWN).collect()

    return measured(window, starts)


def _texts(table: Any) -> Texts:
    uuids, filepaths = table["uuid"], table["filepath"]
    if hasattr(uuids, "to_pylist"):
        return uuids.to_pylist(), filepaths.to_pylist()
    return uuids.to_list(), filepaths.to_list()


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
