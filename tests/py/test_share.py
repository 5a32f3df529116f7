"""Shared pages: what is in them is what the data set has, and nothing in the data is markup."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any

import h5py
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from h5explorer_py import Explorer, errors
from h5explorer_py.metadata.record import for_page
from h5explorer_py.share import page_name
from tests.fixtures.pictures import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 12
HOSTILE = '</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> "\u2028'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards with other columns each; one row without a picture, one without a record."""
    uuids = [f"key-{row}" for row in range(ROWS)]
    files = [f"shard_{row % 2}" for row in range(ROWS)]
    for number in range(2):
        mine = uuids[number::2]
        with h5py.File(tmp_path / f"shard_{number}_images.h5", "w") as file:
            for key in mine:
                if key != "key-4":
                    file.create_dataset(f"images/{key}", data=list(encoded(int(key[4:]))), dtype="u1")
        columns: dict[str, Any] = {"uuid": mine, "name": [f"{HOSTILE}{key}" for key in mine]}
        if number:
            columns |= {
                "big": [2**60 + row for row in range(len(mine))],
                "parts": [[1, row] for row in range(len(mine))],
            }
        table = pa.table(columns)
        pq.write_table(
            table.filter(pc.not_equal(table["uuid"], "key-5")), tmp_path / f"shard_{number}_metadata.parquet"
        )
    pq.write_table(pa.table({"uuid": uuids, "filepath": files}), tmp_path / "lookup.parquet")
    return tmp_path


@pytest.fixture
def explorer(folder: Path) -> Iterator[Explorer]:
    made = Explorer(folder / "lookup.parquet", cache=False)
    yield made
    made.close()


class Page:
    """What a page holds, read by its text alone."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        self.data = json.loads(self.element("rows"))
        self.rows = self.data["rows"]

    def element(self, name: str) -> str:
        found = re.findall(rf'<script type="[a-z/]+" id="{name}">(.*?)</script>', self.text, re.DOTALL)
        assert len(found) == 1
        return str(found[0])

    def picture(self, row: int) -> bytes:
        return base64.b64decode(self.element(f"picture-{self.rows[row]['image']['place']}"))

    def record(self, row: int) -> dict[str, Any]:
        facts = self.rows[row]["record"]
        stream = base64.b64decode(self.element(f"table-{facts['table']}"))
        table = pa.ipc.open_stream(stream).read_all().slice(facts["place"], 1)
        assert [each["name"] for each in self.data["columns"][facts["table"]]] == table.column_names
        return dict(table.to_pylist()[0])


def test_a_page_has_what_the_data_set_has(explorer: Explorer, folder: Path) -> None:
    explorer.selection = [range(1, 8), 10]
    told: list[int] = []
    shared = explorer.share(folder / "page.html", progress=told.append)
    assert (shared.rows, shared.chosen, shared.is_whole) == (8, 8, True)
    assert (shared.failed, shared.bytes) == (2, (folder / "page.html").stat().st_size)
    assert told == list(range(1, 9))
    page = Page(folder / "page.html")
    assert (page.data["name"], page.data["chosen"]) == ("lookup.parquet", 8)
    for at, row in enumerate([*range(1, 8), 10]):
        assert page.rows[at]["uuid"] == f"key-{row}"
        assert page.rows[at]["filepath"] == f"shard_{row % 2}"
        if row == 4:
            assert page.rows[at]["image"]["error"]["code"] == "image_not_found"
        else:
            assert page.picture(at) == explorer.image(row).data
        if row == 5:
            assert page.rows[at]["record"]["error"]["code"] == "record_not_found"
        else:
            expected = pa.Table.from_pylist([explorer.metadata(row)])
            assert page.record(at) == for_page(expected).to_pylist()[0]


def test_nothing_in_the_data_is_markup(explorer: Explorer, folder: Path) -> None:
    explorer.share(folder / "page.html", rows="view")
    text = (folder / "page.html").read_text("utf-8")
    assert "alert(" not in text
    assert text.count("<script") == text.count("</script>") == len(re.findall(r"<script type=", text))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_a_hostile_name_is_text(folder: Path) -> None:
    path = folder / "<b>&'.parquet"
    path.write_bytes((folder / "lookup.parquet").read_bytes())
    explorer = Explorer(path, cache=False)
    explorer.share(folder / "page.html")
    explorer.close()
    (title,) = re.findall("<title>(.*)</title>", (folder / "page.html").read_text("utf-8"))
    assert html.unescape(title).startswith("<b>&'.parquet")
    assert "<" not in title
    assert page_name(path.name) == "b-rows.html"
    assert page_name("..") == "lookup-rows.html"


def test_of_more_than_there_is_room_for_the_first_are_taken(explorer: Explorer, folder: Path) -> None:
    whole = explorer.share(folder / "whole.html", rows="view")
    limit = whole.bytes - 1_500
    some = explorer.share(folder / "some.html", rows="view", limit=limit)
    assert 0 < some.rows < some.chosen == ROWS
    assert some.bytes <= limit
    assert "the first" in str(some)
    page = Page(folder / "some.html")
    assert [row["uuid"] for row in page.rows] == [f"key-{row}" for row in range(some.rows)]
    assert page.data["chosen"] == ROWS
    assert explorer.share(folder / "one.html", rows="view", limit=0).rows == 1
    sizes = [explorer.share(folder / f"{row}.html", rows="view", limit=some.bytes + 300 * row) for row in range(12)]
    assert all(each.bytes <= some.bytes + 300 * row for row, each in enumerate(sizes))
    assert len({each.rows for each in sizes}) > 1


def test_rows_without_anything_take_room_too(folder: Path) -> None:
    uuids = [f"{'€' * 500}{row}" for row in range(5_000)]
    pq.write_table(pa.table({"uuid": uuids, "filepath": ["absent"] * len(uuids)}), folder / "many.parquet")
    explorer = Explorer(folder / "many.parquet", cache=False)
    empty = explorer.share(folder / "one.html", rows="view", limit=0).bytes
    told: list[int] = []
    shared = explorer.share(folder / "page.html", rows="view", limit=empty + 200_000, progress=told.append)
    explorer.close()
    assert shared.bytes <= empty + 200_000
    assert 10 < shared.rows <= max(told) < 500


def test_one_that_is_closed_meanwhile_makes_no_page(explorer: Explorer, folder: Path) -> None:
    def close(rows: int) -> None:
        if rows == 3:
            explorer.close()

    with pytest.raises(errors.ClosedError):
        explorer.share(folder / "page.html", rows="view", progress=close)
    assert not (folder / "page.html").exists()


def test_what_is_there_stays_unless_it_is_to_be_replaced(explorer: Explorer, folder: Path) -> None:
    path = folder / "page.html"
    path.write_text("mine")
    with pytest.raises(errors.TargetExistsError):
        explorer.share(path)
    assert path.read_text() == "mine"
    assert explorer.share(path, overwrite=True).rows == 1  # the row that is shown
    with pytest.raises(errors.BadRequestError, match=r"\.html"):
        explorer.share(folder / "page.txt")
    with pytest.raises(errors.BadRequestError, match="selection"):
        explorer.share(folder / "other.html", rows="some")  # type: ignore[arg-type]
    explorer.current = None
    with pytest.raises(errors.BadRequestError, match="No row is selected"):
        explorer.share(folder / "other.html")
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith((".", "other"))) == []
