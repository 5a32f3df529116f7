"""One open lookup, exchanged for another only by one that is good."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.options import KeyColumns, Options
from h5explorer_py.protocol import VERSION
from h5explorer_py.session import Session
from tests.py.support import wait_for, within

if TYPE_CHECKING:
    from pathlib import Path


def lookup(folder: Path, name: str, rows: int, **columns: str) -> Path:
    names = {"uuid": "uuid", "filepath": "filepath", **columns}
    table = pa.table({names["uuid"]: [f"{name} {row}" for row in range(rows)], names["filepath"]: ["s"] * rows})
    pq.write_table(table, folder / f"{name}.parquet")
    (folder / "s_images.h5").touch()
    return folder / f"{name}.parquet"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(lookup(tmp_path, "first", 3), Options())


def test_what_the_page_is_told(session: Session, tmp_path: Path) -> None:
    assert session.describe() == {
        "dataset": 1,
        "protocol": VERSION,
        "name": "first.parquet",
        "location": str(tmp_path / "first.parquet"),
        "records": 3,
        "total": 3,
        "counting": False,
        "filter": "",
        "sort": [],
        "index": {"phase": "off", "fraction": 0.0, "rows": 0, "bytes": 0, "folder": "", "message": ""},
        "notices": [],
        "options": {
            "lookup": str(tmp_path / "first.parquet"),
            "root": None,
            "uuidColumn": "uuid",
            "filepathColumn": "filepath",
            "cache": False,
        },
    }


def test_the_page_is_told_how_to_open_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [lookup(tmp_path, name, 2, uuid="id") for name in ("first", "second")]
    columns = KeyColumns("id")
    moved = {"/old": "new", "/older": tmp_path / "newer"}
    told = Session("first.parquet", Options(tmp_path / "here", "/keys", columns)).describe()["options"]
    assert told == {
        "lookup": str(paths[0]),
        "root": str(tmp_path / "here"),
        "uuidColumn": "id",
        "filepathColumn": "filepath",
        "cache": "/keys",
    }
    several = Session(paths, Options(moved, columns=columns))
    assert several.describe()["options"]["lookup"] == [str(path) for path in paths]
    assert several.describe()["options"]["root"] == {"/old": str(tmp_path / "new"), "/older": str(tmp_path / "newer")}
    several.open("*.parquet", root="moved")
    assert several.describe()["options"]["lookup"] == str(tmp_path / "*.parquet")
    assert several.describe()["options"]["root"] == str(tmp_path / "moved")
    for nameless in (pq.read_table(paths[0]), [paths[0], pq.read_table(paths[1])], [paths[0]] * 51):
        several.open(nameless)
        assert several.describe()["options"]["lookup"] is None
    with pytest.raises(errors.ExplorerError):
        several.open(tmp_path / "absent.parquet", root="elsewhere")
    assert several.describe()["options"]["root"] == str(tmp_path / "moved")


@pytest.mark.parametrize("bad", ["absent.parquet", "wrong.parquet", "junk.csv"])
def test_a_refused_lookup_leaves_the_open_one_in_place(session: Session, tmp_path: Path, bad: str) -> None:
    pq.write_table(pa.table({"x": ["a"]}), tmp_path / "wrong.parquet")
    (tmp_path / "junk.csv").write_bytes(b"\0\1\2")
    told: list[int] = []
    session.on_opened.append(lambda: told.append(1))
    before = session.describe()
    with pytest.raises(errors.ExplorerError):
        session.open(tmp_path / bad, root="/elsewhere", uuid_column="id")
    assert session.describe() == before
    assert session.dataset.keys(0, 1).to_pylist() == [{"uuid": "first 0", "filepath": "s"}]
    assert told == []
    session.open(lookup(tmp_path, "second", 1))  # by the options from before
    assert session.dataset.num_rows == 1


def test_another_lookup_takes_its_place(session: Session, tmp_path: Path) -> None:
    old = session.dataset
    told: list[int] = []
    session.on_opened.append(lambda: told.append(session.describe()["dataset"]))
    session.open(lookup(tmp_path, "second", 5))
    assert told == [2]
    assert session.describe()["records"] == 5
    assert old.closed
    assert session.numbered(2) == (2, session.view)
    assert session.numbered(None) == (2, session.view)
    with pytest.raises(errors.StaleDatasetError):
        session.numbered(1)


def test_options_that_are_not_given_stay(tmp_path: Path) -> None:
    session = Session(
        lookup(tmp_path, "first", 1, uuid="id", filepath="where"),
        Options().changed(uuid_column="id", filepath_column="where"),
    )
    session.open(lookup(tmp_path, "second", 2, uuid="id", filepath="path"), filepath_column="path")
    assert session.dataset.lookup.columns.uuid == "id"
    session.open(lookup(tmp_path, "third", 3, uuid="id", filepath="path"))
    assert session.dataset.num_rows == 3


def test_what_is_still_read_of_the_old_one_is_not_waited_for(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a file system does not answer."""
    go_on = threading.Event()
    read = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", lambda *a, **b: (go_on.wait(30), read(*a, **b))[1])
    old = session.dataset
    reading = threading.Thread(target=lambda: old.keys(0, 3))
    reading.start()
    wait_for(old.lookup._lock.locked)
    within(5, lambda: session.open(lookup(tmp_path, "second", 1)))
    assert session.describe()["name"] == "second.parquet"
    assert old.closed
    within(5, session.close)
    go_on.set()
    reading.join(10)
    wait_for(lambda: not any(thread.name == "h5explorer-closing" for thread in threading.enumerate()))


def test_after_closing(session: Session, tmp_path: Path) -> None:
    dataset = session.dataset
    session.close()
    session.close()
    assert dataset.closed
    for use in (lambda: session.dataset, session.describe, lambda: session.numbered(None)):
        with pytest.raises(errors.ClosedError):
            use()
    with pytest.raises(errors.ClosedError):
        session.open(lookup(tmp_path, "second", 1))


def test_lookups_opened_at_once_leave_one_that_is_whole(session: Session, tmp_path: Path) -> None:
    paths = [lookup(tmp_path, f"l{number}", number + 1) for number in range(12)]
    told: list[dict[str, object]] = []
    session.on_opened.append(lambda: told.append(session.describe()))
    opened = [session.dataset]
    lock = threading.Lock()

    def note() -> None:
        with lock:
            opened.append(session.dataset)

    session.on_opened.append(note)
    threads = [threading.Thread(target=session.open, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = session.describe()
    assert last["dataset"] == 13
    assert told[-1] == last
    assert last["records"] == session.dataset.num_rows
    assert [dataset for dataset in {id(each): each for each in opened}.values() if not dataset.closed] == [
        session.dataset
    ]


def test_what_is_told_last_is_what_is_open(session: Session, tmp_path: Path) -> None:
    """A listener that is slow must not tell of its lookup after that of a later one."""
    slow, fast = lookup(tmp_path, "slow", 10), lookup(tmp_path, "fast", 20)
    begun, go_on = threading.Event(), threading.Event()
    shown: list[int] = []

    def show() -> None:
        described = session.describe()["records"]
        if described == 10:
            begun.set()
            go_on.wait(5)
        shown.append(described)

    session.on_opened.append(show)
    first = threading.Thread(target=session.open, args=(slow,))
    first.start()
    assert begun.wait(5)
    second = threading.Thread(target=session.open, args=(fast,))
    second.start()
    second.join(0.3)
    go_on.set()
    first.join()
    second.join()
    assert shown[-1] == session.describe()["records"] == 20


def test_a_listener_may_open_the_next_lookup(session: Session, tmp_path: Path) -> None:
    last = lookup(tmp_path, "last", 30)
    session.on_opened.append(lambda: session.dataset.num_rows == 30 or session.open(last))
    within(5, lambda: session.open(lookup(tmp_path, "second", 2)))
    assert session.dataset.num_rows == 30
