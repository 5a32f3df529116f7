"""Views as relations of DuckDB: the rows and values that a plain evaluation gives, and a life of their own."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import Explorer, errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.view import relation as module
from h5explorer_py.view.relation import relation_of
from h5explorer_py.view.view import View, make_view
from h5explorer_py.view.work import Work
from tests.fixtures.datasets import EVERY_TYPE, every_type
from tests.fixtures.views import KINDS, ROWS, binary, lookup_table, opened_as, truth
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyRelation

CSV_COLUMNS = ("uuid", "size", "Lot No", "filepath")
opened: list[Any] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def dataset(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        made = opened_as(kind, tmp_path_factory.mktemp("data"), patch)
    yield made
    made.close()


def relation(dataset: Dataset, scratch: Path, condition: str = "", sort: Any = ()) -> DuckDBPyRelation:
    """The relation of a view that is closed before it is read."""
    work = Work(scratch=str(scratch))
    view = make_view(dataset, condition, sort, Work()) if condition or sort else View(dataset)
    made = relation_of(view, work)
    view.close()
    return made


def expected(kind: str, rows: list[int]) -> list[dict[str, Any]]:
    """The rows as they are stored: a CSV file holds text alone."""
    table = lookup_table()
    if kind == "binary":
        table = binary(table)
    found = table.take(pa.array(rows, pa.int64())).to_pylist()
    if kind != "csv":
        return found
    return [
        {"uuid": r["uuid"], "size": str(r["size"]), "Lot No": r["Lot No"], "filepath": r["filepath"]} for r in found
    ]


VIEWS = [
    ("", (), "true", ""),
    ("filepath = 'shard_3'", (), "filepath = 'shard_3'", ""),
    ("\"Lot No\" LIKE '%3'", (), "\"Lot No\" LIKE '%3'", ""),
    ("filepath = 'none'", (), "false", ""),
    ("uuid < '4'", (), "uuid < '4'", ""),
    ("species = 'species 3'", (), "species = 'species 3'", ""),
    ("species IS NULL OR filepath = 'shard_2'", (), "species IS NULL OR filepath = 'shard_2'", ""),
    ("", [("uuid", "desc")], "true", "uuid DESC, row"),
    ("", [("weight", "asc")], "true", "weight ASC NULLS LAST, row"),
    (
        "filepath <> 'shard_1'",
        [("Lot No", "desc"), ("filepath", "asc")],
        "filepath <> 'shard_1'",
        '"Lot No" DESC, filepath, row',
    ),
    ("weight > 30", [("filepath", "asc")], "weight > 30", "filepath ASC NULLS LAST, row"),
]


@pytest.mark.parametrize("held", [0, 1 << 20])
@pytest.mark.parametrize(("condition", "sort", "where", "order"), VIEWS)
def test_rows_are_those_of_a_plain_evaluation(
    kind: str,
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    condition: str,
    sort: Any,
    where: str,
    order: str,
    held: int,
) -> None:
    monkeypatch.setattr(module, "_HELD_ROWS", held)
    monkeypatch.setattr(module, "_WRITTEN_ROWS", 777)
    made = relation(dataset, tmp_path, condition, sort)
    rows = truth(where, order)
    wanted = expected(kind, rows)
    assert made.columns == dataset.lookup.schema.names
    assert made.to_arrow_table().to_pylist() == wanted
    assert made.to_arrow_table().to_pylist() == wanted  # it can be read again
    assert made.count("*").fetchall() == [(len(rows),)]
    assert made.limit(3, offset=5).to_arrow_table().to_pylist() == wanted[5:8]
    assert made.filter("filepath = 'shard_2'").count("*").fetchall() == [
        (sum(row["filepath"] == "shard_2" for row in wanted),)
    ]
    del made
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_all_rows_of_a_parquet_file_are_plainly_that(tmp_path: Path) -> None:
    pq.write_table(lookup_table(), tmp_path / "l.parquet")
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS)
    opened.append(dataset)
    assert relation(dataset, tmp_path).sql_query() == "SELECT * FROM read_parquet(?, hive_partitioning = false)"
    sql = relation(dataset, tmp_path, "size > 3 AND filepath LIKE 'shard%'").sql_query()
    assert "WHERE" in sql
    assert "JOIN" not in sql
    assert os.listdir(tmp_path) == ["l.parquet"]


def test_types_are_as_they_are_stored(tmp_path: Path) -> None:
    records = [{"uuid": f"k{number}", "filepath": "s", **every_type(number)} for number in range(50)]
    schema = pa.schema([("uuid", pa.string()), ("filepath", pa.string()), *list(EVERY_TYPE)[1:]])
    table = pa.Table.from_pylist(records, schema=schema)
    pq.write_table(table, tmp_path / "l.parquet")
    pq.write_table(table.slice(0, 20), tmp_path / "a.parquet")
    pq.write_table(table.slice(20), tmp_path / "b.parquet")
    with duckdb.connect() as connection:
        plain = connection.read_parquet(str(tmp_path / "l.parquet"))
        names, types, rows = plain.columns, plain.types, plain.to_arrow_table()
    for source in (tmp_path / "l.parquet", [tmp_path / "a.parquet", tmp_path / "b.parquet"]):
        dataset = Dataset(source, COLUMNS)
        opened.append(dataset)
        for sort in ((), [("alpha_last", "desc")]):
            made = relation(dataset, tmp_path, "", sort)
            assert (made.columns, made.types) == (names, types)
            wanted = rows.take(pa.array(range(50)[::-1])) if sort else rows
            assert made.to_arrow_table().equals(wanted) or str(made.to_arrow_table().to_pylist()) == str(
                wanted.to_pylist()
            )


def test_a_table_in_memory_keeps_types_that_parquet_has_not(tmp_path: Path) -> None:
    spans = pa.array([90, None, 7], pa.duration("s"))
    dataset = Dataset(pa.table({"uuid": list("abc"), "filepath": ["s"] * 3, "span": spans}), COLUMNS)
    opened.append(dataset)
    made = relation(dataset, tmp_path, "", [("uuid", "desc")])
    assert made.fetchall() == [(row["uuid"], "s", row["span"]) for row in dataset.lookup.read(0, 3).to_pylist()[::-1]]


@pytest.mark.parametrize("name", ["lot=7", "a [b] *", "ü 'x\""])
def test_names_of_folders_are_no_patterns_and_no_columns(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    table = pa.table({"uuid": list("abc"), "filepath": ["s"] * 3, "lot": [1, 2, 3]})
    pq.write_table(table, tmp_path / name / "l.parquet")
    dataset = Dataset(tmp_path / name / "l.parquet", COLUMNS)
    opened.append(dataset)
    for condition, sort, rows in (
        ("", (), [0, 1, 2]),
        ("lot < 3", (), [0, 1]),
        ("lot < 3", [("lot", "desc")], [1, 0]),
    ):
        found = relation(dataset, tmp_path, condition, sort).to_arrow_table()
        assert found.to_pylist() == table.take(pa.array(rows)).to_pylist()


def test_columns_that_are_hard_to_name(tmp_path: Path) -> None:
    names = ["uuid", "filepath", "x", "X", "row", "row_", 'a "b"', "file_row_number"]
    table = pa.table([list("abc"), ["s"] * 3, *([[number, 2, 3 - number] for number in range(6)])], names)
    pq.write_table(table, tmp_path / "l.parquet")
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS)
    opened.append(dataset)
    for condition, sort, rows in (("", (), [0, 1, 2]), ("", [("uuid", "desc")], [2, 1, 0]), ("uuid > 'a'", (), [1, 2])):
        made = relation(dataset, tmp_path, condition, sort)
        assert made.columns == ["uuid", "filepath", "x", "X_1", *names[4:]]
        wanted = [tuple(row) for row in zip(*(table.take(pa.array(rows)).to_pydict().values()), strict=True)]
        assert made.fetchall() == wanted


def test_a_file_that_has_changed_is_told(tmp_path: Path) -> None:
    pq.write_table(lookup_table(), tmp_path / "l.parquet")
    os.utime(tmp_path / "l.parquet", (1_700_000_000, 1_700_000_000))
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS)
    opened.append(dataset)
    made = relation(dataset, tmp_path, "", [("size", "asc")])
    assert len(made.fetchall()) == ROWS
    pq.write_table(lookup_table(), tmp_path / "l.parquet")
    with pytest.raises(duckdb.Error, match=r"l\.parquet has changed since it was opened"):
        made.fetchall()
    with pytest.raises(errors.LookupChangedError):
        relation(dataset, tmp_path)


def test_nothing_is_left_where_it_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "l.csv").write_text("uuid,filepath\n" + "a,s\n" * 5_000)
    dataset = Dataset(tmp_path / "l.csv", COLUMNS)
    opened.append(dataset)
    asked = [0]

    def give_up() -> None:
        asked[0] += 1
        raise errors.CancelledError("enough")

    with pytest.raises(errors.CancelledError):
        relation_of(View(dataset), Work(give_up, scratch=str(tmp_path / "scratch")))
    gc.collect()
    assert asked[0]
    assert os.listdir(tmp_path / "scratch") == []


def test_no_room_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("uuid,filepath\na,s\n")
    dataset = Dataset(tmp_path / "l.csv", COLUMNS)
    opened.append(dataset)
    with pytest.raises(errors.WriteFailedError):
        relation_of(View(dataset), Work(scratch=str(tmp_path / "absent")))


def test_it_goes_on_when_the_explorer_does_not(tmp_path: Path) -> None:
    table = lookup_table()
    pq.write_table(table, tmp_path / "l.parquet")
    ex = Explorer(tmp_path / "l.parquet")
    ex.filter = "filepath = 'shard_3'"
    ex.sort = [("size", "desc")]
    made = ex.view()
    of_whole = ex.view().filter("size = 7")  # what is made of it keeps what it needs
    rows = truth("filepath = 'shard_3'", "size DESC, row")
    ex.filter = ""
    ex.close()
    del ex
    gc.collect()
    assert made.to_arrow_table().to_pylist() == table.take(pa.array(rows)).to_pylist()
    assert of_whole.count("*").fetchall() == [(sum(row["size"] == 7 for row in table.take(rows).to_pylist()),)]
    with pytest.raises(errors.ClosedError):
        Explorer.view(_closed_explorer(tmp_path))


def _closed_explorer(folder: Path) -> Explorer:
    ex = Explorer(folder / "l.parquet")
    ex.close()
    return ex


def test_results_outlive_the_relation(tmp_path: Path) -> None:
    rows = 300_000
    (tmp_path / "l.csv").write_text("uuid,filepath\n" + "".join(f"{row},s\n" for row in range(rows)))
    (tmp_path / "scratch").mkdir()
    dataset = Dataset(tmp_path / "l.csv", COLUMNS)
    opened.append(dataset)
    made = relation(dataset, tmp_path / "scratch")
    reader = made.to_arrow_reader(1_000)
    del made
    gc.collect()
    found = reader.read_all()["uuid"].to_numpy().astype(np.int64)
    assert (found == np.arange(rows)).all()
