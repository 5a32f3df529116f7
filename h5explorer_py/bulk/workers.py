"""Processes of this machine that do tasks, as an executor."""

from __future__ import annotations

import pickle
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from h5explorer_py.bulk.running import WatchingExecutor
from h5explorer_py.bulk.worker_process import WorkerProcess
from h5explorer_py.errors import BadRequestError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from h5explorer_py.bulk.running import Doomed, Function

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


@dataclass(eq=False)
class _Call:
    future: Future[Any]
    message: bytes
    item_seconds: float | None
    withdrawn: bool = False


class Workers(WatchingExecutor):
    """Worker processes, which start as they are needed and end with this one, however it ends.

    They find modules where this process does, so that functions of installed packages and of modules beside a script
    can be done; those of the script or notebook itself cannot, as it is not run again. They hear no interrupt of the
    terminal, and what is printed in them is not seen. Each uses one thread for OpenMP and OpenBLAS, unless
    ``OMP_NUM_THREADS`` says otherwise.

    As a context manager it waits for what has been submitted at the end; where the body raises, all is ended at once.

    Parameters
    ----------
    count : int
        How many. One, too, is a process of its own, which may crash without harm.
    item_seconds : float
        How long a watched task may take over an item before its process is ended: see
        :func:`h5explorer_py.bulk.running.run`.
    memory : int, optional
        How many bytes each may use before Python raises a ``MemoryError`` in it.

    Raises
    ------
    BadRequestError
        Where there is to be none.
    """

    def __init__(self, count: int, *, item_seconds: float = 10.0, memory: int | None = None) -> None:
        if count < 1:
            raise BadRequestError("At least one worker is needed.")
        self.count = count
        self._item_seconds = item_seconds
        self._memory = memory
        self._change = threading.Condition()
        self._waiting: deque[_Call] = deque()
        self._calls: dict[Future[Any], _Call] = {}
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a call done; where its process ends, the future's exception is a ``WorkerLost``.

        Raises
        ------
        UnsupportedError
            Where it cannot be sent to a process.
        """
        return self._add(_packed(fn, args, kwargs, watched=False), None)

    def submit_watched(
        self, function: Function[T, R], task: T, doomed: Doomed, item_seconds: float | None = None
    ) -> Future[R]:
        seconds = self._item_seconds if item_seconds is None else item_seconds
        return self._add(_packed(function, (task, doomed), {}, watched=True), seconds)

    def withdraw(self, future: Future[Any]) -> None:
        if future.cancel():
            return
        with self._change:
            if future in self._calls:
                self._calls[future].withdrawn = True

    def kill(self) -> None:
        """End all that is being done, and all that waits."""
        with self._change:
            futures = list(self._calls)
        for future in futures:
            self.withdraw(future)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """End the processes when what has been submitted is done."""
        with self._change:
            self._closed = True
            waiting = list(self._waiting) if cancel_futures else []
            self._change.notify_all()
        for call in waiting:
            call.future.cancel()
        if wait:
            for thread in self._threads:
                thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        self.shutdown()

    def _add(self, message: bytes, item_seconds: float | None) -> Future[Any]:
        call = _Call(Future(), message, item_seconds)
        with self._change:
            if self._closed:
                raise RuntimeError("The workers have been closed.")
            if self._idle <= len(self._waiting) and len(self._threads) < self.count:
                self._start_thread()
            self._waiting.append(call)
            self._calls[call.future] = call
            self._change.notify()
        return call.future

    def _start_thread(self) -> None:
        name = f"h5explorer-worker-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._serve, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the limit of a person's processes counts threads
            if not self._threads:
                raise
        else:
            self._threads.append(thread)

    def _serve(self) -> None:
        """Do calls in a process, which is this thread's alone."""
        process: WorkerProcess | None = None
        try:
            while (call := self._next()) is not None:
                process = self._do(call, process)
                del call  # else what it refers to stays as long as nothing else is to be done
        finally:
            if process is not None:
                process.end()

    def _next(self) -> _Call | None:
        with self._change:
            self._idle += 1
            try:
                while True:
                    if self._waiting:
                        return self._waiting.popleft()
                    if self._closed:
                        return None
                    self._change.wait()
            finally:
                self._idle -= 1

    def _do(self, call: _Call, process: WorkerProcess | None) -> WorkerProcess | None:
        """Do a call; return the process in which the next one may be done."""
        try:
            if not call.future.set_running_or_notify_cancel():
                return process
            if process is not None and not process.alive:
                process.end()
                process = None
            try:
                process = process or WorkerProcess(self._memory)
                done, value = process.call(call.message, call.item_seconds, lambda: call.withdrawn)
            except BaseException as error:  # noqa: BLE001  (whatever it is, the one who asked is told)
                if process is not None:
                    process.end()
                call.future.set_exception(error)
                return None
            if done:
                call.future.set_result(value)
            else:
                call.future.set_exception(value)
            return process
        finally:
            with self._change:
                self._calls.pop(call.future, None)


def _packed(function: Any, arguments: tuple[Any, ...], named: dict[str, Any], *, watched: bool) -> bytes:
    try:
        return pickle.dumps((function, arguments, named, watched), pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError) as error:
        raise UnsupportedError(
            f"This cannot be sent to a worker process: {type(error).__name__}: {error}.",
            action="Functions must be in a module that can be imported, and tasks must be what pickle takes.",
        ) from error
