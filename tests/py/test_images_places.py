"""Places that are remembered: one read for an image that was seen before, and never the bytes of an old place."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from h5explorer_py import errors
from h5explorer_py.images import store as stores
from h5explorer_py.images.gathering import MOST_GATHERED
from h5explorer_py.images.opened import OpenedShard
from h5explorer_py.images.readers import Found, ReaderPool, reader_pool
from h5explorer_py.images.store import ImageStore
from tests.fixtures.datasets import write_images
from tests.fixtures.pictures import encoded
from tests.py.support import dataset_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_images(tmp_path / "s_images.h5", {"a": encoded(1), "b": encoded(2)})
    return tmp_path / "s_images.h5"


@pytest.fixture
def store() -> Iterator[ImageStore]:
    made = ImageStore(reader_pool())
    yield made
    made.clear()


class Counted:
    """A function that counts how often it is called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.function(*arguments)


@pytest.fixture
def preads(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(os.pread)
    monkeypatch.setattr(os, "pread", counted)
    return counted


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(reader_pool().find)
    monkeypatch.setattr(reader_pool(), "find", counted)
    return counted


@pytest.fixture
def left_to_hdf5(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image is found without a reader."""
    monkeypatch.setattr(OpenedShard, "look_for", lambda *_: None)


def read(store: ImageStore, shard: Path, key: str = "a") -> bytes:
    return store.read(str(shard), key, (str(shard.parent),))


def other_content(number: int = 7) -> dict[str, bytes]:
    """The same keys at other places, with other bytes."""
    return {"padding": encoded(number), "more": b"x" * 700, "b": encoded(number + 1), "a": encoded(number + 2)}


def test_an_image_of_the_usual_kind_takes_few_reads_and_no_question(
    store: ImageStore, shard: Path, preads: Counted, finds: Counted
) -> None:
    assert read(store, shard) == encoded(1)
    assert (preads.calls, finds.calls) == (2, 0)  # the whole structure of a small file comes with its first bytes
    for _ in range(3):
        preads.calls = 0
        assert read(store, shard) == encoded(1)
        assert (preads.calls, finds.calls) == (1, 0)


@pytest.mark.usefixtures("left_to_hdf5")
def test_the_same_image_again_is_one_read_and_no_question(
    store: ImageStore, shard: Path, preads: Counted, finds: Counted
) -> None:
    assert read(store, shard) == encoded(1)
    assert (preads.calls, finds.calls) == (1, 1)
    for _ in range(3):
        preads.calls = 0
        assert read(store, shard) == encoded(1)
        assert (preads.calls, finds.calls) == (1, 1)


def test_the_widget_takes_the_same_road(shard: Path, preads: Counted, finds: Counted) -> None:
    dataset = dataset_of(shard)
    dataset.image(dataset.entry(0))
    preads.calls = finds.calls = 0
    assert dataset.image(dataset.entry(0)).data == encoded(1)
    assert (preads.calls, finds.calls) == (1, 0)
    dataset.close()


def gathering_store(pool: ReaderPool, path: Path, key: str) -> ImageStore:
    """A store that has had a moment with a shard since two of its images were read."""
    store = ImageStore(pool)
    for _ in range(12):
        if str(path) in store._shards:
            store._shards[str(path)].places.pop(key)  # so that it is asked for again
        read(store, path, key)
        time.sleep(0.005)
    return store


@pytest.mark.usefixtures("left_to_hdf5")
def test_the_other_images_of_a_small_shard_are_found_ahead(tmp_path: Path, finds: Counted) -> None:
    images = {f"key {number}": encoded(number) for number in range(200)}
    write_images(tmp_path / "s_images.h5", images)
    pool = ReaderPool(1)
    store = gathering_store(pool, tmp_path / "s_images.h5", "key 3")
    places = store._shards[str(tmp_path / "s_images.h5")].places
    with h5py.File(tmp_path / "s_images.h5") as file:
        for key, (offset, size) in places.items():
            assert offset == file["images"][key].id.get_offset()
            assert size == len(images[key])
    asked = finds.calls
    known = [key for key in images if key in places]
    assert len(known) > 20
    for key in known:
        assert read(store, tmp_path / "s_images.h5", key) == images[key]
    assert finds.calls == asked
    pool.close()


@pytest.mark.usefixtures("left_to_hdf5")
def test_what_is_found_ahead_are_images_of_the_shard_itself_in_one_piece(tmp_path: Path) -> None:
    write_images(tmp_path / "other.h5", {"a": encoded(1)})
    path = tmp_path / "s_images.h5"
    write_images(path, {"a": encoded(1), "b": encoded(2)})
    with h5py.File(path, "r+") as file:
        group = file["images"]
        group["linked"] = h5py.ExternalLink("other.h5", "/images/a")
        group["soft"] = h5py.SoftLink("/images/a")
        group["chunked"] = h5py.Empty("u1")
        group.create_dataset("pieces", data=np.arange(100, dtype=np.uint8), chunks=(10,))
        group.create_dataset("array", data=np.zeros((4, 4), np.uint8))
        group.create_dataset("text", data="variable")
        group.create_group("below")
        outside = [("../outside.bin", 0, 100)]
        group.create_dataset("outside", shape=(100,), dtype=np.uint8, external=outside)
    pool = ReaderPool(1)
    store = gathering_store(pool, path, "a")
    assert set(store._shards[str(path)].places) == {"a", "b"}
    pool.close()


@pytest.mark.usefixtures("left_to_hdf5")
def test_of_a_shard_that_is_not_small_nothing_is_found_ahead(tmp_path: Path) -> None:
    path = tmp_path / "s_images.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("images")
        for number in range(MOST_GATHERED + 1):
            group.create_dataset(f"{number}", data=np.zeros(1, np.uint8))
    pool = ReaderPool(1)
    store = gathering_store(pool, path, "7")
    assert set(store._shards[str(path)].places) == {"7"}
    pool.close()


@pytest.mark.usefixtures("left_to_hdf5")
def test_a_reader_that_is_asked_nothing_goes_to_sleep(shard: Path) -> None:
    pool = ReaderPool(1)
    gathering_store(pool, shard, "a")
    time.sleep(0.1)
    status = Path(f"/proc/{pool._free[0].pid}/stat").read_text()
    before = status.split()[13]
    time.sleep(0.3)
    status = Path(f"/proc/{pool._free[0].pid}/stat").read_text()
    assert status.rpartition(")")[2].split()[0] == "S"
    assert status.split()[13] == before
    pool.close()


def by_rename(shard: Path) -> None:
    write_images(shard.with_name("new.h5"), other_content())
    shard.with_name("new.h5").rename(shard)


def in_place(shard: Path) -> None:
    write_images(shard.with_name("new.h5"), other_content())
    with open(shard, "r+b") as file:
        file.write(shard.with_name("new.h5").read_bytes())
        file.truncate()


def in_place_and_as_long(shard: Path) -> None:
    """Other bytes at the old place, the size the same."""
    now = shard.stat().st_mtime_ns
    content = bytearray(shard.read_bytes())
    write_images(shard.with_name("new.h5"), {"a": encoded(9), "b": encoded(8)})
    new = shard.with_name("new.h5").read_bytes()
    content[: len(new)] = new
    with open(shard, "r+b") as file:
        file.write(content[: shard.stat().st_size])
    os.utime(shard, ns=(now + 10_000_000, now + 10_000_000))


@pytest.mark.parametrize("change", [by_rename, in_place, in_place_and_as_long])
def test_after_a_change_the_new_bytes_come(store: ImageStore, shard: Path, change: Callable[[Path], None]) -> None:
    assert read(store, shard) == encoded(1)
    assert read(store, shard, "b") == encoded(2)
    before = store.state(str(shard))
    change(shard)
    assert store.state(str(shard)) != before
    assert read(store, shard) == encoded(9)
    assert read(store, shard, "b") == encoded(8)


def test_a_shard_cut_short_is_an_error_and_whole_again_is_read(store: ImageStore, shard: Path) -> None:
    read(store, shard)
    whole = shard.read_bytes()
    os.truncate(shard, len(whole) // 2)
    with pytest.raises(errors.ShardUnreadableError, match="truncated"):
        read(store, shard)
    shard.write_bytes(whole)
    assert read(store, shard) == encoded(1)


def test_a_shard_that_goes_is_missed_and_read_when_it_comes_back(store: ImageStore, shard: Path) -> None:
    read(store, shard)
    shard.rename(shard.with_name("away.h5"))
    with pytest.raises(errors.ShardNotFoundError) as caught:
        read(store, shard)
    assert isinstance(caught.value, FileNotFoundError)
    shard.with_name("away.h5").rename(shard)
    assert read(store, shard) == encoded(1)


def test_a_key_that_the_new_shard_lacks(store: ImageStore, shard: Path) -> None:
    read(store, shard)
    write_images(shard, {"b": encoded(2), "c": encoded(3)})
    with pytest.raises(errors.ImageNotFoundError):
        read(store, shard)


def finder(monkeypatch: pytest.MonkeyPatch, way: str) -> tuple[Any, str]:
    """What finds an image, with a reader or without: an object, and the name of its method."""
    if way == "here":
        return OpenedShard, "look_for"
    monkeypatch.setattr(OpenedShard, "look_for", lambda *_: None)
    return reader_pool(), "find"


@pytest.mark.parametrize("way", ["here", "reader"])
@pytest.mark.parametrize("change", [by_rename, in_place])
def test_a_change_between_finding_and_reading(
    store: ImageStore, shard: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], way: str
) -> None:
    owner, name = finder(monkeypatch, way)
    find = getattr(owner, name)
    changes = [change]

    def find_and_change(*arguments: Any) -> Any:
        found = find(*arguments)
        if changes:
            changes.pop()(shard)
        return found

    monkeypatch.setattr(owner, name, find_and_change)
    assert read(store, shard) == encoded(9)
    assert changes == []


@pytest.mark.parametrize("way", ["here", "reader"])
@pytest.mark.parametrize("change", [by_rename, in_place])
def test_a_change_between_looking_and_finding(
    store: ImageStore, shard: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], way: str
) -> None:
    owner, name = finder(monkeypatch, way)
    find = getattr(owner, name)
    changes = [change]

    def change_and_find(*arguments: Any) -> Any:
        if changes:
            changes.pop()(shard)
        return find(*arguments)

    monkeypatch.setattr(owner, name, change_and_find)
    assert read(store, shard) == encoded(9)
    assert changes == []


def test_a_change_while_the_bytes_are_read(store: ImageStore, shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(store, shard)
    pread = os.pread
    changes = [in_place]

    def change_and_read(*arguments: Any) -> bytes:
        if changes:
            changes.pop()(shard)
        return pread(*arguments)

    monkeypatch.setattr(os, "pread", change_and_read)
    assert read(store, shard) == encoded(9)


@pytest.mark.usefixtures("left_to_hdf5")
def test_a_shard_that_changes_all_the_time(store: ImageStore, shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = reader_pool().find

    def find_and_change(*arguments: Any) -> Found | None:
        found = find(*arguments)
        by_rename(shard)
        return found

    monkeypatch.setattr(reader_pool(), "find", find_and_change)
    with pytest.raises(errors.ShardUnreadableError, match="changes while it is read"):
        read(store, shard)


@pytest.mark.usefixtures("left_to_hdf5")
@pytest.mark.parametrize(("offset", "size"), [(1 << 40, 10), (0, 1 << 40), (-5, 10)])
def test_a_place_beyond_the_end_is_never_read(
    store: ImageStore, shard: Path, monkeypatch: pytest.MonkeyPatch, preads: Counted, offset: int, size: int
) -> None:
    monkeypatch.setattr(reader_pool(), "find", lambda *_: Found(offset, size, None))
    with pytest.raises(errors.ShardUnreadableError, match="beyond its end"):
        read(store, shard)
    assert preads.calls == 0


def test_as_many_files_are_held_as_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SHARDS_KEPT", 3)
    store = ImageStore(reader_pool())
    shards = [tmp_path / f"s{number}_images.h5" for number in range(8)]
    for number, shard in enumerate(shards):
        write_images(shard, {"a": encoded(number)})
    for _ in range(2):
        for number, shard in enumerate(shards):
            assert read(store, shard) == encoded(number)
    held = [target for target in map(os.path.realpath, Path("/proc/self/fd").iterdir()) if str(tmp_path) in target]
    assert len(held) == 3
    store.clear()
    held = [target for target in map(os.path.realpath, Path("/proc/self/fd").iterdir()) if str(tmp_path) in target]
    assert held == []


@pytest.mark.parametrize("kept", [1, 5])
def test_places_are_forgotten_before_they_take_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(stores, "PLACES_KEPT", kept)
    store = ImageStore(reader_pool())
    keys = [f"k{number}" for number in range(8)]
    for name in ("s0", "s1"):
        write_images(tmp_path / f"{name}_images.h5", {key: encoded(number) for number, key in enumerate(keys)})
    for _ in range(2):
        for name in ("s0", "s1"):
            for number, key in enumerate(keys):
                assert read(store, tmp_path / f"{name}_images.h5", key) == encoded(number)
                assert sum(len(shard.places) for shard in store._shards.values()) <= kept
    store.clear()


def test_many_threads_read_while_the_shard_is_replaced(store: ImageStore, shard: Path) -> None:
    """Whatever comes is the whole picture of one state or of the other."""
    good = {encoded(1), encoded(9)}
    got: set[bytes] = set()
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        while not stop.is_set():
            try:
                got.add(read(store, shard))
            except errors.ShardUnreadableError as error:
                if "changes while it is read" not in str(error):
                    failures.append(error)
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    first = shard.with_name("first.h5")
    first.write_bytes(shard.read_bytes())
    for _ in range(15):
        by_rename(shard)
        os.link(first, shard.with_name("link.h5"))
        shard.with_name("link.h5").rename(shard)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert got <= good
    assert got


def test_a_pool_of_one_reader_serves_them_all(shard: Path) -> None:
    pool = ReaderPool(1)
    store = ImageStore(pool)
    assert [read(store, shard, key) for key in "abab"] == [encoded(number) for number in (1, 2, 1, 2)]
    pool.close()
    store.clear()
