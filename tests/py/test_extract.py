"""A subset of a data set: every image and record of it compared with the source's own files."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import signal
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import hdf5plugin
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from h5explorer_py.bulk import extract as extract_module
from h5explorer_py.bulk import gather, report, spans
from h5explorer_py.bulk.extract import extract
from h5explorer_py.bulk.manifest import MANIFEST
from h5explorer_py.dataset import Dataset
from h5explorer_py.errors import (
    CancelledError,
    ClosedError,
    ReaderStalledError,
    RowOutOfRangeError,
    TargetExistsError,
    WriteFailedError,
)
from h5explorer_py.images import opened, readers
from h5explorer_py.metadata import store as metadata_store
from tests.fixtures.datasets import BAD, EVERY_TYPE, every_type, key, write_images
from tests.fixtures.hostile import write_hostile
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS, python, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from h5explorer_py.bulk.report import Report

LEFT_OUT = {
    "no_shard": "shard_not_found",
    "no_key": "image_not_found",
    "no_filepath": "no_filepath",
    "no_uuid": "key_not_found",
    "no_group": "no_images_group",
    "empty": "empty_image",
    "scalar": "not_an_image",
    "raw_array": "array_not_shown",
    "group": "not_an_image",
    "external_storage": "outside_data",
    "external_link": "outside_data",
}
WITHOUT_RECORD = {"no_metadata": "metadata_not_found", "no_record": "record_not_found"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def by_h5py(shard: Path, name: str) -> bytes | None:
    """The bytes of an image as h5py gives them; ``None`` where there are none."""
    try:
        with h5py.File(shard, "r") as file:
            value = file["images"][name][()]
    except (OSError, KeyError, ValueError):
        return None
    return (value[0] if value.dtype == object else value).tobytes()


def records_of(file: Path) -> tuple[pa.Table, dict[str, int]]:
    """The records of a shard, and the first of each image, as pyarrow gives them."""
    if not file.exists():
        return pa.table({}), {}
    table = pq.read_table(file)
    uuids = table.column("uuid").to_pylist()
    return table, {name: at for at, name in reversed(list(enumerate(uuids)))}


def is_faithful(source: Path, rows: Any, out: Path, left_out: AbstractSet[int] = frozenset()) -> None:
    """Compare every row of a new data set with the source: by h5py, by pyarrow, and as the explorer reads it."""
    images, records = cache(by_h5py), cache(records_of)

    def record_of(file: Path, name: str) -> pa.Table | None:
        table, first = records(file)
        return table.slice(first[name], 1) if name in first else None

    lookup = pq.read_table(source)
    kept = [row for row in rows if row not in left_out]
    new = pq.read_table(out / "lookup.parquet")
    assert new.schema.names == lookup.schema.names
    others = [name for name in lookup.column_names if name != "filepath"]
    assert new.select(others).equals(lookup.select(others).take(pa.array(kept, pa.int64())))
    dataset = Dataset(out / "lookup.parquet", COLUMNS)
    try:
        assert dataset.num_rows == len(kept)
        for at, row in enumerate(kept):
            name, old = lookup.column("uuid")[row].as_py(), source.parent / lookup.column("filepath")[row].as_py()
            path = out / new.column("filepath")[at].as_py()
            image = images(Path(f"{old}_images.h5"), name)
            assert image
            assert images(Path(f"{path}_images.h5"), name) == image
            assert dataset.image(dataset.entry(at)).data == image
            record = record_of(Path(f"{old}_metadata.parquet"), name)
            found = record_of(Path(f"{path}_metadata.parquet"), name)
            assert (record is None) == (found is None)
            if record is not None:
                same_records(found, record)
                same_records(dataset.record(dataset.entry(at)).table, record)
    finally:
        dataset.close()


def same_records(found: pa.Table | None, expected: pa.Table) -> None:
    assert found is not None
    assert found.schema.equals(expected.schema)
    for name, one, other in zip(expected.column_names, found.columns, expected.columns, strict=True):
        one, other = one.combine_chunks(), other.combine_chunks()  # noqa: PLW2901
        if not one.equals(other):
            assert str(one.type) in {"double", "float"}, name
            assert np.array_equal(one.to_numpy(), other.to_numpy(), equal_nan=True), name


@pytest.fixture
def source(contract: Path) -> Iterator[Dataset]:
    dataset = Dataset(contract / "lookup.parquet", COLUMNS)
    yield dataset
    dataset.close()


def take(source: Dataset, rows: Any, out: Path, **options: Any) -> Report:
    return extract(source, [np.asarray(rows, np.int64)], out, **options)


# What is taken


@pytest.mark.parametrize(
    "rows",
    [
        list(range(300)),
        list(range(299, -1, -1)),
        [5],
        [250, 3, 120, 4, 251, 2],
        list(np.random.default_rng(1).permutation(300)[:50]),
    ],
    ids=["all", "reversed", "one", "some", "shuffled"],
)
def test_images_and_records_are_those_of_the_source(contract: Path, source: Dataset, tmp_path: Path, rows: Any) -> None:
    done = take(source, rows, tmp_path / "out", images_per_shard=40)
    is_faithful(contract / "lookup.parquet", rows, tmp_path / "out")
    assert (done.asked, done.rows, done.images, done.records, done.failed) == (*[len(rows)] * 4, 0)
    assert done.shards == -(-len(rows) // 40)
    assert done.bytes == sum(len(source.image(source.entry(int(row))).data) for row in rows)
    assert (done.repeated, done.several_records, done.failures, done.notices) == (0, 0, (), ())
    assert "failures.csv" not in names(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_every_type_of_value(contract: Path, source: Dataset, tmp_path: Path) -> None:
    take(source, [150, 7], tmp_path / "out")
    read = pq.read_table(tmp_path / "out" / "shard_00000_metadata.parquet")
    assert read.schema.names == EVERY_TYPE.names
    for row, number in zip(sorted(read.to_pylist(), key=lambda row: row["alpha_last"]), (7, 150), strict=True):
        expected = every_type(number)
        for name, value in expected.items():
            if name in {"nanos", "moment_berlin", "not_a_number"}:
                continue
            assert row[name] == value, name
        assert read.column("nanos").cast(pa.int64()).to_pylist() == [expected["nanos"]] * 2
        assert row["moment_berlin"] == expected["moment_berlin"]
        assert np.isnan(row["not_a_number"])


@pytest.mark.parametrize("held", ["whole", "in the file"])
def test_what_cannot_be_read_is_said_and_all_else_is_there(
    contract: Path, source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    if held == "in the file":
        monkeypatch.setattr(metadata_store, "WHOLE_BYTES", 0)
        monkeypatch.setattr(metadata_store, "_BATCH_ROWS", 7)
    rows = list(range(source.num_rows))
    done = take(source, rows, tmp_path / "out")
    bad = {name: 300 + at for at, name in enumerate(BAD)}
    assert {(failure.row, failure.what, failure.code) for failure in done.failures} == {
        *((bad[name], "image", code) for name, code in LEFT_OUT.items()),
        *((bad[name], "record", code) for name, code in WITHOUT_RECORD.items()),
    }
    assert [failure.row for failure in done.failures] == sorted(failure.row for failure in done.failures)
    assert (done.failed_images, done.failed_records, done.failed) == (11, 2, 13)
    assert (done.asked, done.rows, done.images, done.records) == (323, 312, 312, 310)
    is_faithful(contract / "lookup.parquet", rows, tmp_path / "out", {bad[name] for name in LEFT_OUT})
    for failure in done.failures:
        if failure.what == "image" and failure.uuid and failure.code != "no_filepath":
            with pytest.raises(Exception, match=r".") as caught:
                source.image(source.entry(failure.row))
            assert caught.value.message == failure.reason  # type: ignore[attr-defined]
    with open(tmp_path / "out" / "failures.csv", newline="", encoding="utf-8") as file:
        listed = [tuple(line) for line in csv.reader(file)]
    assert listed[0] == ("row", "uuid", "what", "code", "reason")
    assert listed[1:] == [tuple("" if value is None else str(value) for value in each) for each in done.failures]


def test_more_failures_than_are_kept(source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "FAILURES_KEPT", 3)
    done = take(source, [301] * 50 + [0], tmp_path / "out")
    assert (done.rows, done.failed, len(done.failures)) == (1, 50, 3)
    assert len((tmp_path / "out" / "failures.csv").read_text().splitlines()) == 51


def test_no_rows(source: Dataset, tmp_path: Path) -> None:
    for at, rows in enumerate(([], [np.empty(0, np.int64)])):
        done = extract(source, rows, tmp_path / str(at))
        assert (done.asked, done.rows, done.shards, done.failed) == (0, 0, 0, 0)
        assert pq.read_table(tmp_path / str(at) / "lookup.parquet").schema == source.lookup.schema


def test_nothing_that_can_be_read(source: Dataset, tmp_path: Path) -> None:
    done = take(source, [300, 301], tmp_path / "out")
    assert (done.asked, done.rows, done.shards, done.failed_images) == (2, 0, 0, 2)
    assert names(tmp_path / "out") == [MANIFEST, "failures.csv", "lookup.parquet"]


@given(st.lists(st.integers(0, 299), max_size=60), st.integers(1, 20), st.integers(1, 30))
@settings(max_examples=15)
def test_any_rows_in_any_order_as_often_as_asked(contract: Path, rows: list[int], batch: int, most: int) -> None:
    import tempfile

    dataset = Dataset(contract / "lookup.parquet", COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = take(dataset, rows, Path(folder) / "out", batch_rows=batch, images_per_shard=most)
        finally:
            dataset.close()
        is_faithful(contract / "lookup.parquet", rows, Path(folder) / "out")
        assert done.repeated == len(rows) - len(set(rows))


def test_rows_come_in_arrays_of_any_size_that_may_be_used_again(
    contract: Path, source: Dataset, tmp_path: Path
) -> None:
    again = np.zeros(1, np.int32)

    def rows() -> Iterator[Any]:
        for number in range(30):
            again[0] = number
            yield again
            yield np.empty(0, np.int64)
        yield np.arange(30, 130, dtype=np.uint8)

    extract(source, rows(), tmp_path / "out", batch_rows=17)
    is_faithful(contract / "lookup.parquet", range(130), tmp_path / "out")


@pytest.mark.parametrize("rows", [[323], [-1], [0, 5, 10**12]])
def test_rows_that_are_not_there(source: Dataset, tmp_path: Path, rows: list[int]) -> None:
    with pytest.raises(RowOutOfRangeError):
        take(source, rows, tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("rows", [[1, 2], [np.array([1.5])], [np.array([[1]])], [np.array([True])], [np.array(["1"])]])
def test_what_are_no_arrays_of_row_numbers(source: Dataset, tmp_path: Path, rows: Any) -> None:
    with pytest.raises(TypeError):
        extract(source, rows, tmp_path / "out")
    assert names(tmp_path) == []


# Shards of every kind


def make(folder: Path, rows: list[tuple[str | None, str | None]], **others: Any) -> Dataset:
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({"uuid": [row[0] for row in rows], "filepath": [row[1] for row in rows], **others})
    pq.write_table(table, folder / "lookup.parquet")
    return Dataset(folder / "lookup.parquet", COLUMNS)


def test_every_kind_of_storage(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    pictures = [np.frombuffer(encoded(number), np.uint8) for number in range(12)]
    with h5py.File(folder / "s_images.h5", "w") as file:
        group = file.create_group("images")
        group.create_dataset("gzip", data=pictures[0], chunks=True, compression="gzip")
        group.create_dataset("chunks", data=pictures[1], chunks=(100,))
        group.create_dataset("zstd", data=pictures[2], chunks=True, **hdf5plugin.Zstd())
        group.create_dataset("opaque", data=np.void(pictures[3].tobytes()))
        group.create_dataset("vlen", (1,), h5py.vlen_dtype(np.uint8))[0] = pictures[4]
        group.create_dataset("int8", data=pictures[5].view(np.int8))
        group.create_dataset("text", data=np.bytes_(b"no NUL inside"))
        group["target"] = pictures[6]
        group["soft"] = h5py.SoftLink("/images/target")
        group["hard"] = group["target"]
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((100,))
        small = h5py.h5d.create(group.id, b"compact", h5py.h5t.STD_U8LE, space, compact)
        small.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(100, dtype=np.uint8))
    write_images(folder / "other.h5", {"x": pictures[7].tobytes()})
    with h5py.File(folder / "s_images.h5", "a") as file:
        file["images/external"] = h5py.ExternalLink("other.h5", "/images/x")
    keys = ["gzip", "chunks", "zstd", "opaque", "vlen", "int8", "text", "soft", "hard", "compact", "external", "target"]
    dataset = make(folder, [(name, "s") for name in keys])
    done = take(dataset, range(len(keys)), tmp_path / "out")
    dataset.close()
    assert {failure.what for failure in done.failures} == {"record"}
    assert done.images == len(keys)
    with h5py.File(tmp_path / "out" / "shard_00000_images.h5", "r") as file:
        for name in keys:
            data = file["images"][name][()].tobytes()
            if name == "text":
                assert data == b"no NUL inside"
            else:
                assert data == by_h5py(folder / "s_images.h5", name)
        assert file["images"]["vlen"][()].tobytes() == pictures[4].tobytes()


def test_many_images_that_are_no_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "PIECE_BYTES", 2_000)
    monkeypatch.setattr(gather, "_AHEAD_BYTES", 5_000)
    monkeypatch.setattr(gather, "CHUNK_IMAGES", 10)
    folder = tmp_path / "data"
    folder.mkdir()
    with h5py.File(folder / "s_images.h5", "w") as file:
        for number in range(40):
            data = np.frombuffer(bytes([number]) * (100 + number * 30), np.uint8)
            chunks = {"chunks": True, "compression": "gzip"} if number % 3 else {}
            file.create_dataset(f"images/{number}", data=data, **chunks)
    dataset = make(folder, [(str(number), "s") for number in range(40)])
    take(dataset, range(40), tmp_path / "out")
    dataset.close()
    is_faithful(folder / "lookup.parquet", range(40), tmp_path / "out")


def test_metadata_of_several_schemas(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    tables = [
        {"uuid": ["0"], "n": [2**53 + 1]},
        {"uuid": ["1"], "n": [1.5]},
        {"n": [7], "uuid": ["2"]},
        {"uuid": ["3"], "n": [None], "more": [[1, None]]},
        {"uuid": ["4"], "n": [5]},
    ]
    for at, table in enumerate(tables):
        write_images(folder / f"s{at}_images.h5", {str(at): b"%d" % at})
        pq.write_table(pa.table(table), folder / f"s{at}_metadata.parquet")
    dataset = make(folder, [(str(at), f"s{at}") for at in range(5)], extra=[1, 2, None, 4, 5])
    done = take(dataset, [4, 3, 2, 1, 0], tmp_path / "out")
    dataset.close()
    is_faithful(folder / "lookup.parquet", [4, 3, 2, 1, 0], tmp_path / "out")
    assert (done.shards, done.records, done.failed) == (4, 5, 0)


def test_uuids_that_come_again(tmp_path: Path) -> None:
    """The same row, another row of the same image, and other images of the same uuid in other shards."""
    folder = tmp_path / "data"
    folder.mkdir()
    for at in range(3):
        write_images(folder / f"s{at}_images.h5", {"a": b"%d" % min(at, 1), "own": b"own %d" % at})
        pq.write_table(pa.table({"uuid": ["a", "a", "own"], "n": [at, 99, at]}), folder / f"s{at}_metadata.parquet")
    rows = [("a", "s0"), ("own", "s0"), ("a", "s0_images.h5"), ("a", "s1"), ("a", "s2"), ("own", "s2"), ("a", "s0")]
    dataset = make(folder, rows)
    order = [0, 0, 1, 2, 3, 4, 5, 6, 3]
    done = take(dataset, order, tmp_path / "out", batch_rows=2)
    dataset.close()
    new = Dataset(tmp_path / "out" / "lookup.parquet", COLUMNS)
    for at, row in enumerate(order):
        name, shard = rows[row][0], rows[row][1].removesuffix("_images.h5")
        entry = new.entry(at)
        assert new.image(entry).data == by_h5py(folder / f"{shard}_images.h5", name)
        assert new.record(entry).table.to_pylist() == [{"uuid": name, "n": int(shard[1])}]
    new.close()
    assert (done.rows, done.repeated, done.failed) == (9, 7, 0)
    assert done.images == 5  # "a" of three shards, "own" of two
    assert done.several_records > 0


def test_odd_keys_and_a_hostile_lookup(tmp_path: Path) -> None:
    """Every text that is a name in HDF5 comes over; every other row is in the report."""
    path = write_hostile(tmp_path / "data")
    strings = json.loads((tmp_path / "data" / "hostile.json").read_text())
    dataset = Dataset(path, COLUMNS)
    done = take(dataset, range(dataset.num_rows), tmp_path / "out")
    new = Dataset(tmp_path / "out" / "lookup.parquet", COLUMNS)
    good = [text for text in strings if "/" not in text and "\0" not in text and text != "."]
    assert new.lookup.keys(0, new.num_rows).column("uuid").to_pylist() == good
    for at, text in enumerate(good):
        entry = new.entry(at)
        assert new.image(entry).data == by_h5py(tmp_path / "data" / "values_images.h5", text)
        assert new.record(entry).table.to_pylist()[0]["value"] == text
    assert done.rows + done.failed_images == dataset.num_rows
    lookup = pq.read_table(path).column("uuid").to_pylist()
    failed = {failure.row for failure in done.failures}
    assert failed == {row for row in range(len(lookup)) if not 1 <= row <= len(strings) or lookup[row] not in good}
    new.close()
    dataset.close()


def test_the_lookup_is_text_or_several_files_or_a_folder_of_shards(contract: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for at, kind in enumerate((pa.binary(), pa.string())):
        write_images(folder / f"s{at}_images.h5", {f"{at}": b"%d" % at, "00777": b"%d!" % at})
        pq.write_table(pa.table({"uuid": [f"{at}", "00777"], "n": [at, at]}), folder / f"s{at}_metadata.parquet")
        table = {
            "uuid": pa.array([f"{at}".encode(), b"00777"]).cast(kind),
            "filepath": [f"s{at}"] * 2,
            f"x{at}": [1, 2],
        }
        pq.write_table(pa.table(table), folder / f"l{at}.parquet")
    (folder / "l.csv").write_text('uuid,filepath,note\n00777,s1,"a, ""b"""\n1,s1,\n')
    for name, expected in {
        "l*.parquet": [b"0", b"0!", b"1", b"1!"],
        "l.csv": [b"1!", b"1"],
        "": [b"0", b"0!", b"1", b"1!"],
        "s1_images.h5": [b"1", b"1!"],
    }.items():
        dataset = Dataset(folder / name, COLUMNS)
        out = tmp_path / f"out {name.replace('*', '')}"
        done = take(dataset, range(dataset.num_rows), out)
        new = Dataset(out / "lookup.parquet", COLUMNS)
        assert [new.image(new.entry(at)).data for at in range(new.num_rows)] == expected
        assert done.failed == 0
        others = [column for column in dataset.lookup.schema.names if column != "filepath"]
        assert new.lookup.read(0, 9).select(others).equals(dataset.lookup.read(0, 9).select(others))
        new.close()
        dataset.close()


def test_other_names_of_columns_and_moved_data(contract: Path, tmp_path: Path) -> None:
    from h5explorer_py.options import KeyColumns

    uuids = pa.array([key(3), key(200)], pa.string()).dictionary_encode()
    paths = ["/old/place/shard_000", "/old/place/shard_002"]
    pq.write_table(pa.table({"path": paths, "score": [1.5, float("nan")], "id": uuids}), tmp_path / "l.parquet")
    dataset = Dataset(tmp_path / "l.parquet", KeyColumns("id", "path"), {"/old/place": str(contract)})
    assert take(dataset, [1, 0], tmp_path / "out").failed == 0
    new = Dataset(tmp_path / "out" / "lookup.parquet", KeyColumns("id", "path"))
    assert new.lookup.schema.names == ["path", "score", "id"]
    assert new.lookup.read(0, 2).column("id").to_pylist() == [key(200), key(3)]
    assert new.image(new.entry(0)).data == by_h5py(contract / "shard_002_images.h5", key(200))
    assert new.record(new.entry(1)).table.column("alpha_last").to_pylist() == [3]
    new.close()
    dataset.close()


# What goes wrong meanwhile


@pytest.mark.parametrize("how", ["replaced", "truncated", "gone", "unreadable"])
def test_a_shard_that_changes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    shard = folder / "s_images.h5"
    write_images(shard, {str(number): b"old %d" % number * 100 for number in range(20)})
    write_images(folder / "new", {str(number): b"new picture %d" % number * 100 for number in reversed(range(20))})
    dataset = make(folder, [(str(number), "s") for number in range(20)])
    read = gather.read_places
    changed = []

    def change(path: str, *others: Any) -> Any:
        if not changed:
            changed.append(path)
            if how == "replaced":
                os.replace(folder / "new", shard)
            elif how == "truncated":
                os.truncate(shard, 3000)
            elif how == "gone":
                shard.unlink()
            else:
                raise_error(monkeypatch)
        return read(path, *others)

    def raise_error(patch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> bytes:
            raise OSError(5, "Input/output error")

        patch.setattr(spans, "read_at", broken)
        patch.setattr(opened, "read_at", broken)

    monkeypatch.setattr(gather, "read_places", change)
    done = take(dataset, range(20), tmp_path / "out")
    dataset.close()
    if how == "replaced":
        new = Dataset(tmp_path / "out" / "lookup.parquet", COLUMNS)
        assert [new.image(new.entry(at)).data for at in range(20)] == [b"new picture %d" % at * 100 for at in range(20)]
        new.close()
    else:
        assert (done.rows, done.failed_images) == (0, 20)
        codes = {failure.code for failure in done.failures}
        assert codes == {"shard_not_found" if how == "gone" else "shard_unreadable"}


def test_a_shard_that_is_never_read_in_time_is_not_tried_for_ever(
    source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stalling(name: str) -> Any:
        ask = getattr(readers.ReaderPool, name)

        def stall(self: Any, path: str, *others: Any) -> Any:
            if path.endswith("shard_001_images.h5"):
                asked.append(name)
                raise ReaderStalledError("It could not be read.")
            return ask(self, path, *others)

        return stall

    for name in ("find", "places"):
        monkeypatch.setattr(readers.ReaderPool, name, stalling(name))
    done = take(source, range(300), tmp_path / "out")
    assert asked == ["places", "find", "find", "find"]
    assert (done.rows, done.failed_images) == (200, 100)
    assert {failure.code for failure in done.failures} == {"reader_stalled"}


def test_a_shard_that_is_slow_now_and_then_is_read_all_the_same(
    source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, calls = readers.ReaderPool.find, itertools.count()

    def stall(self: Any, path: str, *others: Any) -> Any:
        if next(calls) % 3:
            raise ReaderStalledError("It could not be read.")
        return find(self, path, *others)

    def refuse(*_: Any) -> Any:
        raise ReaderStalledError("They could not be read.")

    monkeypatch.setattr(readers.ReaderPool, "find", stall)
    monkeypatch.setattr(readers.ReaderPool, "places", refuse)
    done = take(source, range(90), tmp_path / "out")
    assert (done.rows, done.failed_images) == (30, 60)


def test_a_broken_shard_costs_only_its_own_rows(contract: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(contract, folder)
    (folder / "shard_001_images.h5").write_bytes((folder / "shard_001_images.h5").read_bytes()[:-5000])
    (folder / "shard_002_metadata.parquet").write_bytes(b"PAR1 nothing PAR1")
    dataset = Dataset(folder / "lookup.parquet", COLUMNS)
    done = take(dataset, range(300), tmp_path / "out")
    dataset.close()
    assert {(failure.row, failure.code) for failure in done.failures} == {
        *((row, "shard_unreadable") for row in range(100, 200)),
        *((row, "metadata_unreadable") for row in range(200, 300)),
    }
    assert (done.rows, done.failed_images, done.failed_records) == (200, 100, 100)
    new = Dataset(tmp_path / "out" / "lookup.parquet", COLUMNS)
    for at, row in enumerate([*range(100), *range(200, 300)]):
        assert new.image(new.entry(at)).data == by_h5py(contract / f"shard_00{row // 100}_images.h5", key(row))
    new.close()


def test_a_data_set_that_is_closed_meanwhile_ends_it(contract: Path, tmp_path: Path) -> None:
    dataset = Dataset(contract / "lookup.parquet", COLUMNS)

    def rows() -> Iterator[Any]:
        yield np.arange(10)
        dataset.close()
        yield np.arange(10)

    with pytest.raises((ClosedError, ValueError)):
        extract(dataset, rows(), tmp_path / "out", batch_rows=10)
    assert names(tmp_path) == []


@pytest.mark.parametrize("at", [0, 1, 57, 299])
def test_giving_up_leaves_nothing(source: Dataset, tmp_path: Path, at: int) -> None:
    calls = itertools.count()

    def give_up() -> None:
        if next(calls) >= at:
            raise CancelledError("No more.")

    with pytest.raises(CancelledError, match=r"No more\."):
        take(source, range(300), tmp_path / "out", give_up=give_up)
    assert names(tmp_path) == []
    wait_for(lambda: not [each for each in threading.enumerate() if each.name.startswith("h5explorer-gather")])


def test_progress_goes_up_to_all_rows(source: Dataset, tmp_path: Path) -> None:
    told: list[int] = []
    take(source, [*range(323), 5, 5, 302], tmp_path / "out", batch_rows=50, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 326


def test_the_target_is_there(source: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(TargetExistsError):
            take(source, [0], tmp_path / "out", overwrite=overwrite)
    assert names(tmp_path) == ["out"]
    take(source, [0, 1], tmp_path / "new")
    take(source, [2], tmp_path / "new", overwrite=True)
    assert pq.read_table(tmp_path / "new" / "lookup.parquet").column("uuid").to_pylist() == [key(2)]


@pytest.mark.parametrize("way", ["lookup", "shard"])
def test_the_source_is_never_overwritten(source: Dataset, tmp_path: Path, way: str) -> None:
    take(source, range(10), tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    lookup = tmp_path / "out" / "lookup.parquet"
    if way == "shard":
        table = pq.read_table(lookup)
        table = table.set_column(1, "filepath", pa.array([str(tmp_path / "out" / "shard_00000")] * 10))
        pq.write_table(table, tmp_path / "l.parquet")
        lookup = tmp_path / "l.parquet"
    dataset = Dataset(lookup, COLUMNS)
    with pytest.raises(TargetExistsError, match="holds what is to be extracted from"):
        take(dataset, range(5), tmp_path / "out", overwrite=True)
    dataset.close()
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_full_disk_while_failures_are_noted(source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(extract_module.FailureLog, "add", full)
    with pytest.raises(WriteFailedError, match="No space left"):
        take(source, range(323), tmp_path / "out")
    assert names(tmp_path) == []


JOB = """
import sys, os, signal
import numpy as np
from h5explorer_py.dataset import Dataset
from h5explorer_py.options import KeyColumns
from h5explorer_py.bulk.extract import extract
dataset = Dataset(sys.argv[1], KeyColumns())
def stop(done):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
extract(dataset, [np.arange(300)], sys.argv[2], images_per_shard=50, batch_rows=60, progress=stop)
"""


@pytest.mark.parametrize("at", [1, 150, 300])
def test_a_killed_job_can_be_repeated(contract: Path, source: Dataset, tmp_path: Path, at: int) -> None:
    done = python(JOB, str(contract / "lookup.parquet"), str(tmp_path / "out"), str(at))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "out" not in names(tmp_path)
    assert len(names(tmp_path)) == 1
    take(source, range(300), tmp_path / "out")
    assert names(tmp_path) == ["out"]
    is_faithful(contract / "lookup.parquet", range(300), tmp_path / "out")


def test_readers_end_with_the_job(source: Dataset, tmp_path: Path) -> None:
    started = []
    reader = readers.Reader

    class Noted(reader):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "Reader", Noted)
        take(source, range(300), tmp_path / "out")
    assert started
    wait_for(lambda: not any(each.alive for each in started))


# Memory

SIZED = """
import sys, resource
import numpy as np
from h5explorer_py.dataset import Dataset
from h5explorer_py.options import KeyColumns
from h5explorer_py.bulk.extract import extract
dataset = Dataset(sys.argv[1], KeyColumns())
numbers = (np.arange(start, start + 1000) % dataset.num_rows for start in range(0, int(sys.argv[3]), 1000))
done = extract(dataset, numbers, sys.argv[2], images_per_shard=1000, batch_rows=1000)
assert done.rows == int(sys.argv[3]), done
with open("/proc/self/status") as file:
    print([line.split()[1] for line in file if line.startswith("VmHWM")][0], "pandas" in sys.modules)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Ten times the rows, 40 MB of images rather than 4 and as many records, take much the same."""
    folder = tmp_path / "data"
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows = []
    for shard in range(4):
        keys = [f"{shard}-{number}" for number in range(500)]
        write_images(folder / f"s{shard}_images.h5", {name: generator.bytes(4000) for name in keys})
        text = [generator.bytes(200).hex() for _ in keys]
        pq.write_table(pa.table({"uuid": keys, "text": text}), folder / f"s{shard}_metadata.parquet")
        rows += [(name, f"s{shard}") for name in keys]
    make(folder, rows).close()
    peaks = []
    for at, count in enumerate((2_000, 20_000)):
        done = python(SIZED, str(folder / "lookup.parquet"), str(tmp_path / str(at)), str(count), seconds=300)
        assert done.returncode == 0, done.stderr
        peak, pandas = done.stdout.split()
        assert pandas == "False"
        peaks.append(int(peak))
    assert peaks[1] < 1.3 * peaks[0] + 30_000  # kB
