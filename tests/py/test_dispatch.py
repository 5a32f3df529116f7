"""Exactly one answer for every request, whatever becomes of it."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py import jobs
from h5explorer_py.dispatch import Dispatcher, Handler
from h5explorer_py.errors import KeyNotFoundError
from h5explorer_py.jobs import Job, Pool
from h5explorer_py.protocol import VERSION, Request
from tests.py.support import Page, ask, cancel, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handle = Callable[[Request, Job], tuple[dict[str, Any], list[bytes]]]


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_WATCH_SECONDS", 0.02)


def dispatcher(page: Page, handle: Handle, seconds: float = 20, threads: int = 2, send: Any = None) -> Dispatcher:
    """A dispatcher whose method ``stats`` does what the test says."""
    return Dispatcher({"stats": Handler(handle, Pool("dispatch", threads), seconds)}, send or page.send)


def raising(error: BaseException) -> Handle:
    def handle(_: Request, __: Job) -> tuple[dict[str, Any], list[bytes]]:
        raise error

    return handle


def code_of(page: Page, name: str) -> str:
    content, buffers = page.only(name)
    assert content["kind"] == "failure"
    assert buffers == []
    return content["error"]["code"]


class Held:
    """A handler that waits until the test lets it go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.calls = 0

    def __call__(self, request: Request, job: Job) -> tuple[dict[str, Any], list[bytes]]:
        self.calls += 1
        self.begun.release()
        assert self.go_on.wait(10)
        job.give_up()
        return {"name": request.request}, []


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.go_on.set()


def settled(page: Page, *names: str) -> None:
    """Nothing comes after the first answer."""
    page.wait(*names)
    time.sleep(0.05)
    assert {name: len(page.answers[name]) for name in page.answers} == dict.fromkeys(names, 1)


def test_a_result_and_its_buffers(page: Page) -> None:
    dispatcher(page, lambda request, _: ({"params": request.params}, [b"x", b"y"])).receive(
        ask(Request("a", "stats", {"k": 1}))
    )
    assert page.only("a") == ({"kind": "reply", "request": "a", "result": {"params": {"k": 1}}}, [b"x", b"y"])


def test_a_typed_error(page: Page) -> None:
    dispatcher(page, raising(KeyNotFoundError("There is none.", action="Look.", key="k"))).receive(
        ask(Request("a", "stats"))
    )
    error = {"code": "key_not_found", "message": "There is none.", "action": "Look.", "details": {"key": "k"}}
    assert page.only("a") == ({"kind": "failure", "request": "a", "error": error}, [])


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), KeyboardInterrupt(), SystemExit(), MemoryError(), RecursionError()]
)
def test_any_other_error_is_a_fault_that_is_logged(
    page: Page, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "h5explorer_py.dispatch"):
        dispatcher(page, raising(error)).receive(ask(Request("a", "stats")))
        assert code_of(page, "a") == "internal"
    assert caplog.records[0].exc_info[1] is error


def test_a_typed_error_is_not_logged(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher(page, raising(KeyNotFoundError("There is none."))).receive(ask(Request("a", "stats")))
    settled(page, "a")
    assert caplog.records == []


def test_several_requests_in_one_message_have_an_answer_each(page: Page) -> None:
    names = [f"r{number}" for number in range(100)]
    dispatcher(page, lambda request, _: ({"is": request.request}, [])).receive(
        ask(*(Request(name, "stats") for name in names))
    )
    settled(page, *names)
    assert all(page.answers[name][0][0]["result"] == {"is": name} for name in names)


def quick_and_slow(page: Page, handle: Handle, send: Any = None) -> Dispatcher:
    """A dispatcher whose quick ``stats`` and slow ``find`` a person waits for."""
    return Dispatcher(
        {"stats": Handler(lambda request, _: ({"name": request.request}, [b"1", b"2"])), "find": Handler(handle)},
        send or page.send,
    )


def test_answers_that_are_ready_at_once_travel_in_one_message(page: Page) -> None:
    dispatch = quick_and_slow(page, raising(KeyNotFoundError("no")))
    dispatch.receive(ask(Request("a", "stats"), Request("b", "find"), Request("c", "stats")))
    assert page.messages == 1
    assert page.only("a") == ({"kind": "reply", "request": "a", "result": {"name": "a"}}, [b"1", b"2"])
    assert code_of(page, "b") == "key_not_found"
    assert page.only("c")[1] == [b"1", b"2"]


def test_where_no_thread_can_be_started_every_request_is_answered(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a person's limit of processes is reached, which counts threads."""
    dispatch = quick_and_slow(page, raising(KeyNotFoundError("no")))
    pool = Pool("none", 2)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    dispatch._handlers = {**dispatch._handlers, "find": Handler(raising(KeyNotFoundError("no")), pool)}
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        dispatch.receive(ask(Request("x", "find")))
        assert code_of(page, "x") == "internal"
        assert "can't start new thread" in page.only("x")[0]["error"]["message"]
    dispatch.receive(ask(Request("a", "stats"), Request("b", "find")))
    assert page.only("a")[0]["kind"] == "reply"
    assert code_of(page, "b") == "key_not_found"


def test_no_answer_waits_for_one_that_is_not_ready(page: Page, held: Held) -> None:
    dispatch = quick_and_slow(page, held)
    started = time.perf_counter()
    dispatch.receive(ask(Request("slow", "find"), Request("a", "stats"), Request("b", "stats")))
    assert time.perf_counter() - started < 1
    assert page.only("a")[0]["kind"] == page.only("b")[0]["kind"] == "reply"
    assert "slow" not in page.answers
    held.go_on.set()
    assert page.only("slow")[0]["result"] == {"name": "slow"}


def test_answers_that_cannot_be_sent_together_are_sent_alone(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        if content["kind"] == "answers":
            raise ValueError("too large")
        page.send(content, buffers)

    dispatch = quick_and_slow(page, raising(KeyNotFoundError("no")), send)
    dispatch.receive(ask(Request("a", "stats"), Request("b", "find")))
    assert page.only("a")[0]["kind"] == "reply"
    assert code_of(page, "b") == "key_not_found"
    assert "together" in caplog.text


def test_a_slow_request_does_not_hold_up_the_next(page: Page, held: Held) -> None:
    made = Dispatcher(
        {"stats": Handler(held, Pool("slow", 2), 20), "rows": Handler(lambda _, __: ({}, []), Pool("fast", 1), 20)},
        page.send,
    )
    made.receive(ask(Request("slow", "stats"), Request("fast", "rows")))
    page.only("fast")
    assert "slow" not in page.answers


def test_withdrawn_while_it_runs(page: Page, held: Held) -> None:
    made = dispatcher(page, held)
    made.receive(ask(Request("a", "stats")))
    assert held.begun.acquire(timeout=10)
    made.receive(cancel(["a", "unknown"]))
    assert code_of(page, "a") == "cancelled"
    held.go_on.set()
    settled(page, "a")


def test_withdrawn_before_it_runs(page: Page, held: Held) -> None:
    made = dispatcher(page, held, threads=1)
    made.receive(ask(Request("first", "stats"), Request("second", "stats")))
    assert held.begun.acquire(timeout=10)
    made.receive(cancel(["second"]))
    assert code_of(page, "second") == "cancelled"
    held.go_on.set()
    settled(page, "first", "second")
    assert held.calls == 1


def test_withdrawn_when_it_is_done(page: Page) -> None:
    made = dispatcher(page, lambda _, __: ({}, []))
    made.receive(ask(Request("a", "stats")))
    page.wait("a")
    made.receive(cancel(["a", "a"]))
    settled(page, "a")


def test_a_request_that_takes_too_long(page: Page, held: Held) -> None:
    dispatcher(page, held, seconds=0.05).receive(ask(Request("a", "stats")))
    assert code_of(page, "a") == "timeout"
    held.go_on.set()
    settled(page, "a")


def test_the_same_name_while_it_runs_is_the_same_request(page: Page, held: Held) -> None:
    """The page asks again when it has heard nothing."""
    made = dispatcher(page, held)
    made.receive(ask(Request("a", "stats")))
    assert held.begun.acquire(timeout=10)
    made.receive(ask(Request("a", "stats"), Request("b", "stats"), Request("b", "stats")))
    held.go_on.set()
    settled(page, "a", "b")
    assert held.calls == 2


def test_the_same_name_again_afterwards_is_a_new_request(page: Page) -> None:
    made = dispatcher(page, lambda _, __: ({}, []))
    for count in (1, 2):
        made.receive(ask(Request("a", "stats")))
        wait_for(lambda count=count: len(page.answers.get("a", [])) == count)
    time.sleep(0.02)
    assert len(page.answers["a"]) == 2


def test_a_method_that_nobody_handles_here(page: Page) -> None:
    dispatcher(page, lambda _, __: ({}, [])).receive(ask(Request("a", "open"), Request("b", "stats")))
    assert code_of(page, "a") == "bad_request"
    assert page.only("b")[0]["kind"] == "reply"


@pytest.mark.parametrize(
    "requests", [[{"request": "a", "method": "eval"}], [{"request": "a", "method": "stats", "params": 3}]]
)
def test_a_request_that_is_none(page: Page, requests: list[Any]) -> None:
    dispatcher(page, lambda _, __: ({}, [])).receive({"kind": "ask", "version": VERSION, "requests": requests})
    assert code_of(page, "a") == "bad_request"


def test_another_version_says_what_to_do(page: Page) -> None:
    dispatcher(page, lambda _, __: ({}, [])).receive({**ask(Request("a", "stats")), "version": 99})
    content, _ = page.only("a")
    assert content["error"]["message"] == (f"The page speaks version 99 of the protocol, the kernel version {VERSION}.")
    assert "Restart the kernel and reload the page" in content["error"]["action"]


def test_a_bad_message_answers_each_name_once_and_none_that_runs(page: Page, held: Held) -> None:
    made = dispatcher(page, held)
    made.receive(ask(Request("running", "stats")))
    assert held.begun.acquire(timeout=10)
    bad = [{"request": name, "method": "eval"} for name in ("x", "x", "running")]
    made.receive({"kind": "ask", "version": VERSION, "requests": bad})
    assert code_of(page, "x") == "bad_request"
    assert "running" not in page.answers
    held.go_on.set()
    settled(page, "x", "running")


@pytest.mark.parametrize("content", [None, [], "x", 3, {}, {"kind": "ask"}, {"kind": "cancel", "requests": [3]}])
def test_what_is_no_message_at_all_is_passed_over(page: Page, content: Any) -> None:
    made = dispatcher(page, lambda _, __: ({}, []))
    made.receive(content, [b"x"])
    made.receive(ask(Request("a", "stats")))
    settled(page, "a")


def test_an_answer_that_cannot_be_sent_is_a_failure_that_can(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        if content["kind"] == "reply":
            raise TypeError("Object of type set is not JSON serializable")
        page.send(content, buffers)

    with caplog.at_level(logging.CRITICAL):
        made = dispatcher(page, lambda _, __: ({"x": {1}}, [b"x"]), send=send)
        made.receive(ask(Request("a", "stats"), Request("b", "stats")))
        assert code_of(page, "a") == code_of(page, "b") == "internal"
        settled(page, "a", "b")


def test_a_page_that_has_gone_does_no_harm(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    gone = [True]

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        if gone[0]:
            raise OSError("the comm is closed")
        page.send(content, buffers)

    with caplog.at_level(logging.CRITICAL):
        made = dispatcher(page, lambda _, __: ({}, []), send=send)
        made.receive(ask(*(Request(str(number), "stats") for number in range(20))))
        wait_for(lambda: not made._running)
    gone[0] = False
    made.receive(ask(Request("a", "stats")))
    settled(page, "a")


def test_answers_are_sent_one_at_a_time(page: Page) -> None:
    sending = threading.Lock()
    overlaps: list[str] = []

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        if not sending.acquire(blocking=False):
            overlaps.append(content["request"])
        time.sleep(0.001)
        sending.release()
        page.send(content, buffers)

    made = dispatcher(page, lambda _, __: ({}, []), threads=4, send=send)
    names = [str(number) for number in range(40)]
    made.receive(ask(*(Request(name, "stats") for name in names)))
    page.wait(*names)
    assert overlaps == []


def test_closing_withdraws_all(page: Page, held: Held) -> None:
    made = dispatcher(page, held, threads=1)
    made.receive(ask(Request("a", "stats"), Request("b", "stats")))
    assert held.begun.acquire(timeout=10)
    made.close()
    assert {code_of(page, "a"), code_of(page, "b")} == {"cancelled"}
    held.go_on.set()
    settled(page, "a", "b")


def test_receiving_returns_at_once(page: Page, held: Held) -> None:
    """It runs in the one thread that serves all widgets of a kernel."""
    made = dispatcher(page, held, threads=1)
    started = time.monotonic()
    for number in range(50):
        made.receive(ask(Request(str(number), "stats")))
    assert time.monotonic() - started < 1
    assert page.answers == {}


def test_under_stress_every_request_has_one_answer(page: Page) -> None:
    chance = random.Random(7)

    def handle(request: Request, job: Job) -> tuple[dict[str, Any], list[bytes]]:
        time.sleep(request.params["sleep"])
        job.give_up()
        if request.params["fails"]:
            raise ValueError("planned")
        return {"is": request.request}, [request.request.encode()]

    made = dispatcher(page, handle, seconds=0.5, threads=4)
    names: list[str] = []

    def asking(who: int, plan: list[tuple[float, bool, bool]]) -> None:
        for number, (sleep, fails, withdrawn) in enumerate(plan):
            name = f"{who}-{number}"
            request = Request(name, "stats", {"sleep": sleep, "fails": fails})
            made.receive(ask(request, request))
            if withdrawn:
                made.receive(cancel([name]))
            names.append(name)

    plans = [
        [(chance.random() * 0.002, chance.random() < 0.1, chance.random() < 0.3) for _ in range(150)] for _ in range(4)
    ]
    threads = [threading.Thread(target=asking, args=each) for each in enumerate(plans)]
    logging.disable(logging.CRITICAL)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(names) == 600
        page.wait(*names, seconds=20)
        wait_for(lambda: not made._running)
        time.sleep(0.1)
    finally:
        logging.disable(logging.NOTSET)
    assert {len(answers) for answers in page.answers.values()} == {1}
    for name in names:
        content, buffers = page.answers[name][0]
        if content["kind"] == "reply":
            assert (content["result"]["is"], buffers) == (name, [name.encode()])
