"""Views: the rows that a plain evaluation keeps, in the order that a plain sort gives, wherever they come from."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.find import parse
from h5explorer_py.lookup.packed import store
from h5explorer_py.view import filtering, ordering, orders, scans, view
from h5explorer_py.view.view import View, make_view
from h5explorer_py.view.work import Work
from tests.fixtures.views import KINDS, ROWS, lookup_table, opened_as, truth
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

opened: list[Any] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


@pytest.fixture(scope="module", params=KINDS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        made = opened_as(request.param, tmp_path_factory.mktemp("data"), patch)
    yield made
    made.close()


@pytest.fixture(params=["parquet", "packed"])
def changing(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    made = opened_as(request.param, tmp_path, monkeypatch)
    opened.append(made)
    return made


def made(dataset: Dataset, condition: str = "", sort: Any = (), tmp: Path | None = None) -> View:
    shown = make_view(dataset, condition, sort, Work(scratch=str(tmp) if tmp else None))
    opened.append(shown)
    return shown


def same(shown: View, expected: list[int]) -> None:
    table = lookup_table()
    assert shown.num_rows == len(expected)
    assert shown.rows.rows(0, len(expected)).tolist() == expected
    middle = len(expected) // 2
    for start, stop in ((0, 10), (middle, middle + 100), (len(expected) - 3, len(expected) + 5), (0, len(expected))):
        rows = expected[start:stop] if start >= 0 else []
        if start < 0:
            continue
        wanted = table.take(pa.array(rows, pa.int64()))
        assert shown.keys(start, stop).to_pydict() == wanted.select(["uuid", "filepath"]).to_pydict()
        if stop - start > 100:
            continue
        assert shown.read(start, stop).column("Lot No").to_pylist() == wanted["Lot No"].to_pylist()
    for position in range(0, len(expected), max(1, len(expected) // 20)):
        assert shown.row_at(position) == expected[position]
        assert shown.rows.position(expected[position]) == position
        assert shown.entry(position).key == table["uuid"][expected[position]].as_py()
    missing = set(range(ROWS)) - set(expected)
    assert all(shown.rows.position(row) is None for row in list(missing)[:20])
    with pytest.raises(errors.RowOutOfRangeError):
        shown.entry(len(expected))


OWN = [
    ("filepath = 'shard_3'", None),
    ("filepath IS NULL", None),
    ("uuid < '4'", None),
    ("\"Lot No\" = 'L3' AND filepath LIKE '%\\_1' ESCAPE '\\'", None),
    ("TRY_CAST(size AS INT) BETWEEN 10 AND 12", "size BETWEEN 10 AND 12"),
    ("TRY_CAST(size AS INT) > 1000", "false"),
    ("true", None),
]
FROM_METADATA = [
    "species = 'species 3'",
    "species IS NULL",
    "species IS DISTINCT FROM 'species 3'",
    "weight > 40 OR species IN ('species 1', 'species 2')",
    "weight IS NOT NULL",
    "coalesce(weight, 0) = 0",
    "species LIKE 'nothing%'",
    '"only here" > 100',
    "\"only here\" IS NULL AND species = 'species 5'",
]
FROM_BOTH = [
    "species = 'species 3' AND filepath = 'shard_2'",
    "species = 'species 3' OR filepath = 'shard_3'",
    "species IS NULL AND uuid < '8'",
]


@pytest.mark.parametrize(("condition", "plain"), OWN)
def test_conditions_on_the_lookup(dataset: Dataset, condition: str, plain: str | None) -> None:
    same(made(dataset, condition), truth(plain or condition))


@pytest.mark.parametrize("condition", [*FROM_METADATA, *FROM_BOTH])
def test_conditions_on_the_metadata(dataset: Dataset, condition: str) -> None:
    expected = truth(condition)
    same(made(dataset, condition), expected)


SORTS = [
    ([("uuid", "asc")], "uuid ASC NULLS LAST, row"),
    ([("uuid", "desc")], "uuid DESC NULLS LAST, row"),
    ([("filepath", "asc")], "filepath ASC NULLS LAST, row"),
    ([("filepath", "desc")], "filepath DESC NULLS LAST, row"),
    ([("Lot No", "desc"), ("filepath", "asc")], '"Lot No" DESC, filepath ASC NULLS LAST, row'),
    ([("weight", "asc")], "weight ASC NULLS LAST, row"),
    ([("species", "desc"), ("Lot No", "asc")], 'species DESC NULLS LAST, "Lot No", row'),
]


@pytest.mark.parametrize(("sort", "order"), SORTS)
@pytest.mark.parametrize("condition", ["", "filepath <> 'shard_2'", "species = 'species 4'"])
def test_orders(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: Any, order: str, condition: str
) -> None:
    monkeypatch.setattr(orders, "_HELD_ROWS", 1_000 if condition else 1 << 22)
    same(made(dataset, condition, sort, tmp_path), truth(condition or "true", order))


def test_many_of_the_same_uuid_in_both_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SMALLEST", 100)
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 0.0)
    monkeypatch.setattr(orders, "_SEARCHED_ROWS", 1_600)
    numbers = np.random.default_rng(1).integers(0, 40, 3_000)
    table = pa.table({"uuid": [str(UUID(int=int(n) << 64)) for n in numbers], "filepath": ["s"] * 3_000})
    pq.write_table(table, tmp_path / "l.parquet")
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS, cache=str(tmp_path / "cache"))
    opened.append(dataset)
    assert dataset.rows.preparation
    assert dataset.rows.preparation.wait(20)
    for direction in ("asc", "desc"):
        shown = made(dataset, "", [("uuid", direction)])
        assert isinstance(shown.rows, orders.UuidOrder)
        expected = np.argsort(numbers if direction == "asc" else -numbers, kind="stable").tolist()
        for start, stop in ((0, 3_000), (0, 1), (1_234, 1_235), (1_200, 1_300), (2_990, 3_010)):
            assert shown.rows.rows(start, stop).tolist() == expected[start:stop]
        for position in (0, 1_234, 2_999):
            assert shown.rows.position(expected[position]) == position


@pytest.mark.parametrize("looked_through", [0, 10**9])
@pytest.mark.parametrize("sort", [(), [("uuid", "desc")]])
def test_searching_in_a_view(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, looked_through: int, sort: Any) -> None:
    monkeypatch.setattr(view, "_LOOKED_THROUGH", looked_through)
    shown = made(dataset, "filepath IN ('shard_1', 'shard_2')", sort)
    table = lookup_table()
    rows = shown.rows.rows(0, ROWS).tolist()
    files, uuids = table["filepath"].to_pylist(), table["uuid"].to_pylist()

    def go_on() -> None:
        """Nobody withdraws it."""

    hits = [at for at, row in enumerate(rows) if files[row] == "shard_2"]
    walked = [shown.find(parse("path:shard_2"), None, go_on)]
    for _ in range(5):
        walked.append(shown.find(parse("path:shard_2"), walked[-1], go_on))
    assert walked == hits[:6]
    assert shown.find(parse("path:shard_2"), hits[-1], go_on) == hits[0]
    assert shown.find(parse("path:shard_3"), None, go_on) is None
    within, outside = uuids[rows[77]], next(uuid for uuid, file in zip(uuids, files, strict=True) if file == "shard_5")
    assert shown.find(parse(within), None, go_on) == 77
    assert shown.find(parse(f"uuid:{within[:20]}"), None, go_on) == 77
    assert shown.find(parse(f"uuid:{outside}"), None, go_on) is None
    assert shown.row_of(within) == 77
    with pytest.raises(errors.KeyNotFoundError):
        shown.row_of(outside)
    assert shown.find(parse("5"), None, go_on) == 4
    assert shown.count(parse("5"), 0, 0.0, go_on) == (1, len(rows))
    assert shown.count(parse(""), 0, 0.0, go_on) == (0, len(rows))
    assert shown.find(parse(str(len(rows) + 1)), None, go_on) is None
    count, start = 0, 0
    while start < shown.num_rows:
        more, start = shown.count(parse("path:shard_2"), start, 0.0, go_on)
        count += more
    assert count == len(hits)


def test_a_uuid_in_several_files_of_a_view(dataset: Dataset) -> None:
    twice = lookup_table()["uuid"][10].as_py()
    shown = made(dataset, "filepath IN ('shard_2', 'shard_4')")
    positions = [shown.rows.position(row) for row in (10, 20)]
    with pytest.raises(errors.AmbiguousKeyError) as caught:
        shown.row_of(twice)
    assert caught.value.details["rows"] == positions
    assert str(caught.value).endswith(f"in different files. Ask by row number: {positions[0]}, {positions[1]}.")
    alone = made(dataset, "filepath = 'shard_2'")
    assert alone.row_of(twice) == alone.rows.position(10)


@pytest.mark.parametrize(
    ("condition", "code"),
    [("nothing = 1", "bad_condition"), ("uuid = ", "bad_condition"), ("TRUE; DROP TABLE l", "bad_condition")],
)
def test_wrong_conditions_are_refused(dataset: Dataset, condition: str, code: str) -> None:
    with pytest.raises(errors.ExplorerError) as caught:
        made(dataset, condition)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "sort", [[("species", "up")], [("uuid",)], "uuid", [["uuid", "asc"], 1], [(1, "asc")], [("uuid", "asc")] * 9, 7]
)
def test_what_is_no_order_is_refused(sort: Any) -> None:
    with pytest.raises(errors.BadRequestError):
        ordering.sort_keys(sort)


def test_an_absent_column_is_no_order(dataset: Dataset) -> None:
    with pytest.raises(errors.WrongColumnsError) as caught:
        made(dataset, "", [("specie", "asc")])
    assert "species" in str(caught.value)


def test_a_query_is_given_up(dataset: Dataset) -> None:
    def stop() -> None:
        raise errors.CancelledError("enough")

    for condition, sort in (
        ("uuid < '4'", ()),
        ("weight > 3", ()),
        ("", [("weight", "asc")]),
        ("", [("Lot No", "asc")]),
    ):
        with pytest.raises(errors.CancelledError):
            make_view(dataset, condition, sort, Work(give_up=stop))


def test_progress_goes_forward(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    real = filtering.run

    def said(*args: Any, **named: Any) -> Any:  # DuckDB says nothing of what it does at once
        progress = named.pop("progress", lambda _: None)
        for part in (0.0, 0.5, 1.0):
            progress(part)
        yield from real(*args, **named)

    monkeypatch.setattr(filtering, "run", said)
    monkeypatch.setattr(ordering, "run", said)
    opened.append(make_view(dataset, "species = 'species 3'", [("weight", "asc")], Work(progress=told.append)))
    assert len(set(told)) >= 5
    assert told == sorted(told)
    assert (told[0] >= 0, told[-1]) == (True, 1)


def test_metadata_that_has_changed_is_looked_at_anew(changing: Dataset, tmp_path: Path) -> None:
    before = made(changing, "species = 'species 3'").num_rows
    path = tmp_path / "shard_0_metadata.parquet"
    table = pq.read_table(path)
    changed = table.set_column(1, "species", pa.array(["species 3"] * len(table))).slice(0, len(table) - 1)
    pq.write_table(changed.take(pa.array(range(len(changed))[::-1])), path)
    after = made(changing, "species = 'species 3'")
    assert after.num_rows > before
    expected = [row for row, file in enumerate(lookup_table()["filepath"].to_pylist()) if file == "shard_0"]
    assert set(expected) <= set(after.rows.rows(0, ROWS).tolist())


@pytest.mark.parametrize(
    ("condition", "sort"),
    [
        ("species = 'species 3'", ()),
        ("species = 'species 3' AND \"Lot No\" <> ''", ()),
        ("", [("species", "asc")]),
    ],
)
def test_metadata_that_changes_meanwhile_is_refused(
    changing: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, condition: str, sort: Any
) -> None:
    made(changing, "species = 'species 3'")
    path = tmp_path / "shard_0_metadata.parquet"
    table = pq.read_table(path)
    real = filtering.run

    def while_it_runs(*args: Any, **named: Any) -> Any:
        yield from real(*args, **named)
        pq.write_table(table.slice(1), path)

    monkeypatch.setattr(filtering, "run", while_it_runs)
    monkeypatch.setattr(ordering, "run", while_it_runs)
    with pytest.raises(errors.MetadataUnreadableError, match="has changed while the rows were worked out"):
        make_view(changing, condition, sort, Work())
    monkeypatch.undo()
    assert made(changing, condition, sort).num_rows > 0


@pytest.mark.parametrize(("condition", "sort"), [("filepath = 'shard_1'", ()), ("", [("Lot No", "asc")])])
def test_a_lookup_that_changes_meanwhile_is_refused(
    changing: Dataset, monkeypatch: pytest.MonkeyPatch, condition: str, sort: Any
) -> None:
    real = filtering.run

    def while_it_runs(*args: Any, **named: Any) -> Any:
        yield from real(*args, **named)
        pq.write_table(lookup_table().slice(1), changing.lookup.location)

    monkeypatch.setattr(filtering, "run", while_it_runs)
    monkeypatch.setattr(ordering, "run", while_it_runs)
    with pytest.raises(errors.LookupChangedError):
        make_view(changing, condition, sort, Work())


@pytest.mark.parametrize(
    "what", ["h5explorer_py.view.records._pad", "h5explorer_py.lookup.packed.packed.build_uuid_index"]
)
def test_where_there_is_no_room_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    dataset = opened_as("parquet", tmp_path, monkeypatch)
    opened.append(dataset)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(what, full)
        with pytest.raises(errors.WriteFailedError, match=r"No space left on device.*H5EXPLORER_CACHE"):
            make_view(dataset, "species = 'species 3'", (), Work())
    assert made(dataset, "species = 'species 3'").num_rows > 0


def test_an_order_that_finds_no_room_is_said(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(orders, "_HELD_ROWS", 10)
    with pytest.raises(errors.WriteFailedError, match="absent"):
        make_view(dataset, "", [("Lot No", "asc")], Work(scratch=str(tmp_path / "absent")))


def test_missing_and_broken_metadata_files_are_left_out(changing: Dataset, tmp_path: Path) -> None:
    (tmp_path / "shard_0_metadata.parquet").unlink()
    (tmp_path / "shard_1_metadata.parquet").write_bytes(b"PAR1 broken")
    files = lookup_table()["filepath"].to_pylist()
    shown = made(changing, "weight IS NOT NULL")
    assert not {files[row] for row in shown.rows.rows(0, ROWS).tolist()} & {"shard_0", "shard_1"}
    assert shown.num_rows > 0
    for each in (shown, made(changing, "", [("weight", "asc")]), made(changing, "weight > 0", [("weight", "asc")])):
        (said,) = each.notices
        assert "3 of 9 metadata files are missing or cannot be read" in said
        assert "shard_0_metadata.parquet" in said
    assert made(changing, "filepath IS NOT NULL").notices == ()


def test_columns_that_differ_in_case_only(tmp_path: Path) -> None:
    table = pa.table({"uuid": list("abc"), "filepath": ["s"] * 3, "x": [1, 2, 3], "X": [3, 2, 1], "Uuid": [1, 2, 3]})
    pq.write_table(table, tmp_path / "l.parquet")
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS)
    opened.append(dataset)
    assert made(dataset, "x = 1").rows.rows(0, 9).tolist() == [0]
    assert made(dataset, "X = 1").rows.rows(0, 9).tolist() == [2]
    assert made(dataset, "x < 3 AND X < 3 AND uuid = 'b' AND \"Uuid\" = 2").rows.rows(0, 9).tolist() == [1]
    assert made(dataset, "", [("X", "asc")]).rows.rows(0, 9).tolist() == [2, 1, 0]


def test_folders_do_not_give_columns_their_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB would take what ``weight=7`` in a path says for that column."""
    folder = tmp_path / "weight=7" / "size=3"
    folder.mkdir(parents=True)
    dataset = opened_as("parquet", folder, monkeypatch)
    opened.append(dataset)
    same(made(dataset, "weight > 40"), truth("weight > 40"))
    same(made(dataset, "size > 40"), truth("size > 40"))
    same(
        made(dataset, "size > 40 OR weight > 40", [("weight", "asc")]), truth("size > 40 OR weight > 40", "weight, row")
    )


def test_going_through_records_ends_when_nobody_waits(dataset: Dataset) -> None:
    asked = []

    def stop() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise errors.CancelledError("enough")

    with contextlib.closing(filtering.records_of(dataset, Work())) as records:
        _, batches = scans.stream_of_records(records, ["species"], stop)
        with pytest.raises(errors.CancelledError):
            list(batches)
    assert len(asked) == 3


def test_an_order_by_metadata_is_given_up_while_its_records_are_gone_through(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []
    stream = scans.stream_of_records

    def watched(records: Any, columns: Any, give_up: Any) -> Any:
        given.append(give_up)
        return stream(records, columns, give_up)

    monkeypatch.setattr(ordering, "stream_of_records", watched)
    work = Work()
    make_view(dataset, "", [("species", "asc")], work).close()
    assert given == [work.give_up]
