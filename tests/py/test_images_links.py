"""What a shard refers to: read where it stays beside the shard, never opened where it does not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

from h5explorer_py import errors
from h5explorer_py.images import readers
from tests.fixtures.datasets import write_images
from tests.fixtures.pictures import encoded
from tests.py.support import dataset_of, image_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PICTURE = encoded(3)
PIXELS = np.frombuffer(PICTURE, np.uint8)
SIZE = len(PICTURE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shard's folder, with things beside it and below it that it may refer to."""
    folder = tmp_path / "data"
    (folder / "below").mkdir(parents=True)
    (folder / "beside.bin").write_bytes(PICTURE)
    for place in (folder, folder / "below"):
        write_images(place / "other.h5", {"x": PICTURE})
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder with pipes in place of files: whoever opens one of them waits until the test is over."""
    folder = tmp_path / "data_outside"
    folder.mkdir()
    for name in ("trap.h5", "trap.bin"):
        os.mkfifo(folder / name)
    yield folder
    for name in ("trap.h5", "trap.bin"):  # let go of whoever fell for it
        with open(os.open(folder / name, os.O_RDWR | os.O_NONBLOCK), "wb"):
            pass


def shard(folder: Path, put: Callable[[h5py.File, h5py.Group], object]) -> Path:
    with h5py.File(folder / "s_images.h5", "w") as file:
        put(file, file.create_group("images"))
    return folder / "s_images.h5"


def virtual(group: h5py.Group, name: str, file: str, path: str, size: int = SIZE) -> None:
    whole = h5py.VirtualLayout((size,), np.uint8)
    whole[:] = h5py.VirtualSource(file, path, (size,), np.uint8)
    group.create_virtual_dataset(name, whole)


def stored(group: h5py.Group, name: str, *files: str) -> None:
    part = -(-SIZE // len(files))
    sizes = [min(part, SIZE - at * part) for at in range(len(files))]
    external = [(file, 0, size) for file, size in zip(files, sizes, strict=True)]
    group.create_dataset(name, (SIZE,), np.uint8, external=external)


def is_refused(path: Path, kind: type[errors.ExplorerError] = errors.OutsideDataError, limit: float = 8) -> str:
    """Refused, and within less time than a reader that hangs would be given."""
    with pytest.raises(errors.ExplorerError) as caught:
        within(limit, lambda: image_of(path))
    assert type(caught.value) is kind
    return str(caught.value)


# Inside the file


def put_soft_chain(file: h5py.File, group: h5py.Group) -> None:
    group["last"] = PIXELS
    group["second"] = h5py.SoftLink("/elsewhere/../images/last".replace("/elsewhere/..", "/."))
    group["a"] = h5py.SoftLink("second")


@pytest.mark.parametrize(
    "put",
    [
        put_soft_chain,
        lambda file, group: group.__setitem__("a", group.create_dataset("same", data=PIXELS)),
        lambda file, group: (file.__setitem__("x/y", PIXELS), group.__setitem__("a", h5py.SoftLink("/x/y"))),
        lambda file, group: (file.__setitem__("x", PIXELS), virtual(group, "a", ".", "x")),
        lambda file, group: (file.__setitem__("x", PIXELS), virtual(group, "a", "s_images.h5", "x")),
    ],
    ids=["chain", "hard", "soft", "virtual", "virtual by name"],
)
def test_links_within_the_file_are_followed(folder: Path, put: Callable[..., object]) -> None:
    assert image_of(shard(folder, put)) == PICTURE


@pytest.mark.parametrize("length", [1, 2, 40])
def test_links_that_go_round_in_circles(folder: Path, length: int) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        names = ["a", *(f"link {number}" for number in range(1, length))]
        for name, target in zip(names, [*names[1:], "a"], strict=True):
            group[name] = h5py.SoftLink(f"/images/{target}")

    assert "circles" in is_refused(shard(folder, put), errors.ShardUnreadableError)


@pytest.mark.parametrize("target", ["/absent", "/images/absent", "/x/y/z", "/", "/images"])
def test_links_that_lead_to_no_data_set(folder: Path, target: str) -> None:
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.SoftLink(target)))
    kind = errors.NotAnImageError if target in {"/", "/images"} else errors.ImageNotFoundError
    is_refused(path, kind)


def test_the_group_itself_may_be_a_link(folder: Path) -> None:
    with h5py.File(folder / "s_images.h5", "w") as file:
        file["group/a"] = PIXELS
        file["images"] = h5py.SoftLink("/group")
    assert image_of(folder / "s_images.h5") == PICTURE


# Beside the shard


@pytest.mark.parametrize(
    "name", ["other.h5", "./other.h5", "below/other.h5", "below/../other.h5", "absolute", "link.h5"]
)
def test_external_links_beside_the_shard_are_followed(folder: Path, name: str) -> None:
    (folder / "link.h5").symlink_to(folder / "below" / "other.h5")
    target = str(folder / "other.h5") if name == "absolute" else name
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink(target, "/images/x")))
    assert image_of(path) == PICTURE


def test_an_external_link_to_the_file_itself(folder: Path) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        group["x"] = PIXELS
        group["a"] = h5py.ExternalLink("s_images.h5", "/images/x")

    path = shard(folder, put)
    for _ in range(3):
        assert image_of(path) == PICTURE
        assert image_of(path, "x") == PICTURE


def test_the_group_may_be_in_a_file_beside_the_shard(folder: Path) -> None:
    with h5py.File(folder / "s_images.h5", "w") as file:
        file["images"] = h5py.ExternalLink("below/other.h5", "/images")
    assert image_of(folder / "s_images.h5", "x") == PICTURE


def test_a_link_in_a_linked_file_starts_from_the_folder_of_that_file(folder: Path) -> None:
    with h5py.File(folder / "below" / "middle.h5", "w") as file:
        file["next"] = h5py.ExternalLink("other.h5", "/images/x")
    (folder / "other.h5").unlink()
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink("below/middle.h5", "/next")))
    assert image_of(path) == PICTURE


@pytest.mark.parametrize("files", [["beside.bin"], ["below/../beside.bin"], ["first.bin", "last.bin"]])
def test_external_storage_beside_the_shard_is_read(
    folder: Path, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = -(-SIZE // 2)
    (folder / "first.bin").write_bytes(PICTURE[:half])
    (folder / "last.bin").write_bytes(PICTURE[half:])
    path = shard(folder, lambda file, group: stored(group, "a", *files))
    monkeypatch.chdir(tmp_path)
    readers.reader_pool().close()  # a new one works in the new folder
    assert image_of(path) == PICTURE


@pytest.mark.parametrize("filters", [{}, {"chunks": True, "compression": "gzip"}])
def test_virtual_data_sets_beside_the_shard_are_read(folder: Path, filters: dict[str, Any]) -> None:
    with h5py.File(folder / "below" / "source.h5", "w") as file:
        file.create_dataset("x", data=PIXELS, **filters)
    assert image_of(shard(folder, lambda file, group: virtual(group, "a", "below/source.h5", "x"))) == PICTURE


def test_the_sources_of_a_virtual_data_set_may_be_compressed_by_any_filter(folder: Path) -> None:
    import hdf5plugin

    with h5py.File(folder / "source.h5", "w") as file:
        file.create_dataset("x", data=PIXELS, chunks=True, **hdf5plugin.Zstd())
    readers.reader_pool().close()
    assert image_of(shard(folder, lambda file, group: virtual(group, "a", "source.h5", "x"))) == PICTURE


def test_what_a_linked_file_held_before_is_not_shown_again(folder: Path) -> None:
    """Neither the link nor the shard changes when the file changes that the link leads to."""
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink("other.h5", "/images/x")))
    dataset = dataset_of(path)
    for number in (10, 11, 12):
        (folder / "other.h5").write_bytes(b"")
        with open(folder / "other.h5", "r+b") as in_place:
            write_images(folder / "new.h5", {"padding": encoded(number + 50), "x": encoded(number)})
            in_place.write((folder / "new.h5").read_bytes())
        assert dataset.image(dataset.entry(0)).data == encoded(number)
        assert image_of(folder / "other.h5", "x") == encoded(number)
    dataset.close()


# Outside


@pytest.mark.parametrize(
    "name", ["{outside}/trap.h5", "../data_outside/trap.h5", "below/../../data_outside/trap.h5", "link.h5"]
)
def test_external_links_that_lead_out_are_refused_and_not_opened(folder: Path, outside: Path, name: str) -> None:
    (folder / "link.h5").symlink_to(outside / "trap.h5")
    target = name.format(outside=outside)
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink(target, "/images/x")))
    assert "outside the folder" in is_refused(path)


def test_a_group_that_leads_out(folder: Path, outside: Path) -> None:
    with h5py.File(folder / "s_images.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(outside / "trap.h5"), "/images")
    is_refused(folder / "s_images.h5")


@pytest.mark.parametrize(
    "name", ["{outside}/trap.bin", "../data_outside/trap.bin", "link.bin", "below/../../data_outside/trap.bin"]
)
@pytest.mark.parametrize("first", [[], ["beside.bin"]], ids=["alone", "second"])
def test_external_storage_that_leads_out(folder: Path, outside: Path, name: str, first: list[str]) -> None:
    (folder / "link.bin").symlink_to(outside / "trap.bin")
    files = [*first, name.format(outside=outside)]
    is_refused(shard(folder, lambda file, group: stored(group, "a", *files)))


@pytest.mark.parametrize("name", ["{outside}/trap.h5", "../data_outside/trap.h5", "link.h5"])
def test_virtual_sources_that_lead_out(folder: Path, outside: Path, name: str) -> None:
    (folder / "link.h5").symlink_to(outside / "trap.h5")
    is_refused(shard(folder, lambda file, group: virtual(group, "a", name.format(outside=outside), "x")))


def test_a_virtual_source_stored_outside(folder: Path, outside: Path) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        stored(file, "hidden", str(outside / "trap.bin"))
        virtual(group, "a", ".", "hidden")

    is_refused(shard(folder, put))


def test_a_virtual_source_in_a_file_beside_that_is_stored_outside(folder: Path, outside: Path) -> None:
    with h5py.File(folder / "source.h5", "w") as file:
        stored(file, "hidden", str(outside / "trap.bin"))
    is_refused(shard(folder, lambda file, group: virtual(group, "a", "source.h5", "hidden")))


@pytest.mark.parametrize("through", ["soft", "group"])
def test_a_virtual_source_behind_a_link_that_leads_out(folder: Path, outside: Path, through: str) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        file["out"] = h5py.ExternalLink(str(outside / "trap.h5"), "/" if through == "group" else "/x")
        file["soft"] = h5py.SoftLink("/out")
        virtual(group, "a", ".", "soft" if through == "soft" else "out/x")

    is_refused(shard(folder, put))


def test_virtual_sources_that_are_virtual_in_turn(folder: Path, outside: Path) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        virtual(file, "middle", str(outside / "trap.h5"), "x")
        virtual(group, "a", ".", "middle")

    is_refused(shard(folder, put))


def test_virtual_data_sets_that_are_made_of_each_other(folder: Path) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        virtual(group, "b", ".", "/images/a")
        virtual(group, "a", ".", "/images/b")

    is_refused(shard(folder, put), errors.ShardUnreadableError)


def test_a_virtual_source_is_not_looked_for_in_the_working_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "working").mkdir()
    write_images(tmp_path / "working" / "source.h5", {"x": PICTURE})
    monkeypatch.chdir(tmp_path / "working")
    readers.reader_pool().close()
    path = shard(folder, lambda file, group: virtual(group, "a", "source.h5", "/images/x"))
    assert "no such file" in is_refused(path, errors.ShardUnreadableError)


@pytest.mark.parametrize("variable", ["HDF5_VDS_PREFIX", "HDF5_EXTFILE_PREFIX", "HDF5_EXT_PREFIX"])
def test_prefixes_of_the_environment_lead_nowhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_images(elsewhere / "other.h5", {"x": encoded(99)})
    (elsewhere / "beside.bin").write_bytes(bytes(SIZE))
    puts = {
        "HDF5_VDS_PREFIX": lambda file, group: virtual(group, "a", "other.h5", "/images/x"),
        "HDF5_EXTFILE_PREFIX": lambda file, group: stored(group, "a", "beside.bin"),
        "HDF5_EXT_PREFIX": lambda file, group: group.__setitem__("a", h5py.ExternalLink("other.h5", "/images/x")),
    }
    path = shard(folder, puts[variable])
    monkeypatch.setenv(variable, str(elsewhere))
    readers.reader_pool().close()
    assert image_of(path) == PICTURE
    monkeypatch.undo()
    readers.reader_pool().close()


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
@pytest.mark.parametrize("there", ["absent", "pipe", "folder"])
def test_things_beside_the_shard_that_are_no_files(folder: Path, kind: str, there: str) -> None:
    if there == "pipe":
        os.mkfifo(folder / "thing")
    elif there == "folder":
        (folder / "thing").mkdir()
    puts = {
        "link": lambda file, group: group.__setitem__("a", h5py.ExternalLink("thing", "/x")),
        "storage": lambda file, group: stored(group, "a", "thing"),
        "virtual": lambda file, group: virtual(group, "a", "thing", "x"),
    }
    message = is_refused(shard(folder, puts[kind]), errors.ShardUnreadableError)
    assert "it refers to thing" in message
    assert "errno" not in message


def put_pattern(group: h5py.Group, name: str, path: str) -> None:
    """A virtual data set that grows with the sources there are: HDF5 opens them to tell its shape."""
    made = h5p.create(h5p.DATASET_CREATE)
    space = h5s.create_simple((SIZE,), (h5s.UNLIMITED,))
    space.select_hyperslab((0,), (h5s.UNLIMITED,), (SIZE,), (SIZE,))
    made.set_virtual(space, name.encode(), path.encode(), h5s.create_simple((SIZE,)))
    h5d.create(group.id, b"a", h5t.NATIVE_UINT8, h5s.create_simple((SIZE,), (h5s.UNLIMITED,)), made)


@pytest.mark.parametrize(("name", "path"), [("part-%b.h5", "x"), (".", "x%b")])
def test_a_pattern_of_virtual_sources_is_refused(folder: Path, name: str, path: str) -> None:
    refused = shard(folder, lambda file, group: put_pattern(group, name, path))
    assert "pattern" in is_refused(refused, errors.ShardUnreadableError)


def test_the_sources_of_a_growing_virtual_data_set_are_not_opened_for_its_shape(folder: Path, outside: Path) -> None:
    (folder / "part-0.h5").symlink_to(outside / "trap.h5")
    refused = shard(folder, lambda file, group: put_pattern(group, "part-%b.h5", "x"))
    is_refused(refused, errors.ShardUnreadableError)


def test_a_shard_that_is_a_symbolic_link_refers_from_where_it_really_is(folder: Path, tmp_path: Path) -> None:
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink("other.h5", "/images/x")))
    lookups = tmp_path / "lookups"
    lookups.mkdir()
    write_images(lookups / "other.h5", {"x": encoded(99)})
    (lookups / "s_images.h5").symlink_to(path)
    assert image_of(lookups / "s_images.h5") == PICTURE


def test_a_virtual_source_beside_the_symbolic_link_is_not_taken(folder: Path, tmp_path: Path, outside: Path) -> None:
    path = shard(folder, lambda file, group: virtual(group, "a", "other.h5", "/images/x"))
    lookups = tmp_path / "lookups"
    lookups.mkdir()
    (lookups / "other.h5").symlink_to(outside / "trap.h5")
    (lookups / "s_images.h5").symlink_to(path)
    assert image_of(lookups / "s_images.h5") == PICTURE


def test_a_folder_whose_name_only_begins_alike_is_outside(folder: Path, outside: Path) -> None:
    assert str(outside).startswith(str(folder))
    path = shard(folder, lambda file, group: group.__setitem__("a", h5py.ExternalLink(f"{outside}/trap.h5", "/x")))
    is_refused(path)


def test_a_refusal_leaves_other_images_of_the_shard_readable(folder: Path, outside: Path) -> None:
    def put(file: h5py.File, group: h5py.Group) -> None:
        stored(group, "a", str(outside / "trap.bin"))
        group["good"] = PIXELS

    path = shard(folder, put)
    is_refused(path)
    assert image_of(path, "good") == PICTURE
