"""Data sets as they are written: whole or not at all, and all that was given can be read again."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from h5explorer_py.bulk import aside, shard, shard_writer
from h5explorer_py.bulk.manifest import MANIFEST
from h5explorer_py.bulk.shard_writer import ShardWriter
from h5explorer_py.dataset import Dataset
from h5explorer_py.errors import BadKeyError, EmptyImageError, TargetExistsError, WriteFailedError
from h5explorer_py.options import KeyColumns
from h5explorer_py.owner import Owner
from tests.fixtures.datasets import EVERY_TYPE, every_type, key
from tests.py.support import COLUMNS, ROOT, python, wait_for


def record(name: str, **values: Any) -> pa.Table:
    return pa.table({"uuid": [name], **{column: [value] for column, value in values.items()}})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows_of(out: Path) -> list[tuple[str, str]]:
    table = pq.read_table(out / "lookup.parquet")
    return list(zip(*table.to_pydict().values(), strict=True))


def stored(out: Path, filepath: str, name: str) -> bytes:
    with h5py.File(out / f"{filepath}_images.h5", "r") as file:
        return file["images"][name][()].tobytes()


def write(out: Path, images: dict[str, bytes], **options: Any) -> None:
    with ShardWriter(out, **options) as writer:
        for name, data in images.items():
            writer.add(name, data)


# What is written


def test_the_files_are_in_the_layout_that_the_explorer_reads(tmp_path: Path) -> None:
    out = tmp_path / "out"
    records = [{"uuid": key(number), **every_type(number)} for number in range(5)]
    table = pa.Table.from_pylist(records, schema=EVERY_TYPE)
    with ShardWriter(out, images_per_shard=2) as writer:
        for number in range(5):
            writer.add(key(number), bytes([number]) * 10, table.slice(number, 1))
    pairs = [f"shard_0000{at}{end}" for at in range(3) for end in ("_images.h5", "_metadata.parquet")]
    assert names(out) == sorted([MANIFEST, "lookup.parquet", *pairs])
    assert names(tmp_path) == ["out"]
    assert rows_of(out) == [(key(number), f"shard_0000{number // 2}") for number in range(5)]
    for at in range(3):
        expected = table.slice(2 * at, 2)
        read = pq.read_table(out / f"shard_0000{at}_metadata.parquet")
        pq.write_table(expected, tmp_path / "by_itself.parquet")  # what Parquet itself makes of the types
        by_itself = pq.read_table(tmp_path / "by_itself.parquet")
        assert read.schema == by_itself.schema
        assert repr(read.to_pylist()) == repr(by_itself.to_pylist())  # in which NaN is the same as NaN
        with h5py.File(out / f"shard_0000{at}_images.h5", "r") as file:
            assert list(file) == ["images"]
            for name, image in file["images"].items():
                assert image.dtype == np.uint8
                assert image.chunks is None
                assert image.id.get_offset() is not None
                assert image[()].tobytes() == bytes([[key(n) for n in range(5)].index(name)]) * 10


def test_every_hdf5_since_1_8_can_read_it(tmp_path: Path) -> None:
    write(tmp_path / "out", {"a": b"x"})
    begin = (tmp_path / "out" / "shard_00000_images.h5").read_bytes()[:9]
    assert begin[:8] == b"\x89HDF\r\n\x1a\n"
    assert begin[8] == 2  # the version of the superblock: 3 came with 1.10


def test_headers_lie_together(tmp_path: Path) -> None:
    images = {key(number): b"x" * 3000 for number in range(1000)}
    write(tmp_path / "out", images, images_per_shard=1000)
    with h5py.File(tmp_path / "out" / "shard_00000_images.h5", "r") as file:
        headers = sorted(h5py.h5o.get_info(file["images"][name].id).addr for name in images)
    assert headers[-1] - headers[0] < 1 << 20  # images of 3 MB in all are not between them


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 7), st.integers(1, 120))
@settings(max_examples=25)
def test_no_shard_is_too_large(sizes: list[int], most: int, most_bytes: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        images = {str(at): bytes([at]) * size for at, size in enumerate(sizes)}
        write(out, images, images_per_shard=most, bytes_per_shard=most_bytes)
        assert [(name, stored(out, path, name)) for name, path in rows_of(out)] == list(images.items())
        for path in out.glob("*.h5"):
            with h5py.File(path, "r") as file:
                found = [image.size for image in file["images"].values()]
            assert 0 < len(found) <= most
            assert len(found) == 1 or sum(found) <= most_bytes


def test_nothing_added_is_a_lookup_without_rows(tmp_path: Path) -> None:
    write(tmp_path / "out", {})
    assert names(tmp_path / "out") == [MANIFEST, "lookup.parquet"]
    dataset = Dataset(tmp_path / "out" / "lookup.parquet", COLUMNS)
    assert dataset.num_rows == 0
    dataset.close()


def test_other_columns_and_other_names_of_columns(tmp_path: Path) -> None:
    out = tmp_path / "out"
    kinds = [("n", pa.int64()), ("path", pa.dictionary(pa.int32(), pa.string())), ("id", pa.binary(16))]
    columns = KeyColumns("id", "path")
    with ShardWriter(out, lookup_schema=pa.schema(kinds), columns=columns, name="part") as writer:
        path = writer.put("00010203-0405-0607-0809-0a0b0c0d0e0f", b"picture", record("x"))
        rows = {"n": [7], "path": [path], "id": [bytes(range(16))]}
        writer.list_rows(pa.table(rows, schema=writer.lookup_schema))
    table = pq.read_table(out / "lookup.parquet")
    assert table.schema == pa.schema([("n", pa.int64()), ("path", pa.string()), ("id", pa.binary(16))])
    assert table.to_pylist() == [{"n": 7, "path": "part_00000", "id": bytes(range(16))}]
    dataset = Dataset(out / "lookup.parquet", columns)
    assert dataset.image(dataset.entry(0)).data == b"picture"
    dataset.close()


def test_it_can_be_moved_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "a" / "out", {"x": b"1"})
    os.rename(tmp_path / "a", tmp_path / "b")
    dataset = Dataset(tmp_path / "b" / "out" / "lookup.parquet", COLUMNS)
    assert dataset.image(dataset.entry(0)).data == b"1"
    dataset.close()


# Keys


@given(st.text(max_size=40) | st.sampled_from([".", "..", "a/b", "/", "", "\0", "a\0b", "\ud800", "k" * 65_536]))
@settings(max_examples=80)
def test_a_key_is_kept_as_it_is_or_refused(name: str) -> None:
    import tempfile

    bad = name in {"", "."} or "/" in name or "\0" in name or any("\ud800" <= sign <= "\udfff" for sign in name)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        with ShardWriter(out) as writer:
            writer.add("first", b"1")
            if bad:
                with pytest.raises(BadKeyError):
                    writer.add(name, b"2")
            elif name != "first":
                writer.add(name, b"2", record(name))
        dataset = Dataset(out / "lookup.parquet", COLUMNS)
        try:
            assert dataset.num_rows == (1 if bad or name == "first" else 2)
            if dataset.num_rows == 2:
                entry = dataset.entry(1)
                assert entry.key == name
                assert dataset.image(entry).data == b"2"
                assert dataset.record(entry).table.to_pylist() == [{"uuid": name}]
                assert stored(out, entry.filepath, name) == b"2"
        finally:
            dataset.close()


def test_a_key_that_is_too_long_and_an_image_without_bytes(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "out") as writer:
        with pytest.raises(BadKeyError, match="65,537 bytes"):
            writer.add("k" * 65_537, b"1")
        with pytest.raises(EmptyImageError):
            writer.add("a", b"")
    assert rows_of(tmp_path / "out") == []


@pytest.mark.parametrize("count", [1, 9, 30])
def test_names_that_differ_in_case_or_form_are_different(tmp_path: Path, count: int) -> None:
    images = {
        f"{name}{at}": f"{name}{at}".encode() for at in range(count) for name in ("a", "A", "\u00e9", "e\u0301", " a")
    }
    write(tmp_path / "out", images)
    assert [(name, stored(tmp_path / "out", path, name)) for name, path in rows_of(tmp_path / "out")] == list(
        images.items()
    )


# Repeats


def test_the_same_image_of_the_same_origin_is_stored_once(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "out") as writer:
        for _ in range(3):
            writer.add("a", b"1", record("a", n=1), origin="/x")
    done = writer.finish()
    assert (done.rows, done.images, done.records, done.repeated) == (3, 1, 1, 2)
    assert rows_of(tmp_path / "out") == [("a", "shard_00000")] * 3
    assert pq.read_table(tmp_path / "out" / "shard_00000_metadata.parquet").num_rows == 1


@pytest.mark.parametrize("origins", [("/x", "/y"), ("", "")])
def test_images_of_one_key_from_elsewhere_are_all_kept(tmp_path: Path, origins: tuple[str, str]) -> None:
    with ShardWriter(tmp_path / "out") as writer:
        for number in range(20):
            writer.add("a", b"%d" % number, record("a", n=number), origin=origins[number % 2] and f"/{number}")
        writer.add("b", b"b", record("b", n=-1), origin=origins[0])
    rows = rows_of(tmp_path / "out")
    for number, (_, path) in enumerate(rows[:20]):
        assert stored(tmp_path / "out", path, "a") == b"%d" % number
        read = pq.read_table(tmp_path / "out" / f"{path}_metadata.parquet").to_pylist()
        assert {"uuid": "a", "n": number} in read
    assert writer.finish().repeated == 19
    assert len({path for _, path in rows[:20]}) == 20


def test_records_of_other_columns_or_types_lie_in_other_shards(tmp_path: Path) -> None:
    tables = [
        record("0", n=1),
        record("1", n=1.5),
        record("2", m=1),
        record("3", n=2),
        record("4", n=3).replace_schema_metadata({"pandas": "{}"}),
        None,
        record("6", n=None).cast(pa.schema([("uuid", pa.string()), ("n", pa.int64())])),
        pa.table({"n": [1], "uuid": ["7"]}),
        None,
    ]
    with ShardWriter(tmp_path / "out") as writer:
        for at, table in enumerate(tables):
            writer.add(str(at), b"x", table)
    paths = [path for _, path in rows_of(tmp_path / "out")]
    assert [paths.index(path) for path in paths] == [0, 1, 2, 0, 0, 5, 0, 7, 5]
    for at, (path, table) in enumerate(zip(paths, tables, strict=True)):
        file = tmp_path / "out" / f"{path}_metadata.parquet"
        assert file.exists() == (table is not None)
        if table is not None:
            read = pq.read_table(file)
            assert read.schema.equals(table.schema)
            assert [row for row in read.to_pylist() if row["uuid"] == str(at)] == table.to_pylist()


def test_more_kinds_of_records_than_shards_are_open(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "out") as writer:
        for number in range(60):
            writer.add(str(number), b"%d" % number, record(str(number), **{f"column {number % 20}": number}))
    for number, (name, path) in enumerate(rows_of(tmp_path / "out")):
        assert stored(tmp_path / "out", path, name) == b"%d" % number
        read = pq.read_table(tmp_path / "out" / f"{path}_metadata.parquet").to_pylist()
        assert {"uuid": name, f"column {number % 20}": number} in read


def test_more_records_than_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "_RECORDS_HELD", 7)
    monkeypatch.setattr(shard_writer, "SMALL_GROUP", 11)
    monkeypatch.setattr(shard_writer, "_ROWS_HELD", 5)
    kind = pa.schema([("uuid", pa.string()), ("word", pa.dictionary(pa.int8(), pa.string()))])
    with ShardWriter(tmp_path / "out") as writer:
        for number in range(300):  # more words than an int8 can number
            row = pa.Table.from_pylist([{"uuid": str(number), "word": f"word {number}"}], schema=kind)
            writer.add(str(number), b"%d" % number, row)
    read = pq.read_table(tmp_path / "out" / "shard_00000_metadata.parquet")
    assert read.column("word").to_pylist() == [f"word {number}" for number in range(300)]
    assert [name for name, _ in rows_of(tmp_path / "out")] == [str(number) for number in range(300)]


# Whole or not at all


def fail(out: Path, **options: Any) -> None:
    with ShardWriter(out, **options) as writer:
        writer.add("a", b"1", record("a"))
        raise ZeroDivisionError


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "out")
    assert names(tmp_path) == []
    write(tmp_path / "out", {"a": b"1"})
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("kind", ["empty folder", "folder", "file", "dangling link", "own"])
def test_what_is_there_is_not_replaced_unasked(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "own":
        write(out, {"a": b"old"})
    elif "folder" in kind:
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        (tmp_path / "real").mkdir()
        out.symlink_to(tmp_path / "real")
    if kind == "folder":
        (out / "mine").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(TargetExistsError):
        write(out, {"a": b"new"})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_overwriting_replaces_the_whole(tmp_path: Path) -> None:
    write(tmp_path / "out", {str(at): b"old" for at in range(5)}, images_per_shard=1)
    write(tmp_path / "out", {"b": b"new"}, overwrite=True)
    assert names(tmp_path / "out") == [MANIFEST, "lookup.parquet", "shard_00000_images.h5"]
    assert stored(tmp_path / "out", "shard_00000", "b") == b"new"
    assert names(tmp_path) == ["out"]
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", {"b": b"new"}, overwrite=True)
    assert stored(tmp_path / "empty", "shard_00000", "b") == b"new"


@pytest.mark.parametrize("change", ["foreign", "folder", "edited", "no manifest", "file", "link"])
def test_overwriting_touches_nothing_but_what_was_written(tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    write(out, {"a": b"old"})
    if change == "foreign":
        (out / "notes.txt").write_text("mine")
    elif change == "folder":
        (out / "mine").mkdir()
    elif change == "edited":
        with open(out / "lookup.parquet", "ab") as file:
            file.write(b"more")
    elif change == "no manifest":
        (out / MANIFEST).unlink()
    elif change == "link":
        os.rename(out / "shard_00000_images.h5", tmp_path / "elsewhere")
        (out / "shard_00000_images.h5").symlink_to(tmp_path / "elsewhere")
    else:
        out = tmp_path / "file"
        out.write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(TargetExistsError):
        write(out, {"a": b"new"}, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    write(tmp_path / "out", {"a": b"old"})
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "out", overwrite=True)
    assert stored(tmp_path / "out", "shard_00000", "a") == b"old"
    with ShardWriter(tmp_path / "out", overwrite=True) as writer:
        writer.add("a", b"new")
        assert stored(tmp_path / "out", "shard_00000", "a") == b"old"
    assert stored(tmp_path / "out", "shard_00000", "a") == b"new"


def test_what_comes_there_meanwhile_stays(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "out")
    writer.add("a", b"1")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(TargetExistsError):
        writer.finish()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["mine"]


def test_where_the_new_one_cannot_be_moved_the_old_one_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "out", {"a": b"old"})
    rename = os.rename

    def refuse(old: str, new: str) -> None:
        if old.endswith("content"):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        rename(old, new)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(WriteFailedError, match="quota exceeded"):
        write(tmp_path / "out", {"a": b"new"}, overwrite=True)
    assert stored(tmp_path / "out", "shard_00000", "a") == b"old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("path", ["file/out", "file/below/out", "\0"])
def test_where_no_folder_can_be(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WriteFailedError):
        write(tmp_path / path, {"a": b"1"})
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("place", ["h5py.File", "mkdtemp", "fsync"])
def test_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = {"h5py.File": (shard.h5py, "File"), "mkdtemp": (aside.tempfile, "mkdtemp"), "fsync": (os, "fsync")}[place]
    with monkeypatch.context() as patched:
        patched.setattr(*target, full)
        with pytest.raises(WriteFailedError, match="No space left on device"):
            write(tmp_path / "out", {"a": b"1"})
    assert names(tmp_path) == []


FULL = """
import resource, sys
from pathlib import Path
from h5explorer_py.bulk.shard_writer import ShardWriter
from h5explorer_py.errors import WriteFailedError
import pyarrow as pa
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with ShardWriter(sys.argv[1]) as writer:
        for number in range(3000):
            record = pa.table({"uuid": [str(number)], "text": [str(number * 0.1) * 100]})
            writer.add(str(number), b"x" * int(sys.argv[3]), record)
except WriteFailedError as error:
    print("refused", error)
print("end")
"""


@pytest.mark.parametrize(
    ("most", "size"), [(3_000_000, 2000), (1_000_000, 2000), (3_000_000, 1), (20_000, 1), (100, 1)]
)
def test_a_disk_that_is_full(tmp_path: Path, most: int, size: int) -> None:
    """No file may be larger than the system's limit: writing fails somewhere within HDF5, as on a full disk."""
    done = python(FULL, str(tmp_path / "out"), str(most), str(size))
    said = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert said[-1] == "end"
    if size == 1 and most == 3_000_000:
        assert names(tmp_path) == ["out"]
        return
    assert said[0].startswith(f"refused {tmp_path / 'out'} cannot be written: ")
    assert "file too large" in said[0].lower()
    assert names(tmp_path) == []


# What is left behind

HELD = """
import sys, time
from h5explorer_py.bulk.shard_writer import ShardWriter
with ShardWriter(sys.argv[1], images_per_shard=3) as writer:
    for number in range(10):
        writer.add(str(number), b"x")
    print("written", flush=True)
    time.sleep(60)
"""


def killed(out: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HELD, str(out)], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    process.stdout.close()


def test_a_killed_job_leaves_no_target_and_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    killed(tmp_path / "out")
    left = names(tmp_path)
    assert len(left) == 1
    assert left[0].startswith(".out.")
    write(tmp_path / "other", {"a": b"1"})
    assert names(tmp_path) == [*left, "other"]
    write(tmp_path / "out", {"a": b"1"})
    assert names(tmp_path) == ["other", "out"]


def test_what_a_job_that_still_runs_writes_is_left_alone(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HELD, str(tmp_path / "out")], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        with ShardWriter(tmp_path / "out") as writer:
            writer.add("a", b"1")
        assert len(writer.notices) == 1
        assert "another process" in writer.notices[0]
        assert len(names(tmp_path)) == 2
    finally:
        process.kill()
        process.communicate(timeout=20)


def leave(tmp_path: Path, owner: dict[str, Any], *contents: str) -> Path:
    """What a process would have left behind."""
    left = tmp_path / ".out.abc.h5explorer"
    left.mkdir()
    (left / "owner.json").write_text(json.dumps({"target": "out", "owner": owner}))
    for content in contents:
        (left / content).mkdir()
        (left / content / "which").write_text(content)
    return left


GONE = {**Owner.own().to_json(), "started": "1"}


def test_a_job_killed_between_two_moves_has_the_old_one_put_back(tmp_path: Path) -> None:
    leave(tmp_path, GONE, "content", "replaced")
    with pytest.raises(TargetExistsError):
        write(tmp_path / "out", {"a": b"1"})
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "which").read_text() == "replaced"


def test_a_job_killed_behind_the_moves_has_the_old_one_removed(tmp_path: Path) -> None:
    leave(tmp_path, GONE, "replaced")
    (tmp_path / "out").mkdir()
    with pytest.raises(TargetExistsError):
        write(tmp_path / "out", {"a": b"1"})
    assert names(tmp_path) == ["out"]


def test_nothing_is_removed_that_may_be_needed(tmp_path: Path) -> None:
    left = leave(tmp_path, GONE, "content", "replaced")
    (tmp_path / "out").mkdir()
    with pytest.raises(TargetExistsError):
        write(tmp_path / "out", {"a": b"1"})
    assert names(left) == ["content", "owner.json", "replaced"]


def test_what_another_machine_writes_is_left_alone_for_a_day(tmp_path: Path) -> None:
    left = leave(tmp_path, {**Owner.own().to_json(), "host": "another"}, "content")
    with ShardWriter(tmp_path / "out") as writer:
        pass
    assert left.exists()
    assert str(left) in writer.notices[0]
    old = time.time() - 25 * 3600
    for path in (left / "owner.json", left / "content" / "which", left / "content", left):
        os.utime(path, (old, old))
    write(tmp_path / "out", {}, overwrite=True)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"target": "other"}', '{"target": "out", "owner": 3}'])
def test_folders_that_only_look_alike_are_left_alone(tmp_path: Path, content: str | None) -> None:
    left = tmp_path / ".out.abc.h5explorer"
    left.mkdir()
    if content is not None:
        (left / "owner.json").write_text(content)
    write(tmp_path / "out", {"a": b"1"})
    assert left.exists()


@pytest.mark.parametrize("name", ["x" * 200, "ä" * 100, "a b'\"$", "\udcff bytes", "[a]*"])
def test_targets_of_any_name(tmp_path: Path, name: str) -> None:
    killed(tmp_path / name)
    assert len(os.listdir(tmp_path)) == 1
    write(tmp_path / name, {"a": b"1", "b": b"2"})
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / name, overwrite=True)
    assert os.listdir(tmp_path) == [name]


def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in said
    wait_for(lambda: names(tmp_path) == [])


def test_it_needs_no_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom h5explorer_py.bulk.shard_writer import ShardWriter\n"
        "with ShardWriter(sys.argv[1]) as writer: writer.add('a', b'1')\n"
        "print('pandas' in sys.modules)"
    )
    assert python(code, str(tmp_path / "out")).stdout == "False\n"


def test_beside_it_may_be_what_is_not_to_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(aside.os, "listdir", refuse)
    write(tmp_path / "out", {"a": b"1"})
    assert rows_of(tmp_path / "out") == [("a", "shard_00000")]


def test_images_are_whole_where_the_system_takes_less_than_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda number, parts, place: whole(number, [b"".join(parts)[:7]], place))
    with ShardWriter(tmp_path / "out") as writer:
        for number in range(20):
            writer.add(f"key {number}", bytes([number]) * (number + 1))
    with h5py.File(tmp_path / "out" / "shard_00000_images.h5") as file:
        for number in range(20):
            assert file[f"images/key {number}"][()].tobytes() == bytes([number]) * (number + 1)
