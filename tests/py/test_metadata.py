"""Records of metadata: every value as it is stored, to Python and to the page, from the file as it is now."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.metadata import store as stores
from h5explorer_py.metadata.record import for_page, text_of, type_name, value_of
from h5explorer_py.metadata.store import MetadataStore
from h5explorer_py.wire import to_parquet
from tests.fixtures.datasets import EVERY_TYPE, GOOD_SHARDS, key, write_metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def same(first: Any, second: Any) -> bool:
    """Equal, kind and all, with NaN equal to NaN."""
    if isinstance(first, float) and isinstance(second, float) and math.isnan(first):
        return math.isnan(second)
    return type(first) is type(second) and first == second


def sent(table: pa.Table) -> pa.Table:
    """What the page receives."""
    return pq.ParquetFile(pa.BufferReader(to_parquet(for_page(table)))).read()


# The explorer's records


@pytest.mark.parametrize("number", [0, 1, 99, 100, 150, 299])
def test_every_value_is_what_pyarrow_gives_in_its_order(
    explorer: Callable[..., Any], contract: Path, number: int
) -> None:
    metadata = contract / f"{GOOD_SHARDS[number // 100]}_metadata.parquet"
    truth = next(row for row in pq.read_table(metadata).to_pylist() if row["uuid"] == key(number))
    found = explorer().metadata(key(number))
    assert list(found) == list(truth) == EVERY_TYPE.names
    assert [name for name in truth if not same(found[name], truth[name])] == []
    assert found["big"] == 9_007_199_254_740_993 + number
    assert found["id_text"] == "00777"


@pytest.mark.parametrize("number", [0, 299])
def test_every_value_reaches_the_page(contract: Path, number: int) -> None:
    path = contract / f"{GOOD_SHARDS[number // 100]}_metadata.parquet"
    table = MetadataStore(("uuid",)).record(str(path), key(number)).table
    received = sent(table)
    assert received.column_names == table.column_names
    [truth], [found] = table.to_pylist(), received.to_pylist()
    found["price"] = decimal.Decimal(found["price"])  # sent as text, as the page has no such numbers
    assert [name for name in truth if not same(found[name], truth[name])] == []


# Values of every type

ONE = pa.int32()
PLAIN: dict[str, Any] = {
    "dictionary": pa.array(["a"]).dictionary_encode(),
    "dictionary of numbers": pa.array([2**60]).dictionary_encode(),
    "dictionary of times": pa.array([1], pa.timestamp("us", tz="UTC")).dictionary_encode(),
    "large_string": pa.array(["ä"], pa.large_string()),
    "string_view": pa.array(["longer than twelve bytes"], pa.string_view()),
    "large_binary": pa.array([b"\0\xff"], pa.large_binary()),
    "binary_view": pa.array([b"\0\xff longer than twelve"], pa.binary_view()),
    "binary(3)": pa.array([b"abc"], pa.binary(3)),
    "large_list": pa.array([[1, None, 3]], pa.large_list(pa.int64())),
    "list of views": pa.array([["x", None]], pa.list_(pa.string_view())),
    "large list of large": pa.array([["x"], None], pa.large_list(pa.large_string())),
    "list(2)": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
    "list of lists": pa.array([[[1], [], None]]),
    "struct": pa.array([{"a": 1, "b": {"c": ["x"]}}]),
    "struct of dictionary": pa.StructArray.from_arrays([pa.array(["x"]).dictionary_encode()], ["a"]),
    "list of dictionary": pa.ListArray.from_arrays(pa.array([0, 1], ONE), pa.array(["x"]).dictionary_encode()),
    "map": pa.array([[("a", 1), ("b", None)]], pa.map_(pa.string(), pa.int64())),
    "map of large": pa.array([[("a", "b")]], pa.map_(pa.large_string(), pa.string_view())),
    "run ends": pa.RunEndEncodedArray.from_arrays(pa.array([2], ONE), pa.array(["a"])),
    "run ends of times": pa.RunEndEncodedArray.from_arrays(pa.array([2], ONE), pa.array([5], pa.timestamp("us"))),
    "run ends of nothing": pa.RunEndEncodedArray.from_arrays(pa.array([2], ONE), pa.nulls(1, pa.int8())),
    "half": pa.array([1.5], pa.float16()),
    "date64": pa.array([dt.date(1960, 1, 1)], pa.date64()),
    "time32": pa.array([dt.time(23, 59, 59)], pa.time32("ms")),
    "time64": pa.array([dt.time(1, 2, 3, 4)], pa.time64("ns")),
    "duration": pa.array([dt.timedelta(days=-1, microseconds=1)], pa.duration("us")),
    "zone": pa.array([dt.datetime(2024, 7, 1, tzinfo=dt.UTC)], pa.timestamp("us", tz="America/St_Johns")),
    "offset": pa.array([dt.datetime(2024, 7, 1, tzinfo=dt.UTC)], pa.timestamp("us", tz="+05:30")),
    "null": pa.nulls(1),
    "no text": pa.array([None], pa.large_string()),
    "no list": pa.array([None], pa.large_list(pa.int64())),
    "json": pa.array(['{"a": 1}'], pa.json_()),
    "uint64": pa.array([2**64 - 1], pa.uint64()),
    "infinite": pa.array([-math.inf, math.nan]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_values_of_every_type_are_the_same_for_the_page(name: str) -> None:
    table = pa.table({"x": PLAIN[name]})
    received = sent(table.slice(0, 1))
    assert same(received.column(0)[0].as_py(), table.column(0)[0].as_py())
    assert received.column_names == ["x"]


@pytest.mark.parametrize("name", ["run ends", "dictionary", "large_list", "struct of dictionary", "list of dictionary"])
def test_a_record_out_of_the_middle(name: str) -> None:
    values = PLAIN[name]
    table = pa.table({"x": pa.chunked_array([values, values])}).slice(1, 1)
    assert sent(table).column(0).to_pylist() == table.column(0).to_pylist()


ALL_SORTS = (
    "{a: 1, b: true, c: 0.1, d: 3, e: -Infinity, f: NaN, g: 0x01, h: 2024-02-29, i: 2024-02-29 01:02:03, "
    'j: 90 ms, k: "\\"", l: "x", m: null, n: <value out of range: 100000000>}'
)
TEXTS: dict[str, tuple[Any, str]] = {
    "decimal": (pa.array([decimal.Decimal("-12.50")]), "-12.50"),
    "small decimal": (pa.array([decimal.Decimal("0.0000000001")]), "0.0000000001"),
    "decimal256": (pa.array([decimal.Decimal(10) ** 60], pa.decimal256(70, 1)), "1" + "0" * 60 + ".0"),
    "list of decimals": (pa.array([[decimal.Decimal("1.5"), None]]), "[1.5, null]"),
    "map of decimals": (
        pa.array([[('a"', decimal.Decimal(1))]], pa.map_(pa.string(), pa.decimal128(3))),
        '{"a\\"": 1}',
    ),
    "no entries": (pa.array([[]], pa.map_(pa.string(), pa.decimal128(3))), "{}"),
    "uuid": (pa.array([uuid.UUID(int=5).bytes], pa.uuid()), str(uuid.UUID(int=5))),
    "interval": (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "1 months 2 days 3 ns"),
    "union": (pa.UnionArray.from_sparse(pa.array([1], pa.int8()), [pa.array([1]), pa.array(["x"])]), "x"),
    "names twice": (pa.StructArray.from_arrays([pa.array([1]), pa.array(["y"])], ["a", "a"]), '{a: 1, a: "y"}'),
    "no members": (pa.array([{}], pa.struct([])), "{}"),
    "view of a list": (pa.array([["x", None]], pa.list_view(pa.string())), '["x", null]'),
    "all sorts": (
        pa.StructArray.from_arrays(
            [
                pa.array([decimal.Decimal(1)]),
                pa.array([True]),
                pa.array([0.1], pa.float32()),
                pa.array([3.0]),
                pa.array([-math.inf]),
                pa.array([math.nan]),
                pa.array([b"\1"]),
                pa.array([dt.date(2024, 2, 29)]),
                pa.array([1_709_168_523], pa.timestamp("s")),
                pa.array([90], pa.duration("ms")),
                pa.array(['"'], pa.large_string()),
                pa.array(["x"]).dictionary_encode(),
                pa.nulls(1),
                pa.array([10**8], pa.date32()),
            ],
            list("abcdefghijklmn"),
        ),
        ALL_SORTS,
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_the_page_has_no_type_for_is_sent_as_text(name: str) -> None:
    values, text = TEXTS[name]
    received = sent(pa.table({"x": values}))
    assert received.schema.field("x").type == pa.string()
    assert received.column(0).to_pylist() == [text]


def test_no_value_of_such_a_type_stays_null() -> None:
    assert sent(pa.table({"x": pa.nulls(1, pa.decimal128(5))})).column(0).to_pylist() == [None]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.dictionary(pa.int8(), pa.string()), "dictionary<string>"),
        (pa.list_(pa.string()), "list<string>"),
        (pa.large_list(pa.list_(pa.int8())), "list<list<int8>>"),
        (pa.list_(pa.int32(), 2), "list<int32>[2]"),
        (pa.struct([("x", pa.float64()), ("y", pa.list_(pa.string()))]), "struct<x: double, y: list<string>>"),
        (pa.map_(pa.string(), pa.int32()), "map<string, int32>"),
        (pa.timestamp("us", tz="UTC"), "timestamp[us, tz=UTC]"),
        (pa.decimal128(5, 2), "decimal128(5, 2)"),
    ],
)
def test_names_of_types(kind: pa.DataType, name: str) -> None:
    assert type_name(kind) == name


def test_text_that_is_no_utf_8_is_given_with_a_sign_for_it() -> None:
    bad = pa.chunked_array([pa.array([b"a\xff"], pa.binary()).view(pa.string())])
    assert value_of(bad) == text_of(bad[0]) == "a\ufffd"


@pytest.mark.parametrize("values", [pa.array([10**8], pa.date32()), pa.array([2**40], pa.timestamp("s"))])
def test_times_that_python_does_not_have_are_text(values: pa.Array) -> None:
    assert isinstance(value_of(pa.chunked_array([values])), str)


# Files


@pytest.fixture
def store() -> MetadataStore:
    return MetadataStore(("uuid",))


def table_of(keys: Any, **columns: Any) -> pa.Table:
    return pa.table({"uuid": keys, "at": np.arange(len(keys)), **columns})


UUIDS = [uuid.UUID(int=number << 90 | number) for number in range(3)]
TEXT_UUIDS = [str(each) for each in UUIDS]


@pytest.mark.parametrize(
    "keys",
    [
        pa.array(TEXT_UUIDS),
        pa.array(TEXT_UUIDS, pa.large_string()),
        pa.array(TEXT_UUIDS, pa.string_view()),
        pa.array(TEXT_UUIDS).dictionary_encode(),
        pa.array([each.bytes for each in UUIDS], pa.binary(16)),
        pa.array([each.bytes for each in UUIDS], pa.uuid()),
        pa.array([each.encode() for each in TEXT_UUIDS]),
    ],
    ids=str,
)
def test_uuids_of_many_kinds(store: MetadataStore, tmp_path: Path, keys: pa.Array) -> None:
    pq.write_table(table_of(keys), tmp_path / "m.parquet")
    for at, text in enumerate(TEXT_UUIDS):
        record = store.record(str(tmp_path / "m.parquet"), text)
        assert record.table.column("at").to_pylist() == [at]
        assert record.matches == 1


def test_uuids_that_are_numbers(store: MetadataStore, tmp_path: Path) -> None:
    pq.write_table(table_of(pa.array([777, None, 5])), tmp_path / "m.parquet")
    assert store.record(str(tmp_path / "m.parquet"), "5").table.column("at").to_pylist() == [2]
    with pytest.raises(errors.RecordNotFoundError):
        store.record(str(tmp_path / "m.parquet"), "00777")


@pytest.mark.parametrize("whole", [0, 1 << 30])
def test_the_first_of_several_records_is_given_and_their_number(
    store: MetadataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr(stores, "WHOLE_BYTES", whole)
    pq.write_table(table_of(["a", "b", "a", "a"]), tmp_path / "m.parquet")
    record = store.record(str(tmp_path / "m.parquet"), "a")
    assert record.matches == 3
    assert record.table.column("at").to_pylist() == [0]


def test_columns_of_the_same_name_are_all_there(store: MetadataStore, tmp_path: Path) -> None:
    names = ["note", "uuid", "note", "uuid"]
    columns = [pa.array(texts) for texts in (["x", "y"], ["a", "b"], ["p", "q"], ["b", "a"])]
    pq.write_table(pa.Table.from_arrays(columns, names), tmp_path / "m.parquet")
    table = store.record(str(tmp_path / "m.parquet"), "b").table
    assert table.column_names == names
    assert [column[0].as_py() for column in table.columns] == ["y", "b", "q", "a"]
    assert sent(table).column_names == names


def test_columns_of_the_same_name_have_numbers_in_python(explorer: Callable[..., Any], tmp_path: Path) -> None:
    names = ["note", "uuid", "note", "note (2)", "note"]
    pq.write_table(pa.Table.from_arrays([pa.array([text]) for text in "vawxy"], names), tmp_path / "s_metadata.parquet")
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["s"]}), tmp_path / "l.parquet")
    found = explorer(tmp_path / "l.parquet").metadata("a")
    assert sorted(found.values()) == sorted("vawxy")
    assert list(found)[:3] == ["note", "uuid", "note (2)"]


@pytest.mark.parametrize("kind", ["whole", "by row"])
def test_every_row_of_a_large_table(
    store: MetadataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "by row":
        monkeypatch.setattr(stores, "WHOLE_BYTES", 0)
        monkeypatch.setattr(stores, "_BATCH_ROWS", 100)
    keys = [f"k{number}" for number in range(1000)]
    pq.write_table(table_of(keys, text=[key * 3 for key in keys]), tmp_path / "m.parquet", row_group_size=333)
    for at in (0, 99, 100, 332, 333, 500, 999):
        table = store.record(str(tmp_path / "m.parquet"), f"k{at}").table
        assert table.to_pylist() == [{"uuid": f"k{at}", "at": at, "text": f"k{at}" * 3}]


def change(path: Path, keys: list[str], shift: int) -> None:
    now = path.stat().st_mtime_ns
    pq.write_table(table_of(keys, shift=[shift] * len(keys)), path)
    os.utime(path, ns=(now + 10_000_000, now + 10_000_000))


@pytest.mark.parametrize("whole", [0, 1 << 30])
def test_a_file_that_changed_is_read_anew(
    store: MetadataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr(stores, "WHOLE_BYTES", whole)
    path = tmp_path / "m.parquet"
    pq.write_table(table_of(["a", "b"], shift=[0, 0]), path)
    assert store.record(str(path), "b").table.to_pylist() == [{"uuid": "b", "at": 1, "shift": 0}]
    change(path, ["b", "a"], 7)
    assert store.record(str(path), "b").table.to_pylist() == [{"uuid": "b", "at": 0, "shift": 7}]
    path.unlink()
    with pytest.raises(errors.MetadataNotFoundError):
        store.record(str(path), "b")


def test_a_file_that_changes_between_index_and_row_gives_no_other_record(
    store: MetadataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "WHOLE_BYTES", 0)
    path = tmp_path / "m.parquet"
    pq.write_table(table_of(["a", "b"]), path)
    store.record(str(path), "b")
    opening = stores._open
    monkeypatch.setattr(stores, "_open", lambda name: (change(path, ["b", "a"], 1), opening(name))[1])
    with pytest.raises(errors.MetadataUnreadableError, match="changes while it is read"):
        store.record(str(path), "b")


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"m{number}.parquet" for number in range(6)]
    for number, path in enumerate(paths):
        pq.write_table(table_of([f"{number} {row}" for row in range(500)], text=["x" * 200] * 500), path)
    store = MetadataStore(("uuid",))
    store.record(str(paths[0]), "0 0")
    [one] = [table.nbytes for table in store._kept.values()]
    assert one > 500 * 200
    monkeypatch.setattr(stores, "KEPT_BYTES", 3 * one + one // 2)
    for _ in range(2):
        for number, path in enumerate(paths):
            assert store.record(str(path), f"{number} 499").table.column("at").to_pylist() == [499]
            assert sum(table.nbytes for table in store._kept.values()) <= stores.KEPT_BYTES
    assert [os.path.basename(path) for path in store._kept] == ["m3.parquet", "m4.parquet", "m5.parquet"]
    store.record(str(paths[3]), "3 0")
    store.record(str(paths[0]), "0 0")
    assert [os.path.basename(path) for path in store._kept] == ["m5.parquet", "m3.parquet", "m0.parquet"]
    store.clear()
    assert not store._kept


def test_a_table_that_is_asked_for_from_all_sides_is_decoded_once(
    store: MetadataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_metadata(tmp_path / "m.parquet", list(range(50)))
    made: list[int] = []
    real = stores._ShardTable

    def counted(*arguments: Any) -> Any:
        made.append(1)
        return real(*arguments)

    monkeypatch.setattr(stores, "_ShardTable", counted)
    threads = [
        threading.Thread(target=store.record, args=(str(tmp_path / "m.parquet"), key(number))) for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 1


# Refusals


def test_an_absent_file_and_an_absent_record(store: MetadataStore, tmp_path: Path) -> None:
    with pytest.raises(errors.MetadataNotFoundError) as absent:
        store.record(str(tmp_path / "m.parquet"), "a")
    assert isinstance(absent.value, FileNotFoundError)
    pq.write_table(table_of(["a"]), tmp_path / "m.parquet")
    with pytest.raises(errors.RecordNotFoundError) as missing:
        store.record(str(tmp_path / "m.parquet"), "b")
    assert isinstance(missing.value, KeyError)
    assert str(missing.value) == "m.parquet has no record of b."


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"junk" * 1000),
        lambda path: path.write_bytes(b"PAR1" + bytes(50) + b"PAR1"),
        lambda path: path.mkdir(),
        os.mkfifo,
        lambda path: path.symlink_to(path.name),
        lambda path: pq.write_table(pa.table({"uuid": pa.array([[1]])}), path),
        lambda path: pq.write_table(pa.table({"uuid": pa.array([True])}), path),
    ],
    ids=["empty", "junk", "almost", "folder", "pipe", "loop", "lists", "flags"],
)
def test_files_that_hold_no_records(store: MetadataStore, tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "m.parquet")
    with pytest.raises(errors.MetadataUnreadableError) as caught:
        store.record(str(tmp_path / "m.parquet"), "a")
    assert "m.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_without_uuids_names_the_columns_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uuids": ["a"], "note": ["x"]}), tmp_path / "m.parquet")
    with pytest.raises(errors.MetadataUnreadableError) as caught:
        MetadataStore(("uuid",)).record(str(tmp_path / "m.parquet"), "a")
    for part in ("no column 'uuid'", "uuids, note", "uuid_column='uuids'"):
        assert part in str(caught.value)


def test_the_column_of_uuids_may_be_called_as_in_the_lookup_or_as_usual(tmp_path: Path) -> None:
    store = MetadataStore(("id", "uuid"))
    pq.write_table(pa.table({"uuid": ["no"], "id": ["a"]}), tmp_path / "m.parquet")
    pq.write_table(pa.table({"uuid": ["a"], "x": [1]}), tmp_path / "n.parquet")
    for name in ("m.parquet", "n.parquet"):
        assert store.record(str(tmp_path / name), "a").matches == 1
