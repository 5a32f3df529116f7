"""Doing a function over many tasks, on whatever does them: processes of this machine, threads, or a cluster.

A task is some items that are worked on one after the other, as the images of a shard are. Where the executor watches
its processes, as :class:`h5explorer_py.bulk.workers.Workers` does, an item over which a process crashes or hangs costs
this item alone. Others only say that the whole task was lost.
"""

from __future__ import annotations

import os
import time
import uuid
from abc import abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from h5explorer_py._version import __version__
from h5explorer_py.errors import ClusterFailedError, WorkerFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_LOOK_SECONDS = 0.2
_ENDING_SECONDS = 5.0
_WIDTH_SECONDS = 2.0
_CRASHES = 2
"""Processes that an item may end before it is not touched again: the first may have ended for another reason."""

_LOSSES = {"CommClosedError", "KilledWorker", "FutureCancelledError", "FutureLostError"}
"""What Dask raises where it has lost a task."""


@dataclass(frozen=True)
class Fault:
    """Why an item is not to be touched again.

    Attributes
    ----------
    code : str
        ``reader_failed`` where processes crashed over it, ``reader_stalled`` where it took too long.
    reason : str
        A sentence for people.
    """

    code: str
    reason: str


Begin = Callable[[int], None]
"""Tells that an item of the task, by its number, is worked on from now on; a negative one, that none is."""

Doomed = Mapping[int, Fault]
"""The items of the task that are not to be touched, as they brought a process down before."""

Function = Callable[[T, Begin, Doomed], R]
"""What does a task: a function of a module that can be imported. Tasks and results must be what pickle takes."""


class WorkerLost(BrokenExecutor):
    """A process ended before it had done a task.

    Attributes
    ----------
    how : str
        How it ended, as the end of a sentence that begins with the process.
    item : int or None
        The item that it worked on; ``None`` where it worked on none.
    stalled : bool
        Whether it was ended for taking too long over this item.
    """

    def __init__(self, how: str, item: int | None = None, *, stalled: bool = False) -> None:
        super().__init__(f"The process that did this {how}.")
        self.how = how
        self.item = item
        self.stalled = stalled


class WatchingExecutor(Executor):
    """An executor that knows which item each of its processes works on.

    Attributes
    ----------
    count : int
        How many tasks it does at a time.
    """

    count: int

    @abstractmethod
    def submit_watched(
        self, function: Function[T, R], task: T, doomed: Doomed, item_seconds: float | None = None
    ) -> Future[R]:
        """Do a task; where its process is lost, the future's exception is a ``WorkerLost``."""

    @abstractmethod
    def withdraw(self, future: Future[Any]) -> None:
        """End what has been submitted, whether it has begun or not."""


@dataclass(eq=False)
class _Ticket(Generic[T]):
    place: int
    task: T
    losses: int = 0
    """How often its process was lost since it last became known what to leave out."""
    crashes: dict[int, int] = field(default_factory=dict)
    doomed: dict[int, Fault] = field(default_factory=dict)


def run(
    function: Function[T, R],
    tasks: Iterable[T],
    executor: Executor,
    *,
    in_flight: int | None = None,
    item_seconds: float | None = None,
    give_up: Callable[[], None] = lambda: None,
    retries: int = 3,
    ordered: bool = False,
) -> Iterator[tuple[T, R]]:
    """Do a function over tasks, and give each task with its result.

    Parameters
    ----------
    function : callable
        Is given a task, what to call as each item of it is begun, and the items that it must leave out. It may well
        look at how many these are: on a file system that has died, each takes ``item_seconds``. The last item counts as
        being worked on until the function returns, or calls ``begin(-1)``.
    tasks : iterable
        Taken as there is room, in the thread that takes the results.
    executor : Executor
        Any. With one that is no ``WatchingExecutor``, ``begin`` does nothing and no item is left out.
    in_flight : int, optional
        How many tasks are taken before their results are given, at most, which bounds the memory. One more than the
        executor does at a time, unless given.
    item_seconds : float, optional
        How long an item may take; as the executor has it, unless given.
    give_up : callable
        Called every 0.2 s or more often; raises to end the run.
    retries : int
        How often a task is done again when its process was lost, and no item can be told to be at fault.
    ordered : bool
        Whether to give the results in the order of the tasks, instead of as they come.

    Yields
    ------
    (task, result)

    Raises
    ------
    WorkerFailedError
        Where a task was lost too often, or no process can be started. Besides, whatever the function raises. The run is
        over then, and what was being done is ended where the executor can do that.
    """
    return _Run(function, executor, in_flight, item_seconds, retries).results(iter(tasks), give_up, ordered=ordered)


class _Run(Generic[T, R]):
    def __init__(
        self,
        function: Function[T, R],
        executor: Executor,
        in_flight: int | None,
        item_seconds: float | None,
        retries: int,
    ) -> None:
        self._function = function
        self._executor = executor
        self._watching = executor if isinstance(executor, WatchingExecutor) else None
        self._item_seconds = item_seconds
        self._retries = retries
        self._room = _Room(executor, in_flight)
        self._running: dict[Future[R], _Ticket[T]] = {}
        self._name = uuid.uuid4().hex
        self._submitted = 0

    def results(self, tasks: Iterator[T], give_up: Callable[[], None], *, ordered: bool) -> Iterator[tuple[T, R]]:
        held: dict[int, tuple[T, R]] = {}
        taken = given = 0
        left = True
        try:
            while True:
                while left and taken - given < self._room.size():
                    give_up()
                    try:
                        task = next(tasks)
                    except StopIteration:
                        left = False
                    else:
                        self._submit(_Ticket(taken, task))
                        taken += 1
                if not self._running:
                    return
                give_up()
                done = next(iter(wait(self._running, _LOOK_SECONDS, FIRST_COMPLETED).done), None)
                ticket = self._running.pop(done) if done else None
                if done is None or ticket is None:
                    continue
                try:
                    result = done.result()
                except BaseException as error:
                    if not _is_loss(error):
                        raise
                    self._again(ticket, error)
                    continue
                finally:
                    del done  # it keeps the result
                held[ticket.place if ordered else given] = ticket.task, result
                del ticket, result
                while given in held:
                    yield held.pop(given)
                    given += 1
        finally:
            self._withdraw()

    def _submit(self, ticket: _Ticket[T]) -> None:
        self._submitted += 1
        try:
            if self._watching is not None:
                future = self._watching.submit_watched(
                    self._function, ticket.task, dict(ticket.doomed), self._item_seconds
                )
            else:
                name = f"{self._name}-{self._submitted}"
                future = self._executor.submit(_do, self._function, ticket.task, __version__, name)
        except RuntimeError as error:  # it is broken, closed, or the system starts no thread
            raise WorkerFailedError(f"No more tasks can be begun: {str(error).rstrip('.')}.") from error
        self._running[future] = ticket

    def _again(self, ticket: _Ticket[T], loss: BaseException) -> None:
        """Do a task again that was lost, without what is at fault where that is known."""
        item = loss.item if isinstance(loss, WorkerLost) else None
        fault = None if item is None or item in ticket.doomed else _fault(ticket, item, loss)
        if item is not None and fault is not None:
            ticket.doomed[item] = fault
            ticket.losses = 0
        else:
            ticket.losses += 1
            if ticket.losses > self._retries:
                raise WorkerFailedError(
                    f"A task was given up after its process had been lost {ticket.losses} times: {_how(loss)}.",
                    action="Memory may have run out: try fewer workers.",
                ) from loss
        self._submit(ticket)

    def _withdraw(self) -> None:
        for future in self._running:
            if self._watching is not None:
                self._watching.withdraw(future)
            else:
                future.cancel()
        if self._watching is not None:
            wait([future for future in self._running if not future.cancelled()], _ENDING_SECONDS)
        self._running.clear()


class _Room:
    """How many tasks may be under way."""

    def __init__(self, executor: Executor, in_flight: int | None) -> None:
        self._executor = executor
        self._fixed = in_flight
        self._last = 1
        self._looked = -_WIDTH_SECONDS

    def size(self) -> int:
        if self._fixed is not None:
            return max(self._fixed, 1)
        now = time.monotonic()
        if now - self._looked >= _WIDTH_SECONDS:  # a cluster may grow
            self._last = _width(self._executor) + 1
            self._looked = time.monotonic()
        return self._last


def _width(executor: Executor) -> int:
    """Return how many tasks an executor does at a time."""
    for name in ("count", "_max_workers"):  # ours, and those of the standard library
        count = getattr(executor, name, None)
        if isinstance(count, int):
            return count
    return os.cpu_count() or 1


def _do(function: Function[T, R], task: T, version: str, name: str) -> R:  # noqa: ARG001
    """Do a task where nobody watches; the name makes it one of its own, as Dask does the same one only once."""
    if version != __version__:
        raise ClusterFailedError(
            f"A worker has h5explorer {__version__}, and not {version} as this process has.",
            action="Install the same version on all workers.",
        )
    return function(task, _nobody, {})


def _nobody(_: int) -> None:
    pass


def _is_loss(error: BaseException) -> bool:
    if isinstance(error, BrokenExecutor | CancelledError):
        return True
    return type(error).__name__ in _LOSSES and type(error).__module__.startswith("distributed.")


def _how(loss: BaseException) -> str:
    return f"it {loss.how}" if isinstance(loss, WorkerLost) else f"{type(loss).__name__}: {loss}".rstrip(". ")


def _fault(ticket: _Ticket[T], item: int, loss: BaseException) -> Fault | None:
    """Return why an item is to be left out from now on, if it is."""
    assert isinstance(loss, WorkerLost)
    if loss.stalled:
        return Fault("reader_stalled", f"It was given up: the process that worked on it {loss.how}.")
    ticket.crashes[item] = ticket.crashes.get(item, 0) + 1
    if ticket.crashes[item] < _CRASHES:
        return None
    return Fault("reader_failed", f"The process that worked on it {loss.how}, as another one had ended before.")
