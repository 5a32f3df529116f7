"""Packing a lookup, without and with its indexes, against reading its file once with pyarrow."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

from tests.bench.figures.alone import Measured
from tests.bench.figures.bench import MOST_WHOLE
from tests.bench.figures.preparing import wait_until_packed
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures.bench import Bench

READ = "read"
CONVERSION = "conversion"
WHOLE = "with indexes"


def ours(path: str, folder: str) -> Measured:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.packed import preparation
    from h5explorer_py.options import KeyColumns

    ends: list[float] = []
    build = vars(preparation)["build_uuid_index"]

    def noting(*given: object) -> None:
        ends.append(time.perf_counter())
        build(*given)

    setattr(preparation, "build_uuid_index", noting)  # noqa: B010  (a name that the module has imported)
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        dataset = Dataset(path, KeyColumns(), cache=cache)
        begun = time.perf_counter()
        wait_until_packed(dataset)
        values = {CONVERSION: ends[0] - begun, WHOLE: time.perf_counter() - begun}
        rows = dataset.num_rows
        dataset.close()
    return Measured(values, rows)


def with_pyarrow(path: str) -> Measured:
    import pyarrow.parquet as pq

    begun = time.perf_counter()
    rows = pq.read_table(path).num_rows
    return Measured({READ: time.perf_counter() - begun}, rows)


def with_pyarrow_by_groups(path: str) -> Measured:
    """Read the file as one must that does not fit into memory: a row group at a time."""
    import pyarrow.parquet as pq

    begun = time.perf_counter()
    file = pq.ParquetFile(path)
    rows = sum(file.read_row_group(at).num_rows for at in range(file.metadata.num_row_groups))
    return Measured({READ: time.perf_counter() - begun}, rows)


def figures(bench: Bench) -> Iterator[Line]:
    """Measure packing a Parquet file with row groups of 1,048,576 rows."""
    given = {"path": bench.lookup()}
    ways = {"ours": Way(ours, {**given, "folder": str(bench.lookups)})}
    if bench.rows <= MOST_WHOLE:
        ways["pyarrow read_table"] = Way(with_pyarrow, given)
    ways["pyarrow, group by group"] = Way(with_pyarrow_by_groups, given)
    taken = take_turns(ways, bench.turns)
    mine = taken["ours"]
    barred = list(ways)[1]
    for what, bar in ((CONVERSION, 3.0), (WHOLE, 5.0)):
        for peer in list(ways)[1:]:
            theirs = taken[peer]
            yield Line(
                f"Packing, {what}",
                mine.median(what),
                peer,
                theirs.median(READ),
                mine.ratio(what, theirs, READ),
                bar if peer == barred else None,
                mine.peak,
                500,
                theirs.peak,
            )
