"""The side of a worker process that asks: starting it, giving it a call, telling what it hung or crashed over."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, TYPE_CHECKING, Any

from h5explorer_py.bulk.running import WorkerLost
from h5explorer_py.bulk.worker import CELL, LENGTH, NONE, Settings
from h5explorer_py.children import START_SECONDS, Child, start_code
from h5explorer_py.errors import CancelledError, UnsupportedError, WorkerFailedError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Callable

_START = start_code("h5explorer_py.bulk.worker")
_LOOK_SECONDS = 0.05
_LONGEST_LOOK = 1.0
_DYING_SECONDS = 2.0
_MOST_SAID = 2_000


class WorkerProcess(Child):
    """One worker process.

    Parameters
    ----------
    memory : int or None
        How many bytes it may use.

    Raises
    ------
    WorkerFailedError
        Where it cannot be started.
    """

    def __init__(self, memory: int | None) -> None:
        self._files = contextlib.ExitStack()
        try:
            self._cell = self._files.enter_context(_shared_memory())
            self._said = self._files.enter_context(_shared_memory())
            self._cell.write(CELL.pack(0, NONE))
            one_thread = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
            super().__init__(_START, handed=[self._cell.fileno()], complaints=self._said, environment=one_thread)
        except OSError as error:
            self._files.close()
            raise WorkerFailedError(f"No process could be started to work in: {why(error)}.") from error
        os.set_blocking(self._requests, False)
        self._settings = Settings(os.getpid(), _search_path(), self._cell.fileno(), memory)
        self._started = False

    def call(self, message: bytes, item_seconds: float | None, withdrawn: Callable[[], bool]) -> tuple[bool, Any]:
        """Have a call done; return whether it returned, and what it returned or raised.

        Parameters
        ----------
        message : bytes
            What to do, packed.
        item_seconds : float or None
            How long it may take over an item.
        withdrawn : callable
            Tells whether nobody waits for it any more.

        Raises
        ------
        WorkerLost
            Where the process ended, or took too long; this one is to be ended then, as with all below.
        WorkerFailedError
            Where it did not start.
        CancelledError
            Where the call was withdrawn.
        """
        if not self._started:
            self._start(withdrawn)
        self._tell_nothing()
        watch = _Watch(self, item_seconds, withdrawn)
        try:
            self._give(message, watch.look)
            answer = self._answer(watch.look)
        except EOFError as error:
            item = self.at()[1]
            raise WorkerLost(self._ending(), None if item < 0 else item) from error
        try:
            done, value = pickle.loads(answer)  # noqa: S301  (of a process of this package's own)
        except MemoryError:
            raise
        except Exception as error:
            raise UnsupportedError(f"The result of a task cannot be read: {type(error).__name__}: {error}.") from error
        return done, value

    def at(self) -> tuple[int, int]:
        """Return how many items have been begun, and the number of the last."""
        begun, item = CELL.unpack(os.pread(self._cell.fileno(), CELL.size, 0))
        return begun, item

    def end(self) -> None:
        super().end()
        self._files.close()

    def _start(self, withdrawn: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS

        def look() -> None:
            _check(withdrawn)
            if not self.alive:
                raise EOFError
            if time.monotonic() > deadline:
                raise TimeoutError

        try:
            self._give(pickle.dumps(self._settings), look)
            self._receive(bytearray(), 1, lambda: self._wait(look))
        except TimeoutError as error:
            raise WorkerFailedError(f"A process to work in did not start within {START_SECONDS} s.") from error
        except EOFError as error:
            raise WorkerFailedError(
                f"A process to work in {self._ending()} as it started{self._last_words()}."
            ) from error
        self._started = True

    def _tell_nothing(self) -> None:
        """Have the memory say that no item is worked on: what it says is of the call before."""
        begun, _ = self.at()
        os.pwrite(self._cell.fileno(), CELL.pack(begun + 1, NONE), 0)

    def _give(self, message: bytes, look: Callable[[], None]) -> None:
        """Write a message, which the process may not come to read."""
        poll = select.poll()
        poll.register(self._requests, select.POLLOUT)
        for part in (LENGTH.pack(len(message)), message):
            view = memoryview(part)
            while view:
                try:
                    view = view[os.write(self._requests, view) :]
                except BlockingIOError:
                    if not poll.poll(_LOOK_SECONDS * 1000):
                        look()
                except OSError as error:
                    raise EOFError from error

    def _answer(self, look: Callable[[], None]) -> memoryview:
        waiting = bytearray()
        self._receive(waiting, LENGTH.size, lambda: self._wait(look))
        size = int(LENGTH.unpack_from(waiting)[0])
        self._receive(waiting, LENGTH.size + size, lambda: self._wait(look))
        return memoryview(waiting)[LENGTH.size :]

    def _wait(self, look: Callable[[], None]) -> None:
        assert self._ready is not None
        while not self._ready(_LOOK_SECONDS):
            look()

    def _ending(self) -> str:
        """Wait until the process has ended, and say how it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_SECONDS)
        status = self._process.returncode
        if status is None:
            return "closed its pipe"
        if status >= 0:
            return f"ended with the exit status {status}"
        try:
            name = f" ({signal.Signals(-status).name})"
        except ValueError:
            name = ""
        cause = ", as the system does where memory runs out" if -status == signal.SIGKILL else ""
        return f"was ended by signal {-status}{name}{cause}"

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read(1 << 20).decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:_MOST_SAID].rstrip('.')}" if lines else ""


class _Watch:
    """Looks after a process while it does a call."""

    def __init__(self, process: WorkerProcess, item_seconds: float | None, withdrawn: Callable[[], bool]) -> None:
        self._process = process
        self._item_seconds = item_seconds
        self._withdrawn = withdrawn
        self._begun = process.at()[0]
        self._spent = 0.0
        self._looked = time.monotonic()

    def look(self) -> None:
        """Raise where the call is not to go on, or does not."""
        _check(self._withdrawn)
        if not self._process.alive:  # another process that it forked may hold its pipe
            raise EOFError
        begun, item = self._process.at()
        now = time.monotonic()
        # One long look is not the item's: a batch system, or a person, may have stopped both processes.
        self._spent += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        if begun != self._begun:
            self._begun, self._spent = begun, 0.0
        elif item >= 0 and self._item_seconds is not None and self._spent > self._item_seconds:
            raise WorkerLost(f"took longer than {self._item_seconds:g} s", item, stalled=True)


def _check(withdrawn: Callable[[], bool]) -> None:
    if withdrawn():
        raise CancelledError("It was withdrawn.")


def _shared_memory() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("h5explorer"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _search_path() -> list[str]:
    """Return where this process finds modules, whatever its working folder comes to be."""
    return [os.path.abspath(os.fspath(folder)) for folder in sys.path]
