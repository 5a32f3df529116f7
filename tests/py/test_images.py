"""Pictures out of shards: the right bytes, or one clear sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

from h5explorer_py import children, errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.images import readers
from h5explorer_py.images.opened import OpenedShard
from tests.fixtures.datasets import GOOD_SHARDS, write_images
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS, by_h5py, image_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PICTURE = encoded(3)
PIXELS = np.frombuffer(PICTURE, np.uint8)
NOISE = ("errno", "H5", "sblock", "o_flags", "Unable to synchronously", "Traceback", "b'", "Errno", "None")
"""What belongs to the inside of a library, and says nothing to a person."""


@pytest.fixture(scope="module")
def dataset(contract: Path) -> Iterator[Dataset]:
    opened = Dataset(str(contract / "lookup.parquet"), COLUMNS)
    yield opened
    opened.close()


def assert_clear(error: errors.ExplorerError) -> None:
    assert error.message.endswith("."), error.message
    assert "\n" not in str(error)
    assert not [noise for noise in NOISE if noise in str(error)], str(error)


def refused(kind: type[errors.ExplorerError], shard: Path, key: str = "a") -> errors.ExplorerError:
    with pytest.raises(kind) as caught:
        image_of(shard, key)
    assert type(caught.value) is kind
    assert_clear(caught.value)
    return caught.value


def shard(folder: Path, put: Callable[[Any], object], **options: Any) -> Path:
    """Write a shard; ``put`` fills its group of images."""
    with h5py.File(folder / "s_images.h5", "w", **options) as file:
        put(file.create_group("images"))
    return folder / "s_images.h5"


# The contract's rows


@pytest.mark.parametrize("name", GOOD_SHARDS)
def test_every_good_row_is_byte_for_byte_what_h5py_reads(dataset: Dataset, contract: Path, name: str) -> None:
    with h5py.File(contract / f"{name}_images.h5", "r") as file:
        keys = list(file["images"])
        assert len(keys) == 100
        for key in keys:
            image = dataset.image(dataset.entry(dataset.row_of(key)))
            assert image.data == file["images"][key][()].tobytes()
            assert (image.key, image.source) == (key, str(contract / f"{name}_images.h5"))


ODD: dict[str, type[errors.ExplorerError] | None] = {
    "no_shard": errors.ShardNotFoundError,
    "no_key": errors.ImageNotFoundError,
    "no_filepath": errors.NoFilepathError,
    "no_uuid": errors.KeyNotFoundError,
    "no_group": errors.NoImagesGroupError,
    "empty": errors.EmptyImageError,
    "scalar": errors.NotAnImageError,
    "raw_array": errors.ArrayNotShownError,
    "group": errors.NotAnImageError,
    "external_storage": errors.OutsideDataError,
    "external_link": errors.OutsideDataError,
}
"""The rows of the contract's data set that have no bytes, and why."""

BYTES = ("no_metadata", "no_record", "tiff", "truncated_jpeg", "truncated_png", "unknown_bytes", "svg", "sixteen_bit")
WAYS = {"chunked": 7, "opaque": 8, "variable": 9, "filtered": 10}


@pytest.mark.parametrize("name", ODD)
def test_a_row_without_a_picture_says_why(dataset: Dataset, expected: dict[str, Any], name: str) -> None:
    with pytest.raises(errors.ExplorerError) as caught:
        dataset.image(dataset.entry(expected["bad"][name]))
    assert type(caught.value) is ODD[name]
    assert_clear(caught.value)


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_no_page_shows_are_given_as_they_are(
    dataset: Dataset, contract: Path, expected: dict[str, Any], name: str
) -> None:
    entry = dataset.entry(expected["bad"][name])
    assert dataset.image(entry).data == by_h5py(contract / f"{entry.filepath}_images.h5", name)


@pytest.mark.parametrize("name", WAYS)
def test_every_way_to_store_bytes(dataset: Dataset, expected: dict[str, Any], name: str) -> None:
    assert dataset.image(dataset.entry(expected["bad"][name])).data == encoded(WAYS[name])


def test_every_odd_row_is_tried(expected: dict[str, Any]) -> None:
    assert {*ODD, *BYTES, *WAYS} == set(expected["bad"])


# Kinds of files and of data sets


@pytest.mark.parametrize("options", [{"libver": "earliest"}, {"libver": "latest"}, {"userblock_size": 1024}])
@pytest.mark.parametrize("count", [1, 30], ids=["one", "many"])
def test_group_formats_and_user_blocks(tmp_path: Path, options: dict[str, Any], count: int) -> None:
    images = {f"key {number}": encoded(number) for number in range(count)}
    write_images(tmp_path / "s_images.h5", images, **options)
    for key, data in images.items():
        assert image_of(tmp_path / "s_images.h5", key) == data


def layout(kind: int) -> Any:
    made = h5p.create(h5p.DATASET_CREATE)
    made.set_layout(kind)
    return made


def put_compact(group: Any) -> None:
    space = h5s.create_simple(PIXELS.shape)
    h5d.create(group.id, b"a", h5t.NATIVE_UINT8, space, layout(h5d.COMPACT)).write(h5s.ALL, h5s.ALL, PIXELS)


def put_fixed_text(group: Any, kind: int, data: bytes) -> None:
    text = h5t.C_S1.copy()
    text.set_size(len(data))
    text.set_strpad(h5t.STR_NULLPAD)
    made = h5d.create(group.id, b"a", text, h5s.create(h5s.SCALAR), layout(kind))
    made.write(h5s.ALL, h5s.ALL, np.array(data, f"S{len(data)}"))


@pytest.mark.parametrize(
    "put",
    [
        lambda group: group.create_dataset("a", data=PIXELS),
        lambda group: group.create_dataset("a", data=PIXELS.view(np.int8)),
        lambda group: group.create_dataset("a", data=PIXELS, chunks=(50,)),
        lambda group: group.create_dataset("a", data=PIXELS, maxshape=(None,)),
        lambda group: group.create_dataset("a", data=PIXELS, compression="gzip", shuffle=True, fletcher32=True),
        lambda group: group.create_dataset("a", data=PIXELS, compression="lzf"),
        lambda group: group.create_dataset("a", data=PIXELS, chunks=True, **hdf5plugin.Blosc()),
        lambda group: group.create_dataset("a", data=PIXELS, chunks=True, **hdf5plugin.LZ4()),
        put_compact,
        lambda group: group.create_dataset("a", data=np.void(PICTURE)),
        lambda group: group.create_dataset("a", data=np.array([PICTURE], f"V{len(PICTURE)}")),
        lambda group: group.create_dataset("a", data=PIXELS.view("S1")),
        lambda group: group.create_dataset("a", data=np.array([np.void(PICTURE)]), chunks=(1,)),
    ],
    ids=["u1", "i1", "chunks", "growing", "gzip", "lzf", "blosc", "lz4", "compact", "opaque", "opaque1", "S1", "V"],
)
def test_the_same_picture_stored_in_many_ways(tmp_path: Path, put: Callable[[Any], object]) -> None:
    assert image_of(shard(tmp_path, put)) == PICTURE


@pytest.mark.parametrize("shape", [(), (1,)])
def test_lists_of_bytes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    def put(group: Any) -> None:
        group.create_dataset("a", shape, h5py.vlen_dtype(np.uint8))[...] = [PIXELS] if shape else PIXELS

    assert image_of(shard(tmp_path, put)) == PICTURE


def test_text_of_variable_length(tmp_path: Path) -> None:
    assert (
        image_of(shard(tmp_path, lambda group: group.create_dataset("a", data="<svg>ä</svg>")))
        == b"<svg>\xc3\xa4</svg>"
    )


@pytest.mark.parametrize("kind", [h5d.COMPACT, h5d.CONTIGUOUS])
def test_zeros_at_the_end_of_a_fixed_text_are_kept(tmp_path: Path, kind: int) -> None:
    data = encoded(1, "BMP")[:100] + b"\0\0\0"
    assert image_of(shard(tmp_path, lambda group: put_fixed_text(group, kind, data))) == data


@pytest.mark.parametrize("empty", [h5py.vlen_dtype(np.uint8), h5py.string_dtype()])
def test_values_of_variable_length_that_were_never_written(tmp_path: Path, empty: Any) -> None:
    refused(errors.EmptyImageError, shard(tmp_path, lambda group: group.create_dataset("a", (1,), empty)))


@pytest.mark.parametrize(
    ("kind", "put"),
    [
        (errors.EmptyImageError, lambda group: group.create_dataset("a", data=h5py.Empty("u1"))),
        (errors.EmptyImageError, lambda group: group.create_dataset("a", (0, 4, 3), "u1")),
        (errors.NotAnImageError, lambda group: group.create_dataset("a", data=3)),
        (errors.NotAnImageError, lambda group: group.__setitem__("a", np.dtype("f8"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", data=np.zeros((5, 5), "u1"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", data=np.zeros(9, "u2"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", data=np.zeros(9, "f8"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", (3,), h5py.vlen_dtype("u1"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", (1,), h5py.vlen_dtype("f4"))),
        (errors.ArrayNotShownError, lambda group: group.create_dataset("a", (4,), [("x", "f4"), ("y", "i2")])),
        (errors.TooLargeError, lambda group: group.create_dataset("a", (1 << 40,), "u1", chunks=(1 << 20,))),
    ],
)
def test_what_is_no_picture_is_told(
    tmp_path: Path, kind: type[errors.ExplorerError], put: Callable[[Any], object]
) -> None:
    refused(kind, shard(tmp_path, put))


def test_an_unknown_filter_is_named(tmp_path: Path) -> None:
    path = shard(tmp_path, lambda group: group.create_dataset("a", data=PIXELS, chunks=True, **hdf5plugin.Zstd()))
    data = path.read_bytes()
    assert data.count((32015).to_bytes(2, "little")) == 1
    path.write_bytes(data.replace((32015).to_bytes(2, "little"), (32999).to_bytes(2, "little")))
    error = refused(errors.MissingFilterError, path)
    assert "32999" in str(error)
    assert "pip install" in str(error)


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "/images/x", "x/../y", "../images/x", "nul\0", "./x", "x/"])
def test_a_key_is_a_name_and_never_a_path(tmp_path: Path, key: str) -> None:
    def put(group: Any) -> None:
        group["x"] = PIXELS
        group["y"] = PIXELS
        group.create_dataset("a/b", data=PIXELS)

    kind = errors.ImageNotFoundError if key else errors.KeyNotFoundError
    refused(kind, shard(tmp_path, put), key)


@pytest.mark.parametrize("key", ["ä ö", "日本語", "a.b", "...", "<script>", " ", "'\"", "%2e%2e", "x" * 4000])
def test_odd_names_are_found(tmp_path: Path, key: str) -> None:
    write_images(tmp_path / "s_images.h5", {key: PICTURE})
    assert image_of(tmp_path / "s_images.h5", key) == PICTURE


def test_a_key_longer_than_a_pipe_holds(tmp_path: Path) -> None:
    write_images(tmp_path / "s_images.h5", {"a": PICTURE})
    error = within(20, lambda: refused(errors.ImageNotFoundError, tmp_path / "s_images.h5", "x" * 500_000))
    assert len(str(error)) < 500


# Files that cannot be read


def half(path: Path) -> None:
    write_images(path, {"a": PICTURE})
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"no HDF5" * 1000), "HDF5"),
        (lambda path: path.write_bytes(b""), "HDF5"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "HDF5"),
        (half, "copied"),
        (lambda path: path.mkdir(), "folder"),
        (os.mkfifo, "regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "regular file"),
    ],
    ids=["junk", "nothing", "signature", "half", "folder", "pipe", "device"],
)
def test_files_that_are_no_shards(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    path = tmp_path / "s_images.h5"
    make(path)
    error = within(20, lambda: refused(errors.ShardUnreadableError, path))
    assert says in str(error)


def test_a_file_that_another_process_locks_is_read(tmp_path: Path) -> None:
    write_images(tmp_path / "s_images.h5", {"a": PICTURE})
    lock = "f = open(sys.argv[1], 'r+b'); fcntl.flock(f, fcntl.LOCK_EX); print('x', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"import fcntl, sys; {lock}", str(tmp_path / "s_images.h5")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as locker:
        assert locker.stdout.readline() == b"x\n"
        assert image_of(tmp_path / "s_images.h5") == PICTURE
        locker.stdin.close()


def test_a_file_that_is_being_written_says_so_and_is_read_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "s_images.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["images/a"] = PIXELS
        file.flush()
        error = refused(errors.ShardUnreadableError, path)
        assert "open for writing" in str(error)
    assert image_of(path) == PICTURE


def without_override() -> None:
    """Have the next program be denied what its user is denied, root or not."""
    import ctypes

    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s_images.h5"
    write_images(path, {"a": PICTURE})
    path.chmod(0)
    if os.geteuid() == 0:  # who may read it all the same, but for its readers
        monkeypatch.setattr(OpenedShard, "look_for", lambda *_: None)
        monkeypatch.setattr(children.subprocess, "Popen", partial(subprocess.Popen, preexec_fn=without_override))
    pool = readers.ReaderPool()
    monkeypatch.setattr(readers, "_pool", pool)
    error = refused(errors.ShardUnreadableError, path)
    pool.close()
    assert "ermission denied" in str(error)
