"""Small pieces of work done by several threads at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST = 8
_WORTH = 8 << 20


class _Threads:
    """The threads of this process; those of the process that it was forked from are not there."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def forget(self) -> None:
        self._pool = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(count(), thread_name_prefix="h5explorer-stack")
        return self._pool


_threads = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.forget)


def count() -> int:
    """Return how many threads work on one array."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST, len(os.sched_getaffinity(0)))
    return min(_MOST, os.cpu_count() or 1)


def do_all(tasks: Iterable[Callable[[], None]], size: int) -> None:
    """Do all tasks, the calling thread being one of those that do; raise the first error, leaving out what is left.

    Tasks may themselves call this: no thread waits for one that has not begun.

    Parameters
    ----------
    tasks : iterable of callable
        The work.
    size : int
        How many bytes are gone through for a task, about; little work is not worth the change between threads.
    """
    left = list(tasks)
    errors: list[BaseException] = []

    def work() -> None:
        while left and not errors:
            try:
                task = left.pop()
            except IndexError:
                return  # another thread took the last one
            try:
                task()
            except BaseException as error:  # noqa: BLE001  (raised by the calling thread)
                errors.append(error)

    left.reverse()
    helpers = [_threads.pool.submit(work) for _ in range(min(count(), len(left), len(left) * size // _WORTH) - 1)]
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    if errors:
        raise errors[0]
