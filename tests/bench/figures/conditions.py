"""Conditions on a column of the metadata: 10 million records in 100 files."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures.alone import Measured, digest, reads_of
from tests.bench.figures.preparing import prepared
from tests.bench.figures.shards import make_records
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures.bench import Bench

SHOWN = 100
FIRST = "first"
PAGE = "page"
READS = "reads"

CONDITIONS = {
    "a species": "",
    "latitude": "latitude > 36",
    "part of the name of a species": "species LIKE '%lus %'",
}


def _conditions() -> dict[str, str]:
    from tests.bench.figures.shards import _species_names

    return {**CONDITIONS, "a species": f"species = '{_species_names()[20].as_py()}'"}


def ours(path: str, cache: str) -> Measured:
    import duckdb  # noqa: F401  (else its import would count)

    from h5explorer_py.view.records import _DESCRIPTION
    from h5explorer_py.view.view import make_view
    from h5explorer_py.view.work import Work
    from tests.bench.figures.preparing import opened

    dataset = opened(path, cache)
    assert dataset.rows.packed is not None
    description = os.path.join(dataset.rows.packed.folder, _DESCRIPTION)
    if os.path.exists(description):
        os.unlink(description)  # the records are found anew
    values: dict[str, float] = {}
    answer: list[object] = []
    for name, condition in {FIRST: CONDITIONS["latitude"], **_conditions()}.items():
        begun = time.perf_counter()
        view = make_view(dataset, condition, [], Work())
        values[name] = time.perf_counter() - begun
        if name == "a species":
            answer.append(digest(sorted(view.keys(0, view.num_rows).column(0).to_pylist())))
        if name != FIRST:
            answer.append(view.num_rows)
        if name == "latitude":
            middle = view.num_rows // 2
            seconds = []
            for start in range(middle, middle + 10 * SHOWN, SHOWN):
                begun = time.perf_counter()
                view.keys(start, start + SHOWN)
                seconds.append(time.perf_counter() - begun)
            values[PAGE] = statistics.median(seconds[1:])
            values[READS] = reads_of(view.keys, middle, middle + SHOWN)
    return Measured(values, answer)


def with_duckdb(path: str) -> Measured:
    import duckdb

    files = sorted(str(file) for file in Path(path).parent.glob("*_metadata.parquet"))
    connection = duckdb.connect()
    values: dict[str, float] = {}
    answer: list[object] = []
    for name, condition in {FIRST: CONDITIONS["latitude"], **_conditions()}.items():
        begun = time.perf_counter()
        sql = f"SELECT count(*) FROM read_parquet(?) WHERE {condition}"
        count = connection.execute(sql, [files]).fetchall()[0][0]
        values[name] = time.perf_counter() - begun
        if name == "a species":
            rows = connection.execute(f"SELECT uuid FROM read_parquet(?) WHERE {condition}", [files]).fetchall()
            answer.append(digest(sorted(row[0] for row in rows)))
        if name != FIRST:
            answer.append(count)
    return Measured(values, answer)


def figures(bench: Bench) -> Iterator[Line]:
    """Measure conditions; the first finds the record of every row, which is kept then."""
    path = make_records(bench.folder / "records")
    cache = str(bench.folder / "records" / "cache")
    prepared(path, cache)
    ways = {"ours": Way(ours, {"path": path, "cache": cache}), "DuckDB": Way(with_duckdb, {"path": path})}
    taken = take_turns(ways, bench.turns)
    mine, theirs = taken["ours"], taken["DuckDB"]
    names = {FIRST: "the first, which finds the records"} | {name: f"on {name}" for name in CONDITIONS}
    for name, said in names.items():
        yield Line(
            f"Condition on metadata of 10m records, {said}",
            mine.median(name),
            "DuckDB count(*)",
            theirs.median(name),
            mine.ratio(name, theirs),
            None if name == FIRST else 1.5,
            mine.peak,
            500,
            theirs.peak,
        )
    yield Line("Page in the middle of it", mine.median(PAGE), reads=mine.median(READS))
