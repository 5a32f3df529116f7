"""Waiting for the index of a lookup."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import Explorer, errors
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.packed import preparation, store
from tests.py.support import python, within

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 5_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SMALLEST", 1_000)
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 3_600.0)  # nothing begins by itself


@pytest.fixture
def lookup(tmp_path: Path) -> Path:
    table = pa.table({"uuid": [str(UUID(int=row)) for row in range(ROWS)], "filepath": ["s"] * ROWS})
    pq.write_table(table, tmp_path / "l.parquet", row_group_size=500)
    return tmp_path / "l.parquet"


def test_it_is_ready_when_it_has_been_waited_for(lookup: Path, tmp_path: Path) -> None:
    ex = Explorer(lookup, cache=tmp_path / "cache")
    assert ex.index["phase"] == "waiting"
    done = within(30, ex.prepare)
    size = sum(path.stat().st_size for path in (tmp_path / "cache" / "lookups").rglob("*") if path.is_file())
    (folder,) = (tmp_path / "cache" / "lookups").iterdir()
    assert done == {
        "phase": "ready",
        "fraction": 1.0,
        "rows": ROWS,
        "bytes": size,
        "folder": str(folder),
        "message": "",
    }
    assert ex.index == done
    assert within(5, ex.prepare) == done
    again = Explorer(lookup, cache=tmp_path / "cache")
    assert within(5, again.prepare)["phase"] == "ready"


def test_there_may_be_none(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert within(5, Explorer(lookup, cache=False).prepare)["phase"] == "off"
    monkeypatch.setattr(store, "SMALLEST", ROWS + 1)
    assert within(5, Explorer(lookup, cache=tmp_path / "cache").prepare)["phase"] == "off"


def test_a_failure_says_why_and_is_tried_again(lookup: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    ex = Explorer(lookup, cache=tmp_path / "cache")
    failed = within(30, ex.prepare)
    assert failed["phase"] == "failed"
    assert "cannot be written" in failed["message"]
    (tmp_path / "cache").unlink()
    assert within(30, ex.prepare)["phase"] == "ready"


def test_stopped_in_between_or_not_done_in_time(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.5)
    ex = Explorer(lookup, cache=tmp_path / "cache")
    assert within(30, lambda: ex.prepare(0.2))["phase"] in {"waiting", "packing"}
    running = ex._session.dataset.rows.preparation
    assert running is not None
    threading.Timer(0.3, running.stop).start()
    assert within(30, ex.prepare)["phase"] == "stopped"
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.0)
    assert within(30, ex.prepare)["phase"] == "ready"  # a person who asks for it wants it


def test_closing_ends_the_waiting(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.5)
    ex = Explorer(lookup, cache=tmp_path / "cache")
    threading.Timer(0.3, ex.close).start()
    assert within(30, ex.prepare)["phase"] == "stopped"
    with pytest.raises(errors.ClosedError):
        ex.prepare()


INTERRUPTED = """
import os, signal, sys, threading
from h5explorer_py.lookup.packed import preparation, store
from h5explorer_py import Explorer
store.SMALLEST, preparation._BREATH_SECONDS = 1_000, 1.5
ex = Explorer(sys.argv[1], cache=sys.argv[2])
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    ex.prepare()
except KeyboardInterrupt:
    print(ex.index["phase"])
"""


def test_an_interrupt_ends_the_waiting(lookup: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    done = python(INTERRUPTED, str(lookup), str(tmp_path / "cache"))
    assert done.stdout.strip() in {"waiting", "packing"}, done.stderr
    assert time.monotonic() - started < 60
