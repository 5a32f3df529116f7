"""Whatever a person hands over as a lookup: tables in memory, lists, patterns, shards, and what is refused."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.options import KeyColumns
from tests.fixtures.datasets import write_images
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS, ROOT, within

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = {"uuid": ["a", "b", "00777"], "filepath": ["f", None, "g"], "number": [1, 2, 3]}
KEYS = [{"uuid": "a", "filepath": "f"}, {"uuid": "b", "filepath": None}, {"uuid": "00777", "filepath": "g"}]


def parquet(path: Path, keys: list[str], filepath: str = "f", **more: Any) -> Path:
    pq.write_table(pa.table({"uuid": keys, "filepath": [filepath] * len(keys), **more}), path)
    return path


def keys_of(source: Any, columns: KeyColumns = COLUMNS) -> list[str | None]:
    lookup = open_lookup(source, columns)
    try:
        return lookup.keys(0, lookup.num_rows).column("uuid").to_pylist()
    finally:
        lookup.close()


def refused(kind: type[errors.ExplorerError], source: Any, columns: KeyColumns = COLUMNS) -> errors.ExplorerError:
    with pytest.raises(errors.ExplorerError) as caught:
        within(10, lambda: open_lookup(source, columns))
    assert type(caught.value) is kind
    assert caught.value.message.endswith(".")
    return caught.value


# Tables in memory


@pytest.mark.parametrize(
    "make",
    [
        pa.table,
        lambda rows: pa.record_batch({name: pa.array(values) for name, values in rows.items()}),
        lambda rows: pa.concat_tables([pa.table(rows).slice(0, 1), pa.table(rows).slice(1)]),
        pd.DataFrame,
        lambda rows: pd.DataFrame(rows, index=["x", "y", "z"]),
        lambda rows: pd.DataFrame(rows).astype({"uuid": "string", "filepath": "category"}),
        lambda rows: pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow"),
        pl.DataFrame,
        pl.LazyFrame,
        lambda rows: pl.DataFrame(rows).with_columns(pl.col("filepath").cast(pl.Categorical)),
    ],
    ids=["arrow", "batch", "chunks", "pandas", "index", "category", "arrow types", "polars", "lazy", "categorical"],
)
def test_tables_in_memory(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    lookup = open_lookup(make(ROWS), COLUMNS)
    assert lookup.num_rows == 3
    assert lookup.keys(0, 9).to_pylist() == KEYS
    assert lookup.keys(1, 2).to_pylist() == KEYS[1:2]
    assert lookup.keys(3, 9).to_pylist() == lookup.keys(2, 2).to_pylist() == []
    assert lookup.schema.names == ["uuid", "filepath", "number"]
    assert lookup.read(1, 3).column("number").to_pylist() == [2, 3]
    scanned = pa.Table.from_batches(lookup.scan(["filepath", "uuid"]))
    assert scanned.column(1).cast(pa.string()).to_pylist() == ROWS["uuid"]
    assert lookup.folder == os.getcwd()


def test_a_relation_of_duckdb() -> None:
    connection = duckdb.connect()
    rows = connection.sql("SELECT 'k' || i AS uuid, 'f' AS filepath, i FROM range(5000) t(i) ORDER BY i")
    lookup = open_lookup(rows, COLUMNS)
    assert lookup.num_rows == 5000
    assert lookup.keys(4998, 5001).column("uuid").to_pylist() == ["k4998", "k4999"]
    connection.close()


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ([uuid.UUID(int=7), uuid.UUID(int=8)], [str(uuid.UUID(int=7)), str(uuid.UUID(int=8))]),
        ([7, 8], ["7", "8"]),
        ([b"x", b"\xff"], ["x", "ff"]),
    ],
)
def test_keys_of_a_data_frame_may_be_of_many_kinds(keys: list[Any], texts: list[str]) -> None:
    assert keys_of(pd.DataFrame({"uuid": keys, "filepath": ["f", "g"]})) == texts


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"uuid": ["a", "b"], "filepath": ["f", "g"], "mixed": [1, "x"]}),
        pd.DataFrame([["a", "b", "c"]], columns=["uuid", "filepath", "uuid"]),
        pl.LazyFrame({"uuid": ["a"], "filepath": ["f"]}).select(pl.col("uuid"), pl.col("absent")),
    ],
    ids=["mixed", "twice", "fails"],
)
def test_frames_that_are_no_tables_are_refused(source: Any) -> None:
    with pytest.raises(errors.ExplorerError) as caught:
        open_lookup(source, COLUMNS)
    assert "frame" in str(caught.value)


def test_a_relation_that_fails_is_refused() -> None:
    connection = duckdb.connect()
    relation = connection.sql("SELECT 'a' AS uuid, error('no ' || 'luck') AS filepath")
    assert "luck" in str(refused(errors.LookupUnreadableError, relation))


@pytest.mark.parametrize("source", [None, 3, {"uuid": []}, b"lookup.parquet", np.zeros(3), object()])
def test_what_is_no_lookup_is_refused(source: Any) -> None:
    error = refused(errors.UnsupportedError, source)
    assert type(source).__name__ in str(error)


# Wrong columns


@pytest.mark.parametrize(
    ("names", "missing", "near"),
    [
        (["UUID", "filepath"], "uuid", "UUID"),
        (["uuid", "path"], "filepath", "path"),
        (["uuid", "file_path"], "filepath", "file_path"),
        (["image_uuid", "filepath"], "uuid", "image_uuid"),
        (["uuid ", "filepath"], "uuid", "uuid "),
        (["a", "b"], "uuid", None),
        (["uuid"], "filepath", None),
    ],
)
@pytest.mark.parametrize("kind", ["parquet", "csv", "table"])
def test_wrong_columns_name_those_found_and_the_nearest(
    tmp_path: Path, names: list[str], missing: str, near: str | None, kind: str
) -> None:
    table = pa.table({name: ["x"] for name in names})
    source: Any = table
    if kind == "parquet":
        source = tmp_path / "lookup.parquet"
        pq.write_table(table, source)
    elif kind == "csv":
        source = tmp_path / "lookup.csv"
        source.write_text(",".join(f'"{name}"' for name in names) + "\n")
        near = near and near.strip()
        if near == missing:
            return  # the header of a text is taken without the spaces around its names
    error = refused(errors.WrongColumnsError, source)
    assert f"no column '{missing}'" in str(error)
    for name in names:
        assert name.strip() in str(error)
    assert error.details["missing"] == missing
    assert error.details["nearest"] == near
    option = {"uuid": "uuid_column", "filepath": "filepath_column"}[missing]
    assert f"{option}={near!r}" in str(error) if near else option in str(error)
    assert isinstance(error, ValueError)


def test_a_file_of_thousands_of_columns_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(",".join(f"column_{number}" * 20 for number in range(3000)) + "\n")
    error = refused(errors.WrongColumnsError, tmp_path / "l.csv")
    assert len(str(error)) < 4000
    assert "2960 more" in str(error)


def test_columns_may_be_named(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "where": ["f"]})
    assert open_lookup(table, KeyColumns("id", "where")).keys(0, 1).to_pylist() == KEYS[:1]
    (tmp_path / "l.csv").write_text("id,where\na,f\n")
    assert keys_of(tmp_path / "l.csv", KeyColumns("id", "where")) == ["a"]


# Lists and patterns


def test_a_list_is_one_lookup_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    sources = [
        parquet(tmp_path / "1.parquet", ["a", "b"]),
        parquet(tmp_path / "empty.parquet", pa.array([], pa.string())),
        tmp_path / "below" / "2.csv",
        pa.table({"uuid": ["d"], "filepath": ["g"], "more": [1.5]}),
    ]
    sources[2].write_text("uuid,filepath\nc,h\n")
    lookup = open_lookup(sources, COLUMNS)
    assert lookup.num_rows == 4
    for start in range(5):
        for stop in range(start, 6):
            assert lookup.keys(start, stop).column("uuid").to_pylist() == list("abcd")[start:stop]
            assert lookup.read(start, stop).column("uuid").to_pylist() == list("abcd")[start:stop]
    assert lookup.read(2, 4).to_pylist() == [
        {"uuid": "c", "filepath": "h", "more": None},
        {"uuid": "d", "filepath": "g", "more": 1.5},
    ]
    assert [lookup.folder_of(row) for row in range(4)] == [
        str(tmp_path),
        str(tmp_path),
        str(tmp_path / "below"),
        os.getcwd(),
    ]
    assert [text for batch in lookup.scan(["uuid"]) for text in batch.column(0).to_pylist()] == list("abcd")
    assert lookup.name == "1.parquet and 3 more"
    lookup.close()


def test_types_that_differ_between_the_parts_are_widened(tmp_path: Path) -> None:
    first = parquet(tmp_path / "1.parquet", ["a"], number=pa.array([1], pa.int8()))
    second = parquet(tmp_path / "2.parquet", ["b"], number=pa.array([2**40]))
    lookup = open_lookup([first, second], COLUMNS)
    assert lookup.read(0, 2).column("number").to_pylist() == [1, 2**40]
    assert lookup.read(0, 1).schema == lookup.read(1, 2).schema == lookup.schema
    lookup.close()


@pytest.mark.parametrize(
    "kinds",
    [
        (pa.string(), pa.large_string()),
        (pa.string(), pa.dictionary(pa.int32(), pa.string())),
        (pa.int64(), pa.string()),
    ],
)
def test_key_columns_may_be_of_different_kinds(tmp_path: Path, kinds: tuple[pa.DataType, pa.DataType]) -> None:
    for number, kind in enumerate(kinds):
        table = pa.table({"uuid": pa.array([str(number)]).cast(kind), "filepath": ["f"]})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    dataset = Dataset([tmp_path / "0.parquet", tmp_path / "1.parquet"], COLUMNS)
    assert dataset.keys(0, 2).column("uuid").to_pylist() == ["0", "1"]
    assert dataset.row_of("1") == 1
    assert dataset.filepaths(lambda: None) == 1
    dataset.close()


def test_parts_that_do_not_fit_together_are_refused_or_read(tmp_path: Path) -> None:
    first = parquet(tmp_path / "1.parquet", ["a"], value=pa.array([1]))
    second = parquet(tmp_path / "2.parquet", ["b"], value=pa.array([[1]]))
    assert "do not fit together" in str(refused(errors.LookupUnreadableError, [first, second]))


def test_a_list_with_a_wrong_part_is_refused_for_it(tmp_path: Path) -> None:
    good = parquet(tmp_path / "1.parquet", ["a"])
    assert "absent.parquet" in str(refused(errors.LookupNotFoundError, [good, tmp_path / "absent.parquet"]))
    refused(errors.LookupNotFoundError, [])


def test_patterns_are_taken_in_the_natural_order_of_names(tmp_path: Path) -> None:
    for number in (10, 9, 1, 2):
        parquet(tmp_path / f"part_{number}.parquet", [str(number)])
    assert keys_of(str(tmp_path / "part_*.parquet")) == ["1", "2", "9", "10"]
    assert keys_of(str(tmp_path / "part_[19].parquet")) == ["1", "9"]
    assert "No file matches" in str(refused(errors.LookupNotFoundError, str(tmp_path / "none_*.parquet")))


def test_patterns_go_into_folders(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    parquet(tmp_path / "x" / "1.parquet", ["a"])
    parquet(tmp_path / "x" / "y" / "2.parquet", ["b"])
    assert keys_of(str(tmp_path / "**" / "*.parquet")) == ["a", "b"]


def test_a_file_that_is_named_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    parquet(tmp_path / "part_[1].parquet", ["right"])
    parquet(tmp_path / "part_1.parquet", ["wrong"])
    assert keys_of(str(tmp_path / "part_[1].parquet")) == ["right"]


# Paths and addresses


def test_paths_in_many_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "look up%41.parquet", ["a"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for source in (path, str(path), path.name, f"./{path.name}", f"~/{path.name}", path.as_uri()):
        assert keys_of(source) == ["a"]
    assert open_lookup(path.name, COLUMNS).location == str(path)


@pytest.mark.parametrize("address", ["s3://bucket/lookup.parquet", "https://x.org/l.csv", "gs://b/l", "hf://x"])
def test_addresses_are_refused_with_a_sentence(address: str) -> None:
    error = refused(errors.UnsupportedError, address)
    assert address.partition(":")[0] + "://" in str(error)


@pytest.mark.parametrize("name", ["absent.parquet", "nul\0.parquet", "", "x" * 300, "surrogate \ud800", "\udcff"])
def test_paths_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ExplorerError) as caught:
        open_lookup(name, COLUMNS)
    assert type(caught.value) in {errors.LookupNotFoundError, errors.LookupUnreadableError}
    str(caught.value).encode(errors="surrogateescape")


def test_an_absent_file_is_a_file_not_found_error_and_names_a_similar_one(tmp_path: Path) -> None:
    parquet(tmp_path / "lookup.parquet", ["a"])
    error = refused(errors.LookupNotFoundError, tmp_path / "lokup.parquet")
    assert isinstance(error, FileNotFoundError)
    assert "lookup.parquet?" in str(error)
    assert "no folder" in str(refused(errors.LookupNotFoundError, tmp_path / "absent" / "lookup.parquet"))


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_would_wait_for_ever_is_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "lookup.parquet")
    assert "regular file" in str(refused(errors.LookupUnreadableError, tmp_path / "lookup.parquet"))


def test_a_link_that_leads_nowhere_or_to_itself(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to("absent")
    (tmp_path / "itself").symlink_to("itself")
    refused(errors.LookupNotFoundError, tmp_path / "nowhere")
    refused(errors.LookupUnreadableError, tmp_path / "itself")


def test_gzipped_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plain = parquet(tmp_path / "l.parquet", [f"k{number}" for number in range(3000)])
    (tmp_path / "l.parquet.gz").write_bytes(gzip.compress(plain.read_bytes()))
    before = set(os.listdir(tmp_path))
    lookup = open_lookup(tmp_path / "l.parquet.gz", COLUMNS)
    assert lookup.keys(2999, 3001).to_pylist() == [{"uuid": "k2999", "filepath": "f"}]
    assert lookup.read(1, 2).column("uuid").to_pylist() == ["k1"]
    assert lookup.folder == str(tmp_path)
    lookup.close()
    assert set(os.listdir(tmp_path)) == before


# Shards as their own lookup


def shard(folder: Path, name: str, keys: list[str], metadata: bool = True, column: str = "uuid") -> Path:
    write_images(folder / f"{name}_images.h5", {key: encoded(number) for number, key in enumerate(keys)})
    if metadata:
        pq.write_table(pa.table({"x": [1] * len(keys), column: keys}), folder / f"{name}_metadata.parquet")
    return folder / f"{name}_images.h5"


@pytest.mark.parametrize("metadata", [True, False])
def test_one_shard(tmp_path: Path, metadata: bool) -> None:
    keys = ["b", "a", "ä"]
    path = shard(tmp_path, "s", keys, metadata)
    dataset = Dataset(path, COLUMNS)
    listed = dataset.keys(0, 9).column("uuid").to_pylist()
    assert listed == keys if metadata else sorted(listed) == sorted(keys)
    for row, key in enumerate(listed):
        assert dataset.image(dataset.entry(row)).data == encoded(keys.index(key))
    assert dataset.lookup.read(0, 9).schema.names == ["uuid", "filepath"]
    assert dataset.lookup.read(1, 2).column("uuid").to_pylist() == listed[1:2]
    assert [text for batch in dataset.lookup.scan(["uuid"]) for text in batch.column(0).to_pylist()] == listed
    assert dataset.filepaths(lambda: None) == 1
    dataset.close()


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("options", [{"userblock_size": 512}, {"userblock_size": 4096}, {"libver": "latest"}])
def test_a_shard_of_any_format_is_known_for_one(tmp_path: Path, metadata: bool, options: dict[str, Any]) -> None:
    write_images(tmp_path / "s_images.h5", {"a": encoded(1)}, **options)
    if metadata:
        pq.write_table(pa.table({"uuid": ["a"]}), tmp_path / "s_metadata.parquet")
    assert keys_of(tmp_path / "s_images.h5") == ["a"]


def test_a_shard_of_another_name(tmp_path: Path) -> None:
    write_images(tmp_path / "mine.h5", {"a": encoded(1)})
    dataset = Dataset(tmp_path / "mine.h5", COLUMNS)
    assert dataset.image(dataset.entry(0)).data == encoded(1)
    dataset.close()


def test_a_folder_of_shards(tmp_path: Path) -> None:
    names = ["s_10", "s_9", "s_1"]
    for name in names:
        shard(tmp_path, name, [f"{name} a", f"{name} b"], metadata=name != "s_9")
    (tmp_path / "other.txt").write_text("")
    dataset = Dataset(tmp_path, COLUMNS)
    assert dataset.keys(0, 9).column("uuid").to_pylist() == [f"{n} {k}" for n in ("s_1", "s_9", "s_10") for k in "ab"]
    for row in range(6):
        assert dataset.image(dataset.entry(row)).data == encoded(row % 2)
    assert dataset.filepaths(lambda: None) == 3
    assert (dataset.lookup.name, dataset.lookup.location) == (tmp_path.name, str(tmp_path))
    dataset.close()


def test_opening_a_folder_can_be_interrupted(tmp_path: Path) -> None:
    """Even where no reader comes back, as the file system does not answer."""
    for number in range(40):
        (tmp_path / f"s_{number}_images.h5").touch()
    code = """
import os, sys, threading, time
from h5explorer_py import errors
from h5explorer_py.images.readers import Reader
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.options import KeyColumns
asked = threading.Event()
def ask(*_):
    asked.set()
    time.sleep(60)
Reader.ask = ask
def tell():
    asked.wait()
    print("ready", flush=True)
threading.Thread(target=tell).start()
try:
    open_lookup(sys.argv[1], KeyColumns())
except KeyboardInterrupt:
    print("interrupted", flush=True)
os._exit(0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10)[0] == "interrupted\n"


def test_a_folder_with_one_shard(tmp_path: Path) -> None:
    shard(tmp_path, "s", ["a"])
    assert keys_of(tmp_path) == ["a"]


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    assert "holds no shards" in str(refused(errors.LookupUnreadableError, tmp_path))


def test_a_shard_whose_uuids_are_called_otherwise(tmp_path: Path) -> None:
    path = shard(tmp_path, "s", ["a", "b"], column="id")
    refused(errors.WrongColumnsError, path)
    assert keys_of(path, KeyColumns("id", "filepath")) == ["a", "b"]


def test_a_shard_without_images(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s_images.h5", "w") as file:
        file["pictures"] = [1]
    assert "pictures" in str(refused(errors.NoImagesGroupError, tmp_path / "s_images.h5"))
    with h5py.File(tmp_path / "s_images.h5", "w") as file:
        file.create_group("images")
    assert keys_of(tmp_path / "s_images.h5") == []


def test_what_is_called_a_shard_and_is_none(tmp_path: Path) -> None:
    (tmp_path / "s_images.h5").write_bytes(b"no HDF5 at all")
    assert "HDF5" in str(refused(errors.ShardUnreadableError, tmp_path / "s_images.h5"))
    assert "s_images.h5" in str(refused(errors.ShardUnreadableError, tmp_path))


def no_group(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["pictures"] = [1]


def torn(path: Path) -> None:
    write_images(path, {"a": encoded(0)})
    path.write_bytes(path.read_bytes()[:-100])


BAD = {
    "no_group": (no_group, "has no group named images. It has: pictures."),
    "torn": (torn, "is truncated"),
    "text": (lambda path: path.write_text("no HDF5 at all"), "cannot be read as HDF5"),
    "nothing": (lambda path: path.write_bytes(b""), "cannot be read as HDF5"),
    "folder": (Path.mkdir, "it is a folder"),
    "nowhere": (lambda path: path.symlink_to(path.parent / "absent"), "no such file"),
    "pipe": (os.mkfifo, "not a regular file"),
}


@pytest.mark.parametrize("good", [1, 2])
@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD)
def test_what_is_no_shard_is_left_out_of_the_folder_and_named(
    tmp_path: Path, make: Callable[[Path], None], reason: str, good: int
) -> None:
    for number in range(good):
        shard(tmp_path, f"good_{number}", [f"key {number}"], metadata=number == 0)
    make(tmp_path / "bad_images.h5")
    dataset = within(20, lambda: Dataset(tmp_path, COLUMNS))
    assert dataset.keys(0, 9).column("uuid").to_pylist() == [f"key {number}" for number in range(good)]
    assert dataset.image(dataset.entry(good - 1)).data == encoded(0)
    [notice] = dataset.lookup.notices
    assert notice.startswith("Left out: ")
    assert notice.count("bad_images.h5") == 1
    assert reason in notice
    assert notice.endswith(".")
    assert dataset.lookup.name == tmp_path.name
    dataset.close()


@pytest.mark.parametrize("content", [{"id": ["a"]}, None], ids=["another column", "damaged"])
def test_a_shard_whose_metadata_cannot_be_used_is_left_out_and_named(
    tmp_path: Path, content: dict[str, list[str]] | None
) -> None:
    shard(tmp_path, "good", ["a"])
    shard(tmp_path, "bad", ["b"])
    if content is None:
        (tmp_path / "bad_metadata.parquet").write_bytes(b"PAR1 and no more")
    else:
        pq.write_table(pa.table(content), tmp_path / "bad_metadata.parquet")
    lookup = open_lookup(tmp_path, COLUMNS)
    assert lookup.keys(0, 9).column("uuid").to_pylist() == ["a"]
    assert lookup.notices[0].startswith("Left out: bad_images.h5, as bad_metadata.parquet ")
    lookup.close()


def test_of_many_that_are_left_out_some_are_told_and_all_are_counted(tmp_path: Path) -> None:
    shard(tmp_path, "good", ["a"])
    for number in range(40):
        (tmp_path / f"bad_{number}_images.h5").write_text("no HDF5 at all")
    lookup = open_lookup(tmp_path, COLUMNS)
    for number in range(4):
        assert lookup.notices[number].startswith(f"Left out: bad_{number}_images.h5 ")
    assert lookup.notices[4].startswith("Left out are 36 more: bad_4_images.h5, bad_5_images.h5, ")
    assert lookup.notices[4].endswith(" and 16 more.")
    assert len(lookup.notices) == 5
    lookup.close()


def test_a_folder_of_which_no_shard_can_be_read_says_why(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"bad_{number}_images.h5").write_text("no HDF5 at all")
    error = refused(errors.ShardUnreadableError, tmp_path)
    assert f"None of the 3 shards of the folder {tmp_path.name} can be read." in error.message
    assert "bad_0_images.h5" in error.message
    no_group(tmp_path / "bad_3_images.h5")
    assert "None of the 4 shards" in refused(errors.LookupUnreadableError, tmp_path).message


def test_a_folder_whose_uuids_are_called_otherwise_names_the_nearest(tmp_path: Path) -> None:
    for name in "ab":
        shard(tmp_path, name, [name], column="UUID")
    assert "pass uuid_column='UUID'" in str(refused(errors.WrongColumnsError, tmp_path))
    assert keys_of(tmp_path, KeyColumns("UUID", "filepath")) == ["a", "b"]


def test_a_folder_of_shards_with_names_of_their_own(tmp_path: Path) -> None:
    write_images(tmp_path / "part 2.hdf5", {"b": encoded(1)})
    write_images(tmp_path / "part 1.h5", {"a": encoded(0)})
    no_group(tmp_path / "masks.h5")
    (tmp_path / "._part 1.h5").write_bytes(b"left there by a copying program")
    dataset = Dataset(tmp_path, COLUMNS)
    assert dataset.keys(0, 9).column("uuid").to_pylist() == ["a", "b"]
    assert [dataset.image(dataset.entry(row)).data for row in (0, 1)] == [encoded(0), encoded(1)]
    assert dataset.lookup.notices == ("Left out: masks.h5 has no group named images. It has: pictures.",)
    dataset.close()
    shard(tmp_path, "s", ["c"])
    assert keys_of(tmp_path) == ["c"]


def test_a_folder_whose_files_may_be_listed_but_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard(tmp_path, "s", ["a"])
    stat = os.stat

    def denied(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if str(path).startswith(f"{tmp_path}{os.sep}"):
            raise PermissionError(13, "Permission denied")
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", denied)
    assert "permission denied" in str(refused(errors.ShardUnreadableError, tmp_path))


def test_a_folder_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", denied)
    assert "permission denied" in str(refused(errors.LookupUnreadableError, tmp_path))
