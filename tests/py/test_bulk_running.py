"""Tasks are done once each on whatever executor, a bounded number at a time, until all are or nobody waits."""

from __future__ import annotations

import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import CancelledError as Withdrawn
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.bulk import running
from h5explorer_py.bulk.running import run
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import CancelledError, ClusterFailedError, ShardUnreadableError, WorkerFailedError
from tests.py import bulk_functions as functions
from tests.py.support import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TASKS = [list(range(start, start + 5)) for start in range(0, 200, 5)]
EXPECTED = [(task, ([number**2 for number in task], {})) for task in TASKS]


class Fake(Executor):
    """Does at once what it is given, or loses it as it is told to."""

    def __init__(self, losses: Iterator[BaseException | None], count: int = 3) -> None:
        self.count = count
        self.losses = losses
        self.submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        loss = next(self.losses, None)
        if isinstance(loss, Withdrawn):
            future.cancel()
            future.set_running_or_notify_cancel()
        elif loss is not None:
            future.set_exception(loss)
        else:
            future.set_result(fn(*args, **kwargs))
        return future


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "one process": lambda: Workers(1),
    "three processes": lambda: Workers(3),
    "threads": lambda: ThreadPoolExecutor(3),
    "the standard library's processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
}


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_results_are_the_same_on_all_executors(make: Callable[[], Executor]) -> None:
    with make() as executor:
        assert sorted(run(functions.squares, TASKS, executor)) == EXPECTED
        assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED
        assert list(run(functions.squares, [], executor)) == []


@given(st.lists(st.sampled_from([None, None, BrokenExecutor("gone"), Withdrawn()]), max_size=60), st.integers(1, 9))
def test_each_task_gives_one_result_whatever_is_lost(losses: list[BaseException | None], in_flight: int) -> None:
    executor = Fake(iter(losses))
    lost = sum(loss is not None for loss in losses[: len(TASKS) + 60])
    given_out = run(functions.squares, TASKS, executor, in_flight=in_flight, retries=60, ordered=True)
    assert list(given_out) == EXPECTED
    assert executor.submitted <= len(TASKS) + lost


def test_a_task_that_is_lost_again_and_again_ends_the_run() -> None:
    executor = Fake(iter([BrokenExecutor("a process was gone.")] * 4))
    with pytest.raises(WorkerFailedError, match="lost 4 times: BrokenExecutor: a process was gone\\. Memory") as caught:
        list(run(functions.squares, TASKS, executor, in_flight=1))
    assert executor.submitted == 4
    assert isinstance(caught.value.__cause__, BrokenExecutor)


def test_an_executor_that_takes_nothing_any_more_ends_the_run() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(WorkerFailedError, match="cannot schedule new futures after shutdown"):
        list(run(functions.squares, TASKS, executor))
    workers = Workers(1)
    workers.shutdown()
    with pytest.raises(WorkerFailedError, match="have been closed"):
        list(run(functions.squares, TASKS, workers))


def test_a_pool_that_breaks_ends_the_run() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(WorkerFailedError):
        within(30, lambda: list(run(functions.end_at_the_end, [1, 2], pool)))


@pytest.mark.parametrize(("options", "most"), [({}, 4), ({"in_flight": 2}, 2), ({"in_flight": 7, "ordered": True}, 7)])
def test_no_more_tasks_are_taken_than_may_be_under_way(options: dict[str, Any], most: int) -> None:
    taken = 0

    def tasks() -> Iterator[list[int]]:
        nonlocal taken
        for task in TASKS:
            taken += 1
            yield task

    ahead = []
    for got, _ in enumerate(run(functions.squares, tasks(), Fake(iter([])), **options)):
        ahead.append(taken - got)
    assert max(ahead) == most
    assert len(ahead) == len(TASKS)


def test_results_in_order_wait_for_the_first_without_taking_ever_more() -> None:
    taken = 0

    def tasks() -> Iterator[list[Any]]:
        nonlocal taken
        for at in range(20):
            taken += 1
            yield [("sleep", 0.4 if at == 0 else 0)]

    with ThreadPoolExecutor(2) as threads:
        results = run(functions.act, tasks(), threads, ordered=True, in_flight=5)
        assert next(results)[0] == [("sleep", 0.4)]
        assert taken == 5
        assert len(list(results)) == 19


def test_nothing_is_begun_before_a_result_is_wanted() -> None:
    executor = Fake(iter([]))
    results = run(functions.squares, TASKS, executor)
    assert executor.submitted == 0
    results.close()


def test_tasks_that_cannot_be_had_end_the_run() -> None:
    def tasks() -> Iterator[list[int]]:
        yield [1]
        raise ShardUnreadableError("It cannot be listed.")

    with Workers(2) as workers, pytest.raises(ShardUnreadableError, match="listed"):
        list(run(functions.squares, tasks(), workers))


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_what_the_function_raises_comes_as_it_is(make: Callable[[], Executor]) -> None:
    with make() as executor, pytest.raises(ShardUnreadableError) as caught:
        list(run(functions.fail_with_details, ["/data/a.h5"], executor))
    assert caught.value.message == "/data/a.h5 cannot be read."
    assert caught.value.action == "Repair it."
    assert caught.value.details == {"path": "/data/a.h5"}


def test_who_gives_up_is_asked_while_tasks_are_done() -> None:
    asked: list[float] = []

    def give_up() -> None:
        asked.append(time.monotonic())

    with Workers(1) as workers:
        list(run(functions.act, [[("sleep", 1)]], workers, give_up=give_up))
    assert len(asked) >= 5


def test_a_run_that_is_given_up_ends_though_threads_go_on() -> None:
    wanted = threading.Event()

    def give_up() -> None:
        if wanted.is_set():
            raise CancelledError("It was withdrawn.")

    threading.Timer(0.3, wanted.set).start()
    with ThreadPoolExecutor(1) as threads:
        started = time.monotonic()
        with pytest.raises(CancelledError):
            list(run(functions.act, [[("sleep", 2)], [("sleep", 60)]], threads, give_up=give_up))
        assert time.monotonic() - started < 1.5


def test_a_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as threads:
        submit = threads.submit

        def changed(function: Any, *arguments: Any) -> Any:
            monkeypatch.setattr(running, "__version__", "0.0.1")
            return submit(function, *arguments)

        monkeypatch.setattr(threads, "submit", changed)
        with pytest.raises(ClusterFailedError, match=r"has h5explorer 0\.0\.1, and not"):
            list(run(functions.squares, TASKS[:1], threads, in_flight=1))
