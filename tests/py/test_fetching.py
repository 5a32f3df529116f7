"""Images of several rows, many at a time where the file system is slow: the same as one after another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors, fetching, jobs
from h5explorer_py.dataset import Dataset
from h5explorer_py.fetching import Fetching
from h5explorer_py.images import opened
from h5explorer_py.images.store import ImageStore
from tests.fixtures.datasets import write_images, write_images_for_hdf5
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARDS = 6


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """Two images of each shard, one row whose shard is missing, and one that only HDF5 finds."""
    rows = []
    for shard in range(SHARDS):
        numbers = [shard, shard + SHARDS]
        write_images(tmp_path / f"s{shard}_images.h5", {f"k{number}": encoded(number) for number in numbers})
        rows += [(f"k{number}", f"s{shard}") for number in numbers]
    write_images_for_hdf5(tmp_path / "t_images.h5", {"k90": encoded(90)})
    rows += [("k99", "absent"), ("k90", "t")]
    table = pa.table({"uuid": [key for key, _ in rows], "filepath": [path for _, path in rows]})
    pq.write_table(table, tmp_path / "lookup.parquet")
    made = Dataset(str(tmp_path / "lookup.parquet"), COLUMNS)
    yield made
    made.close()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "SLOW_SECONDS", 0.0)


def job() -> jobs.Job:
    return jobs.Job(lambda _: None, lambda *_: None, 60)


def entries(dataset: Dataset) -> list[Any]:
    return [dataset.entry(row) for row in range(dataset.num_rows)]


def outcomes(dataset: Dataset) -> list[Any]:
    rows = entries(dataset)
    several = Fetching(dataset, rows, job())
    found: list[Any] = []
    for row in rows:
        try:
            state, image = several.get(row)
        except errors.ExplorerError as error:
            found.append(type(error))
        else:
            assert state == dataset.image_state(row)
            found.append(image.data)
    return found


def expected() -> list[Any]:
    good = [encoded(number) for shard in range(SHARDS) for number in (shard, shard + SHARDS)]
    return [*good, errors.ShardNotFoundError, encoded(90)]


class Threads:
    """The threads that images are read in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        read = opened.OpenedShard.read

        def reading(shard: Any, offset: int, size: int) -> bytes:
            self.names.add(threading.current_thread().name)
            return read(shard, offset, size)

        monkeypatch.setattr(opened.OpenedShard, "read", reading)


def test_on_a_fast_file_system_one_thread_reads_all(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "SLOW_SECONDS", 10.0)
    threads = Threads(monkeypatch)
    assert outcomes(dataset) == expected()
    assert threads.names == {threading.current_thread().name}
    assert not dataset.is_slow


@pytest.mark.usefixtures("slow")
def test_on_a_slow_one_many_threads_read_the_same(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)
    for _ in range(2):  # cold, and with the places known
        assert outcomes(dataset) == expected()
    assert dataset.is_slow
    assert any("fetching" in name for name in threads.names)


@pytest.mark.usefixtures("slow")
def test_large_images_are_read_in_their_turn(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 10)
    threads = Threads(monkeypatch)
    assert outcomes(dataset) == expected()
    assert threads.names == {threading.current_thread().name}


@pytest.mark.usefixtures("slow")
def test_who_withdraws_waits_for_none(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = entries(dataset)
    withdrawn = job()
    several = Fetching(dataset, rows, withdrawn)
    several.get(rows[0])
    begun, go_on = threading.Event(), threading.Event()
    read_small = ImageStore.read_small
    calls: list[str] = []

    def blocked(store: ImageStore, path: str, key: str, most: int) -> bytes | None:
        calls.append(key)
        begun.set()
        go_on.wait(20)
        return read_small(store, path, key, most)

    monkeypatch.setattr(ImageStore, "read_small", blocked)
    monkeypatch.setattr(jobs, "fetching", jobs.Pool("test-fetching", 2))
    timer = threading.Timer(0.3, withdrawn.cancel)
    timer.start()
    with pytest.raises(errors.CancelledError):
        several.get(rows[1])
    assert begun.is_set()
    assert all(each.ended for each in several._begun.values())
    go_on.set()
    wait_for(lambda: not jobs.fetching._begun)
    assert len(calls) == 2  # those that wait in the queue are not begun
