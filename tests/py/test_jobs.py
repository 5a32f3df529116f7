"""Every job has one outcome, and a pool goes on whatever its jobs do."""

from __future__ import annotations

import random
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py import jobs
from h5explorer_py.errors import CancelledError, RequestTimeoutError
from h5explorer_py.jobs import Job, Pool
from tests.py.support import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable


class Told:
    """Keeps the outcomes of a job."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[object, BaseException | None]] = []

    def __call__(self, result: object, error: BaseException | None) -> None:
        self.outcomes.append((result, error))

    def only(self) -> tuple[object, BaseException | None]:
        wait_for(lambda: self.outcomes)
        assert len(self.outcomes) == 1
        return self.outcomes[0]


def raising(error: BaseException) -> Callable[[Job], object]:
    def work(_: Job) -> object:
        raise error

    return work


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_WATCH_SECONDS", 0.02)


def test_a_result_is_told() -> None:
    told = Told()
    Pool("t", 1).submit(Job(lambda _: 7, told, 5))
    assert told.only() == (7, None)


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_whatever_is_raised_is_told_and_the_thread_goes_on(error: BaseException) -> None:
    pool = Pool("t", 1)
    told, next_told = Told(), Told()
    pool.submit(Job(raising(error), told, 5))
    assert told.only() == (None, error)
    pool.submit(Job(lambda _: "next", next_told, 5))
    assert next_told.only() == ("next", None)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3)])
def test_a_listener_that_raises_does_not_end_the_thread(error: BaseException) -> None:
    def listener(_: object, __: object) -> None:
        raise error

    pool = Pool("t", 1)
    pool.submit(Job(lambda _: 1, listener, 5))
    told = Told()
    pool.submit(Job(lambda _: 2, told, 5))
    assert told.only() == (2, None)


def test_what_is_withdrawn_before_it_begins_is_not_begun() -> None:
    ran: list[int] = []
    told = Told()
    job = Job(lambda _: ran.append(1), told, 5)
    job.cancel()
    job.run()
    assert isinstance(told.only()[1], CancelledError)
    assert ran == []


def test_what_is_withdrawn_while_it_runs_is_told_at_once() -> None:
    begun, go_on, gave_up = threading.Event(), threading.Event(), threading.Event()

    def work(job: Job) -> object:
        begun.set()
        go_on.wait(10)
        assert job.ended
        try:
            job.give_up()
        except CancelledError:
            gave_up.set()
            raise
        return "late"

    told = Told()
    job = Job(work, told, 30)
    Pool("t", 1).submit(job)
    begun.wait(10)
    job.cancel()
    assert isinstance(told.only()[1], CancelledError)
    go_on.set()
    assert gave_up.wait(10)
    assert len(told.outcomes) == 1


def test_nobody_is_asked_to_give_up_before() -> None:
    told = Told()
    Job(lambda job: job.give_up() or "through", told, 5).run()
    assert told.only() == ("through", None)


@pytest.mark.usefixtures("quick")
def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    told = Told()
    pool = Pool("t", 1)
    pool.submit(Job(lambda _: go_on.wait(10), told, 0.05))
    error = told.only()[1]
    assert isinstance(error, RequestTimeoutError)
    assert "0.05 s" in str(error)
    go_on.set()
    time.sleep(0.05)
    assert len(told.outcomes) == 1


@pytest.mark.usefixtures("quick")
def test_waiting_in_the_queue_counts() -> None:
    go_on = threading.Event()
    first, second = Told(), Told()
    ran: list[int] = []
    pool = Pool("t", 1)
    pool.submit(Job(lambda _: go_on.wait(10), first, 30))
    pool.submit(Job(lambda _: ran.append(1), second, 0.05))
    assert isinstance(second.only()[1], RequestTimeoutError)
    go_on.set()
    assert first.only()[1] is None
    time.sleep(0.05)
    assert ran == []


@pytest.mark.usefixtures("quick")
def test_the_watch_ends_and_begins_again() -> None:
    pool = Pool("watched", 1)
    for _ in range(3):
        told = Told()
        pool.submit(Job(lambda _: 1, told, 5))
        told.only()
        wait_for(lambda: not pool._watching)
        assert not pool._watched
        late = Told()
        pool.submit(Job(lambda _: time.sleep(0.1), late, 0.01))
        assert isinstance(late.only()[1], RequestTimeoutError)
        wait_for(lambda: not pool._watching)


def test_no_more_threads_run_than_are_allowed_and_no_fewer() -> None:
    pool = Pool("counted", 3)
    together = threading.Barrier(3)
    tolds = [Told() for _ in range(9)]
    for told in tolds:
        pool.submit(Job(lambda _: together.wait(10), told, 20))
    for told in tolds:
        assert told.only()[1] is None
    assert pool._threads == 3
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("counted"))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("end", ["withdrawn", "late"])
def test_threads_that_do_not_come_back_are_replaced(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """As when a file system does not answer: what is asked of others is done all the same."""
    monkeypatch.setattr(jobs, "_STUCK_SECONDS", 0.05)
    go_on = threading.Event()
    pool = Pool(f"stuck {end}", 2)
    tolds = [Told() for _ in range(4)]
    stuck = [Job(lambda _: go_on.wait(30), told, 0.1 if end == "late" else 30) for told in tolds]
    for job in stuck:
        pool.submit(job)
    next_told = Told()
    pool.submit(Job(lambda _: "next", next_told, 30))
    if end == "withdrawn":
        wait_for(lambda: len(pool._begun) == 2)
        for job in stuck:
            job.cancel()
    assert next_told.only() == ("next", None)
    go_on.set()
    wait_for(lambda: not pool._begun)
    wait_for(lambda: pool._idle == pool._threads)
    assert pool._threads <= 2
    assert not pool._stuck
    wait_for(lambda: sum(thread.name.startswith(f"stuck {end}-") for thread in threading.enumerate()) <= 3)
    again = Told()
    pool.submit(Job(lambda _: "again", again, 5))
    assert again.only() == ("again", None)


@pytest.mark.usefixtures("quick")
def test_only_so_many_threads_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_STUCK_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "_MOST_STUCK", 3)
    go_on = threading.Event()
    pool = Pool("held", 1)
    tolds = [Told() for _ in range(8)]
    for told in tolds:
        pool.submit(Job(lambda _: go_on.wait(30), told, 0.3))
    for told in tolds:
        assert isinstance(told.only()[1], RequestTimeoutError)
    assert len(pool._begun) <= 4
    go_on.set()
    wait_for(lambda: not pool._begun)


def test_threads_are_not_started_for_nothing() -> None:
    pool = Pool("few", 4)
    for _ in range(10):
        told = Told()
        pool.submit(Job(lambda _: 1, told, 5))
        told.only()
        wait_for(lambda: pool._idle == pool._threads)
    assert pool._threads == 1


@pytest.mark.usefixtures("quick")
def test_under_stress_every_job_has_one_outcome() -> None:
    """Jobs that end, fail, take too long and are withdrawn, from many threads at once."""
    pool = Pool("stress", 4)
    chance = random.Random(5)
    tolds: list[Told] = []
    lock = threading.Lock()

    def outcome(kind: int) -> Callable[[Job], Any]:
        def work(job: Job) -> Any:
            time.sleep(kind * 0.0004)
            job.give_up()
            if kind == 3:
                raise ValueError("planned")
            return kind

        return work

    def submit(seeds: list[tuple[int, bool, float]]) -> None:
        for kind, withdrawn, seconds in seeds:
            told = Told()
            job = Job(outcome(kind), told, seconds)
            with lock:
                tolds.append(told)
            pool.submit(job)
            if withdrawn:
                job.cancel()

    plans = [
        [(chance.randrange(5), chance.random() < 0.3, chance.choice([0.001, 20])) for _ in range(150)] for _ in "abcd"
    ]
    threads = [threading.Thread(target=submit, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: all(told.outcomes for told in tolds), 20)
    time.sleep(0.1)
    assert len(tolds) == 600
    assert all(len(told.outcomes) == 1 for told in tolds)
    kinds = {type(told.outcomes[0][1]) for told in tolds}
    assert {type(None), CancelledError} <= kinds <= {type(None), CancelledError, RequestTimeoutError, ValueError}


def test_a_thread_that_has_nothing_to_do_lets_go_of_what_it_did() -> None:
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    ended = threading.Event()
    Pool("t", 1).submit(Job(lambda _, held=thing: held, lambda *_: ended.set(), 10))
    del thing
    assert ended.wait(10)
    wait_for(lambda: gone() is None, 10)
