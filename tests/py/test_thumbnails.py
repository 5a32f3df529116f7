"""Thumbnails as the page asks for them: many rows at once, kept, withdrawn, never in a person's way."""

from __future__ import annotations

import contextlib
import io
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil

from h5explorer_py import jobs
from h5explorer_py import thumbnails as module
from h5explorer_py.dataset import Dataset
from h5explorer_py.images.thumbnail import Thumbnail, thumbnail
from h5explorer_py.protocol import Request
from h5explorer_py.thumbnails import ThumbnailCache
from tests.fixtures.datasets import GOOD_SHARDS, key
from tests.fixtures.pictures import pixels
from tests.fixtures.replaced import SIZES, write
from tests.py.support import ask, cancel, wait_for
from tests.py.test_handlers import NOT_SHOWN, Asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cache", ThumbnailCache())


@pytest.fixture
def asking_about() -> Iterator[Callable[[Path], Asking]]:
    with contextlib.ExitStack() as stack:

        def make(lookup: Path) -> Asking:
            made = Asking(lookup)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def asking(contract: Path, asking_about: Callable[[Path], Asking]) -> Asking:
    return asking_about(contract / "lookup.parquet")


class Counted:
    """Stands in for a function: counts its calls, and waits in each until it is let go on."""

    def __init__(self, work: Callable[..., Any], *, held: bool = False) -> None:
        self.calls: list[Any] = []
        self.go_on = threading.Event()
        self._work = work
        if not held:
            self.go_on.set()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return partial(self, instance)

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        assert self.go_on.wait(30)
        return self._work(*arguments)


def stored(contract: Path, number: int) -> bytes:
    with h5py.File(contract / f"{GOOD_SHARDS[number // 100]}_images.h5", "r") as file:
        return file["images"][key(number)][()].tobytes()


def test_each_row_gets_its_own_picture(asking: Asking, contract: Path) -> None:
    rows = [150, 3, 0, 299, 1, 2, 4, 3]
    result, buffers = asking("thumbnails", rows=rows, size=64, dataset=1)
    assert [facts["row"] for facts in result["thumbnails"]] == rows
    for facts, data, row in zip(result["thumbnails"], buffers, rows, strict=True):
        made = thumbnail(stored(contract, row), 64)
        assert facts == {"row": row, "mediaType": made.media_type, "width": 40, "height": 30}
        assert data == made.data
        with pil.open(io.BytesIO(data)) as opened:
            found = np.asarray(opened.convert("RGB"), dtype=float)
        assert abs(found - pixels(row)).mean() < 25  # GIF has 256 colours, JPEG blurs the block's edges
        assert all(
            abs(found - pixels(row)).mean() < abs(found - pixels(other)).mean() for other in rows if other != row
        )


def test_a_row_without_a_picture_says_why_and_the_others_come(asking: Asking, expected: dict[str, Any]) -> None:
    rows = [5, *expected["bad"].values(), 10**9, 6]
    result, buffers = asking("thumbnails", rows=rows, size=128)
    errors = {facts["row"]: facts["error"] for facts in result["thumbnails"] if "error" in facts}
    codes = {name: errors[row]["code"] for name, row in expected["bad"].items() if row in errors}
    assert codes == {name: code for name, code in NOT_SHOWN.items() if name != "tiff"}  # Pillow can, browsers cannot
    assert errors[10**9]["code"] == "row_out_of_range"
    assert all(error["message"].endswith(".") for error in errors.values())
    assert len(buffers) == len(rows) - len(errors)
    assert {5, 6} <= {facts["row"] for facts in result["thumbnails"] if "width" in facts}


def test_no_rows(asking: Asking) -> None:
    assert asking("thumbnails", rows=[], size=64) == ({"thumbnails": []}, [])


def test_of_another_lookup_there_are_none(asking: Asking, contract: Path) -> None:
    asking("open", path=str(contract / "lookup.parquet"))
    assert asking.refused("thumbnails", rows=[0], size=64, dataset=1)["code"] == "stale_dataset"


def test_scrolling_back_reads_and_decodes_nothing(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asking("thumbnails", rows=[0, 1, 2, 150], size=64)
    reads, decodes = Counted(Dataset.image), Counted(thumbnail)
    monkeypatch.setattr(Dataset, "image", reads)
    monkeypatch.setattr(module, "thumbnail", decodes)
    assert asking("thumbnails", rows=[0, 1, 2, 150], size=64) == first
    assert (reads.calls, decodes.calls) == ([], [])
    asking("thumbnails", rows=[0, 1], size=65)
    assert len(decodes.calls) == 2


def test_when_the_file_changes_the_new_picture_comes(tmp_path: Path, asking_about: Callable[[Path], Asking]) -> None:
    write(tmp_path, "first")
    asking = asking_about(tmp_path / "lookup.parquet")
    for turn, version in enumerate(("first", "second", "first")):
        if turn:
            write(tmp_path, version)
        result, buffers = asking("thumbnails", rows=list(range(8)), size=64)
        for number, (facts, data) in enumerate(zip(result["thumbnails"], buffers, strict=True)):
            assert (facts["width"], facts["height"]) == SIZES[version]
            with pil.open(io.BytesIO(data)) as opened:
                assert np.array_equal(np.asarray(opened), pixels(number, *SIZES[version]))


def test_what_is_made_of_a_file_that_changes_meanwhile_is_not_given_out_again(
    tmp_path: Path, asking_about: Callable[[Path], Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "first")
    asking = asking_about(tmp_path / "lookup.parquet")
    image = Dataset.image

    def changing(*arguments: Any) -> Any:
        found = image(*arguments)
        write(tmp_path, "second")
        return found

    monkeypatch.setattr(Dataset, "image", changing)
    asking("thumbnails", rows=[0], size=64)
    monkeypatch.undo()
    [facts] = asking("thumbnails", rows=[0], size=64)[0]["thumbnails"]
    assert (facts["width"], facts["height"]) == SIZES["second"]


def test_what_is_withdrawn_ends_between_two_pictures(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    decodes = Counted(thumbnail, held=True)
    monkeypatch.setattr(module, "thumbnail", decodes)
    asking.dispatcher.receive(ask(Request("t", "thumbnails", {"rows": list(range(64)), "size": 64})))
    wait_for(lambda: len(decodes.calls) == jobs.decoding._most)
    asking.dispatcher.receive(cancel(["t"]))
    assert asking.page.only("t")[0]["error"]["code"] == "cancelled"
    decodes.go_on.set()
    wait_for(lambda: not jobs.decoding._begun and not jobs.thumbnails._begun)
    assert len(decodes.calls) == jobs.decoding._most
    assert len(asking("thumbnails", rows=[7], size=64)[1]) == 1


def test_what_is_withdrawn_reads_no_other_picture(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Counted(Dataset.image, held=True)
    monkeypatch.setattr(Dataset, "image", reads)
    asking.dispatcher.receive(ask(Request("t", "thumbnails", {"rows": list(range(64)), "size": 64})))
    wait_for(lambda: reads.calls)
    asking.dispatcher.receive(cancel(["t"]))
    reads.go_on.set()
    wait_for(lambda: not jobs.thumbnails._begun)
    assert len(reads.calls) == 1


def test_a_picture_that_is_waited_for_goes_before_any_thumbnail(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked for, and whatever becomes of them."""
    decodes = Counted(thumbnail, held=True)
    monkeypatch.setattr(module, "thumbnail", decodes)
    many = [Request(f"t{at}", "thumbnails", {"rows": list(range(at, at + 20)), "size": 64}) for at in range(40)]
    asking.dispatcher.receive(ask(*many))
    try:
        assert asking("image", row=250)[0]["row"] == 250
        assert asking("metadata", row=250)[0]["row"] == 250
        assert asking("rows", start=0, stop=9)[0]["rows"] == 9
    finally:
        asking.dispatcher.close()
        decodes.go_on.set()


def test_one_image_is_read_at_a_time(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one of the two readers is left for what a person waits for."""
    image = Dataset.image
    inside = threading.Semaphore(1)

    def alone(*arguments: Any) -> Any:
        assert inside.acquire(blocking=False)
        try:
            return image(*arguments)
        finally:
            inside.release()

    monkeypatch.setattr(Dataset, "image", alone)
    asked = [
        Request(f"t{at}", "thumbnails", {"rows": list(range(at * 30, at * 30 + 30)), "size": 64}) for at in range(8)
    ]
    asking.dispatcher.receive(ask(*asked))
    for request in asked:
        facts = asking.page.only(request.request, 30)[0]["result"]["thumbnails"]
        assert [each.get("error") for each in facts] == [None] * 30


def test_a_read_that_does_not_come_back_holds_up_the_others_only_for_a_while(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READING_SECONDS", 0.3)
    image, go_on = Dataset.image, threading.Event()

    def stuck(dataset: Any, entry: Any, *arguments: Any) -> Any:
        assert entry.row != 0 or go_on.wait(30)
        return image(dataset, entry, *arguments)

    monkeypatch.setattr(Dataset, "image", stuck)
    try:
        asking.dispatcher.receive(ask(Request("stuck", "thumbnails", {"rows": [0], "size": 64})))
        wait_for(module._one_reads.locked)
        assert len(asking("thumbnails", rows=[1, 2], size=64)[1]) == 2
    finally:
        go_on.set()
    assert asking.page.only("stuck")[0]["kind"] == "reply"


def test_no_more_is_read_than_there_is_room_for(
    asking: Asking, contract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 3 * max(len(stored(contract, number)) for number in range(20))
    monkeypatch.setattr(module, "READ_AHEAD_BYTES", room)
    decodes = Counted(thumbnail, held=True)
    reads = Counted(Dataset.image)
    monkeypatch.setattr(module, "thumbnail", decodes)
    monkeypatch.setattr(Dataset, "image", reads)
    asking.dispatcher.receive(ask(Request("t", "thumbnails", {"rows": list(range(64)), "size": 64})))
    wait_for(lambda: len(decodes.calls) == jobs.decoding._most)
    with pytest.raises(AssertionError):
        wait_for(lambda: len(reads.calls) >= 60, 0.5)
    read = [len(stored(contract, number)) for number in range(len(reads.calls))]
    assert sum(read[:-1]) <= room
    decodes.go_on.set()
    assert len(asking.page.only("t", 30)[1]) == 64


def test_a_fault_concerns_its_row_alone(asking: Asking, contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = stored(contract, 2)

    def faulty(data: bytes, *arguments: Any) -> Thumbnail:
        if data == bad:
            raise ZeroDivisionError
        return thumbnail(data, *arguments)

    monkeypatch.setattr(module, "thumbnail", faulty)
    result, buffers = asking("thumbnails", rows=[1, 2, 3], size=64)
    assert [facts.get("error", {}).get("code") for facts in result["thumbnails"]] == [None, "internal", None]
    assert len(buffers) == 2


def small(size: int) -> Thumbnail:
    return Thumbnail(bytes(size), "image/jpeg", 1, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 900)), max_size=60))
def test_the_cache_stays_within_its_bytes_and_gives_what_was_put_last(steps: list[tuple[int, int]]) -> None:
    cache = ThumbnailCache(2000)
    put: dict[int, int] = {}
    for number, size in steps:
        cache.put(("state", str(number), 64), small(size))
        put[number] = size
        assert cache.nbytes <= 2000
        assert cache.get(("state", str(number), 64)) == small(size)
    held = {number: cache.get(("state", str(number), 64)) for number in put}
    assert all(made is None or made == small(put[number]) for number, made in held.items())
    assert sum(len(made.data) + module._PER_ENTRY for made in held.values() if made) == cache.nbytes


def test_the_cache_lets_go_of_what_was_used_longest_ago() -> None:
    cache = ThumbnailCache(1000)
    for name in "abc":
        cache.put(("state", name, 64), small(100))
    assert cache.get(("state", "a", 64))
    cache.put(("state", "d", 64), small(100))
    assert [name for name in "abcd" if cache.get(("state", name, 64))] == ["a", "c", "d"]
    assert cache.get(("other", "a", 64)) is None
    assert cache.get(("state", "a", 65)) is None
