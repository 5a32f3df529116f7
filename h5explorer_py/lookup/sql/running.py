"""Runs queries so that they end when nobody waits for them any more."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ConditionError, RequestTimeoutError
from h5explorer_py.lookup.sql.messages import told
from h5explorer_py.lookup.sql.tree import SyntaxFaultError, only_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import duckdb
    import pyarrow as pa

_ASK_SECONDS = 0.05
_INTERRUPTED = "Query interrupted"
"""What DuckDB makes of Ctrl-C."""


def run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    params: Sequence[object],
    give_up: Callable[[], None],
    *,
    rows_per_batch: int = 65_536,
    seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Run a query that reads, and yield what it finds as it finds it.

    While DuckDB computes, a thread asks every 0.05 s whether to go on, and interrupts it if not; it ends with the
    iterator, however that ends. DuckDB stops between two blocks of 2,048 rows. Where the system starts no thread,
    the query is asked about between its batches only.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Where it runs; for nothing else until the iterator has ended or was closed.
    sql : str
        The query; one, that only reads.
    params : sequence
        The values of its parameters.
    give_up : callable
        Raises when nobody waits any more; is asked in this and in another thread.
    rows_per_batch : int
        Rows in a batch at most; batches of fewer come wherever few rows are found.
    seconds : float, optional
        How long it may take from the first batch that is asked for, the time between two batches included.
    progress : callable, optional
        Is told now and then, in another thread, how much is done, from 0 to 1, as far as DuckDB knows.

    Yields
    ------
    pyarrow.RecordBatch

    Raises
    ------
    ConditionError
        Where DuckDB cannot compute it, there is not enough memory, or it does more than read.
    LookupUnreadableError
        Where a file cannot be read.
    RequestTimeoutError
        Where it takes too long.
    CancelledError, ClosedError
        Where another interrupted it, or closed the connection.
    KeyboardInterrupt
        Where a person did.
    Exception
        Whatever ``give_up`` raised.
    """
    import duckdb
    import pyarrow as pa

    give_up()
    _check(sql)
    watch = _Watch(connection, give_up, seconds, progress)
    reader: Any = None
    try:
        while True:
            try:
                with watch:
                    if reader is None:
                        reader = connection.sql(sql, params=list(params)).to_arrow_reader(rows_per_batch)
                    batch = reader.read_next_batch()
            except StopIteration:
                return
            except (duckdb.Error, pa.ArrowException, OSError, MemoryError, RuntimeError) as error:
                if watch.stopped is not None:
                    raise watch.stopped from None
                if type(error) is RuntimeError:
                    if str(error) == _INTERRUPTED:
                        raise KeyboardInterrupt from None
                    raise
                raise told(error, [each for each in params if isinstance(each, str)]) from None
            yield batch
    finally:
        watch.end()
        if reader is not None:
            reader.close()


def _check(sql: str) -> None:
    try:
        reads = only_reads(sql)
    except SyntaxFaultError:
        reads = False
    if not reads:
        raise ConditionError("Only one query that reads can be run.")


class _Watch:
    """Asks beside a computation whether it is still wanted. A context manager around each piece of it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        give_up: Callable[[], None],
        seconds: float | None,
        progress: Callable[[float], None] | None,
    ) -> None:
        self._connection = connection
        self._give_up = give_up
        self._seconds = seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._progress = progress
        self._computing = False
        self._idle = False
        self._ended = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.stopped: BaseException | None = None

    def __enter__(self) -> None:
        self._ask()
        if self.stopped is not None:
            raise self.stopped
        with self._change:
            self._computing = True
            if self._idle:
                self._change.notify()
        if self._thread is None and not self._ended:
            self._start()

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._computing = False

    def _start(self) -> None:
        thread = threading.Thread(target=self._watch, name="h5explorer-query", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the limit of a person's processes counts threads
            return
        self._thread = thread

    def end(self) -> None:
        """Let the thread end, and wait for it."""
        with self._change:
            self._ended = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while True:
            with self._change:
                while not (self._computing or self._ended):
                    self._idle = True
                    self._change.wait()
                    self._idle = False
                if not self._ended:
                    self._change.wait(_ASK_SECONDS)
                if self._ended:
                    return
                computing = self._computing
            if computing:
                self._ask()
                self._act()

    def _ask(self) -> None:
        if self.stopped is not None:
            return
        try:
            self._give_up()
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise RequestTimeoutError(
                    f"The query took longer than {self._seconds:g} s and was given up.",
                    action="Let the condition look at fewer columns, or try again.",
                )
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the reason to stop)
            self.stopped = error

    def _act(self) -> None:
        done = -1.0
        with self._change:  # an interruption must not reach the next query
            if not self._computing:
                return
            if self.stopped is not None:
                self._connection.interrupt()
            elif self._progress is not None:
                done = self._connection.query_progress()
        if self._progress is None or done < 0:
            return
        try:
            self._progress(min(done / 100, 1.0))
        except BaseException as error:  # noqa: BLE001  (the thread must go on, to interrupt the query)
            self.stopped = error
