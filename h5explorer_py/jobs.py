"""Work beside the kernel's own: threads that take jobs, each of which can be withdrawn and has a deadline."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING

from h5explorer_py.errors import CancelledError, RequestTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.5

_STUCK_SECONDS = 2.0
"""How long a thread may go on with what nobody waits for any more before another takes its place."""

_MOST_STUCK = 32
"""Threads in whose place others have been started, in each pool: a file system that has died may hold them for ever."""


_ENDING_SECONDS = 1.0
_ENDING_STEP = 0.005

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class Job:
    """A piece of work whose outcome is told exactly once.

    Parameters
    ----------
    work : callable
        Does the work; is given this job, to ask now and then whether to go on.
    done : callable
        Is told the outcome: the result and no error, or no result and the error.
    seconds : float
        How long it may take, waiting in the queue included.
    """

    def __init__(
        self,
        work: Callable[[Job], object],
        done: Callable[[object, BaseException | None], None],
        seconds: float,
    ) -> None:
        self._work = work
        self._done = done
        self._seconds = seconds
        self._lock = threading.Lock()
        self._ended = False
        self._told = threading.Event()
        self.deadline = time.monotonic() + seconds

    @property
    def ended(self) -> bool:
        """Whether the outcome has been told: what is still being worked out then is of no use."""
        return self._ended

    def give_up(self) -> None:
        """Raise if nobody waits for the outcome any more.

        Raises
        ------
        CancelledError
        """
        if self._ended:
            raise CancelledError("The request was withdrawn.")

    def cancel(self) -> None:
        """Withdraw the job."""
        self._tell(None, CancelledError("The request was withdrawn."))

    def expire(self) -> None:
        """End the job for having taken too long."""
        self._tell(
            None,
            RequestTimeoutError(
                f"This took longer than {self._seconds:g} s and was given up.",
                action="The file system may be slow. Try again.",
            ),
        )

    def fail(self, error: BaseException) -> None:
        """End the job without having begun it."""
        self._tell(None, error)

    def run(self) -> None:
        """Do the work, unless the outcome has been told before."""
        if self._ended:
            return
        try:
            result = self._work(self)
        except BaseException as error:  # noqa: BLE001  (whatever it is, the one who asked is told)
            self._tell(None, error)
        else:
            self._tell(result, None)

    def _tell(self, result: object, error: BaseException | None) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        try:
            self._done(result, error)
        except BaseException:  # whatever it is, it must not end the thread that works for all
            log.exception("the outcome of a job could not be told")
        finally:
            self._told.set()

    def drop(self) -> None:
        """End the job without telling anybody."""
        with self._lock:
            self._ended = True
        self._told.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the outcome has been told, or for so many seconds; return whether it has."""
        return self._told.wait(seconds)


class Pool:
    """Daemon threads that work off jobs in their order. They start when they are needed first.

    A thread that does not come back from a job after that has ended, as a file system does not answer, is replaced.

    Parameters
    ----------
    name : str
        What the threads are called.
    threads : int
        How many there are at most, less those that do not come back.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._most = threads
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._begun: dict[Job, float] = {}
        self._stuck: set[Job] = set()
        self._watched: set[Job] = set()
        self._watching = False
        _pools.add(self)

    def submit(self, job: Job) -> None:
        """Take on a job. Where the system starts no thread for it, and none runs, that is its outcome."""
        try:
            with self._lock:
                if not self._watching:
                    threading.Thread(target=self._watch, name=f"{self._name}-watch", daemon=True).start()
                    self._watching = True
                self._watched.add(job)
                if self._idle <= self._queue.qsize():
                    self._start_thread()
        except RuntimeError as error:  # the limit of a person's processes counts threads
            with self._lock:
                none_runs = self._threads == 0
            if none_runs:
                job.fail(error)
                return
        self._queue.put(job)

    def _start_thread(self) -> None:
        if self._threads < self._most:
            name = f"{self._name}-{self._threads + 1}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
            self._threads += 1

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._queue.get()
            with self._lock:
                self._idle -= 1
                self._begun[job] = time.monotonic()
            job.run()
            with self._lock:
                self._watched.discard(job)
                self._begun.pop(job)
                if job in self._stuck:  # another has taken its place
                    self._stuck.discard(job)
                    return
            del job  # else what it refers to stays as long as nothing else is to be done

    def _watch(self) -> None:
        """Expire jobs, and replace threads that are stuck, as long as there are jobs."""
        while True:
            time.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            with self._lock:
                late = [job for job in self._watched if now > job.deadline]
                self._watched = {job for job in self._watched if not job.ended}
                self._watched.difference_update(late)
                self._replace_stuck(now)
                if not self._watched and not late:
                    self._watching = False
                    return
            for job in late:
                job.expire()

    def end(self, until: float) -> None:
        """Drop all jobs, and wait for those that have begun, as long as there is time."""
        with self._lock:
            watched = list(self._watched)
        for job in watched:
            job.drop()
        while self._begun and time.monotonic() < until:
            time.sleep(_ENDING_STEP)

    def _replace_stuck(self, now: float) -> None:
        for job, begun in self._begun.items():
            if job.ended and now - begun > _STUCK_SECONDS and job not in self._stuck and len(self._stuck) < _MOST_STUCK:
                self._stuck.add(job)
                self._threads -= 1
        with contextlib.suppress(RuntimeError):  # no more threads may be started: those that run go on
            for _ in range(self._queue.qsize() - self._idle):
                self._start_thread()


@atexit.register
def end_all() -> None:
    """Have no thread within a library when Python ends: it would be ended there, which C++ takes for a crash."""
    until = time.monotonic() + _ENDING_SECONDS
    for pool in list(_pools):
        pool.end(until)


def processors() -> int:
    """Count the processors that this process may use, which on a shared node are not all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


interactive = Pool("h5explorer", 4)
"""For what a person waits for."""

opening = Pool("h5explorer-opening", 2)
"""For opening lookups, which may take minutes."""

searching = Pool("h5explorer-searching", 2)
"""For searches, which may go through a whole lookup."""

ahead = Pool("h5explorer-ahead", 2)
"""For pictures that a person may come to next."""

fetching = Pool("h5explorer-fetching", 16)
"""For reading those pictures several at a time: its threads wait for the file system, and hold no processor."""

querying = Pool("h5explorer-querying", 2)
"""For filters and orders, which may go through a whole lookup: the second may begin while the first is given up."""

exporting = Pool("h5explorer-exporting", 1)
"""For writing subsets, which may take hours."""

thumbnails = Pool("h5explorer-thumbnails", 2)
"""For requests of thumbnails: one reads while the other waits for its pictures to be decoded."""

decoding = Pool("h5explorer-decoding", min(4, processors()))
"""For decoding pictures, during which Pillow lets other threads run."""

counting = Pool("h5explorer-counting", 1)
"""For counts, which go through a whole lookup and can wait."""

looking = Pool("h5explorer-looking", 2)
"""For seeing whether shards are there, which a file system that has died does not answer."""

stills = Pool("h5explorer-stills", 1)
"""For the still pictures that notebooks keep."""
