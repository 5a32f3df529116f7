"""Lookups in Parquet: every window equals what pyarrow reads, by both roads and for every kind of column."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.parquet import SMALL_GROUP
from h5explorer_py.lookup.windows import GroupWindows, SqlWindows, StreamWindows
from h5explorer_py.options import KeyColumns
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from h5explorer_py.lookup.base import Lookup

LARGE = SMALL_GROUP + 1


def large(rows: int, row_group_size: int, folder: Path) -> Path:
    numbers = np.arange(rows)
    keys = pa.array(numbers).cast(pa.string())
    paths = pa.DictionaryArray.from_arrays(
        pa.array(numbers // 1000 % 97, pa.int32()), [f"shard_{n}" for n in range(97)]
    )
    table = pa.table({"note": pa.array(numbers % 7), "uuid": keys, "filepath": paths.cast(pa.string())})
    pq.write_table(table, folder / "lookup.parquet", row_group_size=row_group_size)
    return folder / "lookup.parquet"


@pytest.fixture(scope="module", params=["small groups", "large groups", "one large group", "uneven groups"])
def big(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, type]:
    folder = tmp_path_factory.mktemp("big")
    rows = 400_000
    sizes = {"small groups": 10_000, "large groups": LARGE, "one large group": rows}
    if request.param in sizes:
        kind = GroupWindows if request.param == "small groups" else SqlWindows
        return large(rows, sizes[request.param], folder), kind
    table = pq.read_table(large(20_000, 20_000, folder))
    with pq.ParquetWriter(folder / "lookup.parquet", table.schema) as writer:
        for start, stop in ((0, 1), (1, 1), (1, 4000), (4000, 4001), (4001, 20_000)):
            writer.write_table(table.slice(start, stop - start))
    return folder / "lookup.parquet", GroupWindows


def take(road: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files read in the way of large ones."""
    if road is not GroupWindows:
        monkeypatch.setattr("h5explorer_py.lookup.parquet.SMALL_GROUP", 0)
    if road is SqlWindows:
        monkeypatch.setattr("h5explorer_py.lookup.parquet.FIRST_ROWS", 0)


def edges(rows: int) -> list[tuple[int, int]]:
    middle = min(LARGE, rows // 2)
    starts = [0, 1, 9_999, 10_000, 65_535, 65_536, middle - 1, middle, rows - 1025, rows - 1, rows, rows + 5]
    return [(start, start + length) for start in starts for length in (0, 1, 2, 1024)] + [(rows - 10, rows + 10)]


def close_to(lookup: Lookup) -> None:
    lookup.close()


def test_windows_at_every_edge_are_what_pyarrow_reads(big: tuple[Path, type]) -> None:
    path, road = big
    truth = pq.read_table(path)
    lookup = open_lookup(path, COLUMNS)
    assert type(lookup._windows) is road
    assert lookup.num_rows == truth.num_rows
    for start, stop in edges(truth.num_rows):
        wanted = truth.slice(start, stop - start)
        assert lookup.keys(start, stop).to_pylist() == wanted.select(["uuid", "filepath"]).to_pylist(), (start, stop)
        assert lookup.read(start, stop).equals(wanted), (start, stop)
    lookup.close()


def test_a_scan_goes_through_all_rows_in_order(big: tuple[Path, type]) -> None:
    path, _ = big
    truth = pq.read_table(path)
    lookup = open_lookup(path, COLUMNS)
    for names in (["uuid"], ["filepath"], ["uuid", "filepath"], ["filepath", "uuid"]):
        batches = list(lookup.scan(names))
        assert [batch.schema.names for batch in batches] == [names] * len(batches)
        assert max(batch.num_rows for batch in batches) <= 1 << 16
        for at, name in enumerate(names):
            column = pa.chunked_array([batch.column(at).cast(pa.string()) for batch in batches])
            assert column.equals(truth.column(name))
    lookup.close()


def test_a_million_rows(tmp_path: Path) -> None:
    path = large(1 << 20, 1 << 20, tmp_path)
    lookup = open_lookup(path, COLUMNS)
    rows = 1 << 20
    assert lookup.num_rows == rows
    for start in (0, 500_000, rows - 100):
        assert lookup.keys(start, start + 100).column("uuid").to_pylist() == [
            str(number) for number in range(start, start + 100)
        ]
    assert lookup.keys(rows - 1, rows).to_pylist() == [
        {"uuid": str(rows - 1), "filepath": f"shard_{(rows - 1) // 1000 % 97}"}
    ]
    lookup.close()


# Kinds of columns

UUIDS = [uuid.UUID(int=number * 0x1234_5678_9ABC_DEF0_1122_3344) for number in range(1, 5)]
TEXTS = ["a", "ä", "", None]
KINDS: dict[str, tuple[pa.Array, list[str | None]]] = {
    "string": (pa.array(TEXTS), TEXTS),
    "large_string": (pa.array(TEXTS, pa.large_string()), TEXTS),
    "string_view": (pa.array(TEXTS, pa.string_view()), TEXTS),
    "dictionary": (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
    "binary16": (
        pa.array([*(each.bytes for each in UUIDS[:3]), None], pa.binary(16)),
        [*map(str, UUIDS[:3]), None],
    ),
    "uuid": (pa.array([*(each.bytes for each in UUIDS[:3]), None], pa.uuid()), [*map(str, UUIDS[:3]), None]),
    "int64": (pa.array([777, -1, 2**53 + 1, None]), ["777", "-1", "9007199254740993", None]),
    "uint64": (pa.array([2**64 - 1, 0, 1, None], pa.uint64()), ["18446744073709551615", "0", "1", None]),
    "int8": (pa.array([1, -128, 127, None], pa.int8()), ["1", "-128", "127", None]),
    "float64": (pa.array([1.5, -0.25, 1e300, None]), ["1.5", "-0.25", "1e+300", None]),
    "binary": (pa.array([b"abc", "ä".encode(), b"\xff\x00", None]), ["abc", "ä", "ff00", None]),
    "large_binary": (pa.array([b"abc", b"", b"\xff", None], pa.large_binary()), ["abc", "", "ff", None]),
    "binary4": (pa.array([b"abcd", b"\xff\0\0\1", b"1234", None], pa.binary(4)), ["abcd", "ff000001", "1234", None]),
    "null": (pa.nulls(4), [None] * 4),
    "dictionary of binary": (
        pa.array([b"a", b"\xff", None, b"a"]).dictionary_encode(),
        ["a", "ff", None, "a"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
@pytest.mark.parametrize("column", ["uuid", "filepath"])
def test_every_kind_of_column_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, road: type, column: str
) -> None:
    values, texts = KINDS[kind]
    other = "filepath" if column == "uuid" else "uuid"
    table = pa.table({column: values, "extra": range(4), other: ["f", "g", "h", None]})
    pq.write_table(table, tmp_path / "lookup.parquet")
    take(road, monkeypatch)
    lookup = open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    assert type(lookup._windows_at(0, 4)) is road
    found = lookup.keys(0, 4)
    assert found.schema.names == ["uuid", "filepath"]
    assert found.column(column).to_pylist() == texts
    assert found.column(other).to_pylist() == ["f", "g", "h", None]
    assert lookup.read(1, 3).to_pylist() == pq.read_table(tmp_path / "lookup.parquet").slice(1, 2).to_pylist()
    lookup.close()


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], [2]]),
        pa.array([{"x": 1}, {"x": 2}]),
        pa.array([True, False]),
        pa.array([1, 2], pa.date32()),
        pa.array([1, 2], pa.timestamp("us")),
    ],
)
@pytest.mark.parametrize("column", ["uuid", "filepath"])
def test_a_column_that_is_no_text_is_refused(tmp_path: Path, values: pa.Array, column: str) -> None:
    table = pa.table({"uuid": ["a", "b"], "filepath": ["f", "g"]})
    table = table.set_column(table.column_names.index(column), column, values)
    pq.write_table(table, tmp_path / "lookup.parquet")
    with pytest.raises(errors.WrongColumnsError) as caught:
        open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    assert str(pq.read_schema(tmp_path / "lookup.parquet").field(column).type) in str(caught.value)
    assert column in str(caught.value)


# Names

NAMES = ["id", "the file", 'quo"te', "semi;colon", "a.b", "ä", "SELECT", "it's", "file_row_number", "tab\there"]


@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
@pytest.mark.parametrize(("first", "second"), list(zip(NAMES, NAMES[1:] + NAMES[:1], strict=True)))
def test_renamed_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, road: type, first: str, second: str) -> None:
    table = pa.table({second: ["f", "g"], "uuid": [1, 2], "filepath": [3, 4], first: ["a", "b"]})
    pq.write_table(table, tmp_path / "lookup.parquet")
    take(road, monkeypatch)
    lookup = open_lookup(tmp_path / "lookup.parquet", KeyColumns(first, second))
    taken = "file_row_number" in {first, second}  # DuckDB has a column of this name for itself
    assert type(lookup._windows_at(0, 2)) is (GroupWindows if taken else road)
    assert lookup.keys(0, 9).to_pylist() == [{"uuid": "a", "filepath": "f"}, {"uuid": "b", "filepath": "g"}]
    scanned = pa.Table.from_batches(lookup.scan([first, second]))
    assert scanned.column_names == [first, second]
    assert [column.cast(pa.string()).to_pylist() for column in scanned.columns] == [["a", "b"], ["f", "g"]]
    assert lookup.read(0, 9).equals(table)
    lookup.close()


@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
def test_columns_whose_names_begin_alike_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, road: type
) -> None:
    """A dot in a name may be taken for a field of a struct, upper for lower case."""
    table = pa.table(
        {
            "filepath.old": ["x", "y"],
            "uuid.version": [4, 5],
            "FILEPATH": ["X", "Y"],
            "filepath": ["f", "g"],
            "UUID": ["A", "B"],
            "uuid": ["a", "b"],
        }
    )
    pq.write_table(table, tmp_path / "lookup.parquet")
    take(road, monkeypatch)
    lookup = open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    assert lookup.keys(0, 2).to_pylist() == [{"uuid": "a", "filepath": "f"}, {"uuid": "b", "filepath": "g"}]
    scanned = pa.Table.from_batches(lookup.scan(["uuid", "filepath"]))
    assert [column.cast(pa.string()).to_pylist() for column in scanned.columns] == [["a", "b"], ["f", "g"]]
    assert lookup.read(0, 2).equals(table)
    lookup.close()


@pytest.mark.parametrize("name", ["we*ird.parquet", "a[1].parquet", "q?.parquet", "{x}.parquet", "'\".parquet", "ä.p"])
@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
def test_file_names_with_signs_of_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, road: type
) -> None:
    pq.write_table(pa.table({"uuid": ["right"], "filepath": ["f"]}), tmp_path / name)
    for decoy in ("weAird.parquet", "a1.parquet", "qq.parquet", "x.parquet"):
        pq.write_table(pa.table({"uuid": ["wrong"], "filepath": ["f"]}), tmp_path / decoy)
    take(road, monkeypatch)
    lookup = open_lookup(str(tmp_path / name), COLUMNS)
    assert lookup.keys(0, 5).to_pylist() == [{"uuid": "right", "filepath": "f"}]
    assert lookup.name == name
    lookup.close()


@pytest.mark.parametrize("double", ["uuid", "filepath"])
def test_a_key_column_that_is_there_twice_is_refused(tmp_path: Path, double: str) -> None:
    names = ["uuid", "filepath", double]
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 3, names), tmp_path / "lookup.parquet")
    with pytest.raises(errors.WrongColumnsError, match=f"2 columns named '{double}'"):
        open_lookup(tmp_path / "lookup.parquet", COLUMNS)


@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
def test_other_columns_may_be_there_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, road: type) -> None:
    table = pa.Table.from_arrays([pa.array([text]) for text in "xayfz"], ["note", "uuid", "note", "filepath", "note"])
    pq.write_table(table, tmp_path / "lookup.parquet")
    take(road, monkeypatch)
    lookup = open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    assert lookup.keys(0, 1).to_pylist() == [{"uuid": "a", "filepath": "f"}]
    assert lookup.read(0, 1).equals(table)
    lookup.close()


# Headers, and files that change


def test_a_lookup_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uuid": pa.array([], pa.string()), "filepath": pa.array([], pa.string())}), tmp_path / "l")
    lookup = open_lookup(tmp_path / "l", COLUMNS)
    assert lookup.num_rows == 0
    assert lookup.keys(0, 100).num_rows == lookup.read(0, 100).num_rows == 0
    assert list(lookup.scan(["uuid"])) in ([], [pa.record_batch({"uuid": pa.array([], pa.string())})])
    lookup.close()


def replace(path: Path) -> None:
    pq.write_table(pa.table({"uuid": ["n"], "filepath": ["n"]}), path.with_name("new"))
    path.with_name("new").rename(path)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path) -> None:
    path.unlink()


CHANGES = [(replace, "changed"), (append, "changed"), (cut, "changed"), (remove, "gone")]


@pytest.mark.parametrize(("change", "says"), CHANGES)
@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
def test_a_file_that_is_no_longer_the_one_that_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], says: str, road: type
) -> None:
    take(road, monkeypatch)
    path = tmp_path / "lookup.parquet"
    pq.write_table(pa.table({"uuid": ["a", "b"], "filepath": ["f", "g"]}), path)
    lookup = open_lookup(path, COLUMNS)
    lookup.keys(0, 1)
    change(path)
    reads: list[Callable[[], Any]] = [
        lambda: lookup.keys(0, 1),
        lambda: lookup.read(0, 1),
        lambda: list(lookup.scan(["uuid"])),
    ]
    for read in reads:
        with pytest.raises(errors.LookupChangedError, match=says):
            read()
    lookup.close()


# Damaged files


def test_text_that_is_no_utf_8_is_still_text(tmp_path: Path) -> None:
    """Parquet readers do not check what is marked as text."""
    bad = pa.array([b"a\xff", b"good"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"uuid": bad, "filepath": bad}), tmp_path / "lookup.parquet")
    lookup = open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    first, second = lookup.keys(0, 2).to_pylist()
    assert second == {"uuid": "good", "filepath": "good"}
    assert first["uuid"].startswith("a")
    lookup.close()


@pytest.mark.parametrize("road", [GroupWindows, SqlWindows, StreamWindows])
def test_a_damaged_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, road: type) -> None:
    take(road, monkeypatch)
    path = tmp_path / "lookup.parquet"
    keys = [str(uuid.UUID(int=number)) for number in range(500)]
    pq.write_table(pa.table({"uuid": keys, "filepath": keys}), path, use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[20:4000] = bytes(index % 251 for index in range(3980))
    path.write_bytes(data)
    lookup = open_lookup(path, COLUMNS)
    for read in (lambda: lookup.keys(0, 9), lambda: lookup.read(0, 9), lambda: list(lookup.scan(["uuid"]))):
        with pytest.raises(errors.LookupUnreadableError, match=r"lookup\.parquet is damaged"):
            read()
    lookup.close()


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1PAR1", b"PAR1" + bytes(100) + b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1"])
def test_what_only_begins_like_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lookup.parquet").write_bytes(content)
    with pytest.raises(errors.LookupUnreadableError) as caught:
        open_lookup(tmp_path / "lookup.parquet", COLUMNS)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)
