"""The Explorer: its traits both ways, its Python interface, and what a notebook keeps of it."""

from __future__ import annotations

import base64
import gc
import io
import json
import re
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import comm
import ipywidgets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import traitlets
from comm.base_comm import BaseComm
from PIL import Image as pil

from h5explorer_py import Explorer, ExplorerError, Selection, errors
from h5explorer_py import widget as module
from h5explorer_py.protocol import Cancel, Request
from tests.fixtures.datasets import GOOD_SHARDS, key, write_images, write_metadata
from tests.fixtures.pictures import encoded
from tests.py.support import ask, python, wait_for
from tests.py.test_image import Markup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Explorer]


class Recorded(BaseComm):
    """A comm that keeps what is sent over it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.buffers: list[list[bytes]] = []
        super().__init__(*arguments, **options)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.sent.append({"type": msg_type, **(data or {})})
        self.buffers.append(buffers or [])

    def states(self, name: str) -> list[Any]:
        """All values of a trait that were sent to the page."""
        updates = [each["state"] for each in self.sent if each.get("method") == "update"]
        return [state[name] for state in updates if name in state]

    def receive(self, **data: Any) -> None:
        self.handle_msg({"content": {"data": data}, "buffers": []})


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Recorded)
    monkeypatch.setattr("h5explorer_py.assets._shared", None)


def lookup(folder: Path, name: str, keys: list[str | None], filepaths: list[str | None]) -> Path:
    pq.write_table(pa.table({"uuid": keys, "filepath": filepaths}), folder / name)
    return folder / name


# The constructor


def test_what_cannot_be_opened_is_refused_at_once(explorer: Make, contract: Path) -> None:
    for name, kind in (
        ("absent.parquet", FileNotFoundError),
        ("not_a_lookup.parquet", ValueError),
        ("wrong_columns.parquet", errors.WrongColumnsError),
    ):
        with pytest.raises(kind) as caught:
            explorer(contract / name)
        assert isinstance(caught.value, ExplorerError)
        assert caught.value.code


def test_a_lookup_without_rows(explorer: Make, contract: Path) -> None:
    ex = explorer(contract / "header_only.parquet")
    assert (len(ex), ex.current, ex.stats) == (0, None, {"records": 0, "filepaths": 0})
    assert ex.rows(0, 10).num_rows == 0
    assert "0 records" in ex._repr_mimebundle_()[0]["text/html"]
    with pytest.raises(IndexError, match="the lookup has none"):
        ex.image(0)


def test_options_of_later_versions_are_taken_or_refused_with_a_sentence(explorer: Make) -> None:
    explorer(cache=False, storage_options={"anon": True})
    with pytest.raises(errors.UnsupportedError, match="later version"):
        explorer(dataset="frames")
    with pytest.raises(TypeError):
        explorer(unknown=1)


def test_named_columns(explorer: Make, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "where": ["s"]}), tmp_path / "l.parquet")
    write_images(tmp_path / "s_images.h5", {"a": encoded(1)})
    pq.write_table(pa.table({"id": ["a"], "note": ["x"]}), tmp_path / "s_metadata.parquet")
    ex = explorer(tmp_path / "l.parquet", uuid_column="id", filepath_column="where")
    assert ex.image("a").data == encoded(1)
    assert ex.metadata("a") == {"id": "a", "note": "x"}
    assert ex.rows(0, 1).column_names == ["id", "where"]


@pytest.mark.parametrize("height", [None, 400, "40em", "100%", "12.5rem", "50vh", "300px"])
def test_heights(explorer: Make, height: Any) -> None:
    ex = explorer(height=height)
    assert ex.height == height
    assert ex.get_state()["height"] == height
    ex.height = "20em"
    assert ex.comm.states("height")[-1] == "20em"


@pytest.mark.parametrize(
    "height", [0, -5, "", "large", "40", "40em; color: red", "calc(1px)", "expression(x)", "1px\n"]
)
def test_heights_that_are_none(explorer: Make, height: Any) -> None:
    with pytest.raises(errors.BadRequestError, match="height is a number of pixels"):
        explorer(height=height)
    ex = explorer()
    with pytest.raises(errors.BadRequestError):
        ex.height = height
    assert ex.height is None


def test_a_refused_height_leaves_no_file_open(explorer: Make, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("uuid,filepath\na,f\n")
    with pytest.raises(errors.BadRequestError):
        explorer(tmp_path / "l.csv", height="large")


# Rows, images, metadata


def test_stats_and_rows(explorer: Make, contract: Path, expected: dict[str, Any]) -> None:
    ex = explorer()
    assert len(ex) == len(expected["rows"])
    assert ex.stats == {"records": len(expected["rows"]), "filepaths": expected["filepaths"]}
    truth = pq.read_table(contract / "lookup.parquet")
    for start, stop in ((0, 5), (99, 101), (0, 10**9), (320, 330), (5, 5), (10**9, 10**9)):
        assert ex.rows(start, stop).equals(truth.slice(start, stop - start))
    assert ex.rows(np.int64(1), np.int64(3)).equals(truth.slice(1, 2))


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 2), (-5, -2)])
def test_rows_that_are_none(explorer: Make, start: int, stop: int) -> None:
    with pytest.raises(errors.BadRequestError, match="from a number to a larger one"):
        explorer().rows(start, stop)


def test_rows_have_all_columns_and_text_as_stored(explorer: Make, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("number,uuid,note,filepath\n007,00777,NaN,s\n")
    ex = explorer(tmp_path / "l.csv")
    assert ex.rows(0, 9).to_pylist() == [{"number": "007", "uuid": "00777", "note": "NaN", "filepath": "s"}]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 299])
def test_an_image_by_uuid_and_by_row(explorer: Make, contract: Path, number: int) -> None:
    ex = explorer()
    image = ex.image(key(number))
    assert image == ex.image(number).__class__(ex.image(number).data, image.key, image.source, image.seconds)
    assert image.key == key(number)
    assert image.source == str(contract / f"{GOOD_SHARDS[number // 100]}_images.h5")
    assert ex.image(np.int32(number)).data == image.data
    with pil.open(io.BytesIO(image.data)) as theirs:
        assert np.array_equal(image.to_numpy(), np.asarray(theirs))
        assert image.to_pil().size == theirs.size
        assert image.format.upper() == theirs.format


def test_metadata_by_uuid_and_by_row(explorer: Make) -> None:
    ex = explorer()
    found = ex.metadata(key(7))
    assert found["uuid"] == key(7)
    assert list(found.items())[1:5][0] == ("zulu_first", "name 7")
    assert str(ex.metadata(7)) == str(found)


def test_what_is_not_there_is_also_what_python_calls_it(explorer: Make, expected: dict[str, Any]) -> None:
    ex = explorer()
    bad = expected["bad"]
    cases: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: ex.image("absent"), KeyError, "key_not_found"),
        (lambda: ex.metadata("absent"), KeyError, "key_not_found"),
        (lambda: ex.find("nowhere"), KeyError, "key_not_found"),
        (lambda: ex.image(bad["no_key"]), KeyError, "image_not_found"),
        (lambda: ex.metadata(bad["no_record"]), KeyError, "record_not_found"),
        (lambda: ex.image(bad["no_shard"]), FileNotFoundError, "shard_not_found"),
        (lambda: ex.metadata(bad["no_metadata"]), FileNotFoundError, "metadata_not_found"),
        (lambda: ex.image(10**9), IndexError, "row_out_of_range"),
        (lambda: ex.image(-1), IndexError, "row_out_of_range"),
        (lambda: ex.image(bad["external_link"]), PermissionError, "outside_data"),
    ]
    for work, kind, code in cases:
        with pytest.raises(kind) as caught:
            work()
        assert isinstance(caught.value, ExplorerError)
        assert caught.value.code == code
        assert str(caught.value)[0] != "'"
    for wrong in (1.5, None, [0]):
        with pytest.raises(TypeError):
            ex.image(wrong)


def test_uuids_that_repeat(explorer: Make, tmp_path: Path) -> None:
    for name, number in (("s", 1), ("t", 2)):
        write_images(tmp_path / f"{name}_images.h5", {"twice": encoded(number), "same": encoded(number + 4)})
        pq.write_table(pa.table({"uuid": ["twice"], "where": [name]}), tmp_path / f"{name}_metadata.parquet")
    ex = explorer(lookup(tmp_path, "l", ["same", "twice", "same", "twice"], ["s", "s", "s", "t"]))
    with pytest.raises(errors.AmbiguousKeyError, match="Ask by row number: 1, 3"):
        ex.image("twice")
    with pytest.raises(KeyError):
        ex.metadata("twice")
    assert ex.image("same").data == encoded(5)
    assert [ex.image(row).data for row in (1, 3)] == [encoded(1), encoded(2)]
    assert [ex.metadata(row)["where"] for row in (1, 3)] == ["s", "t"]
    assert ex.find("twice") == 1


def test_find(explorer: Make, expected: dict[str, Any]) -> None:
    ex = explorer()
    assert ex.find(key(123)) == 123
    assert ex.find(key(123)[:20].upper()) == 123
    assert ex.find("path:shard_001") == 100
    assert ex.find("uuid:tiff") == ex.find(" tiff ") == expected["bad"]["tiff"]
    for nothing in ("", "uuid:", "path:absent_", "9999999"):
        with pytest.raises(KeyError, match="Nothing in the lookup matches"):
            ex.find(nothing)


def test_find_takes_digits_for_a_uuid(explorer: Make, tmp_path: Path) -> None:
    """Python has row numbers as numbers; only in the search box digits are one."""
    ex = explorer(lookup(tmp_path, "l", ["a", "00777", "777", "1,000"], ["s"] * 4))
    assert [ex.find(text) for text in ("777", "00777", "1,000", "007")] == [2, 1, 3, 1]


# Traits


def test_the_current_row_goes_both_ways(explorer: Make) -> None:
    ex = explorer()
    assert ex.current == 0
    ex.current = 7
    assert ex.comm.states("current")[-1] == 7
    ex.comm.receive(method="update", state={"current": 9})
    assert ex.current == 9
    seen: list[Any] = []
    ex.observe(lambda change: seen.append(change["new"]), "current")
    ex.comm.receive(method="update", state={"current": 11, "selection": {"ranges": [[11, 12]]}})
    assert seen == [11]
    assert list(ex.selection) == [11]
    ex.current = np.int64(5)
    assert type(ex.current) is int
    ex.current = None
    assert ex.comm.states("current")[-1] is None


@pytest.mark.parametrize("row", [-1, 323, 10**20])
def test_a_row_that_is_none_is_not_current(explorer: Make, row: int) -> None:
    ex = explorer()
    ex.current = 3
    with pytest.raises(errors.RowOutOfRangeError):
        ex.current = row
    assert ex.current == 3
    with pytest.raises(errors.RowOutOfRangeError), ex.hold_trait_notifications():
        ex.current = row
    assert ex.current == 3
    for wrong in ("3", 1.5, [3]):
        with pytest.raises(traitlets.TraitError):
            ex.current = wrong


@pytest.mark.parametrize(
    "state",
    [
        {"current": 10**9},
        {"current": -1},
        {"current": "3"},
        {"current": [1]},
        {"current": 1.5},
        {"current": 10**9, "selection": {"ranges": [[1, 2]]}},
        {"current": 5, "selection": {"ranges": [[1, 10**9]]}},
        {"selection": {"ranges": [[0, 10**9]]}},
        {"selection": {"ranges": [[-5, 2]]}},
        {"selection": {"ranges": [[1]]}},
        {"selection": {"ranges": [["a", "b"]]}},
        {"selection": {"ranges": None}},
        {"selection": {}},
        {"selection": None},
        {"selection": [1, 2]},
        {"selection": {"ranges": [[n * 2, n * 2 + 1] for n in range(501)]}},
    ],
)
def test_rows_of_another_lookup_or_of_none_are_left_out(explorer: Make, state: dict[str, Any]) -> None:
    """The page may have sent them before it heard that another lookup is open."""
    ex = explorer()
    ex.current, ex.selection = 3, [3, 4]
    ex.comm.receive(method="update", state=state)
    assert ex.current == 3
    assert list(ex.selection) == [3, 4]


def test_the_selection_goes_both_ways(explorer: Make, contract: Path) -> None:
    ex = explorer()
    assert len(ex.selection) == 0
    ex.selection = [5, 3, 4, 9]
    assert ex.comm.states("selection")[-1] == {"ranges": [[3, 6], [9, 10]]}
    ex.selection = range(100, 200)
    assert ex.get_state()["selection"] == {"ranges": [[100, 200]]}
    ex.comm.receive(method="update", state={"selection": {"ranges": [[0, 2], [7, 8]]}})
    assert isinstance(ex.selection, Selection)
    assert list(ex.selection) == [0, 1, 7]
    assert 7 in ex.selection
    truth = pq.read_table(contract / "lookup.parquet")
    assert ex.selection.to_arrow().equals(truth.take([0, 1, 7]))
    seen: list[Any] = []
    ex.observe(lambda change: seen.append(list(change["new"])), "selection")
    ex.selection = 4
    ex.selection = Selection([(4, 5)])
    assert seen == [[4]]


def test_selections_that_are_none(explorer: Make) -> None:
    ex = explorer()
    ex.selection = [1]
    for wrong, kind in (
        ([323], errors.BadRequestError),
        ([-1], errors.BadRequestError),
        ("abc", errors.BadRequestError),
        (1.5, errors.BadRequestError),
        (range(0, 10**12, 2), errors.UnsupportedError),
        ([range(3), range(320, 324)], errors.BadRequestError),
    ):
        with pytest.raises(kind):
            ex.selection = wrong
    assert list(ex.selection) == [1]


def test_all_rows_of_a_large_view_are_one_range(explorer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ex = explorer()
    monkeypatch.setattr(type(ex._session.dataset.lookup), "num_rows", 60_000_000)
    ex.selection = range(len(ex))
    assert (len(ex.selection), ex.selection.ranges) == (60_000_000, ((0, 60_000_000),))
    assert ex.comm.states("selection")[-1] == {"ranges": [[0, 60_000_000]]}


def test_the_table_of_a_selection_is_that_of_the_view(explorer: Make, contract: Path) -> None:
    ex = explorer()
    truth = pq.read_table(contract / "lookup.parquet")
    ex.filter = "filepath LIKE '%shard_001%'"
    ex.sort = [("uuid", "desc")]
    kept = truth.filter(pc.match_substring(truth["filepath"], "shard_001")).sort_by([("uuid", "descending")])
    assert len(ex) == kept.num_rows > 60
    ex.selection = [3, range(50, 60), 0]
    assert ex.selection.to_arrow().equals(kept.take([0, 3, *range(50, 60)]))
    ex.comm.receive(method="update", state={"selection": {"ranges": [[7, 9]]}})
    selection = ex.selection
    assert selection.to_arrow().equals(kept.take([7, 8]))
    ex.filter = ""
    assert (len(ex.selection), list(selection)) == (0, [7, 8])
    with pytest.raises(errors.StaleDatasetError, match="Another lookup or filter"):
        selection.to_arrow()
    ex.selection = selection
    assert ex.selection.to_arrow().equals(truth.sort_by([("uuid", "descending")]).take([7, 8]))


def test_a_selection_of_too_many_ranges(explorer: Make, tmp_path: Path) -> None:
    ex = explorer(pa.table({"uuid": ["a"] * 1100, "filepath": ["s"] * 1100}))
    ex.selection = range(0, 1000, 2)
    assert len(ex.selection) == 500
    with pytest.raises(errors.UnsupportedError, match="up to 500 ranges"):
        ex.selection = range(0, 1002, 2)


def test_the_state_that_a_notebook_keeps_is_small(explorer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 200_000_000
    ex = explorer()
    monkeypatch.setattr(type(ex._session.dataset.lookup), "num_rows", rows)
    ex.selection = [rows - 1 - number * 100_000 for number in range(500)]
    ex.current = rows - 1
    assert len(ex.selection.ranges) == 500
    state = {name: value for name, value in ex.get_state().items() if name not in {"_esm", "_css"}}
    assert len(json.dumps(state)) < 20_000


# Opening another lookup


def test_another_lookup_takes_the_place_of_the_first(explorer: Make, tmp_path: Path) -> None:
    write_images(tmp_path / "s_images.h5", {"a": encoded(1), "b": encoded(2)})
    write_metadata(tmp_path / "s_metadata.parquet", [1])
    ex = explorer()
    ex.current, ex.selection = 300, [200, 201]
    ex.open(lookup(tmp_path, "l.parquet", ["a", "b"], ["s", "s"]))
    assert (len(ex), ex.current, list(ex.selection)) == (2, 0, [])
    assert ex.image("b").data == encoded(2)
    opened = ex.comm.states("_opened")[-1]
    assert (opened["dataset"], opened["records"], opened["name"]) == (2, 2, "l.parquet")
    assert repr(ex) == "Explorer('l.parquet', 2 records)"
    ex.open(pa.table({"uuid": pa.array([], pa.string()), "filepath": pa.array([], pa.string())}))
    assert (len(ex), ex.current) == (0, None)


def test_a_refused_lookup_leaves_all_as_it_was(explorer: Make, contract: Path) -> None:
    ex = explorer()
    ex.current, ex.selection = 30, [2, 3]
    sent = len(ex.comm.sent)
    for name, kind in (
        ("absent.parquet", FileNotFoundError),
        ("not_a_lookup.parquet", ValueError),
        ("wrong_columns.parquet", errors.WrongColumnsError),
    ):
        with pytest.raises(kind):
            ex.open(contract / name)
    assert len(ex.comm.sent) == sent
    assert (ex.current, list(ex.selection), len(ex)) == (30, [2, 3], 323)
    assert ex.image(30).key == key(30)


def test_options_of_open(explorer: Make, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "where": ["s"]}), tmp_path / "l.parquet")
    (tmp_path / "moved").mkdir()
    write_images(tmp_path / "moved" / "s_images.h5", {"a": encoded(3)})
    ex = explorer()
    ex.open(tmp_path / "l.parquet", uuid_column="id", filepath_column="where", root=tmp_path / "moved")
    assert ex.image("a").data == encoded(3)
    with pytest.raises(TypeError, match="no option 'height'"):
        ex.open(tmp_path / "l.parquet", height=3)


def test_the_page_opens_another_lookup(explorer: Make, contract: Path, tmp_path: Path) -> None:
    ex = explorer()
    path = lookup(tmp_path, "l.parquet", ["a"], ["s"])
    request = Request("p-1", "open", {"path": str(path)})
    ex.comm.receive(method="custom", content=ask(request))
    wait_for(lambda: any(each.get("content", {}).get("request") == "p-1" for each in ex.comm.sent))
    assert len(ex) == 1
    assert ex.comm.states("_opened")[-1]["name"] == "l.parquet"


def test_lookups_opened_at_once_end_with_what_is_shown(explorer: Make, tmp_path: Path) -> None:
    ex = explorer()
    paths = [lookup(tmp_path, f"l{n}.parquet", ["a"] * (n + 1), ["s"] * (n + 1)) for n in range(8)]
    threads = [threading.Thread(target=ex.open, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ex._opened == ex._session.describe()
    assert ex._opened["records"] == len(ex)
    assert ex.comm.states("_opened")[-1]["dataset"] == 9


# Asking over the comm


def test_the_page_asks_and_is_answered(explorer: Make) -> None:
    ex = explorer()
    ex.comm.receive(method="custom", content=ask(Request("p-1", "image", {"row": 3}), Request("p-2", "nothing")))
    ex.comm.receive(method="custom", content=Cancel(("p-9",)).to_json())
    ex.comm.receive(method="custom", content="not ours")
    ex.comm.receive(method="custom", content=ask(Request("p-3", "rows", {"start": 0, "stop": 2})))

    def answers() -> dict[str, tuple[dict[str, Any], list[bytes]]]:
        found = zip(ex.comm.sent, ex.comm.buffers, strict=True)
        return {
            sent["content"]["request"]: (sent["content"], data)
            for sent, data in found
            if sent.get("method") == "custom"
        }

    wait_for(lambda: len(answers()) == 3)
    assert answers()["p-1"][0]["kind"] == "failure"
    assert answers()["p-1"][0]["error"]["code"] == "bad_request"
    assert answers()["p-3"][0]["result"]["rows"] == 2


def test_all_explorers_share_the_parts_of_the_front_end(explorer: Make) -> None:
    first, second = explorer(), explorer()
    model = first.get_state()["_assets"]["model"]
    assert second.get_state()["_assets"]["model"] == model
    assets = ipywidgets.widgets.widget._instances[model]
    name = first.get_state()["_assets"]["wasm"]
    for request in (Request("p-1", "asset", {"name": name}), Request("p-2", "rows")):
        assets.comm.receive(method="custom", content=ask(request))
    wait_for(lambda: len([each for each in assets.comm.sent if each.get("method") == "custom"]) == 2)
    kinds = {each["content"]["request"]: each["content"]["kind"] for each in assets.comm.sent if "content" in each}
    assert kinds == {"p-1": "reply", "p-2": "failure"}
    assets.close()
    third = explorer().get_state()["_assets"]["model"]
    assert third != model
    assert third in ipywidgets.widgets.widget._instances


# What a notebook shows


def markup_of(ex: Explorer) -> str:
    return ex._repr_mimebundle_()[0]["text/html"]


def test_the_bundle_of_a_cell(explorer: Make) -> None:
    ex = explorer()
    ex.current = 3
    data, _ = ex._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == ex.model_id
    assert data["text/plain"].startswith("Explorer('lookup.parquet', 323 records)")
    assert "run this cell" in data["text/plain"]
    markup = Markup(data["text/html"])
    assert "lookup.parquet: 323 records." in "".join(markup.texts)
    assert key(3) in "".join(markup.texts)
    [image] = [attributes for tag, attributes in markup.tags if tag == "img"]
    picture = base64.b64decode(image["src"].partition(",")[2])
    with pil.open(io.BytesIO(picture)) as opened:
        assert opened.format == "JPEG"
    assert len(data["text/html"]) <= 100_000


def test_a_row_that_cannot_be_shown_has_a_sentence_alone(explorer: Make, expected: dict[str, Any]) -> None:
    ex = explorer()
    for name in ("no_shard", "truncated_jpeg", "truncated_png", "empty", "unknown_bytes", "external_link", "svg"):
        ex.current = expected["bad"][name]
        assert "<img" not in markup_of(ex)
        assert "323 records" in markup_of(ex)


def test_a_slow_picture_is_not_waited_for(explorer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STILL_SECONDS", 0.1)
    go_on = threading.Event()
    ex = explorer()
    monkeypatch.setattr(type(ex._session.dataset), "image", lambda *_: go_on.wait(5))
    started = time.monotonic()
    assert "<img" not in markup_of(ex)
    assert time.monotonic() - started < 1
    go_on.set()


def test_a_picture_that_is_slow_to_decode_is_not_waited_for(explorer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STILL_SECONDS", 0.1)
    go_on = threading.Event()
    monkeypatch.setattr("h5explorer_py.still.small_jpeg", lambda _: go_on.wait(5) and None)
    ex = explorer()
    started = time.monotonic()
    assert "<img" not in markup_of(ex)
    assert time.monotonic() - started < 1
    go_on.set()


def test_a_picture_that_never_comes_does_not_keep_python_from_ending(contract: Path) -> None:
    code = """
import sys, threading
from h5explorer_py import Explorer
from h5explorer_py.dataset import Dataset
Dataset.image = lambda *_: threading.Event().wait()
print("<img" in Explorer(sys.argv[1])._still_html(), flush=True)
"""
    done = python(code, str(contract / "lookup.parquet"), seconds=20)
    assert done.stdout == "False\n", done.stderr


def test_hostile_names_and_keys_stay_text(explorer: Make, tmp_path: Path, hostile_strings: list[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write_images(folder / "s_images.h5", {f"k{at}": encoded(at % 7) for at in range(3)})
    keys = [text for text in dict.fromkeys(hostile_strings) if text]
    ex = explorer(lookup(folder, "l.parquet", keys, ["s"] * len(keys)))
    plain = [tag for tag, _ in Markup(markup_of(ex)).tags]
    store = ex._session.dataset._images
    picture = encoded(1)
    store.read = lambda *_: picture
    for row in range(0, len(keys), 3):
        ex.current = row
        markup = Markup(markup_of(ex))
        assert [tag for tag, _ in markup.tags] == ["figure", "img", "figcaption", "strong"]
    assert plain == ["figure", "figcaption", "strong"]
    for text in keys[::9]:
        ex._session.dataset.lookup.name = text
        assert [tag for tag, _ in Markup(markup_of(ex)).tags] == ["figure", "img", "figcaption", "strong"]
        assert len(repr(ex)) < 5000
    assert not re.search(r"<script", markup_of(ex), re.IGNORECASE)


# The end


def test_closing(explorer: Make) -> None:
    ex = explorer()
    ex.comm.receive(method="custom", content=ask(Request("p-1", "stats")))
    recorded = ex.comm
    ex.close()
    ex.close()
    assert recorded.sent[-1]["type"] == "comm_close"
    assert repr(ex) == "Explorer(closed)"
    for use in (
        lambda: ex.image(0),
        lambda: ex.stats,
        lambda: ex.rows(0, 1),
        lambda: ex.find("a"),
        lambda: ex.open("x"),
    ):
        with pytest.raises(ExplorerError) as caught:
            use()
        assert caught.value.code in {"closed", "lookup_not_found"}


def test_a_closed_explorer_holds_no_data(explorer: Make) -> None:
    ex = explorer()
    ex.image(0)
    dataset = weakref.ref(ex._session.dataset)
    ex.close()
    gc.collect()
    assert dataset() is None


def test_nothing_of_the_lookup_before_is_kept(explorer: Make, contract: Path) -> None:
    ex = explorer()
    held = []
    for _ in range(3):
        assert ex.image(0).data
        assert ex.metadata(0)
        assert ex.find("path:shard_001") == 100
        held.append(weakref.ref(ex._session.dataset))
        ex.open(contract / "lookup.parquet")
    gc.collect()
    assert [dataset() for dataset in held] == [None] * 3


def test_explorers_of_one_kernel_do_not_mix(explorer: Make, tmp_path: Path) -> None:
    pq.write_table(pa.table({"uuid": ["only one"], "filepath": ["absent"]}), tmp_path / "small.parquet")
    first, second = explorer(), explorer(tmp_path / "small.parquet")
    second.open(tmp_path / "small.parquet")
    first.current = 7
    first.selection = range(3)
    assert (first.stats["records"], second.stats["records"]) == (323, 1)
    assert (second.current, len(second.selection)) == (0, 0)
    assert first.rows(0, 1).column("uuid")[0].as_py() != "only one"
    second.close()
    assert first.image(7).data


def test_it_can_be_told_apart_from_nothing(explorer: Make, contract: Path) -> None:
    assert explorer(contract / "header_only.parquet")
    assert bool(explorer())


# The end of Python


@pytest.mark.parametrize(
    "script",
    [
        "ex = Explorer(path)",
        "ex = Explorer(path); ex.image(0); ex.metadata(0); ex.stats",
        "many = [Explorer(path) for _ in range(3)]; many.append(many); many[0].current = 5",
        "ex = Explorer(path); ex = Explorer(path); ex.image(1)",
        "ex = Explorer(path); ex.close()",
        "ex = Explorer(path); ex.image(0); sys.exit(0)",
        "ex = Explorer(path)\ntry:\n    Explorer('nowhere.parquet')\nexcept OSError as error:\n    kept = error",
    ],
)
def test_python_ends_with_explorers_that_were_not_closed(contract: Path, script: str) -> None:
    code = f"import sys\nfrom h5explorer_py import Explorer\npath = sys.argv[1]\n{script}\n"
    done = python(code, str(contract / "lookup.parquet"), seconds=20)
    assert (done.returncode, done.stderr) == (0, "")
