"""The one thread of a process that packs lookups, one after the other."""

from __future__ import annotations

import atexit
import threading
import time
from queue import SimpleQueue
from typing import Protocol

_ENDING_SECONDS = 1.0
_BREATH_SECONDS = 0.001


class Task(Protocol):
    """What is done in the background."""

    def run(self) -> None:
        """Do it. Raises nothing."""

    def stop(self) -> None:
        """Have it end soon."""


class Worker:
    """Does tasks in one thread, which ends when there is nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Task] = SimpleQueue()
        self._runs = False
        self._ends = False
        self._current: Task | None = None

    def submit(self, task: Task) -> bool:
        """Have a task done when its turn comes; ``False`` where no thread can do it."""
        with self._lock:
            if self._ends:
                return False
            if not self._runs:
                try:
                    threading.Thread(target=self._work, name="h5explorer-packing", daemon=True).start()
                except RuntimeError:  # no more threads may be started
                    return False
                self._runs = True
            self._waiting.put(task)
            return True

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._waiting.empty() or self._ends:
                    self._runs = False
                    self._current = None
                    return
                task = self._current = self._waiting.get()
            task.run()

    def end(self) -> None:
        """Stop what is being done, and wait for that a moment."""
        with self._lock:
            self._ends = True
            current = self._current
        if current is not None:
            current.stop()
        until = time.monotonic() + _ENDING_SECONDS
        while self._runs and time.monotonic() < until:
            time.sleep(_BREATH_SECONDS)


worker = Worker()


@atexit.register
def end_packing() -> None:
    """Have no thread within a library when Python ends: see :func:`h5explorer_py.jobs.end_all`."""
    worker.end()
