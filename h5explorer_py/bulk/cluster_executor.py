"""A Dask client as an executor whose futures always come to an end, also where the scheduler does not come back."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

_LOOK_SECONDS = 0.5


class ClusterExecutor(Executor):
    """Does calls on the workers of a cluster, equal ones as often as they are submitted.

    Dask's own executor leaves those futures undone that it was about to fetch when the connection was lost.

    Parameters
    ----------
    client : distributed.Client
        Stays open.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._last = 1

    @property
    def count(self) -> int:
        """How many calls are done at a time; what it was where the scheduler does not tell."""
        with contextlib.suppress(Exception):  # it may be gone, which the calls will tell
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._last = sum(worker["nthreads"] for worker in workers.values())
        return self._last

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a call done.

        Raises
        ------
        BrokenExecutor
            Where the connection to the scheduler has been lost for good.
        """
        if self._client.status not in {"running", "connecting"}:
            raise BrokenExecutor("the connection to the scheduler of the cluster has been lost")
        there = self._client.submit(fn, *args, pure=False, **kwargs)
        here: Future[R] = Future()
        here.add_done_callback(lambda _: here.cancelled() and self._client.loop.add_callback(_cancel, there))
        self._client.loop.add_callback(self._follow, there, here)
        return here

    async def _follow(self, there: Any, here: Future[Any]) -> None:
        waiting = asyncio.ensure_future(_outcome(there))
        while not (await asyncio.wait([waiting], timeout=_LOOK_SECONDS))[0]:
            if here.cancelled() or self._client.status not in {"running", "connecting"}:
                waiting.cancel()
                break
        if not here.set_running_or_notify_cancel():
            return
        if not waiting.done():
            here.set_exception(BrokenExecutor("the connection to the scheduler of the cluster was lost"))
            return
        result, error = waiting.result()
        if error is not None:
            here.set_exception(error)
        else:
            here.set_result(result)


async def _outcome(there: Any) -> tuple[Any, BaseException | None]:
    try:
        return await there, None
    except Exception as error:  # noqa: BLE001  (whatever it is, the one who asked is told)
        return None, error
    except asyncio.CancelledError:
        return None, BrokenExecutor("the cluster has cancelled it")


async def _cancel(there: Any) -> None:
    with contextlib.suppress(Exception):
        await there.cancel()
