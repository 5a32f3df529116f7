"""Saving split data sets: whole or not at all, a block at a time, from several processes."""

from __future__ import annotations

import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np
import pytest

from h5explorer_py.errors import (
    BadArrayError,
    BadIndexError,
    BlockMissingError,
    ClosedError,
    StackNotFoundError,
    StackUnreadableError,
    TargetExistsError,
    WriteFailedError,
)
from h5explorer_py.split import SplitDataset, SplitWriter, block_file, save_to_split_dataset
from h5explorer_py.split import writer as writing
from h5explorer_py.split.layout import block_shape, chunk_shape
from tests.fixtures.splits import checksums, numbers, tiles, write_original
from tests.py.support import python
from tests.py.test_stack_index import same

ARRAY = numbers((11, 7, 30, 40))


def read_as_the_original(folder):
    """Put a set together by the original's documented way: files sorted, first key with "stack", C order of blocks."""
    told = json.loads((Path(folder) / "stack_metadata.json").read_text())
    files = sorted(Path(folder).glob("*[0-9]*.h5"))
    shape, block, padding = told["shape_full"], told["shape_block"], told["padding"]
    assert next(Path(folder).glob("*stack_metadata.json")).name == "stack_metadata.json"
    where = tiles(shape, block, padding)
    assert len(where) == len(files)
    whole = None
    for path, place in zip(files, where, strict=True):
        with h5py.File(path) as file:
            data = file[next(key for key in file if "stack" in key)]
            values = data[...].astype(bool) if data.id.get_type().get_class() == h5py.h5t.BITFIELD else data[...]
        whole = np.zeros(shape, values.dtype) if whole is None else whole
        whole[place] = values
    return whole


def left_in(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("compression", ["blosc", "zlib", None])
@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", ">u2", "f2", "f4", "c8", "S3", "i8"])
def test_what_is_saved_reads_the_same_here_and_there(tmp_path, compression, dtype):
    array = numbers(ARRAY.shape, dtype)
    stack = save_to_split_dataset(array, tmp_path / "a", (3, 4), compression=compression)
    same(stack[...], array)
    same(stack[::-2, 3, 1:9], array[::-2, 3, 1:9])
    same(read_as_the_original(tmp_path / "a"), array)
    assert left_in(tmp_path) == ["a"]
    assert left_in(tmp_path / "a") == [*(f"{number:04d}.h5" for number in range(8)), "stack_metadata.json"]


@pytest.mark.parametrize("compression", ["blosc", "zlib"])
def test_hdf5_itself_reads_the_chunks(tmp_path, compression):
    array = numbers((5, 3, 130, 150), "<u2")
    save_to_split_dataset(array, tmp_path / "a", (5,), compression=compression)
    with h5py.File(tmp_path / "a" / "0000.h5") as file:
        assert file["stack"].chunks[0] == 5
        same(file["stack"][...], array)
        assert file["stack"].attrs["CLASS"] == b"CARRAY"


@pytest.mark.parametrize("compression", ["blosc", "zlib", None])
def test_small_blocks_and_few_axes(tmp_path, compression):
    for number, shape in enumerate([(5,), (4, 3), (2, 3, 4, 5, 6), (70_000,), (300, 200)]):
        array = numbers(shape)
        stack = save_to_split_dataset(array, tmp_path / str(number), (2,) * (number != 3), compression=compression)
        same(stack[...], array)
        same(read_as_the_original(stack.root), array)


def test_without_blosc_of_its_own_hdf5_packs(tmp_path, monkeypatch):
    monkeypatch.setattr(block_file, "load_blosc", lambda: None)
    same(save_to_split_dataset(ARRAY, tmp_path / "a", (4,))[...], ARRAY)


@pytest.mark.parametrize("padding", [1, (2, 1), (0, 0, 5), 3])
def test_padding_is_kept_and_read_back(tmp_path, padding):
    stack = save_to_split_dataset(ARRAY, tmp_path / "a", (3, 4, 10), padding=padding)
    same(stack[...], ARRAY)
    same(read_as_the_original(tmp_path / "a"), ARRAY)
    assert max(stack.padding) == (max(padding) if isinstance(padding, tuple) else padding)
    again = save_to_split_dataset(stack, tmp_path / "b", padding=None)
    assert (again.padding, again.shape_block) == (stack.padding, stack.shape_block)


def test_the_description(tmp_path):
    stack = save_to_split_dataset(ARRAY, tmp_path / "a", (3, None), resolution=(1, 5.0, 0.6, 0.6), frequency=2)
    assert json.loads((tmp_path / "a" / "stack_metadata.json").read_text()) == {
        "shape_full": [11, 7, 30, 40],
        "shape_block": [3, 7, 30, 40],
        "crop_start": [0, 0, 0, 0],
        "crop_end": [0, 0, 0, 0],
        "padding": [0, 0, 0, 0],
        "resolution": [1, 5.0, 0.6, 0.6],
        "axis_order": "tzyx",
        "dtype": "<u2",
        "frequency": 2.0,
    }
    assert (stack.resolution, stack.frequency) == ((1, 5.0, 0.6, 0.6), 2.0)
    assert [axis.name for axis in save_to_split_dataset(ARRAY, tmp_path / "b", 3, axes="ctyx").axes] == list("ctyx")
    assert save_to_split_dataset(ARRAY, tmp_path / "c").shape_block == ARRAY.shape


def test_folders_are_named_as_the_original_names_them(tmp_path):
    crop = ((1, 2), (0, 3), (5, 0))
    assert save_to_split_dataset(ARRAY, tmp_path, (3,), prefix="run").root == str(tmp_path / "run")
    cut = save_to_split_dataset(ARRAY, tmp_path, (3,), crop, prefix="run")
    assert cut.root == str(tmp_path / "run_cropped")
    same(cut[...], ARRAY[1:-2, :-3, 5:])
    same(read_as_the_original(cut.root), ARRAY[1:-2, :-3, 5:])
    for prefix in ("a/b", "..", "a\0b"):
        with pytest.raises(BadArrayError, match="prefix"):
            save_to_split_dataset(ARRAY, tmp_path, (3,), prefix=prefix)


class Lazy:
    """An array of which no more than a block may be read at once."""

    shape, dtype = ARRAY.shape, ARRAY.dtype

    def __getitem__(self, index):
        found = ARRAY[index]
        assert found.size <= ARRAY[:3].size
        return found


def test_an_array_in_files_is_never_wholly_in_memory(tmp_path):
    same(save_to_split_dataset(Lazy(), tmp_path / "a", (3,))[...], ARRAY)
    da = pytest.importorskip("dask.array")
    same(save_to_split_dataset(da.from_array(ARRAY), tmp_path / "b", (3,))[...], ARRAY)
    same(save_to_split_dataset(ARRAY[0].tolist(), tmp_path / "c")[...], ARRAY[0].astype(int))


def test_the_source_is_not_touched(tmp_path):
    source = write_original(tmp_path / "source", ARRAY, (3, 7, 30, 40))
    before = checksums(source)
    save_to_split_dataset(SplitDataset(source), tmp_path / "copy", crop=((1, 1),), prefix="x")
    for target in (source, source / "0000.h5", tmp_path / "source" / ".." / "source"):
        with pytest.raises(TargetExistsError):
            save_to_split_dataset(SplitDataset(source), target)
    with pytest.raises(TargetExistsError):
        SplitWriter(source, ARRAY.shape, "u2", (3,))
    assert checksums(source) == before


class FailsAt:
    shape, dtype = ARRAY.shape, ARRAY.dtype

    def __init__(self, at, error):
        self.at, self.error = at, error

    def __getitem__(self, index):
        if index[0].start >= self.at:
            raise self.error
        return ARRAY[index]


@pytest.mark.parametrize("error", [ValueError("no such plane"), KeyboardInterrupt()])
def test_a_failed_save_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        save_to_split_dataset(FailsAt(6, error), tmp_path / "new" / "a", (3,))
    assert left_in(tmp_path) == []


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(path):
        if ".h5" in path:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(block_file, "settle", full)
    monkeypatch.setattr(writing, "settle", full)
    with pytest.raises(WriteFailedError, match="No space left"):
        save_to_split_dataset(ARRAY, tmp_path / "a", (3,))
    assert left_in(tmp_path) == []
    writer = SplitWriter(tmp_path / "b", ARRAY.shape, ARRAY.dtype, (3,))
    with pytest.raises(WriteFailedError):
        writer.write(0, ARRAY[:3])
    assert left_in(tmp_path / "b") == ["split_plan.json"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises((WriteFailedError, TargetExistsError)):
        save_to_split_dataset(ARRAY, tmp_path / "file" / "a", (3,))
    with pytest.raises(TargetExistsError):
        save_to_split_dataset(ARRAY, tmp_path / "file", (3,))
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    same(save_to_split_dataset(ARRAY, tmp_path / "empty", (3,))[...], ARRAY)


RECORDS = np.zeros((3, 4), [("a", "u2")])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.array([[None, "a"]], object), "Python objects"),
        (RECORDS, "records of several fields"),
        (np.zeros((3, 4), "M8[s]"), "dates"),
        (np.array([["a"]]), "text"),
        (np.zeros((0, 3)), "no values"),
        (np.zeros((3, 0, 2)), "no values"),
        (np.float64(3), "without axes"),
        (np.zeros(3, np.clongdouble), "not the same on all machines"),
    ],
)
def test_what_cannot_be_saved_is_refused(tmp_path, data, words):
    with pytest.raises(BadArrayError, match=words) as caught:
        save_to_split_dataset(data, tmp_path / "a")
    assert caught.value.message.endswith(".")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "options",
    [
        {"block_size": (0,)},
        {"block_size": (3, 4, 5, 6, 7)},
        {"block_size": "12"},
        {"padding": -1},
        {"padding": (1,) * 5},
        {"crop": [(5, 6)]},
        {"compression": "lzo"},
        {"resolution": (1, 2)},
        {"resolution": ("a",) * 4},
        {"resolution": (1, 1, 1, math.nan)},
        {"frequency": "often"},
        {"axes": "tzy"},
        {"axes": "tzzx"},
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options):
    with pytest.raises(BadArrayError) as caught:
        save_to_split_dataset(ARRAY, tmp_path / "a", **({"block_size": (3,)} | options))
    assert caught.value.message.endswith(".")
    assert left_in(tmp_path) == []


def test_blocks_in_any_order_while_others_read(tmp_path):
    writer = SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3, 4), frequency=3)
    assert writer.missing == list(range(8))
    growing = SplitDataset(tmp_path / "a", fill_value=0)
    strict = SplitDataset(tmp_path / "a")
    expected = np.zeros_like(ARRAY)
    same(growing[...], expected)
    for number in (5, 0, 7, 2, 1, 3, 6):
        where = writer.bounds(number)
        writer.write(number if number % 2 else writer.blocks.linear_to_cartesian(number), ARRAY[where])
        expected[where] = ARRAY[where]
        same(growing[...], expected)
        same(strict[where], ARRAY[where])
        assert not growing.is_complete
    with pytest.raises(BlockMissingError, match="block 4"):
        strict[...]
    with pytest.raises(BlockMissingError, match=r"1 of 8 blocks .* are missing: 4\."):
        writer.finalize()
    assert not (tmp_path / "a" / "stack_metadata.json").exists()
    writer.write(4, ARRAY[writer.bounds(4)])
    same(writer.finalize()[...], ARRAY)
    same(strict[...], ARRAY)
    same(read_as_the_original(tmp_path / "a"), ARRAY)
    assert left_in(tmp_path / "a") == [*(f"{number:04d}.h5" for number in range(8)), "stack_metadata.json"]
    same(writer.finalize()[...], ARRAY)  # once is enough
    with pytest.raises(ClosedError):
        writer.write(0, ARRAY[writer.bounds(0)])
    with pytest.raises(ClosedError):
        SplitWriter.resume(tmp_path / "a")
    with pytest.raises(TargetExistsError):
        SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3, 4), frequency=3)


def test_wrong_blocks_are_refused(tmp_path):
    writer = SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,))
    for data, words in [
        (ARRAY[:2], r"must have the shape \(3, 7, 30, 40\), not \(2,"),
        (ARRAY[:3].astype("f4"), "float32, but the array is uint16"),
        (ARRAY[:3].astype("i2"), "int16"),
        (np.empty((3, 7, 30, 40), object), "object"),
    ]:
        with pytest.raises(BadArrayError, match=words):
            writer.write(0, data)
    for number in (4, -1, (0, 1, 0, 0), (0,)):
        with pytest.raises(BadIndexError):
            writer.write(number, ARRAY[:3])
    assert left_in(tmp_path / "a") == ["split_plan.json"]
    writer.write(0, ARRAY[:3].astype("u1"))  # loses nothing
    same(SplitDataset(tmp_path / "a")[:3], ARRAY[:3])


def test_a_stopped_job_is_resumed(tmp_path):
    def fail(writer):
        with writer:
            writer.write(2, ARRAY[6:9])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,)))
    (tmp_path / "a" / ".0001.h5.12-34.part").write_bytes(b"half of it")
    with SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,)) as again:
        assert again.missing == [0, 1, 3]
        again.write(0, ARRAY[:3])
        resumed = SplitWriter.resume(tmp_path / "a", compression=None)
        for number in resumed.missing:
            resumed.write(number, ARRAY[resumed.bounds(number)])
    same(SplitDataset(tmp_path / "a")[...], ARRAY)
    for folder, error in ((tmp_path / "none", StackNotFoundError), (tmp_path, StackUnreadableError)):
        with pytest.raises(error):
            SplitWriter.resume(folder)


def test_another_plan_is_not_mixed_in(tmp_path):
    SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,)).write(0, ARRAY[:3])
    for shape, dtype, block in [((12, 7, 30, 40), "u2", 3), (ARRAY.shape, "u4", 3), (ARRAY.shape, "u2", 4)]:
        with pytest.raises(TargetExistsError, match="another shape, type or division"):
            SplitWriter(tmp_path / "a", shape, dtype, block)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(TargetExistsError, match=r"not empty: it has thesis.txt"):
        SplitWriter(tmp_path / "b", ARRAY.shape, "u2")
    assert left_in(tmp_path / "b") == ["thesis.txt"]


def test_an_array_that_ended_early(tmp_path):
    writer = SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,), padding=(1,))
    with pytest.raises(BlockMissingError):
        writer.finalize(partial=True)
    for number in (0, 1, 3):
        writer.write(number, ARRAY[writer.bounds(number)])
    stack = writer.finalize(partial=True)
    assert stack.shape == (7, 7, 30, 40)
    same(stack[...], ARRAY[:7])


def test_blocks_are_looked_at_before_it_is_finalized(tmp_path):
    writer = SplitWriter(tmp_path / "a", ARRAY.shape, "u2", (3,))
    for number in range(4):
        writer.write(number, ARRAY[writer.bounds(number)])
    whole = (tmp_path / "a" / "0001.h5").read_bytes()
    for data, words in [(whole[:-9], "truncated"), ((tmp_path / "a" / "0003.h5").read_bytes(), "its shape is")]:
        (tmp_path / "a" / "0001.h5").write_bytes(data)
        with pytest.raises(StackUnreadableError, match=f"0001.h5 cannot be read: .*{words}"):
            writer.finalize()
        assert not (tmp_path / "a" / "stack_metadata.json").exists()
    (tmp_path / "a" / "0001.h5").write_bytes(whole)
    same(writer.finalize()[...], ARRAY)


WORK = """
import sys
import numpy as np
from h5explorer_py.split import SplitWriter
from tests.fixtures.splits import numbers
array = numbers((11, 7, 30, 40))
writer = SplitWriter(sys.argv[1], array.shape, "u2", (1,))
for number in range(int(sys.argv[2]), 11, 2):
    writer.write(number, array[writer.bounds(number)])
writer.write(0, array[writer.bounds(0)])
if not writer.missing:
    writer.finalize()
"""


def test_several_processes_write_at_once(tmp_path):
    begun = [
        subprocess.Popen([sys.executable, "-c", WORK, tmp_path / "a", str(at % 2)], stderr=subprocess.PIPE, text=True)
        for at in range(3)
    ]
    told = [process.communicate(timeout=60)[1] for process in begun]
    # One that comes when another has finalized the set is told so; nothing is lost by it.
    assert all(not text or "ClosedError" in text or "TargetExistsError" in text for text in told), told
    stack = SplitDataset(tmp_path / "a") if not (tmp_path / "a" / "split_plan.json").exists() else None
    stack = stack or SplitWriter.resume(tmp_path / "a").finalize()
    same(stack[...], ARRAY)
    assert not [name for name in left_in(tmp_path / "a") if name.endswith(".part")]


def test_a_process_that_is_killed_leaves_no_half_block(tmp_path):
    code = WORK.replace(
        "writer.write(0",
        "import os\nimport h5explorer_py.split.block_file as b\nb.settle = lambda p: os._exit(9)\nwriter.write(0",
    )
    done = python(code, str(tmp_path / "a"), "0")
    assert done.returncode == 9
    writer = SplitWriter.resume(tmp_path / "a")
    assert writer.missing == [1, 3, 5, 7, 9]
    for number in writer.missing:
        writer.write(number, ARRAY[writer.bounds(number)])
    same(writer.finalize()[...], ARRAY)


def test_files_can_be_read_by_those_who_may_read_others(tmp_path):
    before = os.umask(0o022)
    try:
        save_to_split_dataset(ARRAY, tmp_path / "a", (3,))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").iterdir()}
    assert modes == {0o644}


@pytest.mark.parametrize(
    "shape", [(200, 25, 320, 320), (5, 4096, 4096), (3, 20_000, 30_000), (10**9,), (40, 50), (2, 2, 2, 2)]
)
@pytest.mark.parametrize("itemsize", [1, 2, 8])
def test_default_blocks_and_chunks_have_sizes_that_can_be_held(shape, itemsize):
    block = block_shape(shape, itemsize)
    chunk = chunk_shape(block, itemsize)
    assert all(1 <= c <= b <= n for c, b, n in zip(chunk, block, shape, strict=True))
    assert math.prod(block) * itemsize <= 128 << 20
    assert math.prod(chunk) * itemsize <= 2 << 20
    assert math.prod(block) * itemsize >= min(32 << 20, math.prod(shape) * itemsize)
