"""A large text file: its first rows are shown while the others are still counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py import errors
from h5explorer_py.lookup import delimited
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.packed import store
from h5explorer_py.lookup.packed.progress import Phase
from h5explorer_py.options import Options
from h5explorer_py.session import Session
from tests.py.support import wait_for, within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 20_000
opened: list[Any] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Holds up counting behind the first piece until it is set."""
    event = threading.Event()
    split = delimited.split_records
    monkeypatch.setattr(delimited, "_FIRST_PIECE", 20_000)
    monkeypatch.setattr(delimited, "_PIECE", 50_000)
    monkeypatch.setattr("h5explorer_py.session._GROWTH_SECONDS", 0.02)

    def held(piece: bytes, *arguments: Any, **options: Any) -> Any:
        if b"key 000000," not in piece:
            assert event.wait(30)
        return split(piece, *arguments, **options)

    monkeypatch.setattr(delimited, "split_records", held)
    return event


@pytest.fixture
def lookup(tmp_path: Path) -> Path:
    path = tmp_path / "lookup.csv"
    path.write_text("uuid,filepath\n" + "".join(f"key {row:06},s{row % 5}\n" for row in range(ROWS)))
    return path


def session_of(lookup: Path, **options: Any) -> Session:
    session = Session(lookup, Options(**options))
    opened.append(session)
    return session


def test_rows_are_shown_and_grow(lookup: Path, gate: threading.Event) -> None:
    session = session_of(lookup)
    told: list[int] = []
    session.on_grown.append(lambda: told.append(session.describe()["records"]))
    first = session.describe()
    assert first["counting"]
    assert 500 < first["records"] < 2_000
    assert session.view.keys(0, 2_000).num_rows == first["records"]
    gate.set()
    wait_for(lambda: not session.describe()["counting"])
    wait_for(lambda: told and told[-1] == ROWS)
    assert told == sorted(told)
    assert session.describe()["dataset"] == first["dataset"]
    assert session.view.keys(first["records"] - 10, ROWS + 10).column(0).to_pylist() == [
        f"key {row:06}" for row in range(first["records"] - 10, ROWS)
    ]


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: session.dataset.filepaths(lambda: None) == 5,
        lambda session: session.view.row_of(f"key {ROWS - 1:06}") == ROWS - 1,
        lambda session: session.view.entry(ROWS - 1).key == f"key {ROWS - 1:06}",
        lambda session: session.show("uuid > 'key 019'", []) or session.view.num_rows == 1_000,
        lambda session: session.show("", [("uuid", "desc")]) or session.view.entry(0).key == f"key {ROWS - 1:06}",
    ],
)
def test_what_needs_all_rows_waits_for_them(lookup: Path, gate: threading.Event, ask: Any) -> None:
    session = session_of(lookup)
    outcome: list[bool] = []
    asking = threading.Thread(target=lambda: outcome.append(ask(session)))
    asking.start()
    asking.join(0.2)
    assert outcome == []
    gate.set()
    asking.join(20)
    assert outcome == [True]


def test_a_row_that_is_not_there_is_refused_when_all_are_counted(lookup: Path, gate: threading.Event) -> None:
    session = session_of(lookup)
    gate.set()
    with pytest.raises(errors.RowOutOfRangeError):
        within(20, lambda: session.view.entry(ROWS))


def test_closing_does_not_wait_for_the_count(lookup: Path, gate: threading.Event) -> None:
    session = session_of(lookup)
    within(5, session.close)
    gate.set()


def test_the_index_begins_when_all_are_counted_and_tells_the_count_the_next_time(
    lookup: Path, tmp_path: Path, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SMALLEST", 1_000)
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 0.0)
    session = session_of(lookup, cache=str(tmp_path / "cache"))
    rows = session.dataset.rows
    assert rows.progress.phase is Phase.WAITING
    assert rows.preparation is None
    gate.set()
    wait_for(lambda: rows.preparation is not None)
    assert rows.preparation is not None
    assert rows.preparation.wait(20)
    assert rows.progress.phase is Phase.READY
    session.close()
    gate.clear()
    again = session_of(lookup, cache=str(tmp_path / "cache"))
    described = again.describe()
    assert (described["counting"], described["records"]) == (False, ROWS)
    assert again.view.keys(ROWS - 1, ROWS).column(0).to_pylist() == [f"key {ROWS - 1:06}"]
    reading = threading.Thread(target=lambda: again.view.read(ROWS - 5, ROWS))
    reading.start()
    gate.set()
    reading.join(20)
    assert again.view.read(ROWS - 5, ROWS).column("uuid").to_pylist() == [
        f"key {row:06}" for row in range(ROWS - 5, ROWS)
    ]


def test_another_encoding_is_shown_from_then_on(tmp_path: Path, gate: threading.Event) -> None:
    path = tmp_path / "lookup.csv"
    text = "uuid,filepath\nü,s\n" + "".join(f"key {row:06},s\n" for row in range(ROWS))
    path.write_bytes(text.encode() + b"\xfc,s\n")
    session = session_of(path)
    assert session.view.keys(0, 1).column(0).to_pylist() == ["ü"]
    told: list[int] = []
    session.on_opened.append(lambda: told.append(session.describe()["dataset"]))
    gate.set()
    wait_for(lambda: told == [2])
    assert session.view.keys(0, 1).column(0).to_pylist() == ["Ã¼"]
    assert any("Latin-1" in notice for notice in session.describe()["notices"])
