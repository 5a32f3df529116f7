"""From the call to the first 100 rows as text, then to the number of different filepaths."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

from tests.bench.figures.alone import Measured, digest
from tests.bench.figures.bench import MOST_WHOLE, Bench
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 100
FIRST = "first rows"
BOTH = "first rows and the number of filepaths"


class _Clock:
    """Takes the times of both steps, and what they came to."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._values: dict[str, float] = {}
        self._answer: list[Any] = []

    def shown(self, uuids: list[str], filepaths: list[str]) -> None:
        self._values[FIRST] = time.perf_counter() - self._begun
        self._answer.append(digest([uuids, filepaths]))

    def counted(self, filepaths: int) -> Measured:
        self._values[BOTH] = time.perf_counter() - self._begun
        return Measured(self._values, [*self._answer, filepaths])


def ours(path: str) -> Measured:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns

    with tempfile.TemporaryDirectory() as cache:
        clock = _Clock()
        dataset = Dataset(path, KeyColumns(), cache=cache)
        rows = dataset.keys(0, SHOWN)
        clock.shown(rows.column(0).to_pylist(), rows.column(1).to_pylist())
        measured = clock.counted(dataset.filepaths(lambda: None))
        dataset.close()
        return measured


def with_pandas(path: str) -> Measured:
    import pandas as pd
    import pyarrow.parquet  # noqa: F401  (else its import would count)

    clock = _Clock()
    frame = pd.read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)
    rows = frame.head(SHOWN)
    clock.shown(rows["uuid"].tolist(), rows["filepath"].tolist())
    return clock.counted(int(frame["filepath"].nunique()))


def with_polars(path: str) -> Measured:
    import polars as pl

    clock = _Clock()
    columns = ["uuid", "filepath"]
    frame = pl.read_csv(path, columns=columns) if path.endswith(".csv") else pl.read_parquet(path, columns=columns)
    rows = frame.head(SHOWN)
    clock.shown(rows["uuid"].to_list(), rows["filepath"].to_list())
    return clock.counted(frame["filepath"].n_unique())


def with_polars_lazily(path: str) -> Measured:
    import polars as pl

    clock = _Clock()
    frame = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    rows = frame.head(SHOWN).collect()
    clock.shown(rows["uuid"].to_list(), rows["filepath"].to_list())
    return clock.counted(frame.select(pl.col("filepath").n_unique()).collect().item())


def with_duckdb(path: str) -> Measured:
    import duckdb

    clock = _Clock()
    connection = duckdb.connect()
    rows = connection.execute(f"SELECT uuid, filepath FROM '{path}' LIMIT {SHOWN}").fetchall()
    clock.shown([row[0] for row in rows], [row[1] for row in rows])
    counted = connection.execute(f"SELECT count(DISTINCT filepath) FROM '{path}'").fetchall()
    return clock.counted(counted[0][0])


_WHOLE = {"pandas": with_pandas, "polars": with_polars}
_PARTLY = {"polars, lazily": with_polars_lazily, "DuckDB": with_duckdb}


def of_parquet(bench: Bench) -> Iterator[Line]:
    """Measure a Parquet file with row groups of 1,048,576 rows."""
    bars = {"pandas": {FIRST: 1 / 10, BOTH: 1 / 5}, "polars": {FIRST: 1 / 4}}
    return _compared(bench, "1Mi groups", "Parquet", bars)


def of_csv(bench: Bench) -> Iterator[Line]:
    """Measure a CSV file."""
    return _compared(bench, "CSV", "CSV", {"pandas": {FIRST: 1 / 10}})


def _compared(bench: Bench, form: str, kind: str, bars: dict[str, dict[str, float]]) -> Iterator[Line]:
    path = {"path": bench.lookup(form)}
    peers = {**(_WHOLE if bench.rows <= MOST_WHOLE else {}), **_PARTLY}
    taken = take_turns({"ours": Way(ours, path), **{name: Way(way, path) for name, way in peers.items()}}, bench.turns)
    mine = taken["ours"]
    for what in (FIRST, BOTH):
        for peer in peers:
            runs = taken[peer]
            yield Line(
                f"Open {kind}: {what}",
                mine.median(what),
                peer if peer not in _WHOLE else f"{peer}, read whole",
                runs.median(what),
                mine.ratio(what, runs),
                bars.get(peer, {}).get(what),
                mine.peak,
                peer_peak=runs.peak,
            )
