"""Split data sets: every defect of the original, and what others do to such folders."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest

from h5explorer_py.errors import (
    BadArrayError,
    BadIndexError,
    BlockMissingError,
    ExplorerError,
    MissingFilterError,
    OutsideDataError,
    StackNotFoundError,
    StackUnreadableError,
)
from h5explorer_py.split import Blocks, SplitDataset, save_to_split_dataset
from h5explorer_py.stacks import blosc, chunked, held
from h5explorer_py.stacks.stack import Axis
from tests.fixtures.splits import checksums, numbers, write_original
from tests.py import test_stack_index as kinds
from tests.py.support import SHARED

SAMPLES = SHARED / "samples" / "split_dataset"
ARRAY = numbers((11, 7, 9, 5))
BLOCK = (3, 4, 9, 5)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One set as the original writes it: two divided axes, both ragged."""
    return write_original(tmp_path_factory.mktemp("split") / "made", ARRAY, BLOCK, chunks=(1, 2, 4, 5))


def edit(folder, **fields):
    path = folder / "stack_metadata.json"
    told = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: value for key, value in told.items() if value != "gone"}))


def copy_of(made, folder):
    folder.mkdir()
    for path in made.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the original's own files are not here")
@pytest.mark.parametrize("name", ["time_uint16", "by_block_resolution", "padded_int16", "zlib_uint8"])
def test_files_of_the_original_package(name):
    before = checksums(SAMPLES / name)
    expected = np.load(SAMPLES / f"{name}.npy")
    stack = SplitDataset(SAMPLES / name)
    kinds.same(stack[...], expected)
    random = np.random.default_rng(1)
    for kind in (kinds.mixed, kinds.one_list, kinds.many_lists, kinds.masks):
        for _ in range(30):
            compare(stack, expected, kind(random, expected.shape))
    assert checksums(SAMPLES / name) == before


def compare(stack, array, index):
    try:
        expected = array[index]
    except (IndexError, ValueError):
        with pytest.raises(BadIndexError):
            stack[index]
        return
    kinds.same(stack[index], expected)


@pytest.mark.parametrize("kind", [kinds.ints, kinds.slices, kinds.mixed, kinds.one_list, kinds.many_lists, kinds.masks])
def test_a_thousand_indices_of_each_kind(made, kind):
    stack, random = SplitDataset(made), np.random.default_rng(11)
    for _ in range(1_000):
        compare(stack, ARRAY, kind(random, ARRAY.shape))


@pytest.mark.parametrize("compression", ["blosc", "zlib", "gzip", "none", "chunked", "zstd"])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2", "f2", "f8", "c16", "?", "S3", "i8"])
def test_types_and_compressions(tmp_path, compression, dtype):
    array = numbers((5, 6, 20, 30), dtype)
    stack = SplitDataset(write_original(tmp_path / "a", array, (2, 6, 20, 30), compression=compression))
    assert stack.dtype == array.dtype
    for index in [..., 3, (slice(None), 2, 3, 4), (slice(None, None, -2), 1), (slice(1, 5, 3), ..., [7, 0, 7])]:
        kinds.same(stack[index], array[index])


@pytest.mark.parametrize("node", ["stack", "stack_3D", "stack_4D", "my_stack"])
def test_names_of_the_data(tmp_path, node):
    array = numbers((4, 6, 7))
    stack = SplitDataset(write_original(tmp_path / "a", array, (3, 6, 7), node=node))
    assert stack.data_key == node
    kinds.same(stack[...], array)


@pytest.mark.parametrize("length", range(5, 13))
@pytest.mark.parametrize("padding", [(1, 0, 0), (2, 1, 0), (0, 3, 1)])
def test_padded_sets_of_any_length(tmp_path, length, padding):
    array = numbers((length, 8, 6))
    folder = write_original(tmp_path / "a", array, (3, 5, 6), padding=padding)
    kinds.same(SplitDataset(folder)[...], array)
    kinds.same(SplitDataset(folder)[::-2, 1:7:3, 2], array[::-2, 1:7:3, 2])


def test_bools_as_pytables_writes_them(tmp_path):
    array = numbers((4, 30, 30), "?")
    save_to_split_dataset(array, tmp_path / "a", (2,))
    with h5py.File(tmp_path / "a" / "0000.h5") as file:
        assert file["stack"].id.get_type().get_class() == h5py.h5t.BITFIELD
    edit(tmp_path / "a", dtype="gone")
    kinds.same(SplitDataset(tmp_path / "a")[...], array)


def test_more_than_9999_blocks_are_in_the_order_of_their_numbers(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in (0, 1, 1001, 9999, 10_000, 10_001, 12_345):
        with h5py.File(folder / f"{number:04d}.h5", "w") as file:
            file["stack"] = np.full((1, 2, 2), number, "u2")
    for number in range(12_346):
        if not (folder / f"{number:04d}.h5").exists():
            os.link(folder / "0001.h5", folder / f"{number:04d}.h5")
    fields = {"shape_full": [12_346, 2, 2], "shape_block": [1, 2, 2]}
    (folder / "stack_metadata.json").write_text(json.dumps(fields))
    stack = SplitDataset(folder)
    for number in (0, 1001, 9999, 10_000, 10_001, 12_345, -1):
        assert (stack[number] == number % 12_346).all()
    assert stack[[10_000, 1001], 0, 1].tolist() == [10_000, 1001]
    assert stack[:400, 0, 0].tolist() == [0] + [1] * 399
    assert len(held.HELD) <= 64


@pytest.mark.parametrize("index", [np.s_[2:9:2], np.s_[::-1], 3, -1, np.int64(4), ..., None, [1, 1, 0], np.s_[5:99]])
def test_what_the_original_refused_or_got_wrong(made, index):
    kinds.same(SplitDataset(made)[index], ARRAY[index])


@pytest.mark.parametrize("index", [11, -12, (0, 7), (slice(None), [0, 9]), "a", 1.5])
def test_out_of_range_raises(made, index):
    with pytest.raises(IndexError):
        SplitDataset(made)[index]


def test_it_stands_in_for_an_array(made):
    stack = SplitDataset(made)
    assert (len(stack), stack.ndim, stack.size, stack.nbytes) == (11, 4, ARRAY.size, ARRAY.nbytes)
    assert (stack.shape, stack.shape_full, stack.shape_block, stack.n_blocks) == (ARRAY.shape, ARRAY.shape, BLOCK, 8)
    assert stack.chunks == BLOCK
    kinds.same(np.asarray(stack), ARRAY)
    kinds.same(np.asarray(stack, dtype="f4"), ARRAY.astype("f4"))
    np.testing.assert_array_equal(list(stack), list(ARRAY))
    assert np.max(stack) == ARRAY.max()
    assert [axis.name for axis in stack.axes] == list("tzyx")
    assert [os.path.basename(path) for path in stack.files] == [f"{number:04d}.h5" for number in range(8)]
    assert stack.is_complete
    stack.close()
    kinds.same(stack[3, 4], ARRAY[3, 4])


def test_dask_reads_it(made):
    array = pytest.importorskip("dask.array")
    stack = SplitDataset(made)
    lazy = array.from_array(stack)
    assert lazy.name == array.from_array(SplitDataset(made)).name
    assert lazy.name != array.from_array(stack.crop([(1, 0)])).name
    kinds.same(lazy.compute(scheduler="threads"), ARRAY)
    by_block = array.from_array(stack, chunks=stack.chunks)
    assert by_block.numblocks == (4, 2, 1, 1)
    kinds.same(by_block[::-2, 3].compute(scheduler="threads"), ARRAY[::-2, 3])


def test_it_is_pickled_with_its_crop(made):
    stack = pickle.loads(pickle.dumps(SplitDataset(made).crop([(2, 1), (1, 0)])))
    kinds.same(stack[...], ARRAY[2:-1, 1:])


def test_a_crop_is_lazy_and_leaves_the_source_alone(made):
    before = checksums(made)
    part = SplitDataset(made).crop([(1, 2), None, (3, 0)]).crop([(1, 0)])
    expected = ARRAY[2:-2, :, 3:]
    assert part.shape == part.shape_cropped == expected.shape
    assert part.shape_full == ARRAY.shape
    random = np.random.default_rng(2)
    for kind in (kinds.mixed, kinds.many_lists, kinds.masks):
        for _ in range(100):
            compare(part, expected, kind(random, expected.shape))
    with pytest.raises(IndexError):
        part[7]
    assert checksums(made) == before
    written = part.apply_crop([(1, 1)])
    assert written.root == f"{made}_cropped"
    kinds.same(written[...], expected[1:-1])
    assert checksums(made) == before


@pytest.mark.parametrize("crop", [[(1,)], [(-1, 0)], [(6, 5)], [(0, 0)] * 5, [1], [(0.5, 0)], [("a", "b")]])
def test_what_is_no_crop_is_refused(made, crop):
    with pytest.raises(BadArrayError):
        SplitDataset(made).crop(crop)


def test_resolution_and_frequency_are_numbers_of_any_kind(tmp_path):
    array = numbers((4, 3, 5, 6))
    more = {"resolution": [1, 5.0, 0.6, 0.6], "frequency": 2.5}
    stack = SplitDataset(write_original(tmp_path / "a", array, (2, 3, 5, 6), **more))
    assert stack.resolution == (1.0, 5.0, 0.6, 0.6)
    assert stack.frequency == 2.5
    assert stack.axes == (Axis("t", 0.4, "s"), Axis("z", 5.0, "µm"), Axis("y", 0.6, "µm"), Axis("x", 0.6, "µm"))
    again = save_to_split_dataset(stack, tmp_path / "b")
    assert (again.resolution, again.frequency) == (stack.resolution, 2.5)
    assert again.shape_block == stack.shape_block
    edit(tmp_path / "a", resolution=[5.0, 0.6, 0.6])  # of the volume, as microscopes' programs write it
    assert SplitDataset(tmp_path / "a").resolution == (1.0, 5.0, 0.6, 0.6)
    edit(tmp_path / "a", resolution="gone", frequency="gone")
    assert SplitDataset(tmp_path / "a").resolution == (1.0,) * 4
    assert SplitDataset(tmp_path / "a").axes[1] == Axis("z")


def write_old(path, full, block, style):
    with h5py.File(path, "a") as file:
        group = file.create_group("stack_metadata")
        group.attrs["CLASS"], group.attrs["TITLE"] = np.bytes_("GROUP"), np.bytes_("dict:3")
        group.attrs["name"] = np.bytes_("x")
        for name, values in (("full_size", full), ("block_size", block)):
            if style == "array":
                group[name] = np.array(values)
                continue
            inner = group.create_group(name)
            inner.attrs["TITLE"] = np.bytes_(f"tuple:{len(values)}")
            for number, value in enumerate(values):
                if value is None:
                    inner.create_group(f"i{number}").attrs["TITLE"] = np.bytes_("nonetype:")
                else:
                    inner.attrs[f"i{number}"] = np.int64(value)


@pytest.mark.parametrize(("block", "style"), [((3, 5, 6), "tuple"), ((3, None, None), "tuple"), ((3, 5, 6), "array")])
def test_very_old_sets_have_no_json(tmp_path, block, style):
    array = numbers((7, 5, 6))
    folder = write_original(tmp_path / "a", array, (3, 5, 6))
    (folder / "stack_metadata.json").unlink()
    write_old(folder / "0002.h5", (7, 5, 6), block, style)
    before = checksums(folder)
    kinds.same(SplitDataset(folder)[...], array)
    assert checksums(folder) == before


def test_stray_and_stale_files_are_ignored(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    for name in ("notes1.h5", "0008.h5", "0099.h5", ".0000.h5.part", "0000.h5.bak", "x.txt", "1.h5", "\uff19.h5"):
        (folder / name).write_bytes(b"no HDF5 at all")
    kinds.same(SplitDataset(folder)[...], ARRAY)


@pytest.mark.parametrize("prefix", ["stack_", "a1_"])
def test_names_with_a_prefix(made, tmp_path, prefix):
    folder = copy_of(made, tmp_path / "a")
    for path in folder.glob("*.h5"):
        path.rename(folder / f"{prefix}{path.name}")
    (folder / "notes1.h5").write_bytes(b"")
    (folder / "stack_metadata.json").rename(folder / "my_stack_metadata.json")
    for given in (None, prefix, prefix.rstrip("_")):
        kinds.same(SplitDataset(folder, given)[...], ARRAY)
    for path in list(folder.glob(f"{prefix}*.h5")):
        (folder / f"other_{path.name[-7:]}").write_bytes(b"")
    kinds.same(SplitDataset(folder, prefix)[...], ARRAY)
    with pytest.raises(StackUnreadableError, match="several series"):
        SplitDataset(folder)


def test_blocks_that_count_from_one(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    for number in reversed(range(8)):
        (folder / f"{number:04d}.h5").rename(folder / f"{number + 1:04d}.h5")
    kinds.same(SplitDataset(folder)[...], ARRAY)


def test_a_missing_block_is_named_or_filled(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    (folder / "0003.h5").rename(tmp_path / "kept.h5")
    stack = SplitDataset(folder)
    assert stack.missing == [3]
    assert not stack.is_complete
    assert stack.files[3] is None
    kinds.same(stack[:3], ARRAY[:3])
    with pytest.raises(BlockMissingError, match=r"block 3 \(0003.h5\)") as caught:
        stack[4]
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.details["block"] == 3
    expected = ARRAY.copy()
    expected[3:6, 4:] = 7
    kinds.same(SplitDataset(folder, fill_value=7)[...], expected)
    (tmp_path / "kept.h5").rename(folder / "0003.h5")
    kinds.same(stack[...], ARRAY)  # it has come since
    (folder / "0003.h5").unlink()
    with pytest.raises(BlockMissingError):
        stack[4]
    with pytest.raises(BadArrayError, match="cannot fill"):
        SplitDataset(folder, fill_value=float("nan"))[...]
    for path in folder.glob("*.h5"):
        path.unlink()
    with pytest.raises(BlockMissingError, match="none of the 8 blocks"):
        SplitDataset(folder)


def test_a_block_that_is_replaced_is_read_anew(tmp_path):
    folder = write_original(tmp_path / "a", np.zeros((4, 3, 3), "u2"), (2, 3, 3))
    stack = SplitDataset(folder)
    assert stack[...].sum() == 0
    with h5py.File(folder / "new", "w") as file:
        file["stack_3D"] = np.ones((2, 3, 3), "u2")
    (folder / "new").replace(folder / "0001.h5")
    assert stack[...].sum() == 18


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"shape_full": "gone"}, "shape_full must be a list"),
        ({"shape_full": [11, 7, 9]}, "shape_block is for 4 axes, but shape_full for 3"),
        ({"shape_full": [[11, 7], [9]]}, "whole numbers"),
        ({"shape_full": [11, 7, 9, "5"]}, "whole numbers"),
        ({"shape_full": [11, 7, 9, 5.5]}, "whole numbers"),
        ({"shape_full": [11, 7, True, 5]}, "whole numbers"),
        ({"shape_full": []}, "whole numbers"),
        ({"shape_full": [11, 0, 9, 5]}, "shape_full has a length of 0"),
        ({"shape_full": [11, -7, 9, 5]}, "shape_full has a length of -7"),
        ({"shape_block": [3, 0, 9, 5]}, "shape_block has a length of 0"),
        ({"shape_full": [10**18, 10**18, 9, 5]}, "too many"),
        ({"padding": [-1, 0, 0, 0]}, "padding has a length of -1"),
        ({"resolution": "fine"}, "resolution must be numbers"),
        ({"resolution": [1, 1, 1, 10**400]}, "too large"),
        ({"frequency": {}}, "frequency must be numbers"),
        ({"dtype": "object"}, "not a type of numbers"),
        ({"dtype": "nonsense"}, "not a type of numbers"),
    ],
)
def test_contradictory_descriptions_are_told(made, tmp_path, fields, words):
    folder = copy_of(made, tmp_path / "a")
    edit(folder, **fields)
    with pytest.raises(StackUnreadableError, match=words) as caught:
        SplitDataset(folder)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'"a"', b"{}" * 2])
def test_damaged_descriptions_are_told(made, tmp_path, text):
    folder = copy_of(made, tmp_path / "a")
    (folder / "stack_metadata.json").write_bytes(text)
    with pytest.raises(StackUnreadableError, match=r"stack_metadata.json does not describe a split data set"):
        SplitDataset(folder)


def test_folders_that_are_no_split_data_sets(tmp_path):
    with pytest.raises(StackNotFoundError, match="There is no folder"):
        SplitDataset(tmp_path / "none")
    with pytest.raises(StackUnreadableError, match=r"no stack_metadata.json"):
        SplitDataset(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(StackUnreadableError, match=r"not a directory|Not a directory"):
        SplitDataset(tmp_path / "a.txt")
    with h5py.File(tmp_path / "0000.h5", "w") as file:
        file["stack"] = np.zeros(3)
    with pytest.raises(StackUnreadableError, match="how the blocks go together"):
        SplitDataset(tmp_path)
    for name in ("a_stack_metadata.json", "b_stack_metadata.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(StackUnreadableError, match="several descriptions"):
        SplitDataset(tmp_path)


def damaged(folder, number=2):
    return folder / f"{number:04d}.h5"


def put(folder, make):
    path = damaged(folder)
    path.unlink()
    with h5py.File(path, "w") as file:
        make(file)
    return folder


BLOCK_SHAPE = (3, 4, 9, 5)
RECORD = np.zeros(BLOCK_SHAPE, [("a", "u2"), ("b", "f4")])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: f.create_dataset("stack", data=np.zeros((3, 4, 9, 6), "u2")), r"its shape is \(3, 4, 9, 6\)"),
        (lambda f: f.create_dataset("stack", data=np.zeros((3, 4, 9), "u2")), "its shape is"),
        (lambda f: f.create_dataset("stack", data=np.zeros(BLOCK_SHAPE, "i4")), "values are int32.*others are uint16"),
        (lambda f: f.create_dataset("stack", data=RECORD), "records of several fields"),
        (lambda f: f.create_dataset("stack", BLOCK_SHAPE, h5py.string_dtype()), "Python object or text"),
        (lambda f: f.create_dataset("stack", data=h5py.Empty("u2")), "no axes"),
        (lambda f: f.create_dataset("stack", data=3), "no axes|its shape"),
        (lambda f: f.create_group("stack"), "no data named stack"),
        (lambda f: f.create_dataset("data", data=np.zeros(BLOCK_SHAPE, "u2")), "no data named stack"),
    ],
)
def test_a_block_that_is_not_like_the_others(made, tmp_path, make, words):
    stack = SplitDataset(put(copy_of(made, tmp_path / "a"), make))
    kinds.same(stack[:3], ARRAY[:3])
    with pytest.raises(StackUnreadableError, match=f"0002.h5 cannot be read: .*({words})"):
        stack[3]


@pytest.mark.parametrize("dtype", [RECORD.dtype, h5py.string_dtype()])
def test_a_set_of_what_is_no_number(tmp_path, dtype):
    folder = tmp_path / "a"
    folder.mkdir()
    with h5py.File(folder / "0000.h5", "w") as file:
        file.create_dataset("stack", (2, 3), dtype)
    (folder / "stack_metadata.json").write_text(json.dumps({"shape_full": [2, 3], "shape_block": [2, 3]}))
    with pytest.raises(StackUnreadableError, match="its values are"):
        SplitDataset(folder)[0]


@pytest.mark.parametrize("keep", [0, 10, 700, 0.5, 0.95, -1])
def test_a_truncated_block(tmp_path, keep):
    array = numbers((4, 3, 60, 70))
    folder = write_original(tmp_path / "a", array, (2, 3, 60, 70))
    data = (folder / "0001.h5").read_bytes()
    (folder / "0001.h5").write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    stack = SplitDataset(folder)
    kinds.same(stack[:2], array[:2])
    with pytest.raises(StackUnreadableError, match=r"^0001.h5 cannot be read: ") as caught:
        stack[:]
    assert "it has no" not in str(caught.value)


@pytest.mark.parametrize("compression", ["blosc", "zlib"])
@pytest.mark.parametrize(
    "spoil", [lambda d: bytes(len(d)), lambda d: d[:-7], lambda d: b"\xff" * len(d), lambda d: b"x"]
)
def test_a_damaged_chunk(tmp_path, compression, spoil):
    array = numbers((2, 3, 60, 70))
    folder = write_original(tmp_path / "a", array, (2, 3, 60, 70), compression=compression, chunks=(1, 1, 60, 70))
    with h5py.File(folder / "0000.h5", "r+") as file:
        data = file["stack_4D"].id
        data.write_direct_chunk((1, 1, 0, 0), spoil(data.read_direct_chunk((1, 1, 0, 0))[1]))
    stack = SplitDataset(folder)
    kinds.same(stack[0], array[0])
    for index in [1, (1, 1, 3, 4), (..., 5)]:
        with pytest.raises(StackUnreadableError, match=r"^0000.h5 cannot be read: "):
            stack[index]


def test_a_chunk_that_leaves_filters_out(tmp_path):
    array = numbers((2, 3, 60, 70))
    folder = write_original(tmp_path / "a", array, (2, 3, 60, 70), compression="zlib", chunks=(1, 1, 60, 70))
    with h5py.File(folder / "0000.h5", "r+") as file:
        file["stack_4D"].id.write_direct_chunk((1, 1, 0, 0), array[1, 1].tobytes(), filter_mask=0b11)
    kinds.same(SplitDataset(folder)[...], array)


def test_chunks_that_were_never_written(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    with h5py.File(folder / "0000.h5", "w") as file:
        file.create_dataset("stack", (4, 50, 60), "u2", chunks=(1, 50, 60), fillvalue=9)[2] = 3
    (folder / "stack_metadata.json").write_text(json.dumps({"shape_full": [4, 50, 60], "shape_block": [4, 50, 60]}))
    assert SplitDataset(folder)[:, 7, 8].tolist() == [9, 9, 3, 9]


def external_storage(path, secret):
    with h5py.File(path, "w") as file:
        file.create_dataset("stack", BLOCK_SHAPE, "u2", external=[(str(secret), 0, 2 * 540)])


def virtual(path, secret):
    layout = h5py.VirtualLayout(BLOCK_SHAPE, "u2")
    layout[...] = h5py.VirtualSource(str(secret), "stack", BLOCK_SHAPE)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("stack", layout)


def external_link(path, secret):
    with h5py.File(path, "w") as file:
        file["stack"] = h5py.ExternalLink(str(secret), "/stack")


def soft_link(path, secret):
    with h5py.File(path, "w") as file:
        file["other"] = h5py.ExternalLink(str(secret), "/stack")
        file["stack"] = h5py.SoftLink("/other")


@pytest.mark.parametrize("make", [external_storage, virtual, external_link, soft_link])
def test_values_elsewhere_are_not_followed(made, tmp_path, make):
    folder = copy_of(made, tmp_path / "a")
    with h5py.File(tmp_path / "secret", "w") as file:
        file["stack"] = np.ones(BLOCK_SHAPE, "u2")
    damaged(folder).unlink()
    make(damaged(folder), tmp_path / "secret")
    with pytest.raises(OutsideDataError, match=r"0002.h5 keeps its values in other files"):
        SplitDataset(folder)[3]


def test_a_block_that_is_a_pipe_or_a_folder(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    damaged(folder).unlink()
    os.mkfifo(damaged(folder))
    with pytest.raises(StackUnreadableError, match="not a regular file"):
        SplitDataset(folder)[3]
    damaged(folder).unlink()
    damaged(folder).mkdir()
    with pytest.raises(StackUnreadableError, match="a folder"):
        SplitDataset(folder)[3]


def test_a_filter_that_is_missing_is_named(made, tmp_path, monkeypatch):
    monkeypatch.setattr(chunked, "load_filters", lambda made: (32_000, "lzf9"))
    with pytest.raises(MissingFilterError, match=r"0000.h5 is compressed by the HDF5 filter 32000 \(lzf9\)"):
        SplitDataset(copy_of(made, tmp_path / "a"))[0]


def test_without_blosc_of_its_own_hdf5_unpacks(made, tmp_path, monkeypatch):
    folder = copy_of(made, tmp_path / "a")
    monkeypatch.setattr(blosc, "load_blosc", lambda: None)
    stack, random = SplitDataset(folder), np.random.default_rng(5)
    for kind in (kinds.mixed, kinds.one_list, kinds.masks):
        for _ in range(50):
            compare(stack, ARRAY, kind(random, ARRAY.shape))


def test_reading_while_another_program_has_a_block_open(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    with h5py.File(damaged(folder), "r+"):
        code = "import sys; from h5explorer_py.split import SplitDataset as S; print(S(sys.argv[1])[3:6].sum())"
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(ARRAY[3:6].sum()), done.stderr


def test_threads_read_at_once(made):
    stack, errors = SplitDataset(made), []

    def read(seed):
        random = np.random.default_rng(seed)
        try:
            for _ in range(60):
                compare(stack, ARRAY, kinds.mixed(random, ARRAY.shape))
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors


def forked(stack, queue):
    queue.put(int(stack[...].sum()))


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_reads(made):
    stack = SplitDataset(made)
    assert stack[...].sum() == ARRAY.sum()  # the threads are there
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=forked, args=(stack, queue))
    process.start()
    assert queue.get(timeout=30) == ARRAY.sum()
    process.join(10)


def test_every_error_is_one_of_ours(made, tmp_path):
    """Bytes changed at random anywhere in a block or the description: values, or an error with a sentence."""
    random = np.random.default_rng(0)
    for turn in range(60):
        folder = copy_of(made, tmp_path / str(turn))
        path = folder / ["stack_metadata.json", "0000.h5"][turn % 3 == 0]
        data = bytearray(path.read_bytes())
        for _ in range(random.integers(1, 6)):
            data[random.integers(len(data))] = random.integers(256) if path.suffix == ".json" else 0
        path.write_bytes(data)
        try:
            SplitDataset(folder)[:3, 0]
        except ExplorerError as error:
            assert error.message.endswith(".")  # noqa: PT017


def test_blocks_are_numbered_and_found():
    blocks = Blocks((11, 8), (4, 3), padding=(2, 1))
    assert blocks.grid == (3, 3)
    assert blocks[0] == np.s_[0:6, 0:4]
    assert blocks[1] == np.s_[0:6, 3:7]
    assert blocks.linear_to_cartesian(5) == (1, 2)
    assert blocks.cartesian_to_linear((1, 2)) == 5
    assert blocks.block_containing_coords((10, 0)) == (2, 0)
    assert blocks.neighbour_blocks(0) == (1, 3, 4)
    assert len(blocks.neighbour_blocks(4)) == 8
    assert blocks.drop_dim(0).grid == (3,)
    assert blocks.centres().shape == (3, 3, 2)
    assert Blocks((10, 20, 40), blocks_number=(1, 2, 2)).shape_block == (10, 10, 20)
    assert Blocks((10, 20, 40), 5, dim_split=1).shape_block == (10, 5, 40)
    assert Blocks((10, 20), 4).shape_block == (4, 20)
    assert Blocks((10, 20), (None, 7)).shape_block == (10, 7)
    cropped = Blocks((10, 20), (4, 20), crop=((1, 2), (0, 5)))
    assert (cropped.shape_cropped, cropped[1], len(cropped)) == ((7, 15), np.s_[5:8, 0:15], 2)
    for wrong in (9, -1, (0, 3), (0, 0, 0)):
        with pytest.raises(BadIndexError):
            blocks.cartesian_to_linear(wrong) if isinstance(wrong, tuple) else blocks.linear_to_cartesian(wrong)
    for made in (
        {"shape_block": (0,)},
        {"shape_block": (2, 2, 2)},
        {"shape_block": "ab"},
        {"padding": -1},
        {"dim_split": 7},
    ):
        with pytest.raises(BadArrayError):
            Blocks((10, 20), **({"shape_block": 2} | made))
    for shape in ((), (0, 3), (2.5,), (1 << 40, 1 << 40)):
        with pytest.raises(BadArrayError):
            Blocks(shape)


def test_the_files_can_be_opened_by_others_in_the_same_process(made, tmp_path):
    folder = copy_of(made, tmp_path / "a")
    stack = SplitDataset(folder)
    kinds.same(stack[...], ARRAY)
    with h5py.File(folder / "0000.h5", "r+") as file:  # with HDF5's own lock
        kinds.same(stack[...], ARRAY)
        stack.close()
        kinds.same(SplitDataset(folder)[...], ARRAY)
        file["stack_4D"][0] = 1
    assert stack[0, 0, 0, 0] == 1
