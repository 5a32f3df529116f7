"""Folders of pictures become one HDF5 file: every value as Pillow has it, names and labels in order."""

from __future__ import annotations

import hashlib
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
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pil

from h5explorer_py import errors
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.making.h5.columns import write_columns
from h5explorer_py.making.h5.file import PicturesFile
from h5explorer_py.making.h5.known import known_of
from h5explorer_py.making.h5.packing import Packing
from h5explorer_py.making.h5.write import H5Options, write_h5
from h5explorer_py.making.job import Context, JobOptions, State
from tests.py.making import SIDE, by_pillow, convert, images, left_beside, make_folder, photograph, texts, truth
from tests.py.support import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures") / "birds")


# What is written


def test_every_value_is_pillows_and_the_file_is_plain_hdf5(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "birds.h5"
    report = convert(folder, output)
    paths = sorted(folder.iterdir())
    with h5py.File(output) as file:
        array = file["images"]
        assert array.shape == (7, SIDE, SIDE, 3)
        assert array.dtype == np.uint8
        assert array.chunks == (1, SIDE, SIDE, 3)
        assert (array.compression, array.compression_opts, array.shuffle) == ("gzip", 2, False)
        np.testing.assert_array_equal(array[...], truth(folder))
        assert array.id.get_num_chunks() == 7
        assert "labels" not in file
        assert file.attrs["written_by"].startswith("h5explorer ")
        assert json.loads(file.attrs["options"])["size"] == [SIDE, SIDE]
        assert json.loads(file.attrs["sources"]) == [str(folder)]
        assert file["names"] == file["metadata/filename"]  # one data set of two names
        assert file["metadata/width"][...].tolist() == [30, 31, 32, 33, 34, 30, 31]
    assert texts(output, "names") == [path.name for path in paths]
    assert texts(output, "metadata/source_path") == [str(path) for path in paths]
    assert texts(output, "metadata/checksum") == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert texts(output, "metadata/error") == [""] * 7
    assert (report.images, report.failed, report.exit_code, report.metadata) == (7, 0, 0, None)
    assert report.bytes_written == output.stat().st_size
    assert report.bytes_read == sum(path.stat().st_size for path in paths)
    assert left_beside(output.parent) == []


@pytest.mark.parametrize(("dtype", "compression"), [("int16", "gzip"), ("float32", "gzip"), ("uint8", "none")])
def test_other_types_and_no_compression(folder: Path, tmp_path: Path, dtype: str, compression: str) -> None:
    convert(folder, tmp_path / "a.h5", dtype=dtype, compression=compression, level=9)
    made = images(tmp_path / "a.h5")
    assert made.dtype == dtype
    np.testing.assert_array_equal(made, truth(folder).astype(dtype))


def test_sixteen_bits_are_never_narrowed_unasked(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    deep = np.arange(300 * 3, dtype=np.uint16).reshape(30, 30) * 70
    pil.fromarray(deep).save(tmp_path / "in" / "deep.png")
    output = tmp_path / "a.h5"
    with pytest.raises(errors.LossyError, match=r"uint16.*uint8"):
        convert(tmp_path / "in", output, size=None)
    assert os.listdir(tmp_path) == ["in"]
    convert(tmp_path / "in", output, size=None, dtype="uint16")
    np.testing.assert_array_equal(images(output)[0], np.repeat(deep[..., None], 3, axis=-1))
    convert(tmp_path / "in", output, size=None, dtype="int16", overwrite=True)
    np.testing.assert_array_equal(images(output)[0, ..., 0], np.minimum(deep, 32767))


def test_alpha_is_left_out_before_anything_else_and_told_of(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    values = np.random.default_rng(1).integers(0, 256, (40, 40, 4), dtype=np.uint8)
    pil.fromarray(values).save(source / "a.png")
    pil.fromarray(values[..., :2].copy(), "LA").save(source / "b.png")
    photograph(1).save(source / "c.jpg")
    report = convert(source, tmp_path / "a.h5")
    np.testing.assert_array_equal(images(tmp_path / "a.h5"), truth(source))
    assert "Pictures with alpha: 2. It was left out." in report.sentences()


def test_pictures_stand_upright(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    exif = pil.Exif()
    exif[0x0112] = 6
    photograph(3).save(source / "turned.png", exif=exif)
    convert(source, tmp_path / "a.h5", size=None)
    np.testing.assert_array_equal(images(tmp_path / "a.h5")[0], np.rot90(np.asarray(photograph(3)), -1))


def test_bands_are_refused(tmp_path: Path) -> None:
    import tifffile

    (tmp_path / "in").mkdir()
    tifffile.imwrite(
        tmp_path / "in" / "five.tif", np.zeros((9, 9, 5), np.uint8), photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(errors.MixedPicturesError, match="5 bands"):
        convert(tmp_path / "in", tmp_path / "a.h5")


def test_sizes_that_differ_are_refused_before_anything_is_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.MixedPicturesError, match=r"differ in size .*30 × 40 \(1\)"):
        convert(folder, tmp_path / "a.h5", size=None)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("job", "h5"),
    [
        ({"dtype": "colour"}, {}),
        ({"dtype": "complex64"}, {}),
        ({"dtype": "bool"}, {}),
        ({"kind": "grey"}, {}),
        ({}, {"compression": "lzma"}),
        ({}, {"level": 0}),
        ({}, {"level": 10}),
    ],
)
def test_options_that_make_no_sense(folder: Path, tmp_path: Path, job: dict[str, Any], h5: dict[str, Any]) -> None:
    with Workers(1) as workers, pytest.raises(errors.BadRequestError):
        write_h5([folder], tmp_path / "a.h5", JobOptions(**job), H5Options(**h5), Context(workers))
    assert os.listdir(tmp_path) == []


# Labels and metadata


def test_labels_join_by_name_and_not_by_order(folder: Path, tmp_path: Path) -> None:
    names = [path.name for path in sorted(folder.iterdir())]
    table = pa.table({"filename": names[::-1], "label": [f"L{name}" for name in names[::-1]], "x": [1.5] * 7})
    convert(folder, tmp_path / "a.h5", metadata=table)
    assert texts(tmp_path / "a.h5", "labels") == [f"L{name}" for name in names]
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["labels"] == file["metadata/label"]
        assert file["metadata/x"][...].tolist() == [1.5] * 7


def test_a_label_that_is_missing_is_not_one_of_a_class(folder: Path, tmp_path: Path) -> None:
    table = pa.table({"filename": ["p002.png", "p000.png", "absent.png"], "label": [2, 0, 9]})
    report = convert(folder, tmp_path / "a.h5", metadata=table)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["labels"][:3], [0, np.nan, 2])
        assert file["nulls/label"][...].tolist() == [0, 1, 0, 1, 1, 1, 1]
    assert report.without_picture == ("absent.png",)
    assert len(report.without_labels) == 5


def test_folders_are_labels_where_there_are_several(tmp_path: Path) -> None:
    make_folder(tmp_path / "in" / "cat", 2)
    make_folder(tmp_path / "in" / "dog", 3)
    convert(tmp_path / "in", tmp_path / "a.h5", recursive=True)
    assert texts(tmp_path / "a.h5", "labels") == ["cat"] * 2 + ["dog"] * 3
    assert texts(tmp_path / "a.h5", "names")[0] == "cat/p000.png"
    convert([tmp_path / "in" / "dog", tmp_path / "in" / "cat"], tmp_path / "b.h5")
    assert texts(tmp_path / "b.h5", "labels") == ["dog"] * 3 + ["cat"] * 2


SOME = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
TEXT = st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
TABLES = st.integers(1, 6).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "n": st.lists(SOME, min_size=rows, max_size=rows),
            "f": st.lists(st.one_of(st.none(), st.floats()), min_size=rows, max_size=rows),
            "t": st.lists(TEXT, min_size=rows, max_size=rows),
            "b": st.lists(st.one_of(st.none(), st.booleans()), min_size=rows, max_size=rows),
            "a/b": st.lists(st.integers(0, 255), min_size=rows, max_size=rows),
        }
    )
)


@given(columns=TABLES)
@settings(max_examples=60)
def test_columns_read_back_as_they_were(
    columns: dict[str, list[Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    kinds = {"n": pa.int64(), "f": pa.float64(), "t": pa.string(), "b": pa.bool_(), "a/b": pa.uint8()}
    rows = len(columns["n"])
    table = pa.table(
        {"filename": [f"{row}" for row in range(rows)]}
        | {name: pa.array(values, kinds[name]) for name, values in columns.items()}
    )
    path = tmp_path_factory.mktemp("columns") / "a.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((rows, 2, 2, 3), np.uint8)
        write_columns(file, table)
    opened = PicturesFile(str(path))
    known, notices = known_of(opened)
    opened.close()
    assert not notices
    assert known.column_names == table.column_names
    for name in table.column_names:
        made, expected = known[name].to_pylist(), table[name].to_pylist()
        if name == "n" and any(each is not None and abs(each) > 2**53 for each in expected) and None in expected:
            made = [None if each is None else int(each) for each in made]  # kept as texts, whole
        assert str(made) == str(expected)  # NaN is NaN


def test_a_nul_in_a_text_cuts_nothing_off(folder: Path, tmp_path: Path) -> None:
    table = pa.table({"filename": ["p000.png"], "note": ["a\0b"]})
    convert(folder, tmp_path / "a.h5", metadata=table)
    assert texts(tmp_path / "a.h5", "metadata/note")[0] == "a\\x00b"


def test_names_of_any_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    name = os.fsdecode(b"\xff<b>.png")
    photograph(1).save(source / "x.png")
    os.rename(source / "x.png", source / name)
    convert(source, tmp_path / "a.h5")
    assert texts(tmp_path / "a.h5", "names") == ["\\udcff<b>.png"]


# Pictures that cannot be read


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    folder = make_folder(tmp_path / "in", 5)
    (folder / "p001.png").write_bytes(b"")
    whole = (folder / "p003.png").read_bytes()
    (folder / "p003.png").write_bytes(whole[: len(whole) // 2])
    return folder


def good_ones(folder: Path) -> list[Path]:
    return [folder / f"p00{number}.png" for number in (0, 2, 4)]


def test_one_that_cannot_be_read_is_zeros_and_told_of(damaged: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.h5"
    report = convert(damaged, output)
    made = images(output)
    for place, path in zip((0, 2, 4), good_ones(damaged), strict=True):
        np.testing.assert_array_equal(made[place], by_pillow(path))
    assert not made[[1, 3]].any()
    said = texts(output, "metadata/error")
    assert [bool(each) for each in said] == [False, True, False, True, False]
    assert (report.images, report.failed, report.exit_code) == (5, 2, 3)
    assert [each.name for each in report.failures] == ["p001.png", "p003.png"]


def test_those_that_cannot_be_read_are_left_out(damaged: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.h5"
    labels = pa.table({"filename": [f"p00{n}.png" for n in range(5)], "label": list("abcde")})
    report = convert(damaged, output, on_error="skip", metadata=labels)
    np.testing.assert_array_equal(images(output), np.stack([by_pillow(path) for path in good_ones(damaged)]))
    assert texts(output, "names") == [path.name for path in good_ones(damaged)]
    assert texts(output, "labels") == ["a", "c", "e"]
    assert (report.images, report.failed, report.exit_code) == (3, 2, 3)


def test_the_first_that_cannot_be_read_stops_all(damaged: Path, tmp_path: Path) -> None:
    (damaged / "p001.png").unlink()  # the other has a good header
    with pytest.raises(errors.ConvertFailedError, match=r"p003.png cannot be read"):
        convert(damaged, tmp_path / "a.h5", on_error="stop")
    assert os.listdir(tmp_path) == ["in"]


@pytest.mark.parametrize("header", [True, False])
def test_nothing_is_written_of_none(tmp_path: Path, header: bool) -> None:
    source = tmp_path / "in"
    source.mkdir()
    photograph(1, (300, 300)).save(source / "a.png")
    whole = (source / "a.png").read_bytes()
    (source / "a.png").write_bytes(whole[:200] if header else b"none")
    with pytest.raises(errors.ConvertFailedError, match="None of the pictures"):
        convert(source, tmp_path / "a.h5", on_error="skip")
    assert os.listdir(tmp_path) == ["in"]


# Whole or not at all


def test_what_is_there_is_replaced_only_when_asked(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.h5"
    output.write_bytes(b"mine")
    with pytest.raises(errors.TargetExistsError, match="ask to overwrite"):
        convert(folder, output)
    assert output.read_bytes() == b"mine"
    convert(folder, output, overwrite=True)
    assert images(output).shape[0] == 7
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(errors.TargetExistsError, match="is a folder"):
        convert(folder, tmp_path / "folder.h5", overwrite=True)


def test_a_source_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.h5"
    convert(folder, output)
    before = output.read_bytes()
    os.link(output, tmp_path / "same.h5")
    for name in ("a.h5", "same.h5"):
        with pytest.raises(errors.TargetExistsError, match="which is read"):
            convert(output, tmp_path / name, overwrite=True)
    assert output.read_bytes() == before


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    with pytest.raises(errors.WriteFailedError):
        convert(folder, Path("/proc/nowhere/a.h5"))


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
from h5explorer_py.errors import WriteFailedError
from tests.py.making import convert
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    convert(Path(sys.argv[1]), Path(sys.argv[2]), overwrite=True, compression="none")
except WriteFailedError as error:
    print(error)
else:
    print("written")
"""


@pytest.mark.parametrize("limit", [0, 100, 3_000, 9_000, 14_000])
def test_a_disk_that_is_full(folder: Path, tmp_path: Path, limit: int) -> None:
    output = tmp_path / "a.h5"
    output.write_bytes(b"mine")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(output), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    assert output.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.h5"]


def test_giving_up_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    class GivenUpError(Exception):
        pass

    told: list[State] = []

    def give_up() -> None:
        if any(each.doing == "Converting" and each.done for each in told):
            raise GivenUpError

    job = JobOptions(size=(SIDE, SIDE))
    with Workers(1) as workers, pytest.raises(GivenUpError):
        write_h5([folder], tmp_path / "a.h5", job, H5Options(), Context(workers, told.append, give_up))
    assert os.listdir(tmp_path) == []
    assert told[0].doing == "Looking at headers"


KILLED = """
import sys
from pathlib import Path
from tests.py.making import convert
print("begun", flush=True)
convert(Path(sys.argv[1]), Path(sys.argv[2]), processes=1)
print("done", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.35, 0.6, 0.8])
def test_killed_at_any_moment_there_is_a_whole_file_or_none(tmp_path: Path, seconds: float) -> None:
    folder = make_folder(tmp_path / "in", 120)
    output = tmp_path / "out" / "a.h5"
    command = [sys.executable, "-c", KILLED, str(folder), str(output)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        time.sleep(seconds)
        os.kill(running.pid, signal.SIGKILL)
    if output.exists():
        np.testing.assert_array_equal(images(output), truth(folder))
        return
    convert(folder, output)
    np.testing.assert_array_equal(images(output), truth(folder))
    assert os.listdir(output.parent) == ["a.h5"]


def test_the_same_on_any_executor(folder: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as threads:
        write_h5([folder], tmp_path / "a.h5", JobOptions(size=(SIDE, SIDE)), H5Options(), Context(threads))
    convert(folder, tmp_path / "b.h5", processes=2)
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "b.h5") as other:
        for place in range(7):
            offset = (place, 0, 0, 0)
            assert one["images"].id.read_direct_chunk(offset) == other["images"].id.read_direct_chunk(offset)


@given(
    dtype=st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    level=st.integers(0, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_what_is_packed_is_unpacked_by_hdf5(
    dtype: str, shape: tuple[int, int], level: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = np.random.default_rng(seed).integers(0, 200, (*shape, 3)).astype(dtype)
    packing = Packing(level, level > 0 and values.itemsize > 1)
    path = tmp_path_factory.mktemp("packed") / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("x", (1, *values.shape), dtype, chunks=(1, *values.shape), **packing.options)
        made.id.write_direct_chunk((0, 0, 0, 0), packing.pack(values))
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["x"][0], values)


def test_without_imagecodecs_zlib_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    values = np.arange(300, dtype=np.uint8)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert zlib.decompress(Packing(2).pack(values)) == values.tobytes()


def test_pandas_is_not_imported(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.py.making import convert\n"
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), processes=1)\nassert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, folder, tmp_path / "a.h5"], cwd=ROOT, check=True, timeout=60)
