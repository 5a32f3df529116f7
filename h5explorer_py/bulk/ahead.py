"""Doing work ahead in threads, as much at a time as fits into a bound, with the results in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_SECONDS = 0.2


def ahead(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    weight: Callable[[Item], int],
    most: int,
    give_up: Callable[[], None],
) -> Iterator[Result]:
    """Give the results of ``work`` for all items, in their order.

    Parameters
    ----------
    executor : Executor
        Does the work.
    work : callable
        What to do with an item.
    items : iterable
        What to do it with; taken one by one, as there is room.
    weight : callable
        How much of the bound an item takes up.
    most : int
        The bound: above it, one item at a time.
    give_up : callable
        Called while a result is waited for; raises where it is not wanted any more.
    """
    coming = iter(items)
    waiting: deque[tuple[Future[Result], int]] = deque()
    held: tuple[Item, int] | None = None
    taken = 0
    while True:
        while held is not None or (held := _next(coming, weight)) is not None:
            if waiting and taken + held[1] > most:
                break
            waiting.append((executor.submit(work, held[0]), held[1]))
            taken += held[1]
            held = None
        if not waiting:
            return
        future, size = waiting.popleft()
        while not wait([future], _LOOK_SECONDS).done:
            give_up()
        yield future.result()
        taken -= size


def _next(coming: Iterator[Item], weight: Callable[[Item], int]) -> tuple[Item, int] | None:
    for item in coming:
        return item, weight(item)
    return None
