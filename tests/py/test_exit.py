"""Scripts end quietly, whatever goes on in the background just then."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.py.support import python

if TYPE_CHECKING:
    from pathlib import Path

BUSY = """
import sys, time, duckdb
def busy(*_):
    connection = duckdb.connect()
    begun.append(1)
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        connection.sql("SELECT sum(hash(i)) FROM range(500000) t(i)").fetchall()
    return True
begun = []
"""

PACKING = """
from h5explorer_py import Explorer
from h5explorer_py.lookup.packed import packed, store
store.SMALLEST = 1_000
packed.PackedLookup.agrees_with = busy
ex = Explorer(sys.argv[1], cache=sys.argv[2])
ex.prepare()
while not begun:
    pass
rel = ex.view()
rel.fetchall()
"""

JOB = """
from h5explorer_py import jobs
job = jobs.Job(busy, lambda *_: None, 60)
jobs.looking.submit(job)
while not begun:
    pass
"""


@pytest.fixture
def lookup(tmp_path: Path) -> Path:
    table = pa.table({"uuid": [str(UUID(int=row)) for row in range(2_000)], "filepath": ["s"] * 2_000})
    pq.write_table(table, tmp_path / "l.parquet", row_group_size=500)
    return tmp_path / "l.parquet"


@pytest.mark.parametrize("doing", [PACKING, JOB])
def test_a_script_ends_while_a_thread_is_within_a_library(lookup: Path, tmp_path: Path, doing: str) -> None:
    for _ in range(2):  # the second time it has been packed
        done = python(BUSY + doing, str(lookup), str(tmp_path / "cache"))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "terminate" not in done.stderr
        assert "Traceback" not in done.stderr


def test_what_waits_does_not_hold_up_the_end(tmp_path: Path) -> None:
    code = """
import threading, time
from h5explorer_py import jobs
jobs.looking.submit(jobs.Job(lambda job: threading.Event().wait(), lambda *_: None, 600))
time.sleep(0.2)
"""
    done = python(code, seconds=30)
    assert (done.returncode, done.stderr) == (0, "")
