"""Everything that the page can ask for, good and bad, by the way that a message takes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as pil

from h5explorer_py import handlers as module
from h5explorer_py import jobs
from h5explorer_py.built import STATIC, asset_names
from h5explorer_py.dataset import Dataset
from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.handlers import handlers
from h5explorer_py.lookup.rows import WINDOW_ROWS
from h5explorer_py.options import Options
from h5explorer_py.protocol import METHODS, Request
from h5explorer_py.session import Session
from tests.fixtures.datasets import EVERY_TYPE, FORMATS, GOOD_SHARDS, key, write_images
from tests.fixtures.pictures import encoded, pixels
from tests.py.support import Page, ask, cancel, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Asking:
    """A page with a dispatcher and a session of its own."""

    def __init__(self, lookup: Any) -> None:
        self.session = Session(lookup, Options())
        self.page = Page()
        self.dispatcher = Dispatcher(handlers(self.session), self.page.send)
        self.count = 0

    def __call__(self, method: str, **params: Any) -> tuple[dict[str, Any], list[bytes]]:
        """Return the result and its buffers."""
        content, buffers = self.answer(method, params)
        assert content["kind"] == "reply", content
        return content["result"], buffers

    def refused(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the error."""
        content, buffers = self.answer(method, params)
        assert content["kind"] == "failure", content
        assert buffers == []
        error = content["error"]
        assert error["message"].endswith(".")
        return error

    def answer(self, method: str, params: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        self.count += 1
        name = f"r{self.count}"
        self.dispatcher.receive(ask(Request(name, method, params)))
        content, buffers = self.page.only(name, seconds=30)
        json.dumps(content, allow_nan=False)
        return content, buffers

    def close(self) -> None:
        self.dispatcher.close()
        self.session.close()


@pytest.fixture
def asking_about() -> Iterator[Callable[[Path], Asking]]:
    """Ask about a lookup."""
    with contextlib.ExitStack() as stack:

        def make(lookup: Path) -> Asking:
            made = Asking(lookup)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def asking(contract: Path, asking_about: Callable[[Path], Asking]) -> Asking:
    return asking_about(contract / "lookup.parquet")


@pytest.fixture
def asking_for(tmp_path: Path, asking_about: Callable[[Path], Asking]) -> Callable[[dict[str, bytes]], Asking]:
    """Ask about a shard with certain images, in this order."""

    def make(images: dict[str, bytes]) -> Asking:
        write_images(tmp_path / "s_images.h5", images)
        pq.write_table(pa.table({"uuid": list(images), "filepath": ["s"] * len(images)}), tmp_path / "lookup.parquet")
        return asking_about(tmp_path / "lookup.parquet")

    return make


# Rows


def test_rows(asking: Asking, expected: dict[str, Any]) -> None:
    result, [buffer] = asking("rows", start=98, stop=120)
    assert result == {"dataset": 1, "start": 98, "rows": 22, "notices": []}
    table = pq.read_table(pa.BufferReader(buffer))
    assert table.column_names == ["uuid", "filepath"]
    assert [list(row.values()) for row in table.to_pylist()] == expected["rows"][98:120]


@pytest.mark.parametrize(("start", "stop", "count"), [(0, 0, 0), (320, 400, 3), (323, 400, 0), (10**9, 10**9 + 5, 0)])
def test_rows_at_the_end(asking: Asking, start: int, stop: int, count: int) -> None:
    result, [buffer] = asking("rows", start=start, stop=stop)
    assert result["rows"] == pq.read_table(pa.BufferReader(buffer)).num_rows == count


def test_rows_tell_what_is_odd_in_the_lookup(tmp_path: Path, asking_about: Callable[[Path], Asking]) -> None:
    (tmp_path / "l.csv").write_text("uuid,filepath\na,f,surplus\n")
    asking = asking_about(tmp_path / "l.csv")
    [notice] = asking("rows", start=0, stop=5)[0]["notices"]
    assert "surplus" in notice


def test_stats(asking: Asking, expected: dict[str, Any]) -> None:
    result, buffers = asking("stats")
    assert result == {"dataset": 1, "records": len(expected["rows"]), "filepaths": expected["filepaths"]}
    assert buffers == []


# Images


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 150, 299])
def test_an_image(asking: Asking, contract: Path, number: int) -> None:
    result, [data] = asking("image", row=number, dataset=1)
    source = contract / f"{GOOD_SHARDS[number // 100]}_images.h5"
    with h5py.File(source, "r") as file:
        assert data == file["images"][key(number)][()].tobytes()
    with pil.open(io.BytesIO(data)) as opened:
        assert (result["width"], result["height"]) == opened.size
    assert result["row"] == number
    assert result["key"] == key(number)
    assert result["format"].upper() == FORMATS[number % len(FORMATS)]
    assert result["mediaType"] == f"image/{FORMATS[number % len(FORMATS)].lower()}"
    assert result["source"] == str(source)
    assert result["bytes"] == len(data)
    assert 0 < result["seconds"] < 30
    assert result["notes"] == []
    assert result["state"]


def test_an_image_that_the_page_has_already(asking: Asking) -> None:
    state = asking("image", row=5)[0]["state"]
    assert asking("image", row=5, known=state) == ({"row": 5, "unchanged": True}, [])
    for known in ("another", 3, None, ["x"], {}):
        assert asking("image", row=5, known=known)[1] != []


def test_an_image_whose_file_has_changed_is_sent_anew(
    tmp_path: Path, asking_for: Callable[[dict[str, bytes]], Asking]
) -> None:
    asking = asking_for({"a": encoded(1)})
    state = asking("image", row=0)[0]["state"]
    write_images(tmp_path / "new.h5", {"a": encoded(2)})
    (tmp_path / "new.h5").rename(tmp_path / "s_images.h5")
    result, [data] = asking("image", row=0, known=state)
    assert data == encoded(2)
    assert result["state"] != state


NOT_SHOWN = {
    "no_shard": "shard_not_found",
    "no_key": "image_not_found",
    "no_filepath": "no_filepath",
    "no_uuid": "key_not_found",
    "no_group": "no_images_group",
    "tiff": "format_not_shown",
    "truncated_jpeg": "truncated_image",
    "truncated_png": "truncated_image",
    "empty": "empty_image",
    "scalar": "not_an_image",
    "raw_array": "array_not_shown",
    "group": "not_an_image",
    "unknown_bytes": "format_not_shown",
    "svg": "format_not_shown",
    "external_storage": "outside_data",
    "external_link": "outside_data",
}


def test_every_odd_row_is_shown_or_says_why_not(asking: Asking, expected: dict[str, Any]) -> None:
    codes = {}
    for name, row in expected["bad"].items():
        content, _ = asking.answer("image", {"row": row})
        codes[name] = content["error"]["code"] if content["kind"] == "failure" else ""
    assert {name: code for name, code in codes.items() if code} == NOT_SHOWN


def test_sixteen_bits_say_that_they_are_shown_in_eight(asking: Asking, expected: dict[str, Any]) -> None:
    [note] = asking("image", row=expected["bad"]["sixteen_bit"])[0]["notes"]
    assert "16 bits" in note


@pytest.mark.parametrize("name", ["tiff", "unknown_bytes", "svg", "truncated_png"])
def test_what_cannot_be_shown_can_be_saved(asking: Asking, expected: dict[str, Any], contract: Path, name: str) -> None:
    error = asking.refused("image", row=expected["bad"][name])
    assert error["details"]["savable"] is True
    assert "saved" in error["action"]
    _, [data] = asking("original", row=expected["bad"][name])
    with h5py.File(contract / "odd_images.h5", "r") as file:
        assert data == file["images"][name][()].tobytes()


def test_no_raw_bytes_reach_a_sentence(asking_for: Callable[[dict[str, bytes]], Asking]) -> None:
    asking = asking_for({"<b>" * 100: b"\x00\x01<script>" * 50})
    message = asking.refused("image", row=0)["message"]
    assert "00 01 3c" in message
    assert len(message) < 300


def large_png(width: int, height: int) -> bytes:
    data = bytearray(encoded(1, "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_not_sent(asking_for: Callable[[dict[str, bytes]], Asking]) -> None:
    asking = asking_for({"much": large_png(40_000, 40_000), "more": large_png(12_000, 12_000), "ok": encoded(1)})
    refused = [asking.refused("image", row=row) for row in (0, 1)]
    assert [error["code"] for error in refused] == ["too_large", "too_large"]
    assert refused[0]["message"] == "much has far more pixels than a picture should; up to 120 million are shown."
    assert refused[1]["message"] == "more has 12,000 × 12,000 pixels; up to 120 million are shown."
    assert asking("image", row=2)[1] == [encoded(1)]


def test_original_bytes(asking: Asking) -> None:
    result, [data] = asking("original", row=7)
    assert result["bytes"] == len(data)
    assert result["key"] == key(7)
    assert asking("image", row=7)[1] == [data]


def ahead(
    asking: Asking, rows: list[Any], room: int = 10_000_000, *, only_open: bool = False
) -> tuple[Any, list[bytes]]:
    return asking("ahead", rows=rows, room=room, onlyOpen=only_open)


def test_neighbours_in_one_answer(asking: Asking, expected: dict[str, Any]) -> None:
    rows = [3, 1, expected["bad"]["tiff"], expected["bad"]["no_metadata"], 10**9, 200]
    result, buffers = ahead(asking, rows)
    assert [facts["row"] for facts in result["images"]] == [3, 1, expected["bad"]["no_metadata"], 200]
    assert [facts["row"] for facts in result["records"]] == [3, 1, expected["bad"]["tiff"], 200]
    pairs = list(zip([("image", each) for each in result["images"]], buffers[:4], strict=True))
    pairs += zip([("metadata", each) for each in result["records"]], buffers[4:], strict=True)
    for (method, facts), data in pairs:
        alone, [wanted] = asking(method, row=facts["row"])
        assert data == wanted
        assert {**facts, "seconds": 0} == {**alone, "seconds": 0}


def test_neighbours_stop_where_there_is_no_room(asking: Asking) -> None:
    sizes = [len(asking(method, row=row)[1][0]) for row in range(5) for method in ("image", "metadata")]
    result, buffers = ahead(asking, list(range(5)), sum(sizes[:5]))
    assert [facts["row"] for facts in result["images"]] == [0, 1, 2]
    assert [facts["row"] for facts in result["records"]] == [0, 1]
    assert sum(map(len, buffers)) == sum(sizes[:5])
    nothing = {"images": [], "records": []}
    assert ahead(asking, [0], 0) == (nothing, [])
    assert ahead(asking, []) == (nothing, [])


def test_only_what_needs_no_other_file_to_be_opened(asking: Asking) -> None:
    nothing = {"images": [], "records": []}
    assert ahead(asking, [0, 150], only_open=True) == (nothing, [])
    asking("image", row=5)
    result, _ = ahead(asking, [0, 150], only_open=True)
    assert [facts["row"] for facts in result["images"]] == [0]
    assert result["records"] == []
    asking("metadata", row=160)
    result, _ = ahead(asking, [0, 150], only_open=True)
    assert [facts["row"] for facts in result["images"]] == [0]
    assert [facts["row"] for facts in result["records"]] == [150]


@pytest.mark.parametrize("only_open", [None, 1, "true"])
def test_whether_files_may_be_opened_must_be_said(asking: Asking, only_open: Any) -> None:
    assert asking.refused("ahead", rows=[0], room=1, onlyOpen=only_open)["code"] == "bad_request"


# Metadata


def test_metadata(asking: Asking, contract: Path) -> None:
    result, [buffer] = asking("metadata", row=150)
    assert result["row"] == 150
    assert result["key"] == key(150)
    assert result["matches"] == 1
    assert result["source"] == str(contract / "shard_001_metadata.parquet")
    assert [column["name"] for column in result["columns"]] == EVERY_TYPE.names
    kinds = {column["name"]: column["type"] for column in result["columns"]}
    assert kinds["big"] == "int64"
    assert kinds["colour"] == "dictionary<string>"
    assert kinds["words"] == "list<string>"
    [record] = pq.read_table(pa.BufferReader(buffer)).to_pylist()
    assert record["big"] == 9_007_199_254_740_993 + 150
    assert record["price"] == "-12345678901234567890.10"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no_record", "record_not_found"),
        ("no_metadata", "metadata_not_found"),
        ("no_shard", "metadata_not_found"),
        ("no_filepath", "no_filepath"),
        ("no_uuid", "key_not_found"),
    ],
)
def test_a_row_without_metadata_says_why(asking: Asking, expected: dict[str, Any], name: str, code: str) -> None:
    assert asking.refused("metadata", row=expected["bad"][name])["code"] == code


# Finding and opening


def test_find(asking: Asking, expected: dict[str, Any]) -> None:
    assert asking("find", text=key(250)) == ({"dataset": 1, "row": 250, "byNumber": False}, [])
    assert asking("find", text="12")[0]["row"] == 11
    assert asking("find", text="path:shard_002")[0]["row"] == 200
    assert asking("find", text="path:shard_002", after=299)[0]["row"] == 200
    assert asking("find", text="uuid:tif")[0]["row"] == expected["bad"]["tiff"]
    assert asking("find", text="nothing like it")[0]["row"] is None
    assert asking("find", text="\ud800")[0]["row"] is None


def test_open_and_what_was_asked_of_the_old_one(asking: Asking, tmp_path: Path) -> None:
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["f"]}), tmp_path / "second.parquet")
    result, _ = asking("open", path=str(tmp_path / "second.parquet"))
    assert result["dataset"] == 2
    assert result["records"] == 1
    assert asking.refused("rows", start=0, stop=1, dataset=1)["code"] == "stale_dataset"
    assert asking("rows", start=0, stop=9, dataset=2)[0]["rows"] == 1


def test_a_lookup_that_is_refused_leaves_the_open_one(asking: Asking, contract: Path) -> None:
    for path, code in (
        ("absent.parquet", "lookup_not_found"),
        ("not_a_lookup.parquet", "lookup_unreadable"),
        ("wrong_columns.parquet", "wrong_columns"),
    ):
        assert asking.refused("open", path=str(contract / path))["code"] == code
    assert asking("rows", start=0, stop=9, dataset=1)[0]["rows"] == 9


def test_a_lookup_whose_opening_is_withdrawn_does_not_take_the_place(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["f"]}), tmp_path / "second.parquet")
    begun, go_on = threading.Event(), threading.Event()
    made: list[Any] = []

    def slow(*arguments: Any, **options: Any) -> Dataset:
        begun.set()
        assert go_on.wait(10)
        made.append(Dataset(*arguments, **options))
        return made[0]

    monkeypatch.setattr("h5explorer_py.session.Dataset", slow)
    before = asking.session.describe()
    asking.dispatcher.receive(ask(Request("o", "open", {"path": str(tmp_path / "second.parquet")})))
    assert begun.wait(10)
    asking.dispatcher.receive(cancel(["o"]))
    assert asking.page.only("o")[0]["error"]["code"] == "cancelled"
    go_on.set()
    wait_for(lambda: made and made[0].closed)
    assert asking.session.describe() == before
    assert asking("rows", start=0, stop=9, dataset=1)[0]["rows"] == 9


def test_a_lookup_without_rows_opens(asking: Asking, contract: Path) -> None:
    assert asking("open", path=str(contract / "header_only.parquet"))[0]["records"] == 0
    assert asking("rows", start=0, stop=100)[0]["rows"] == 0
    assert asking("stats")[0] == {"dataset": 2, "records": 0, "filepaths": 0}
    assert asking.refused("image", row=0)["code"] == "row_out_of_range"


def test_rows_that_are_no_longer_wanted_are_not_read(
    asking_about: Callable[[Path], Asking], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the slider is dragged over a lookup that is slow to read; what is wanted then comes next."""
    rows = 20 * WINDOW_ROWS
    pq.write_table(pa.table({"uuid": [str(row) for row in range(rows)], "filepath": ["s"] * rows}), tmp_path / "l.pq")
    asking = asking_about(tmp_path / "l.pq")
    lookup = asking.session.dataset.lookup
    go_on, begun = threading.Event(), threading.Event()
    read: list[int] = []
    keys = type(lookup).keys

    def slow(_: Any, start: int, stop: int) -> pa.Table:
        read.append(start // WINDOW_ROWS)
        begun.set()
        assert go_on.wait(30)
        return keys(lookup, start, stop)

    monkeypatch.setattr(type(lookup), "keys", slow)
    at = [WINDOW_ROWS * number for number in range(5)]
    asking.dispatcher.receive(ask(Request("d0", "rows", {"start": 0, "stop": 9})))
    assert begun.wait(10)
    asking.dispatcher.receive(
        ask(*(Request(f"d{number}", "rows", {"start": at[number], "stop": at[number] + 9}) for number in range(1, 4)))
    )
    wait_for(lambda: len(jobs.interactive._begun) == 4)
    asking.dispatcher.receive(cancel([f"d{number}" for number in range(4)]))
    wait_for(lambda: len(jobs.interactive._begun) == 1)
    asking.dispatcher.receive(ask(Request("last", "rows", {"start": at[4], "stop": at[4] + 9})))
    go_on.set()
    assert asking.page.only("last")[0]["result"]["start"] == at[4]
    assert read == [0, 4]


def test_rows_picture_and_metadata_of_one_place_read_it_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = asking.session.dataset.lookup
    read: list[tuple[int, int]] = []
    keys = type(lookup).keys

    def counted(_: Any, start: int, stop: int) -> pa.Table:
        read.append((start, stop))
        time.sleep(0.2)
        return keys(lookup, start, stop)

    monkeypatch.setattr(type(lookup), "keys", counted)
    asking.dispatcher.receive(
        ask(
            Request("r", "rows", {"start": 0, "stop": 9}),
            Request("i", "image", {"row": 3}),
            Request("m", "metadata", {"row": 3}),
        )
    )
    asking.page.wait("r", "i", "m")
    assert len(read) == 1


def test_what_takes_minutes_holds_up_nothing_else(
    asking: Asking, contract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, searches and lookups that are being opened, more than there are threads for."""
    go_on = threading.Event()

    def slow(*_: Any) -> int:
        assert go_on.wait(30)
        return 1

    monkeypatch.setattr(Dataset, "filepaths", slow)
    monkeypatch.setattr(Dataset, "find", slow)
    slowly = [Request(f"s{at}", "stats", {}) for at in range(9)]
    slowly += [Request(f"f{at}", "find", {"text": "x", "after": None}) for at in range(9)]
    try:
        asking.dispatcher.receive(ask(*slowly))
        assert asking("rows", start=0, stop=9)[0]["rows"] == 9
        assert asking("image", row=1)[0]["row"] == 1
        assert asking("metadata", row=1)[0]["row"] == 1
        assert ahead(asking, [2])[0]["images"][0]["row"] == 2
        assert asking("asset", name=asset_names()["decoder"])
        monkeypatch.setattr("h5explorer_py.session.Dataset", slow)
        opened = {"path": str(contract / "lookup.parquet")}
        asking.dispatcher.receive(ask(*(Request(f"o{at}", "open", opened) for at in range(9))))
        assert asking("rows", start=0, stop=8)[0]["rows"] == 8
    finally:
        asking.dispatcher.close()
        go_on.set()


# Parts of the front end


def test_the_parts_of_the_front_end(asking: Asking) -> None:
    for name in asset_names().values():
        result, [data] = asking("asset", name=name)
        assert result == {"name": name, "encoding": "gzip"}
        assert data == (STATIC / f"{name}.gz").read_bytes()


@pytest.mark.parametrize(
    "name",
    ["", "widget.js", "../widget.py", "../../pyproject.toml", "/etc/passwd", "assets.json", "decoder", ".", "\0"],
)
def test_no_other_file_is_a_part_of_it(asking: Asking, name: str) -> None:
    assert asking.refused("asset", name=name)["code"] == "bad_request"


# What is no request

NUMBERS = [-1, 1.5, "1", None, [], {}, True, 1 << 60]
BAD = [
    *(("rows", {"start": number, "stop": 5}) for number in NUMBERS),
    *(("rows", {"start": 3, "stop": number}) for number in (2, 3 + module.MOST_ROWS + 1, *NUMBERS[:-1])),
    *((method, {"row": number}) for method in ("image", "original", "metadata") for number in NUMBERS),
    *((method, {}) for method in ("rows", "image", "original", "images", "metadata", "find", "open", "asset")),
    *(("ahead", {"rows": rows, "room": 5, "onlyOpen": False}) for rows in (None, 3, "12", {"0": 1}, list(range(17)))),
    *(("ahead", {"rows": [1], "room": number, "onlyOpen": False}) for number in NUMBERS),
    *(("thumbnails", {"rows": rows, "size": 128}) for rows in (None, 3, "12", {"0": 1}, list(range(65)), [1.5], [-1])),
    *(("thumbnails", {"rows": [1], "size": size}) for size in (63, 513, *NUMBERS)),
    *(("find", {"text": text}) for text in (None, 3, [], "x" * 1001)),
    *(("find", {"text": "x", "after": number}) for number in NUMBERS if number is not None),
    *(("open", {"path": path}) for path in (None, 3, ["a"], "x" * 10_001)),
    *(("stats", {"dataset": number}) for number in (0, -1, 1.5, "1", True, [])),
]


@pytest.mark.parametrize(("method", "params"), BAD, ids=lambda value: str(value)[:40])
def test_params_that_are_none_are_refused(asking: Asking, method: str, params: dict[str, Any]) -> None:
    error = asking.refused(method, **params)
    assert error["code"] == "bad_request"
    assert len(error["message"]) < 300


def test_nothing_but_open_and_export_takes_a_path(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page cannot have a file read that the lookup does not name, whatever it adds to a request: export writes."""
    write_images(tmp_path / "secret_images.h5", {"a": encoded(9), key(0): encoded(9)})
    pq.write_table(pa.table({"uuid": [key(0)], "secret": ["s"]}), tmp_path / "secret_metadata.parquet")
    paths = {
        name: str(tmp_path / "secret")
        for name in ("filepath", "path", "source", "file", "root", "folder", "shard", "images", "lookup", "url")
    }
    looked: list[str] = []
    stat, opening = os.stat, open

    def seen_stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        looked.append(str(path))
        return stat(path, *arguments, **options)

    def seen_open(path: Any, *arguments: Any, **options: Any) -> Any:
        looked.append(str(path))
        return opening(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", seen_stat)
    monkeypatch.setattr("builtins.open", seen_open)
    good = {
        "row": 0,
        "start": 0,
        "stop": 3,
        "rows": [0],
        "room": 10**9,
        "text": "x",
        "name": "x",
        "known": "x",
        "size": 64,
    }
    for method in METHODS:
        if method in {"open", "export"}:
            continue
        content, buffers = asking.answer(method, {**paths, **good, "key": "a", "uuid": "a"})
        assert "secret" not in json.dumps(content)
        assert encoded(9) not in buffers
    assert looked
    assert not [path for path in looked if "secret" in path]


def test_export(asking: Asking, tmp_path: Path, expected: dict[str, Any]) -> None:
    asking("show", filter="filepath LIKE '%shard_001'", sort=[])
    whole = asking("export", path=str(tmp_path / "a.parquet"), ranges=None, overwrite=False)[0]
    assert (whole["path"], whole["rows"], whole["failed"]) == (str(tmp_path / "a.parquet"), 100, 0)
    assert pq.read_table(tmp_path / "a.parquet").column("uuid").to_pylist() == [key(row) for row in range(100, 200)]
    some = asking("export", path=str(tmp_path / "b.csv"), ranges=[[0, 2], [98, 100]], overwrite=False)[0]
    assert some["rows"] == 4
    assert asking.refused("export", path=str(tmp_path / "b.csv"), ranges=None)["code"] == "target_exists"
    assert asking("export", path=str(tmp_path / "b.csv"), ranges=[[0, 1]], overwrite=True)[0]["rows"] == 1
    for ranges in ("all", [[0]], [[0, 101]], [[5, 4]], [[-1, 2]], [["a", 2]], [[0, 1]] * 501):
        assert asking.refused("export", path=str(tmp_path / "c.csv"), ranges=ranges)["code"] == "bad_request"
    assert asking.refused("export", path=" ", ranges=None)["code"] == "bad_request"
    assert not (tmp_path / "c.csv").exists()
    assert asking("status", wish=None)[0]["export"] is None


def test_a_hostile_lookup_reaches_only_what_it_names(tmp_path: Path, asking_about: Callable[[Path], Asking]) -> None:
    """Keys are names in the group and filepaths are files of shards: neither reads anything else."""
    (tmp_path / "plain.txt").write_text("not for the page")
    write_images(tmp_path / "s_images.h5", {"a": encoded(1)})
    table = pa.table({"uuid": ["../a", "a"], "filepath": ["s", "plain.txt"]})
    pq.write_table(table, tmp_path / "lookup.parquet")
    asking = asking_about(tmp_path / "lookup.parquet")
    assert asking.refused("image", row=0)["code"] == "image_not_found"
    assert asking.refused("image", row=1)["code"] == "shard_not_found"


def test_pixels_of_the_fixture_tell_the_rows_apart() -> None:
    assert len({pixels(number).tobytes() for number in range(300)}) == 300
    assert np.array_equal(pixels(3), pixels(3))
