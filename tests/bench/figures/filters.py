"""A filter that keeps 30% of the lookup: running it once, then a page in the middle of what it keeps."""

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
PAGES = 5
RUNS = 3
RUN = "run"
PAGE = "page"
READS = "reads"

CONDITIONS = {
    "uuid": "uuid < '4ccccccc'",
    "filepath": "filepath LIKE '%shard_000%' OR filepath LIKE '%shard_012%' OR filepath LIKE '%shard_015%'"
    " OR filepath LIKE '%shard_016%' OR filepath LIKE '%shard_017%' OR filepath LIKE '%shard_018%'",
}
"""Each keeps 30% of the rows, scattered over all of them."""


def _middle(count: int) -> list[int]:
    found: list[int] = np.random.default_rng(33).integers(count * 2 // 5, count * 3 // 5, PAGES + 1).tolist()
    return found


def _seconds(work: Callable[[], object]) -> float:
    """Return the median time of a few runs."""
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def ours(path: str, cache: str, condition: str) -> Measured:
    import duckdb  # noqa: F401  (else its import would count)

    from h5explorer_py.view.view import make_view
    from h5explorer_py.view.work import Work
    from tests.bench.figures.preparing import opened

    dataset = opened(path, cache)
    values = {RUN: _seconds(lambda: make_view(dataset, condition, [], Work()))}
    view = make_view(dataset, condition, [], Work())
    seconds, pages = [], []
    for start in _middle(view.num_rows):
        begun = time.perf_counter()
        page = view.keys(start, start + SHOWN)
        seconds.append(time.perf_counter() - begun)
        pages.append([page.column(0).to_pylist(), page.column(1).to_pylist()])
    reads = reads_of(view.keys, start, start + SHOWN)
    values |= {PAGE: statistics.median(seconds[1:]), READS: reads}
    return Measured(values, [view.num_rows, digest(pages)])


def with_duckdb(path: str, condition: str) -> Measured:
    import duckdb

    connection = duckdb.connect()
    counting = f"SELECT count(*) FROM '{path}' WHERE {condition}"
    values = {RUN: _seconds(lambda: connection.execute(counting).fetchall())}
    count = connection.execute(counting).fetchall()[0][0]
    seconds, pages = [], []
    for start in _middle(count):
        begun = time.perf_counter()
        sql = f"SELECT uuid, filepath FROM '{path}' WHERE {condition} LIMIT {SHOWN} OFFSET {start}"
        page: Any = connection.execute(sql).to_arrow_table()
        seconds.append(time.perf_counter() - begun)
        pages.append([page.column(0).to_pylist(), page.column(1).to_pylist()])
    values[PAGE] = statistics.median(seconds[1:])
    return Measured(values, [count, digest(pages)])


def figures(bench: Bench) -> Iterator[Line]:
    """Measure filters of a Parquet file with row groups of 1,048,576 rows."""
    path = bench.packed()
    for column, condition in CONDITIONS.items():
        given = {"path": path, "condition": condition}
        ways = {"ours": Way(ours, {**given, "cache": bench.cache}), "DuckDB": Way(with_duckdb, given)}
        taken = take_turns(ways, bench.turns)
        mine, theirs = taken["ours"], taken["DuckDB"]
        for what, operation, peer, bar in (
            (RUN, f"Filter on {column} that keeps 30%, once", "DuckDB count(*)", 1.5),
            (PAGE, f"Page in the middle of a filter on {column}", "DuckDB OFFSET", 1 / 500),
        ):
            yield Line(
                operation,
                mine.median(what),
                peer,
                theirs.median(what),
                mine.ratio(what, theirs),
                bar,
                mine.peak,
                peer_peak=theirs.peak,
                reads=mine.median(READS) if what == PAGE else None,
            )
