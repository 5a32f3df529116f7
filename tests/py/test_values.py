"""What columns hold: the counts that a plain count gives, and values that select exactly their rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.view.values import BINS, MOST_VALUES, columns_of, values_of
from h5explorer_py.view.view import make_view
from h5explorer_py.view.work import Work
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 3_000


def column(kind: str) -> list[Any]:
    random = np.random.default_rng(4)
    numbers = random.integers(0, 1_000, ROWS).tolist()
    made: dict[str, Any] = {
        "few": lambda n: ["Corvus corax", "it's", 'quo"te', "", "a\nb", "日"][n % 6],
        "some missing": lambda n: None if n % 3 else f"v{n % 5}",
        "many": lambda n: f"value {n}",
        "long": lambda n: "x" * 600 if n % 2 else "y",
        "flags": lambda n: None if n % 7 == 0 else n % 2 == 0,
        "days": lambda n: dt.date(2020, 1, 1 + n % 28),
        "moments": lambda n: dt.datetime(2020, 1, 1, n % 24, 0, 0, n % 2 * 500_000),  # noqa: DTZ001
        "whole": lambda n: n - 500,
        "real": lambda n: [float("nan"), float("inf"), None][n % 3] if n < 9 else n / 7,
        "one": lambda _: 7,
        "nothing": lambda _: None,
        "lists": lambda n: [n],
        "bytes": lambda n: bytes([n % 256]),
        "brace {0}": lambda n: f"{{{n % 3}}}",
    }
    return [made[kind](n) for n in numbers]


TYPES: dict[str, pa.DataType] = {"nothing": pa.string(), "real": pa.float64(), "bytes": pa.binary()}
NAMES = [
    "few",
    "some missing",
    "many",
    "long",
    "flags",
    "days",
    "moments",
    "whole",
    "real",
    "one",
    "nothing",
    "lists",
    "bytes",
    "brace {0}",
]


@pytest.fixture(scope="module", params=["lookup", "metadata"])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    folder = tmp_path_factory.mktemp("data")
    keys = {"uuid": [f"key {row}" for row in range(ROWS)], "filepath": [f"s{row % 3}" for row in range(ROWS)]}
    columns = {name: pa.array(column(name), TYPES.get(name)) for name in NAMES}
    if request.param == "lookup":
        pq.write_table(pa.table({**keys, **columns}), folder / "lookup.parquet")
    else:
        pq.write_table(pa.table(keys), folder / "lookup.parquet")
        whole = pa.table({**keys, **columns})
        for shard in range(3):
            rows = pa.array(range(shard, ROWS, 3))
            pq.write_table(whole.take(rows).drop_columns(["filepath"]), folder / f"s{shard}_metadata.parquet")
    made = Dataset(folder / "lookup.parquet", COLUMNS)
    yield made
    made.close()


def text_of(value: Any) -> str:
    text = str(value)
    return text.rstrip("0") if isinstance(value, dt.datetime) and value.microsecond else text


@pytest.mark.parametrize(
    "name", ["few", "some missing", "many", "long", "flags", "days", "moments", "nothing", "brace {0}"]
)
def test_the_most_frequent_values(dataset: Dataset, name: str) -> None:
    found = values_of(dataset, name, Work())
    expected = Counter(column(name))
    nulls = expected.pop(None, 0)
    assert (found.kind, found.nulls, found.different) == ("values", nulls, len(expected))
    most = sorted(expected.items(), key=lambda each: (-each[1], each[0]))[:MOST_VALUES]
    assert [(each.text, each.count) for each in found.values] == [
        (text_of(value), count) for value, count in most if len(str(value)) <= 500
    ]
    quoted = '"' + name.replace('"', '""') + '"'
    for value in found.values[:8]:
        shown = make_view(dataset, f"{quoted} = {value.sql}", (), Work())
        assert shown.num_rows == value.count


@pytest.mark.parametrize("name", ["whole", "real", "one"])
def test_how_numbers_are_spread(dataset: Dataset, name: str) -> None:
    found = values_of(dataset, name, Work())
    values = column(name)
    finite = np.array([value for value in values if value is not None and np.isfinite(value)], np.float64)
    assert found.kind == "numbers"
    assert found.nulls == values.count(None)
    assert found.not_finite == len(values) - values.count(None) - len(finite)
    assert (found.low, found.high) == (finite.min(), finite.max())
    assert sum(found.bins) == len(finite)
    if name != "one":
        counts, _ = np.histogram(finite, BINS)
        assert np.abs(np.array(found.bins) - counts).sum() <= 4  # values on an edge


@pytest.mark.parametrize("name", ["lists", "bytes", "uuid"])
def test_columns_with_nothing_to_choose_by(dataset: Dataset, name: str) -> None:
    assert values_of(dataset, name, Work()).kind == "none"


def test_files(dataset: Dataset) -> None:
    found = values_of(dataset, "filepath", Work())
    assert [(each.text, each.count) for each in found.values] == [("s0", 1_000), ("s1", 1_000), ("s2", 1_000)]
    assert (found.nulls, found.different) == (0, 3)


def test_an_absent_column(dataset: Dataset) -> None:
    with pytest.raises(errors.WrongColumnsError):
        values_of(dataset, "nothing like it", Work())


def test_it_is_given_up(dataset: Dataset) -> None:
    def stop() -> None:
        raise errors.CancelledError("enough")

    with pytest.raises(errors.CancelledError):
        values_of(dataset, "few", Work(give_up=stop))


def test_columns(dataset: Dataset) -> None:
    found = columns_of(dataset)
    assert [each["name"] for each in found] == ["uuid", "filepath", *NAMES]
    assert {each["source"] for each in found[:2]} == {"lookup"}
    assert len({each["source"] for each in found[2:]}) == 1


def dataset_of(folder: Path, columns: dict[str, Any]) -> Dataset:
    rows = len(next(iter(columns.values())))
    table = pa.table({"uuid": [str(row) for row in range(rows)], "filepath": ["s"] * rows, **columns})
    pq.write_table(table, folder / "lookup.parquet")
    return Dataset(str(folder / "lookup.parquet"), COLUMNS)


def test_columns_that_are_called_as_the_results_are(tmp_path: Path) -> None:
    columns = {"r": [1, 2, 3], "B": [7, 7, 7], "N": [1, 1, 2], "text": ["x", "x", "y"], "V": ["p", "q", "q"]}
    made = dataset_of(tmp_path, columns)
    assert values_of(made, "r", Work()).bins[0] == 1
    assert [(each.text, each.count) for each in values_of(made, "text", Work()).values] == [("x", 2), ("y", 1)]
    assert [(each.text, each.count) for each in values_of(made, "V", Work()).values] == [("q", 2), ("p", 1)]
    made.close()


def test_moments_that_python_cannot_hold(tmp_path: Path) -> None:
    columns = {
        "fine": pa.array([1, 1_000, 1_000_000_001], pa.timestamp("ns")),
        "far": pa.array([253_402_300_800, 0, 0], pa.timestamp("s")),
        "day": pa.array([2_932_897, 0, None], pa.date32()),
        "zero": ["a\0b", "c", "c"],
    }
    made = dataset_of(tmp_path, columns)
    for name, counts in {"fine": {1}, "far": {1, 2}, "day": {1}, "zero": {2}}.items():
        found = values_of(made, name, Work())
        assert {each.count for each in found.values} == counts
        for value in found.values:
            assert make_view(made, f"{name} = {value.sql}", (), Work()).num_rows == value.count
    assert {each.text for each in values_of(made, "day", Work()).values} == {"10000-01-01", "1970-01-01"}
    made.close()
