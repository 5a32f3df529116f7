"""Queries run to their end, or until nobody waits for them; what goes wrong is told in words for a person."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.errors import (
    CancelledError,
    ClosedError,
    ConditionError,
    LookupUnreadableError,
    RequestTimeoutError,
)
from h5explorer_py.lookup.sql.connection import locked_connection
from h5explorer_py.lookup.sql.messages import told
from h5explorer_py.lookup.sql.running import run
from tests.fixtures.conditions import ROWS, write_conditions
from tests.py.support import python, wait_for, within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = -1"
ENDLESS_STREAM = "SELECT range FROM range(1000000000000)"
SLOW_STREAM = "SELECT a.range FROM range(10000000) a, range(100000) b WHERE (a.range * 7 + b.range) % 103 = 1"


class GoneError(Exception):
    pass


def wanted() -> None:
    pass


@pytest.fixture(scope="module")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_conditions(tmp_path_factory.mktemp("running") / "lookup.parquet")


@pytest.fixture
def connection(lookup: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = locked_connection([str(lookup)])
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert [thread for thread in threading.enumerate() if thread.name == "h5explorer-query"] == []


class Waiting:
    """Gives up when it is told to, and keeps when it was asked, and by which threads."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self.asked: list[float] = []
        self.threads: set[str] = set()

    def __call__(self) -> None:
        self.asked.append(time.monotonic())
        self.threads.add(threading.current_thread().name)
        if self.gone.is_set():
            raise GoneError

    def later(self, times: int) -> Waiting:
        """Give up once a thread beside has asked so often."""

        def watch() -> None:
            wait_for(lambda: len(self.asked) >= times, 30)
            self.gone.set()

        threading.Thread(target=watch, daemon=True).start()
        return self


@pytest.mark.parametrize("size", [1, 7, 1_000, 65_536])
def test_all_rows_come_in_batches_no_larger_than_is_asked_for(size: int, lookup: Path, connection: Any) -> None:
    sql = "SELECT uuid, width FROM read_parquet(?) WHERE width < ?"
    batches = list(run(connection, sql, [str(lookup), 40], wanted, rows_per_batch=size))
    assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
    assert all(0 < batch.num_rows <= size for batch in batches)
    table = pq.read_table(lookup, columns=["uuid", "width"])
    expected = [row for row in table.to_pylist() if row["width"] < 40]
    assert [row for batch in batches for row in batch.to_pylist()] == expected


def test_no_rows_are_no_batches(lookup: Path, connection: Any) -> None:
    assert list(run(connection, "SELECT uuid FROM read_parquet(?) WHERE false", [str(lookup)], wanted)) == []


@pytest.mark.parametrize("sql", [ENDLESS, f"SELECT * FROM ({ENDLESS_STREAM}) ORDER BY hash(range)"])
def test_it_is_given_up_before_the_first_batch(sql: str, connection: Any) -> None:
    waiting = Waiting().later(5)

    def attempt() -> None:
        with pytest.raises(GoneError):
            list(run(connection, sql, [], waiting))

    within(30, attempt)
    assert "h5explorer-query" in waiting.threads
    assert connection.execute("SELECT 7").fetchall() == [(7,)]


@pytest.mark.parametrize("sql", [ENDLESS_STREAM, SLOW_STREAM])
def test_it_is_given_up_between_batches(sql: str, connection: Any) -> None:
    waiting = Waiting()
    batches = run(connection, sql, [], waiting, rows_per_batch=2_048)
    assert 0 < next(batches).num_rows <= 2_048
    waiting.gone.set()
    with pytest.raises(GoneError):
        next(batches)
    assert list(batches) == []
    assert connection.execute("SELECT 7").fetchall() == [(7,)]


def test_nothing_runs_for_nobody(connection: Any) -> None:
    waiting = Waiting()
    waiting.gone.set()
    with pytest.raises(GoneError):
        next(run(connection, "this is not even SQL", [], waiting))


def test_it_asks_while_duckdb_computes_and_not_while_nobody_pulls(connection: Any) -> None:
    waiting = Waiting().later(20)
    with pytest.raises(GoneError):
        list(run(connection, ENDLESS, [], waiting))
    gaps = sorted(later - sooner for sooner, later in zip(waiting.asked, waiting.asked[1:], strict=False))
    assert gaps[len(gaps) // 2] < 0.1
    idle = Waiting()
    batches = run(connection, ENDLESS_STREAM, [], idle)
    next(batches)
    time.sleep(0.15)  # what was under way when the batch came
    asked = len(idle.asked)
    time.sleep(0.3)
    assert len(idle.asked) == asked
    batches.close()


def test_a_limit_of_time(connection: Any) -> None:
    with pytest.raises(RequestTimeoutError, match=r"longer than 0\.2 s") as caught:
        within(30, lambda: list(run(connection, ENDLESS, [], wanted, seconds=0.2)))
    assert caught.value.action
    assert next(run(connection, "SELECT 1", [], wanted, seconds=60)).num_rows == 1


def test_a_limit_of_time_holds_between_batches(connection: Any) -> None:
    batches = run(connection, ENDLESS_STREAM, [], wanted, seconds=0.1)
    next(batches)
    time.sleep(0.12)
    with pytest.raises(RequestTimeoutError):
        next(batches)


def test_an_iterator_that_is_left_ends(connection: Any) -> None:
    batches = run(connection, ENDLESS_STREAM, [], wanted)
    next(batches)
    batches.close()
    assert connection.execute("SELECT 7").fetchall() == [(7,)]
    batches = run(connection, ENDLESS_STREAM, [], wanted)
    next(batches)
    del batches
    assert connection.execute("SELECT 7").fetchall() == [(7,)]


def test_whatever_the_one_who_waits_raises_comes_out(connection: Any) -> None:
    for kind in (KeyboardInterrupt, SystemExit, CancelledError, duckdb.Error, OSError, StopIteration):
        seen = 0

        def give_up(kind: type[BaseException] = kind) -> None:
            nonlocal seen
            seen += 1
            if seen > 4:
                raise kind("mine")

        expected = RuntimeError if kind is StopIteration else kind  # as in every generator
        with pytest.raises(expected):
            list(run(connection, ENDLESS, [], give_up))


def test_another_interrupts_or_closes(lookup: Path) -> None:
    connection = locked_connection([str(lookup)])
    waiting = Waiting()

    def interrupt() -> None:
        wait_for(lambda: len(waiting.asked) > 3)
        connection.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(CancelledError):
        list(run(connection, ENDLESS, [], waiting))
    thread.join()
    connection.close()
    with pytest.raises(ClosedError):
        list(run(connection, "SELECT 1", [], wanted))


def test_without_a_thread_it_asks_between_batches(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    waiting = Waiting()
    batches = run(connection, ENDLESS_STREAM, [], waiting)
    next(batches)
    waiting.gone.set()
    with pytest.raises(GoneError):
        next(batches)


def test_progress_is_told_from_0_to_1(connection: Any) -> None:
    told_: list[float] = []
    waiting = Waiting()

    def progress(done: float) -> None:
        told_.append(done)
        if len(told_) > 5:
            waiting.gone.set()

    sql = "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 7"
    with pytest.raises(GoneError):
        within(60, lambda: list(run(connection, sql, [], waiting, progress=progress)))
    assert told_ == sorted(told_)
    assert all(0 <= done <= 1 for done in told_)


def test_progress_that_fails_ends_the_query(connection: Any) -> None:
    def progress(_: float) -> None:
        raise GoneError

    sql = "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 7"
    with pytest.raises(GoneError):
        within(60, lambda: list(run(connection, sql, [], wanted, progress=progress)))


# What goes wrong


def failure(connection: Any, sql: str, params: list[object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        list(run(connection, sql, params, wanted))
    return caught.value


def test_too_little_memory_is_told_with_what_to_do(lookup: Path, tmp_path: Path) -> None:
    sql = "SELECT * FROM (SELECT a.*, range FROM read_parquet(?) a, range(300)) ORDER BY hash(range), uuid"
    connection = locked_connection([str(lookup)], memory="40MB")
    error = failure(connection, sql, [str(lookup)])
    assert isinstance(error, ConditionError)
    assert "not enough memory" in error.message
    assert error.action
    connection.close()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    connection = locked_connection([str(lookup)], memory="300MB", scratch=str(scratch), in_order=False)
    assert sum(batch.num_rows for batch in run(connection, sql, [str(lookup)], wanted)) == ROWS * 300
    connection.close()
    assert list(scratch.iterdir()) == []
    connection = locked_connection([str(lookup)], memory="60MB", scratch=str(scratch), scratch_size="1MB")
    assert "not enough memory" in str(failure(connection, sql, [str(lookup)]))
    connection.close()


def test_files_that_cannot_be_read_are_told_without_their_folders(tmp_path: Path) -> None:
    bad, gone = tmp_path / "bad.parquet", tmp_path / "gone.parquet"
    bad.write_bytes(b"x" * 1_000)
    connection = locked_connection([str(bad), str(gone)])
    for path in (bad, gone):
        error = failure(connection, "SELECT * FROM read_parquet(?)", [str(path)])
        assert isinstance(error, ConditionError | LookupUnreadableError)
        assert "bad.parquet" in str(error) if path == bad else "gone" in str(error)
        assert str(path.parent) not in str(error)
    connection.close()


def test_a_file_that_is_damaged_within(lookup: Path, tmp_path: Path) -> None:
    raw = bytearray(lookup.read_bytes())
    raw[1_000:200_000] = b"\xff" * 199_000
    path = tmp_path / "damaged.parquet"
    path.write_bytes(raw)
    connection = locked_connection([str(path)])
    error = failure(connection, "SELECT * FROM read_parquet(?)", [str(path)])
    assert isinstance(error, ConditionError | LookupUnreadableError)
    assert str(tmp_path) not in str(error)
    connection.close()


def test_a_fault_in_a_late_batch_is_told_like_one_in_the_first(connection: Any) -> None:
    sql = "SELECT CASE WHEN range < 500000 THEN '1' ELSE 'late' END::INTEGER FROM range(600000)"
    batches = run(connection, sql, [], wanted, rows_per_batch=1_000)
    with pytest.raises(ConditionError, match="Could not convert string 'late' to INT32"):
        list(batches)  # DuckDB computes ahead of what is read: how much has been read by then varies


@pytest.mark.parametrize(
    ("message", "kind", "expected"),
    [
        ("Binder Error: No x\n\nLINE 1: SELECT secret FROM t\n               ^", ConditionError, "this: No x."),
        ("Binder Error: No f\n\tCandidate functions:\n\tf(a)\n", ConditionError, "this: No f."),
        ('Catalog Error: No t!\nDid you mean "u"?\n\nLINE 1: x', ConditionError, 'this: No t! Did you mean "u"?'),
        ("Out of Memory Error: failed\n\nPossible solutions:\n* x", ConditionError, "not enough memory"),
        ("INTERRUPT Error: Interrupted!", CancelledError, "stopped"),
        ('IO Error: Cannot open file "/a/b/c.parquet": gone', LookupUnreadableError, 'file "c.parquet": gone.'),
        ("Invalid Input Error: File '/a/b/d.parquet' is bad", ConditionError, "File 'd.parquet' is bad."),
        ("_duckdb.ConnectionException: Connection Error: Connection already closed!", ClosedError, "closed"),
    ],
)
def test_messages_of_duckdb_lose_what_is_not_for_a_person(message: str, kind: type[Exception], expected: str) -> None:
    error = told(OSError(message), ["/a/b/d.parquet"])
    assert type(error) is kind
    assert expected in str(error)
    assert "LINE" not in str(error)
    assert "/a/b" not in str(error)


@given(st.text())
def test_any_message_makes_one_short_line(message: str) -> None:
    error = told(OSError(message))
    assert len(error.message) < 400
    assert len(error.message.splitlines()) == 1


def test_sixteen_run_side_by_side(lookup: Path) -> None:
    """Each on its own connection; half of them are given up."""
    outcomes: list[object] = []

    def work(number: int) -> None:
        connection = locked_connection([str(lookup)], threads=1)
        try:
            if number % 2:
                list(run(connection, ENDLESS, [], Waiting().later(4)))
            outcomes.append(sum(b.num_rows for b in run(connection, "FROM read_parquet(?)", [str(lookup)], wanted)))
        except GoneError:
            outcomes.append("gone")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count("gone") == outcomes.count(ROWS) == 8


def test_running_a_condition_needs_no_pandas(lookup: Path) -> None:
    code = (
        "import sys\n"
        "from h5explorer_py.lookup.sql.condition import parse_condition\n"
        "assert 'duckdb' not in sys.modules and 'pyarrow' not in sys.modules\n"
        "from h5explorer_py.lookup.sql.connection import locked_connection\n"
        "from h5explorer_py.lookup.sql.running import run\n"
        "condition = parse_condition('width = 7 AND taken IS NOT NULL', ['width', 'taken'])\n"
        "connection = locked_connection([sys.argv[1]])\n"
        "sql = 'SELECT * FROM read_parquet(?) WHERE ' + condition.sql\n"
        "print(sum(b.num_rows for b in run(connection, sql, [sys.argv[1]], lambda: None)))\n"
        "assert 'pandas' not in sys.modules"
    )
    done = python(code, str(lookup))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "8\n"
