"""Places of images found without the HDF5 library: those that it gives, or none."""

from __future__ import annotations

import contextlib
import functools
import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py import errors
from h5explorer_py.files import regular_file
from h5explorer_py.hdf5 import fractal_heap, name_index, object_header, superblock
from h5explorer_py.hdf5.checksum import checked, lookup3
from h5explorer_py.hdf5.group import Group
from h5explorer_py.hdf5.pages import UnrecognisedError
from h5explorer_py.images.readers import ReaderPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BYTES = np.arange(200, dtype=np.uint8)


class File:
    """A file that is read in pieces, which are counted."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.reads: list[tuple[int, int]] = []

    def read(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        return self.data[offset : offset + size]

    def group(self, name: bytes = b"images") -> Group:
        return Group(self.read, len(self.data), name)


def by_h5py(path: Path) -> dict[str, tuple[int, int]]:
    with h5py.File(path) as file:
        return {key: (found.id.get_offset(), found.id.get_storage_size()) for key, found in file["images"].items()}


def write(path: Path, put: Callable[[Any], object], **options: Any) -> Path:
    with h5py.File(path, "w", **options) as file:
        put(file.create_group("images", track_order=options.get("track_order")))
    return path


def put_many(count: int, group: Any) -> None:
    for number in np.random.default_rng(count).permutation(count):
        group.create_dataset(f"{number * 7919 % 100_003:x} image", data=BYTES[: 1 + number % 199])


WAYS: list[dict[str, Any]] = [
    {},
    {"userblock_size": 512},
    {"userblock_size": 8192},
    {"track_order": True},
    {"libver": "latest"},
    {"libver": "latest", "track_order": True},
    {"libver": "latest", "userblock_size": 1024},
    {"libver": ("v108", "v108")},
    {"libver": ("earliest", "v110")},
]


@pytest.mark.parametrize("count", [1, 8, 9, 60, 1200])
@pytest.mark.parametrize("options", WAYS, ids=str)
def test_every_place_is_the_one_that_h5py_gives(tmp_path: Path, options: dict[str, Any], count: int) -> None:
    file = write(tmp_path / "s.h5", partial(put_many, count), **options)
    group = File(file).group()
    for key, place in by_h5py(file).items():
        assert group.place(key.encode()) == place


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_members_that_were_deleted_and_made_anew(tmp_path: Path, options: dict[str, Any]) -> None:
    path = write(tmp_path / "s.h5", partial(put_many, 400), **options)
    for turn in range(3):
        with h5py.File(path, "r+", libver=options.get("libver")) as file:
            group = file["images"]
            for key in list(group)[turn::3]:
                del group[key]
            for number in range(50):
                group[f"{turn} {number}"] = BYTES[number:]
                group[f"{turn} {number}"].attrs["made"] = "x" * 10 * number
    found = File(path).group()
    places = by_h5py(path)
    for key, place in places.items():
        assert found.place(key.encode()) == place
    with pytest.raises(UnrecognisedError):
        found.place(b"0 50")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_in_large_groups_places_are_right_or_left_to_hdf5(tmp_path: Path, libver: str) -> None:
    path = write(tmp_path / "s.h5", partial(put_many, 6_000), libver=libver)
    group = File(path).group()
    left = 0
    for key, place in list(by_h5py(path).items())[::17]:
        try:
            assert group.place(key.encode()) == place
        except UnrecognisedError:
            left += 1
    assert not left or libver == "latest"
    assert group.nbytes < 2_000_000


def created(group: Any, kind: Any, space: Any, prepare: Callable[[Any], object] = lambda _: None) -> None:
    made = h5p.create(h5p.DATASET_CREATE)
    made.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    prepare(made)
    h5d.create(group.id, b"a", kind, space, made)


def text(pad: int, size: int) -> Any:
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    kind.set_strpad(pad)
    return kind


SCALAR = h5s.create(h5s.SCALAR)
ROW = h5s.create_simple((7,))
KEPT: dict[str, Callable[[Any], object]] = {
    "u1": lambda group: group.create_dataset("a", data=BYTES),
    "i1": lambda group: group.create_dataset("a", data=BYTES.view(np.int8)),
    "big-endian": lambda group: created(group, h5t.STD_U8BE, ROW),
    "opaque": lambda group: group.create_dataset("a", data=np.void(bytes(BYTES))),
    "tagged": lambda group: created(group, tagged(), SCALAR),
    "one opaque": lambda group: group.create_dataset("a", data=np.array([np.void(bytes(BYTES))])),
    "opaque bytes": lambda group: group.create_dataset("a", data=BYTES.view("V1")),
    "text": lambda group: group.create_dataset("a", data=np.bytes_(b"picture")),
    "padded": lambda group: created(group, text(h5t.STR_SPACEPAD, 9), SCALAR),
    "characters": lambda group: created(group, text(h5t.STR_NULLTERM, 1), ROW),
    "filled": lambda group: created(group, h5t.STD_U8LE, ROW, lambda made: made.set_fill_value(np.array(3, np.uint8))),
    "times": lambda group: group.create_dataset("a", data=BYTES, track_times=True),
}


def tagged() -> Any:
    kind = h5t.create(h5t.OPAQUE, 33)
    kind.set_tag(b"a picture of a kind")
    return kind


LEFT: dict[str, Callable[[Any], object]] = {
    "chunks": lambda group: group.create_dataset("a", data=BYTES, chunks=(50,)),
    "filter": lambda group: group.create_dataset("a", data=BYTES, compression="gzip"),
    "growing": lambda group: group.create_dataset("a", data=BYTES, maxshape=(None,)),
    "compact": lambda group: created(group, h5t.STD_U8LE, ROW, lambda made: made.set_layout(h5d.COMPACT)),
    "external": lambda group: group.create_dataset("a", shape=(9,), dtype="u1", external=[("outside.bin", 0, 9)]),
    "never written": lambda group: group.create_dataset("a", shape=(9,), dtype="u1"),
    "nothing": lambda group: group.create_dataset("a", data=h5py.Empty("u1")),
    "empty": lambda group: group.create_dataset("a", shape=(0,), dtype="u1"),
    "flat": lambda group: group.create_dataset("a", data=BYTES.reshape(10, 20)),
    "wide": lambda group: group.create_dataset("a", data=BYTES.astype(np.uint16)),
    "one number": lambda group: group.create_dataset("a", data=np.uint8(3)),
    "float": lambda group: group.create_dataset("a", data=BYTES.astype(np.float32)),
    "enumeration": lambda group: group.create_dataset("a", data=BYTES.astype(bool)),
    "several opaque": lambda group: group.create_dataset("a", data=np.array([np.void(b"ab")] * 3)),
    "text of any length": lambda group: group.create_dataset("a", data="text"),
    "lists": lambda group: group.create_dataset("a", shape=(1,), dtype=h5py.vlen_dtype("u1")),
    "compound": lambda group: group.create_dataset("a", data=np.zeros(3, [("x", "u1")])),
    "named type": lambda group: group.create_dataset("a", data=BYTES, dtype=named(group)),
    "group": lambda group: group.create_group("a"),
    "type": lambda group: group.__setitem__("a", np.dtype("u1")),
    "soft": lambda group: (group.create_dataset("b", data=BYTES), group.__setitem__("a", h5py.SoftLink("b"))),
    "leads out": lambda group: group.__setitem__("a", h5py.ExternalLink("other.h5", "/images/a")),
    "virtual": lambda group: group.create_virtual_dataset("a", virtual()),
    "other name": lambda group: group.create_dataset("b", data=BYTES),
    "no member": lambda _: None,
}


def named(group: Any) -> Any:
    group.file["byte"] = np.dtype("u1")
    return group.file["byte"]


def virtual() -> Any:
    made = h5py.VirtualLayout((200,), "u1")
    made[:] = h5py.VirtualSource("other.h5", "a", (200,))
    return made


@pytest.mark.parametrize("options", [WAYS[0], WAYS[4]], ids=str)
@pytest.mark.parametrize("kind", KEPT)
def test_kinds_of_images_that_are_found(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    path = write(tmp_path / "s.h5", KEPT[kind], **options)
    assert File(path).group().place(b"a") == by_h5py(path)["a"]


@pytest.mark.parametrize("options", [WAYS[0], WAYS[4]], ids=str)
@pytest.mark.parametrize("kind", LEFT)
def test_kinds_that_are_left_to_hdf5(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    path = write(tmp_path / "s.h5", LEFT[kind], **options)
    with pytest.raises(UnrecognisedError):
        File(path).group().place(b"a")


def linked(file: Any) -> None:
    file.create_group("pictures")["a"] = BYTES
    file["images"] = h5py.SoftLink("/pictures")


@pytest.mark.parametrize(
    "put",
    [lambda file: file.create_group("pictures"), lambda file: file.create_dataset("images", data=BYTES), linked],
    ids=["absent", "data set", "link"],
)
def test_files_whose_group_is_left_to_hdf5(tmp_path: Path, put: Callable[[Any], object]) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        put(file)
    with pytest.raises(UnrecognisedError):
        File(tmp_path / "s.h5").group()


@pytest.mark.parametrize("name", [b"", b".", b"/", b"a/b", b"a\0", b"x" * 2000, b"images"])
def test_what_is_no_name_of_an_image(tmp_path: Path, name: bytes) -> None:
    path = write(tmp_path / "s.h5", partial(put_many, 3))
    with pytest.raises(UnrecognisedError):
        File(path).group().place(name)


def test_a_file_being_written_or_cut_short_is_left_to_hdf5(tmp_path: Path) -> None:
    file = File(write(tmp_path / "s.h5", partial(put_many, 30)))
    whole = file.data
    for size in (0, 7, 8, 90, 3000, len(whole) - 1):
        file.data = whole[:size]
        with pytest.raises(UnrecognisedError):
            file.group()
    with pytest.raises(UnrecognisedError):  # shorter than it was when it was looked at
        Group(lambda offset, size: whole[offset : offset + size][:-1], len(whole), b"images")


def test_an_image_takes_few_reads(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    large = np.zeros(20_000, np.uint8)
    write(path, lambda group: [group.create_dataset(f"{number:04}", data=large) for number in range(400)])
    file = File(path)
    group = file.group()
    assert group.place(b"0123") == by_h5py(path)["0123"]
    assert len(file.reads) <= 5
    assert sum(size for _, size in file.reads) < 80_000
    assert group.nbytes < 300_000
    file.reads.clear()
    group.place(b"0124")
    assert len(file.reads) <= 3


def test_the_checksum_is_the_one_of_its_author() -> None:
    """The values that lookup3.c gives in its own test driver, driver5."""
    assert lookup3(b"") == 0xDEADBEEF
    assert lookup3(b"Four score and seven years ago") == 0x17770551


# Damaged files


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = ReaderPool(1)
    yield made
    made.close()


def small(group: Any) -> None:
    for number in range(4):
        group.create_dataset(f"{number}", data=BYTES[: 20 + number])
    for number in range(4, 6):
        group.create_dataset(f"{number}", data=np.void(bytes(BYTES[: 20 + number])))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


_numbers = itertools.count()


@functools.cache
def whole(folder: Path, put: Callable[[Any], object], **options: Any) -> Path:
    return write(folder / f"whole {next(_numbers)}.h5", put, **options)


def damaged(folder: Path, content: bytes) -> Path:
    path = folder / f"damaged {next(_numbers)}.h5"
    path.write_bytes(content)
    return path


@given(data=st.data())
@pytest.mark.parametrize("options", [WAYS[0], WAYS[4]], ids=str)
def test_where_bytes_are_changed_no_other_place_is_given_than_hdf5_gives(
    folder: Path, pool: ReaderPool, options: dict[str, Any], data: st.DataObject
) -> None:
    content = bytearray(whole(folder, small, **options).read_bytes())
    used = [at for at, byte in enumerate(content) if byte]
    at = st.one_of(st.sampled_from(used), st.integers(0, len(content) - 1))
    for where, value in data.draw(st.lists(st.tuples(at, st.integers(0, 255)), min_size=1, max_size=4)):
        content[where] = value
    assert_hdf5_agrees(damaged(folder, content), data.draw(st.sampled_from(["0", "3", "5"])), pool)


def assert_hdf5_agrees(path: Path, key: str, pool: ReaderPool) -> None:
    """A place that is found in a damaged file is the one that HDF5 gives."""
    try:
        place = File(path).group().place(key.encode())
    except UnrecognisedError:
        return
    try:
        given_by_hdf5 = pool.places(str(path), regular_file(str(path)), [key], [str(path.parent)])
    except errors.ExplorerError:
        given_by_hdf5 = None
    assert given_by_hdf5 == [place]


@functools.cache
def checked_pieces(path: Path, keys: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the beginnings and ends of the structures on the way to images that end with a checksum."""
    file = File(path)
    found: set[tuple[int, int]] = set()

    def noted(data: bytes) -> bytes:
        at = file.data.find(data)
        found.add((at, at + len(data)))
        return checked(data)

    with pytest.MonkeyPatch.context() as patch:
        for module in (fractal_heap, name_index, object_header, superblock):
            patch.setattr(module, "checked", noted)
        for key in keys:
            file.group().place(key.encode())
    return sorted(found)


FEW, SOME = partial(put_many, 4), partial(put_many, 40)


@given(data=st.data())
@pytest.mark.parametrize("put", [FEW, SOME], ids=["few", "some"])
def test_nor_where_the_checksum_is_made_to_fit(
    folder: Path, pool: ReaderPool, put: Callable[[Any], object], data: st.DataObject
) -> None:
    path = whole(folder, put, libver="latest")
    keys = tuple(sorted(by_h5py(path))[:3])
    content = bytearray(path.read_bytes())
    for begin, end in data.draw(st.lists(st.sampled_from(checked_pieces(path, keys)), min_size=1, max_size=2)):
        content[data.draw(st.integers(begin, end - 5))] = data.draw(st.integers(0, 255))
        content[end - 4 : end] = lookup3(bytes(content[begin : end - 4])).to_bytes(4, "little")
    assert_hdf5_agrees(damaged(folder, content), data.draw(st.sampled_from(keys)), pool)


def test_nodes_that_lead_back_to_themselves_end(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", partial(put_many, 3000))
    file = File(path)
    content = bytearray(file.data)
    at = content.find(b"TREE\0\1")
    while at >= 0:  # every child of an inner node is the node itself
        for child in range(at + 32, at + 544, 16):
            content[child : child + 8] = at.to_bytes(8, "little")
        at = content.find(b"TREE\0\1", at + 1)
    file.data = bytes(content)
    with pytest.raises(UnrecognisedError):
        file.group().place(b"0 image")
    assert len(file.reads) < 20


def test_files_that_break_readers_do_not_break_this_one(shared: Path) -> None:
    paths = [path for path in (shared / "corpora" / "hdf5").iterdir() if path.is_file()]
    assert paths
    for path in paths:
        file = File(path)
        for name in (b"images", b"group", b"a", b"data"):
            with contextlib.suppress(UnrecognisedError):
                offset, size = file.group(name).place(b"a")
                assert 0 <= offset <= len(file.data) - size
        assert len(file.reads) < 100
