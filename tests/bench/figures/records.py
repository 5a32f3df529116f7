"""The metadata of one image: from a shard that nothing has been read of, and from one that has."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from tests.bench.figures.alone import Measured, digest
from tests.bench.figures.shards import SMALL_FILES, SMALL_RECORDS, make_small_records
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures.bench import Bench

FIRST = "first"
AGAIN = "again"


def measured(record: Callable[[str, str], dict[str, Any]], path: str) -> Measured:
    """Take the times of two records of every shard; the first shard does not count.

    Parameters
    ----------
    record : callable
        Given the path of a metadata file and a uuid, returns the record by its columns' names.
    path : str
        The lookup.
    """
    import pyarrow.parquet as pq

    rows = pq.read_table(path)
    seconds: dict[str, list[float]] = {FIRST: [], AGAIN: []}
    answer = []
    for shard in range(SMALL_FILES):
        for at, when in ((3, FIRST), (SMALL_RECORDS // 2, AGAIN)):
            row = rows.slice(shard * SMALL_RECORDS + at, 1).to_pylist()[0]
            file = f"{path.removesuffix('lookup.parquet')}{row['filepath']}_metadata.parquet"
            begun = time.perf_counter()
            found = record(file, row["uuid"])
            seconds[when].append(time.perf_counter() - begun)
            answer.append(found)
    return Measured({when: statistics.median(each[1:]) for when, each in seconds.items()}, digest(answer))


def ours(path: str) -> Measured:
    from h5explorer_py.metadata.store import MetadataStore

    store = MetadataStore(("uuid",))
    return measured(lambda file, key: dict(store.record(file, key).table.to_pylist()[0]), path)


def with_pandas(path: str) -> Measured:
    import pandas as pd

    def record(file: str, key: str) -> dict[str, Any]:
        frame = pd.read_parquet(file)
        return dict(frame[frame["uuid"] == key].iloc[0].to_dict())

    return measured(record, path)


def with_duckdb(path: str) -> Measured:
    import duckdb

    connection = duckdb.connect()

    def record(file: str, key: str) -> dict[str, Any]:
        found = connection.execute("SELECT * FROM read_parquet(?) WHERE uuid = ?", [file, key])
        names = [column[0] for column in found.description]
        return dict(zip(names, found.fetchall()[0], strict=True))

    return measured(record, path)


def with_polars(path: str) -> Measured:
    import polars as pl

    def record(file: str, key: str) -> dict[str, Any]:
        return pl.scan_parquet(file).filter(pl.col("uuid") == key).collect().row(0, named=True)

    return measured(record, path)


def figures(bench: Bench) -> Iterator[Line]:
    """Measure shards of 10,000 records with 15 columns."""
    given = {"path": make_small_records(bench.folder / "small-records")}
    peers = {"pandas": with_pandas, "DuckDB": with_duckdb, "polars": with_polars}
    ways = {"ours": Way(ours, given), **{name: Way(way, given) for name, way in peers.items()}}
    taken = take_turns(ways, bench.turns)
    mine = taken["ours"]
    for when, said, bar in ((FIRST, "the first of its shard", 1 / 2), (AGAIN, "another of its shard", 1 / 20)):
        for peer in peers:
            theirs = taken[peer]
            yield Line(
                f"Metadata of one uuid, {said}",
                mine.median(when),
                peer,
                theirs.median(when),
                mine.ratio(when, theirs),
                bar if peer == "pandas" else None,
                mine.peak,
                peer_peak=theirs.peak,
            )
