"""Files of pictures become one: pictures, names and labels in order, and nothing else is merged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pytest

from h5explorer_py import errors
from h5explorer_py.making.merging.merge import merge
from tests.py.making import SIDE, convert, h5manager_file, images, left_beside, make_folder, texts, truth
from tests.py.support import ROOT, SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from h5explorer_py.making.job import State

SHAPE = (6, 5, 3)


def pictures(count: int, seed: int, shape: tuple[int, ...] = SHAPE, dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, (count, *shape)).astype(dtype)


def write(path: Path, values: np.ndarray, **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=values, **options)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Two files with labels and names, a.h5 and b.h5, and their pictures."""
    folder = tmp_path_factory.mktemp("made")
    cats, dogs = make_folder(folder / "cat", 5), make_folder(folder / "dog", 4, start=20)
    names = [path.name for path in sorted(cats.iterdir())]
    convert(
        cats, folder / "a.h5", metadata=pa.table({"filename": names, "label": ["cat"] * 5, "age": [1, 2, None, 4, 5]})
    )
    dog_names = [path.name for path in sorted(dogs.iterdir())]
    convert(
        dogs, folder / "b.h5", metadata=pa.table({"filename": dog_names, "label": ["dog"] * 4, "sex": list("mfmf")})
    )
    return folder, np.concatenate([truth(cats), truth(dogs)])


def test_pictures_names_labels_and_columns_in_the_order_of_the_files(
    made: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, expected = made
    told: list[State] = []
    report = merge([folder / "a.h5", folder / "b.h5"], tmp_path / "m.h5", progress=told.append)
    output = tmp_path / "m.h5"
    np.testing.assert_array_equal(images(output), expected)
    assert texts(output, "names") == [f"p{n:03d}.png" for n in (0, 1, 2, 3, 4, 20, 21, 22, 23)]
    assert texts(output, "labels") == ["cat"] * 5 + ["dog"] * 4
    assert texts(output, "metadata/sex") == [""] * 5 + list("mfmf")
    assert texts(output, "metadata/merged_from") == [str(folder / "a.h5")] * 5 + [str(folder / "b.h5")] * 4
    assert texts(output, "metadata/checksum")[5:] == texts(folder / "b.h5", "metadata/checksum")
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file["metadata/age"], [1, 2, np.nan, 4, 5, *[np.nan] * 4])
        assert file["nulls/sex"][...].tolist() == [1] * 5 + [0] * 4
        for place in range(5):
            with h5py.File(folder / "a.h5") as other:
                offset = (place, 0, 0, 0)
                assert file["images"].id.read_direct_chunk(offset) == other["images"].id.read_direct_chunk(offset)
    assert (report.images, report.copied, report.failed, report.exit_code) == (9, 9, 0, 0)
    assert report.inputs == ((str(folder / "a.h5"), 5), (str(folder / "b.h5"), 4))
    assert (told[-1].done, told[-1].total) == (9, 9)
    assert left_beside(tmp_path) == []


def test_a_merged_file_is_merged_again(made: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, expected = made
    merge([folder / "a.h5", folder / "b.h5"], tmp_path / "m.h5")
    merge([tmp_path / "m.h5", folder / "b.h5"], tmp_path / "n.h5")
    np.testing.assert_array_equal(images(tmp_path / "n.h5"), np.concatenate([expected, expected[5:]]))
    assert texts(tmp_path / "n.h5", "metadata/merged_from")[0] == str(folder / "a.h5")
    assert texts(tmp_path / "n.h5", "metadata/image_merged_from")[0] == str(tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("options", "dtype"),
    [
        ({}, "uint8"),
        ({"chunks": (2, 3, 5, 1), "compression": "gzip"}, ">i2"),
        ({"compression": "lzf", "chunks": (1, *SHAPE)}, "float32"),
        ({"compression": "gzip", "chunks": (1, *SHAPE), "fletcher32": True}, "uint8"),
    ],
)
def test_files_of_any_layout(tmp_path: Path, options: dict[str, Any], dtype: str) -> None:
    one, other = pictures(5, 1, dtype=dtype), pictures(3, 2, dtype=dtype)
    write(tmp_path / "a.h5", one, **options)
    write(tmp_path / "b.h5", other, chunks=(1, *SHAPE), compression="gzip", shuffle=True)
    merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")
    np.testing.assert_array_equal(images(tmp_path / "m.h5"), np.concatenate([one, other]))
    assert texts(tmp_path / "m.h5", "names") == [f"a.h5#{n}" for n in range(5)] + [f"b.h5#{n}" for n in range(3)]
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["images"].chunks == (1, *SHAPE)


@pytest.mark.parametrize(("count", "copied"), [(8, 14), (7, 0)])
def test_chunks_across_pictures_are_copied_only_where_they_come_to_lie_alike(
    tmp_path: Path, count: int, copied: int
) -> None:
    one, other = pictures(count, 1), pictures(6, 2)
    for name, values in (("a", one), ("b", other)):
        write(tmp_path / f"{name}.h5", values, chunks=(4, 3, 5, 1), compression="gzip")
    report = merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")
    np.testing.assert_array_equal(images(tmp_path / "m.h5"), np.concatenate([one, other]))
    assert report.copied == copied


def test_types_are_joined_without_a_loss(tmp_path: Path) -> None:
    one, other = pictures(3, 1), pictures(2, 2, dtype="int16") - 100
    write(tmp_path / "a.h5", one, chunks=(1, *SHAPE), compression="gzip")
    h5manager_file(tmp_path / "b.h5", other)
    report = merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")
    made = images(tmp_path / "m.h5")
    assert made.dtype == np.int16
    np.testing.assert_array_equal(made, np.concatenate([one.astype(np.int16), other]))
    assert any("int16, uint8" in each for each in report.sentences())
    write(tmp_path / "c.h5", pictures(1, 1, dtype="uint64"))
    write(tmp_path / "d.h5", pictures(1, 1, dtype="int64"))
    with pytest.raises(errors.LossyError, match="int64, uint64"):
        merge([tmp_path / "c.h5", tmp_path / "d.h5"], tmp_path / "n.h5")


def test_chunks_that_are_not_there_stay_zeros(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            made = file.create_dataset("images", (3, *SHAPE), "u1", chunks=(1, *SHAPE), compression="gzip")
            made[1] = 7
    merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")
    assert images(tmp_path / "m.h5")[:, 0, 0, 0].tolist() == [0, 7, 0, 0, 7, 0]


def test_files_of_h5manager_itself(shared: Path, tmp_path: Path) -> None:
    samples = SHARED / "samples" / "h5manager"
    merge([samples / "a.h5", samples / "b.h5"], tmp_path / "m.h5")
    expected = np.concatenate([np.load(samples / f"{name}.npy") for name in "ab"])
    np.testing.assert_array_equal(images(tmp_path / "m.h5"), expected)
    assert images(tmp_path / "m.h5").dtype == np.int16


# What is refused


def refused(kind: type[Exception], match: str, inputs: list[Any], output: Path, **options: Any) -> None:
    before = {path.name: path.read_bytes() for path in output.parent.iterdir() if path.is_file()}
    with pytest.raises(kind, match=match):
        merge(inputs, output, **options)
    assert {path.name: path.read_bytes() for path in output.parent.iterdir() if path.is_file()} == before
    assert left_beside(output.parent) == []


def test_a_missing_input_is_never_skipped(made: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = made
    inputs = [folder / "a.h5", folder / "none.h5", folder / "no*.h5"]
    refused(errors.SourceNotFoundError, r"none.h5.*no\*.h5", inputs, tmp_path / "m.h5")
    refused(errors.BadRequestError, "No files", [], tmp_path / "m.h5")
    refused(errors.BadRequestError, "more than once", [folder / "a.h5", folder / "a*.h5"], tmp_path / "m.h5")


def test_patterns_are_taken_in_the_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write(tmp_path / f"part{number}.h5", np.full((1, *SHAPE), number, np.uint8))
    merge([tmp_path / "part*.h5"], tmp_path / "m.h5")
    assert images(tmp_path / "m.h5")[:, 0, 0, 0].tolist() == [1, 2, 10]


def test_an_input_is_never_written(tmp_path: Path) -> None:
    one = write(tmp_path / "a.h5", pictures(2, 1))
    other = write(tmp_path / "b.h5", pictures(2, 2))
    os.link(one, tmp_path / "linked.h5")
    os.symlink(one, tmp_path / "soft.h5")
    for name in ("a.h5", "linked.h5", "soft.h5", "../" + tmp_path.name + "/a.h5"):
        refused(errors.TargetExistsError, "which is read", [one, other], tmp_path / name, overwrite=True)


def test_pictures_of_different_sizes_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", pictures(2, 1))
    write(tmp_path / "b.h5", pictures(2, 1, (6, 6, 3)))
    inputs = [tmp_path / "a.h5", tmp_path / "b.h5"]
    refused(errors.MixedPicturesError, r"a.h5 has 6 × 5 × 3; .*b.h5 has 6 × 6 × 3", inputs, tmp_path / "m.h5")


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    one = write(tmp_path / "a.h5", pictures(2, 1))
    (tmp_path / "m.h5").write_bytes(b"mine")
    refused(errors.TargetExistsError, "is there already", [one], tmp_path / "m.h5")
    merge([one], tmp_path / "m.h5", overwrite=True)
    np.testing.assert_array_equal(images(tmp_path / "m.h5"), pictures(2, 1))
    (tmp_path / "folder.h5").mkdir()
    refused(errors.TargetExistsError, "is a folder", [one], tmp_path / "folder.h5", overwrite=True)


def test_files_that_hold_no_pictures(tmp_path: Path, contract: Path) -> None:
    good = write(tmp_path / "good.h5", pictures(2, 1))
    text = tmp_path / "text.h5"
    text.write_text("hello")
    empty = tmp_path / "empty.h5"
    empty.write_bytes(b"")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(good.read_bytes()[:-100])
    names = write(tmp_path / "names.h5", np.array([b"a", b"b"]))
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["pictures"] = 1
    for path, kind, match in (
        (text, errors.ShardUnreadableError, "text.h5"),
        (empty, errors.ShardUnreadableError, "empty.h5"),
        (cut, errors.ShardUnreadableError, "truncated"),
        (names, errors.NotAnImageError, "no pictures"),
        (tmp_path / "none.h5", errors.NoImagesGroupError, "no array called images"),
        (contract / "shard_000_images.h5", errors.NoImagesGroupError, "it is a shard"),
        (tmp_path, errors.SourceNotFoundError, "a folder"),
    ):
        refused(kind, match, [good, path], tmp_path / "m.h5")


def test_what_lies_in_other_files_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(90)) * 2)
    good = write(tmp_path / "good.h5", pictures(2, 1))
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("images", (2, *SHAPE), "u1", external=[(str(secret), 0, 180)])
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["images"] = h5py.ExternalLink("good.h5", "images")
    with h5py.File(tmp_path / "soft.h5", "w") as file:
        file["there"] = pictures(2, 1)
        file["images"] = h5py.SoftLink("/there")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((2, *SHAPE), "u1")
        layout[...] = h5py.VirtualSource("good.h5", "images", (2, *SHAPE))
        file.create_virtual_dataset("images", layout)
    for name in ("external", "linked", "soft", "virtual"):
        refused(errors.OutsideDataError, name, [good, tmp_path / f"{name}.h5"], tmp_path / "m.h5")


def test_names_and_labels_in_other_files_are_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"password")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = pictures(2, 1)
        file.create_dataset("labels", (2,), "i4", external=[(str(secret), 0, 8)])
        file["names"] = h5py.ExternalLink("other.h5", "names")
        file["metadata/note"] = np.arange(3)  # too many
    report = merge([tmp_path / "a.h5"], tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as made:
        assert "labels" not in made
        assert "note" not in made["metadata"]
    assert texts(tmp_path / "m.h5", "names") == ["a.h5#0", "a.h5#1"]
    assert len(report.notices) == 3


def test_a_damaged_chunk_costs_its_picture(tmp_path: Path) -> None:
    values = pictures(6, 1)
    path = write(tmp_path / "a.h5", values, chunks=(1, *SHAPE), compression="gzip")
    other = write(tmp_path / "b.h5", values, chunks=(1, *SHAPE))
    with h5py.File(path) as file:
        info = file["images"].id.get_chunk_info(2)
    with open(path, "r+b") as raw:
        raw.seek(info.byte_offset)
        raw.write(b"\0" * info.size)
    report = merge([other, path], tmp_path / "m.h5")  # of another packing, so that the pictures of a.h5 are read
    expected = np.concatenate([values, values])
    expected[8] = 0
    np.testing.assert_array_equal(images(tmp_path / "m.h5"), expected)
    assert (report.failed, report.exit_code) == (1, 3)
    assert report.failures[0].name == "a.h5#2"
    assert [bool(each) for each in texts(tmp_path / "m.h5", "metadata/error")] == [place == 8 for place in range(12)]


def test_a_file_that_brings_its_reader_down_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.h5", pictures(2, 1))
    monkeypatch.setattr("h5explorer_py.making.merging.merge.look_at", crash)
    with pytest.raises(errors.ShardUnreadableError, match="processes that read it ended"):
        merge([tmp_path / "a.h5"], tmp_path / "m.h5")


def crash(path: str, begin: Any, doomed: Any) -> Any:
    from h5explorer_py.making.merging.look import look_at

    if not doomed:
        begin(0)
        os.kill(os.getpid(), signal.SIGSEGV)
    return look_at(path, begin, doomed)


def test_files_known_to_break_readers(shared: Path, tmp_path: Path) -> None:
    found = sorted((shared / "corpora").rglob("*.h5"))[:12]
    assert found
    good = write(tmp_path / "good.h5", pictures(2, 1))
    for path in found:
        with pytest.raises(errors.ExplorerError):
            merge([good, path], tmp_path / "m.h5")
    assert os.listdir(tmp_path) == ["good.h5"]


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a.h5", pictures(2, 1), chunks=(1, *SHAPE))

    def progress(state: State) -> None:
        if state.doing == "Merging":
            write(one, pictures(2, 2))

    refused_with = pytest.raises(errors.ShardUnreadableError, match="was changed")
    with refused_with:
        merge([one], tmp_path / "m.h5", progress=progress)
    assert os.listdir(tmp_path) == ["a.h5"]


KILLED = """
import sys
from h5explorer_py.making.merging.merge import merge
print("begun", flush=True)
merge(sys.argv[1:-1], sys.argv[-1])
"""


@pytest.mark.parametrize("seconds", [0.3, 0.6, 0.7])
def test_killed_at_any_moment_there_is_a_whole_file_or_none(tmp_path: Path, seconds: float) -> None:
    values = pictures(300, 1, (64, 64, 3))
    inputs = [write(tmp_path / f"{n}.h5", values, chunks=(1, 64, 64, 3)) for n in range(3)]
    output = tmp_path / "out" / "m.h5"
    command = [sys.executable, "-c", KILLED, *map(str, inputs), str(output)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        time.sleep(seconds)
        os.kill(running.pid, signal.SIGKILL)
    expected = np.concatenate([values] * 3)
    if not output.exists():
        merge(inputs, output)
        assert os.listdir(output.parent) == ["m.h5"]
    np.testing.assert_array_equal(images(output), expected)


LIMITED = """
import resource, signal, sys
from h5explorer_py.errors import WriteFailedError
from h5explorer_py.making.merging.merge import merge
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    merge([sys.argv[1]], sys.argv[2])
except WriteFailedError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [2_000, 9_000])
def test_a_disk_that_is_full(tmp_path: Path, limit: int) -> None:
    one = write(tmp_path / "a.h5", pictures(9, 1, (SIDE, SIDE, 3)), chunks=(1, SIDE, SIDE, 3))
    command = [sys.executable, "-c", LIMITED, str(one), str(tmp_path / "m.h5"), str(limit)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert "cannot be written" in done.stdout, done.stderr
    assert os.listdir(tmp_path) == ["a.h5"]
