"""A folder of pictures becomes shards with the files' own bytes, each with its own record, whoever writes them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil

from h5explorer_py import Explorer
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import (
    BadRequestError,
    CancelledError,
    ConvertFailedError,
    LabelsError,
    SourceNotFoundError,
    TargetExistsError,
    UnsupportedError,
    WriteFailedError,
)
from h5explorer_py.making.job import Context, JobOptions, State
from h5explorer_py.making.shards import task as shards_task
from h5explorer_py.making.shards import write as to_shards
from h5explorer_py.making.shards.parts import limits, parts
from h5explorer_py.making.shards.write import ShardsOptions, write_shards
from tests.py import shards_functions as functions
from tests.py.pictures import numbers, saved, tiff
from tests.py.support import ROOT, SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from h5explorer_py.decode.facts import DecodeOptions
    from h5explorer_py.making.report import ConvertReport


def jpeg(seed: int, mode: str = "RGB") -> bytes:
    return saved(pil.fromarray(numbers((12, 16, 3), "uint8", seed)).convert(mode), "JPEG")


GOOD = {
    "b.jpg": jpeg(1),
    "a.png": saved(pil.fromarray(numbers((5, 7, 4), "uint8")), "PNG"),
    "c/deep.tif": tiff(numbers((6, 9), "uint16")),
    "c/b.jpg": jpeg(2, "CMYK"),
    "c/same.jpg": jpeg(1),
    "pages.tif": tiff(numbers((3, 6, 9), "uint8"), photometric="minisblack"),
}
ORDER = ["a.png", "b.jpg", "c/b.jpg", "c/deep.tif", "c/same.jpg", "pages.tif"]
FACTS = {
    "a.png": ("PNG", "RGBA", 7, 5, 4, "uint8", 1),
    "b.jpg": ("JPEG", "RGB", 16, 12, 3, "uint8", 1),
    "c/b.jpg": ("JPEG", "CMYK", 16, 12, 3, "uint8", 1),
    "c/deep.tif": ("TIFF", "uint16 YX", 9, 6, 1, "uint16", 1),
    "c/same.jpg": ("JPEG", "RGB", 16, 12, 3, "uint8", 1),
    "pages.tif": ("TIFF", "L", 9, 6, 1, "uint8", 3),
}


def lay_out(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def photographs(folder: Path, count: int, first: int = 0) -> Path:
    return lay_out(folder, {f"p{number:03d}.jpg": jpeg(number) for number in range(first, first + count)})


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2) as executor:
        yield executor


@pytest.fixture
def convert(workers: Workers) -> Callable[..., ConvertReport]:
    def done(source: Any, output: Path, *, executor: Executor | None = None, **options: Any) -> ConvertReport:
        own = {name: options.pop(name) for name in list(options) if name in ShardsOptions.__slots__}
        job = JobOptions(recursive=True, **options)
        sources = source if isinstance(source, list) else [source]
        return write_shards(sources, output, job, ShardsOptions(**own), Context(executor or workers))

    return done


class Read:
    """What h5py and pyarrow find in a data set."""

    def __init__(self, folder: Path) -> None:
        self.lookup = pq.read_table(folder / "lookup.parquet")
        self.keys = self.lookup["uuid"].to_pylist()
        self.filepaths = self.lookup["filepath"].to_pylist()
        self.images: list[bytes] = []
        self.records: list[dict[str, Any]] = []
        for name in dict.fromkeys(self.filepaths):
            here = [key for key, each in zip(self.keys, self.filepaths, strict=True) if each == name]
            with h5py.File(folder / f"{name}_images.h5") as file:
                assert sorted(file["images"]) == sorted(here)
                self.images += [file["images"][key][()].tobytes() for key in here]
            table = pq.read_table(folder / f"{name}_metadata.parquet")
            assert table["uuid"].to_pylist() == here
            self.columns = table.column_names
            self.records += table.to_pylist()

    def column(self, name: str) -> list[Any]:
        return [record[name] for record in self.records]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def left_beside(folder: Path) -> list[Path]:
    return [path for path in folder.parent.iterdir() if path.name.startswith(".")]


# What is written


def test_bytes_records_and_order(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source = lay_out(tmp_path / "source", GOOD | {"readme.txt": b"no picture"})
    report = convert(source, tmp_path / "out", images_per_shard=4)
    read = Read(tmp_path / "out")
    assert read.images == [GOOD[name] for name in ORDER]
    assert read.filepaths == ["shard_00000"] * 4 + ["shard_00001"] * 2
    assert read.column("filename") == ["a.png", "b.jpg", "c/b.jpg", "deep.tif", "same.jpg", "pages.tif"]
    for name, record in zip(ORDER, read.records, strict=True):
        facts = ("format", "mode", "width", "height", "channels", "dtype", "pages")
        assert tuple(record[each] for each in facts) == FACTS[name]
        assert record["file_size"] == len(GOOD[name])
        assert record["checksum"] == hashlib.sha256(GOOD[name]).hexdigest()
        assert record["source_path"] == str(source / name)
        assert record["error"] is None
    assert read.columns[:2] == ["uuid", "filename"]
    assert not {"min", "max", "mean"} & set(read.columns)
    assert len(set(read.keys)) == 6
    assert all(uuid.UUID(key).version == 5 and str(uuid.UUID(key)) == key for key in read.keys)
    assert (report.images, report.failed, report.left_out, report.exit_code) == (6, 0, ("readme.txt",), 0)
    assert report.bytes_read == report.bytes_written == sum(map(len, GOOD.values()))
    assert report.output == str(tmp_path / "out")
    assert left_beside(tmp_path / "out") == []


def test_the_same_pictures_have_the_same_uuids_wherever_they_lie(
    tmp_path: Path, convert: Callable[..., ConvertReport]
) -> None:
    convert(lay_out(tmp_path / "source", GOOD), tmp_path / "one")
    convert(lay_out(tmp_path / "elsewhere" / "again", GOOD), tmp_path / "two", images_per_shard=2)
    convert(lay_out(tmp_path / "changed", GOOD | {"b.jpg": jpeg(9)}), tmp_path / "three")
    one, two, three = (Read(tmp_path / name).keys for name in ("one", "two", "three"))
    assert one == two
    assert [a == b for a, b in zip(one, three, strict=True)] == [name != "b.jpg" for name in ORDER]


def test_files_of_the_same_path_and_bytes_in_two_folders_are_two_rows(
    tmp_path: Path, convert: Callable[..., ConvertReport]
) -> None:
    sources = [lay_out(tmp_path / name, {"x.jpg": jpeg(1)}) for name in ("one", "two")]
    convert(sources, tmp_path / "out")
    read = Read(tmp_path / "out")
    assert len(set(read.keys)) == 2
    assert read.column("source_path") == [str(source / "x.jpg") for source in sources]


def test_labels_join_by_name_and_keep_their_columns(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source = lay_out(tmp_path / "source", GOOD)
    labels = pa.table(
        {
            "filename": ["pages.tif", "c/b.jpg", "a.png", "gone.jpg", "same.jpg"],
            "species": pa.array(["wren", "owl", "tit", "none", None]).dictionary_encode(),
            "width": [1.5, 2.5, 3.5, 4.5, 5.5],
            "uuid": ["u1", "u2", "u3", "u4", "u5"],
        }
    )
    report = convert(source, tmp_path / "out", images_per_shard=4, metadata=labels)
    read = Read(tmp_path / "out")
    assert read.column("species") == ["tit", None, "owl", None, None, "wren"]
    assert read.column("width") == [3.5, None, 2.5, None, 5.5, 1.5]
    assert read.column("image_width") == [FACTS[name][2] for name in ORDER]
    assert read.column("original_uuid") == ["u3", None, "u2", None, "u5", "u1"]
    assert read.column("uuid") == read.keys
    assert report.without_picture == ("gone.jpg",)
    assert report.without_labels == ("b.jpg", "deep.tif")
    with pytest.raises(LabelsError, match="several rows"):
        convert(source, tmp_path / "other", metadata=pa.table({"filename": ["a.png", "a.png"]}))
    assert not (tmp_path / "other").exists()


def test_labels_stay_with_their_pictures_where_others_are_left_out(
    tmp_path: Path, convert: Callable[..., ConvertReport]
) -> None:
    names = [f"{number}.jpg" for number in range(9)]
    source = lay_out(tmp_path / "source", {name: b"" if int(name[0]) % 3 == 0 else jpeg(1) for name in names})
    labels = pa.table({"filename": names[::-1], "number": [int(name[0]) for name in names[::-1]]})
    convert(source, tmp_path / "out", images_per_shard=4, metadata=labels)
    assert Read(tmp_path / "out").column("number") == [1, 2, 4, 5, 7, 8]


def test_statistics_are_those_of_the_values(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    values = numbers((6, 9), "uint16")
    cut = jpeg(1)[:-40]
    convert(lay_out(tmp_path / "source", {"a.tif": tiff(values), "b.jpg": cut}), tmp_path / "out", stats=True)
    read = Read(tmp_path / "out")
    assert read.images[1] == cut
    record = read.records[0]
    assert (record["min"], record["max"]) == (values.min(), values.max())
    assert record["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert read.records[1]["mean"] is None
    assert "cut short" in read.records[1]["error"]


def test_it_opens_as_any_data_set(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    convert(lay_out(tmp_path / "source", GOOD), tmp_path / "out", images_per_shard=2)
    explorer = Explorer(tmp_path / "out" / "lookup.parquet", cache=False)
    for row, name in enumerate(ORDER):
        assert explorer.image(row).data == GOOD[name]
        assert explorer.metadata(row)["source_path"] == str(tmp_path / "source" / name)
    assert explorer.stats == {"records": 6, "filepaths": 3}
    explorer.close()


# Pictures that cannot be read


def bad(folder: Path) -> Path:
    lay_out(
        folder,
        {
            "1 good.jpg": jpeg(1),
            "2 empty.jpg": b"",
            "3 text.jpg": b"this is no picture",
            "4 cut.jpg": jpeg(2)[:-30],
            "5 cut header.jpg": jpeg(2)[:40],
            "6 huge.png": huge(),
        },
    )
    (folder / "7 gone.jpg").symlink_to(folder / "not there.jpg")
    os.mkfifo(folder / "8 pipe.jpg")
    return lay_out(folder, {"9 good.jpg": jpeg(3)})


def huge() -> bytes:
    import struct
    import zlib

    head = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"\0")
    chunks = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (head, pixels))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + b"\0\0\0\0IEND\xaeB`\x82"


def test_what_is_no_picture_is_kept_with_what_is_wrong(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source = bad(tmp_path / "source")
    report = convert(source, tmp_path / "out")
    read = Read(tmp_path / "out")
    kept = ["1 good.jpg", "3 text.jpg", "4 cut.jpg", "5 cut header.jpg", "6 huge.png", "9 good.jpg"]
    assert read.column("filename") == kept
    assert read.images == [(source / name).read_bytes() for name in kept]
    said = dict(zip(kept, read.column("error"), strict=True))
    assert said["1 good.jpg"] is said["9 good.jpg"] is None
    assert "no picture of a known format" in said["3 text.jpg"]
    assert "ends before it does" in said["4 cut.jpg"]
    assert "100,000 × 100,000" in said["6 huge.png"]
    assert read.column("checksum") == [hashlib.sha256(data).hexdigest() for data in read.images]
    reasons = {failure.name: failure for failure in report.failures}
    assert sorted(reasons) == sorted(path.name for path in source.iterdir() if "good" not in path.name)
    assert (report.images, report.failed, report.exit_code) == (6, 7, 3)
    assert "no bytes" in reasons["2 empty.jpg"].reason
    assert "no such file" in reasons["7 gone.jpg"].reason
    assert "not a regular file" in reasons["8 pipe.jpg"].reason


def test_they_are_left_out_or_end_the_conversion_where_that_is_asked(
    tmp_path: Path, convert: Callable[..., ConvertReport]
) -> None:
    source = bad(tmp_path / "source")
    report = convert(source, tmp_path / "out", on_error="skip")
    assert Read(tmp_path / "out").column("filename") == ["1 good.jpg", "9 good.jpg"]
    assert (report.images, report.failed) == (2, 7)
    with pytest.raises(ConvertFailedError, match=r"2 empty\.jpg cannot be read: The file is empty"):
        convert(source, tmp_path / "other", on_error="stop")
    assert not (tmp_path / "other").exists()
    assert left_beside(tmp_path / "other") == []


def test_nothing_is_written_where_no_picture_can_be_read(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    with pytest.raises(ConvertFailedError, match="None of the 2 pictures can be read: The file is empty"):
        convert(lay_out(tmp_path / "source", {"a.jpg": b"", "b.jpg": b""}), tmp_path / "out")
    with pytest.raises(SourceNotFoundError, match="No pictures"):
        convert(lay_out(tmp_path / "empty", {"a.txt": b"text"}), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "source"]


def test_shards_without_a_picture_are_not_there(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source = lay_out(tmp_path / "source", {f"{n}.jpg": jpeg(n) if n in {0, 5} else b"" for n in range(6)})
    convert(source, tmp_path / "out", images_per_shard=2)
    assert Read(tmp_path / "out").filepaths == ["shard_00000", "shard_00002"]
    assert sorted(path.name for path in (tmp_path / "out").glob("shard*")) == [
        f"shard_{n}_{kind}" for n in ("00000", "00002") for kind in ("images.h5", "metadata.parquet")
    ]


def test_a_picture_over_which_a_process_crashes_is_kept_and_one_over_which_it_hangs_is_left_out(
    tmp_path: Path, convert: Callable[..., ConvertReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_shards, "write_shard", functions.crashing)
    source = photographs(tmp_path / "source", 3)
    lay_out(source, {"crash.jpg": jpeg(7), "hang.jpg": jpeg(8)})
    with Workers(2, item_seconds=2) as executor:
        report = convert(source, tmp_path / "out", executor=executor)
    read = Read(tmp_path / "out")
    assert read.column("filename") == ["crash.jpg", "p000.jpg", "p001.jpg", "p002.jpg"]
    assert read.images[0] == jpeg(7)
    assert "SIGSEGV" in read.records[0]["error"]
    assert [(each.name, each.code) for each in report.failures] == [
        ("crash.jpg", "reader_failed"),
        ("hang.jpg", "reader_stalled"),
    ]


def test_300_bad_files_in_one_run(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    folder = SHARED / "corpora" / "images"
    if not folder.is_dir():
        pytest.skip("The folder of bad pictures is not there.")
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    report = convert(files, tmp_path / "out")
    read = Read(tmp_path / "out")
    paths = dict(zip(read.column("source_path"), read.images, strict=True))
    assert all(Path(path).read_bytes() == data for path, data in paths.items())
    failed = {each.path for each in report.failures}
    assert {path for path, error in zip(paths, read.column("error"), strict=True) if error} == failed & set(paths)
    assert set(files) == set(paths) | failed
    assert len(read.keys) == len(set(read.keys)) == report.images


# Large files


def test_a_large_file_is_kept_piece_by_piece(
    tmp_path: Path, convert: Callable[..., ConvertReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lay_out(tmp_path / "source", GOOD)
    convert(source, tmp_path / "one", stats=True)
    monkeypatch.setattr(shards_task, "_WHOLE", 0)
    monkeypatch.setattr("h5explorer_py.making.shards.whole_file._PIECE", 100)
    with ThreadPoolExecutor(1) as executor:
        convert(source, tmp_path / "two", executor=executor, stats=True)
        one, two = Read(tmp_path / "one"), Read(tmp_path / "two")
        assert (one.images, one.records, one.keys) == (two.images, two.records, two.keys)
        lay_out(source, {"d.jpg": b"no picture" * 50})
        report = convert(source, tmp_path / "three", executor=executor)
        assert Read(tmp_path / "three").images[5] == b"no picture" * 50
        assert [each.name for each in report.failures] == ["d.jpg"]


def test_a_large_file_that_changes_while_it_is_read_is_left_out(
    tmp_path: Path, convert: Callable[..., ConvertReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lay_out(tmp_path / "source", GOOD)
    monkeypatch.setattr(shards_task, "_WHOLE", 500)
    whole = shards_task._Writing._look_in

    def grown(self: Any, file: Any, options: DecodeOptions, outcome: Any) -> None:
        whole(self, file, options, outcome)
        with (source / "b.jpg").open("ab") as other:
            other.write(b"more")

    monkeypatch.setattr(shards_task._Writing, "_look_in", grown)
    with ThreadPoolExecutor(1) as executor:
        report = convert([source / "b.jpg", source / "a.png"], tmp_path / "out", executor=executor)
    assert [each.reason for each in report.failures] == ["The file has changed while it was read."]
    assert Read(tmp_path / "out").images == [GOOD["a.png"]]


# Who writes them


def test_the_same_store_whoever_writes_it_and_whatever_is_lost(
    tmp_path: Path, convert: Callable[..., ConvertReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client, LocalCluster

    source = bad(photographs(tmp_path / "source", 30))
    labels = pa.table({"filename": [f"p{n:03d}.jpg" for n in range(0, 30, 2)], "n": list(range(15))})
    options: dict[str, Any] = {"images_per_shard": 5, "metadata": labels}
    with Workers(1) as one:
        expected_report = convert(source, tmp_path / "one", executor=one, **options)
    expected = contents(tmp_path / "one")
    monkeypatch.setattr(to_shards, "write_shard", functions.dying_once)

    def check(name: str, executor: Executor) -> None:
        monkeypatch.setenv(functions.MARK, str(tmp_path / f"mark {name}"))
        report = convert(source, tmp_path / name, executor=executor, **options)
        assert (tmp_path / f"mark {name}").exists()
        assert contents(tmp_path / name) == expected
        assert report.failures == expected_report.failures
        assert left_beside(tmp_path / name) == []

    monkeypatch.setenv(functions.MARK, str(tmp_path / "mark three"))
    with Workers(3) as three:
        check("three", three)
    monkeypatch.setenv(functions.MARK, str(tmp_path / "mark cluster"))
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        check("cluster", client.get_executor())


@given(st.lists(st.integers(0, 100), max_size=60), st.integers(1, 20), st.integers(1, 300))
def test_parts_hold_all_and_not_too_much(sizes: list[int], images: int, most: int) -> None:
    made = list(parts(sizes, images, most))
    assert [place for part in made for place in part] == list(range(len(sizes)))
    for part, after in zip(made, [*made[1:], range(0)], strict=False):
        assert 1 <= len(part) <= images
        assert len(part) == 1 or sum(sizes[place] for place in part) <= most
        if len(after):  # a part that has room takes the next
            assert len(part) == images or sum(sizes[place] for place in part) + sizes[after[0]] > most


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (100, 1_000, (512, 256 << 20)),
        (20_000, 44_000, (625, 256 << 20)),
        (1_000_000, 44_000, (10_000, 44_000 * 1_000_000 // 32)),
        (100_000_000, 44_000, (10_000, 4 << 30)),
    ],
)
def test_limits_follow_the_job_alone(count: int, size: int, expected: tuple[int, int]) -> None:
    class Sizes(list[int]):
        def __len__(self) -> int:
            return count

        def __iter__(self) -> Iterator[int]:
            return iter([count * size])

    assert limits(Sizes(), None, None) == expected
    assert limits(Sizes(), 7, 9) == (7, 9)


def test_progress_tells_of_all(tmp_path: Path, workers: Workers) -> None:
    states: list[State] = []
    source = bad(photographs(tmp_path / "source", 10))
    context = Context(workers, progress=states.append)
    write_shards([source], tmp_path / "out", JobOptions(), ShardsOptions(images_per_shard=5), context)
    assert (states[0].done, states[0].total) == (0, 19)
    assert (states[-1].done, states[-1].errors) == (19, 7)
    assert [state.done for state in states] == sorted(state.done for state in states)


def test_giving_up_leaves_nothing(tmp_path: Path, workers: Workers) -> None:
    source = photographs(tmp_path / "source", 40)

    def give_up() -> None:
        if any((tmp_path).glob(".out*/content/shard_00001_images.h5")):
            raise CancelledError("Enough.")

    context = Context(workers, give_up=give_up)
    with pytest.raises(CancelledError):
        write_shards([source], tmp_path / "out", JobOptions(), ShardsOptions(images_per_shard=4), context)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


# What is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": (4, 4)}, "resized"),
        ({"dtype": "uint8"}, "type"),
        ({"kind": "grey"}, "channels"),
        ({"pages": "each"}, "parted"),
        ({"append": True, "overwrite": True}, "either added to or replaced"),
        ({"images_per_shard": 0}, "at least one"),
    ],
)
def test_what_shards_cannot_be_is_refused(
    tmp_path: Path, convert: Callable[..., ConvertReport], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadRequestError, match=said):
        convert(tmp_path, tmp_path / "out", **options)


def test_addresses_are_refused(convert: Callable[..., ConvertReport], tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="addresses"):
        convert(tmp_path, "s3://bucket/out")  # type: ignore[arg-type]


def test_only_what_is_ours_is_replaced(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source, out = photographs(tmp_path / "source", 3), tmp_path / "out"
    convert(source, out)
    before = contents(out)
    with pytest.raises(TargetExistsError, match="there already"):
        convert(source, out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(TargetExistsError, match=r"notes\.txt"):
        convert(source, out, overwrite=True)
    assert contents(out) == before | {"notes.txt": b"mine"}
    (out / "notes.txt").unlink()
    convert(photographs(tmp_path / "other", 2), out, overwrite=True)
    assert len(Read(out).keys) == 2


def test_what_cannot_be_written_is_said(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(WriteFailedError):
        convert(photographs(tmp_path / "source", 2), tmp_path / "file" / "out")


# Adding to a data set


def test_adding_keeps_what_was_there(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source, out = photographs(tmp_path / "source", 6), tmp_path / "out"
    convert(source, out, images_per_shard=4, append=True)
    before = contents(out)
    old = Read(out)
    more = photographs(tmp_path / "more", 5, first=4)
    report = convert([more, source], out, images_per_shard=4, append=True)
    assert report.images == 11
    read = Read(out)
    assert read.images == old.images + [jpeg(n) for n in (*range(4, 9), *range(6))]
    assert read.keys[:6] == old.keys
    assert len(set(read.keys)) == 17
    after = contents(out)
    assert all(after[name] == data for name, data in before.items() if name.startswith("shard"))
    assert sorted(set(read.filepaths)) == [f"shard_{n:05d}" for n in range(5)]
    convert(photographs(tmp_path / "last", 1), out, overwrite=True)  # all of it is ours still


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: (out / ".h5explorer.json").unlink(),
        lambda out: (out / "shard_00000_images.h5").unlink(),
        lambda out: (out / "shard_00000_metadata.parquet").write_bytes(b"changed"),
        lambda out: (out / "lookup.parquet").unlink(),
        lambda out: pq.write_table(pa.table({"uuid": ["a"], "filepath": ["b"], "more": [1]}), out / "lookup.parquet"),
        lambda out: (shutil.rmtree(out), out.write_bytes(b"a file")),
    ],
)
def test_nothing_is_added_to_what_is_not_ours(
    tmp_path: Path, convert: Callable[..., ConvertReport], spoil: Callable[[Path], object]
) -> None:
    source, out = photographs(tmp_path / "source", 3), tmp_path / "out"
    convert(source, out)
    spoil(out)
    before = contents(out) if out.is_dir() else out.read_bytes()
    with pytest.raises(TargetExistsError, match=r"Nothing is added|not added to"):
        convert(source, out, append=True)
    assert (contents(out) if out.is_dir() else out.read_bytes()) == before
    assert left_beside(out) == []


def test_files_of_others_are_left_alone(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source, out = photographs(tmp_path / "source", 3), tmp_path / "out"
    convert(source, out)
    (out / "shard_00001_images.h5").write_bytes(b"mine")
    convert(source, out, append=True)
    assert (out / "shard_00001_images.h5").read_bytes() == b"mine"
    assert Read(out).filepaths == ["shard_00000"] * 3 + ["shard_00002"] * 3


def test_nothing_is_added_where_another_process_adds(tmp_path: Path, convert: Callable[..., ConvertReport]) -> None:
    source, out = photographs(tmp_path / "source", 3), tmp_path / "out"
    convert(source, out)
    code = (
        "import sys; from h5explorer_py.making.shards.target import AppendedShards\n"
        "with AppendedShards(sys.argv[1]): print('begun', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"begun\n"
        with pytest.raises(TargetExistsError, match="of another process"):
            convert(source, out, append=True)
        other.communicate()
    convert(source, out, append=True)
    assert len(Read(out).keys) == 6


# Killed


def killed(source: Path, out: Path, append: bool, moment: int) -> int | None:
    """Convert in a process that is killed at a moment; return how many there are where it ended by itself."""
    command = [sys.executable, "-m", functions.__name__, str(source), str(out), "append" if append else "", str(moment)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return int(done.stdout)
    assert done.returncode == -9, done.stderr
    return None


@pytest.mark.parametrize("append", [False, True])
def test_killed_at_any_moment_there_is_the_old_or_the_new_and_the_next_run_completes(
    tmp_path: Path,
    append: bool,
) -> None:
    old, source = photographs(tmp_path / "old", 3), photographs(tmp_path / "source", 9, first=3)
    start = tmp_path / "start"
    functions.convert(str(old), str(start))
    whole = tmp_path / "whole"
    if append:
        shutil.copytree(start, whole)
    moments = killed(source, whole, append, -1)
    assert moments is not None
    seen = set()
    for moment in sorted({*np.linspace(0, moments - 1, 5).astype(int).tolist(), moments - 4, moments - 6}):
        out = tmp_path / f"out {moment}"
        if append:
            shutil.copytree(start, out)
        assert killed(source, out, append, moment) is None
        finished = out.exists() and len(Read(out).keys) == len(Read(whole).keys)
        seen.add(finished)
        if not finished:
            if append:
                assert Read(out).keys == Read(start).keys
            else:
                assert not out.exists()
            functions.convert(str(source), str(out), append=append)
        assert {name: data for name, data in contents(out).items() if name[0] != "."} == {
            name: data for name, data in contents(whole).items() if name[0] != "."
        }
        functions.convert(str(source), str(out), append=True)
        assert len(set(Read(out).keys)) == len(Read(whole).keys) + 9
        assert left_beside(out) == []
    assert seen == {False, True}  # the last moments are those of tidying up
