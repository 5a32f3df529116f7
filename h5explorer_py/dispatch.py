"""From a message of the page to its handler and back: every request gets exactly one answer."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from h5explorer_py import jobs
from h5explorer_py.errors import BadRequestError, ExplorerError
from h5explorer_py.protocol import Answers, Ask, Cancel, Failure, Reply, Request, decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

Buffers = list[bytes]

STEP_ASIDE_SECONDS = 0.005
"""How long the thread that receives messages leaves the processor to those that answer.

Python hands the processor from one busy thread to another every 5 ms only: a quick answer would wait for all that the
receiving thread does behind it. Measured: an answer of 0.2 ms came 5 to 12 ms after its request, and does in 1 to 2 ms.
"""


class _Together:
    """Keeps the answers of one message for the moment in which its requests are begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: list[tuple[Reply | Failure, Buffers]] | None = []

    def take(self, answer: Reply | Failure, buffers: Buffers) -> bool:
        """Keep an answer; ``False`` when the moment is over."""
        with self._lock:
            if self._ready is None:
                return False
            self._ready.append((answer, buffers))
            return True

    def end(self) -> list[tuple[Reply | Failure, Buffers]]:
        """End the moment; return what has been kept."""
        with self._lock:
            ready, self._ready = self._ready or [], None
            return ready


class Send(Protocol):
    """Sends a message to all pages that listen. May be called from any thread."""

    def __call__(self, content: dict[str, Any], buffers: Buffers) -> None: ...


class Handle(Protocol):
    """Does what a request asks for; returns the result and its buffers."""

    def __call__(self, request: Request, job: jobs.Job) -> tuple[dict[str, Any], Buffers]: ...


@dataclass(frozen=True)
class Handler:
    """How a method is carried out.

    Attributes
    ----------
    handle : Handle
        What carries it out.
    pool : Pool
        Whose threads do.
    seconds : float
        How long it may take.
    """

    handle: Handle
    pool: jobs.Pool = jobs.interactive
    seconds: float = 60


class Dispatcher:
    """Hands requests on and answers them.

    ``receive`` only decodes and hands on, as it may run in the one thread that serves all widgets of a kernel.

    Parameters
    ----------
    handlers : mapping
        The handler of each method.
    send : Send
        How to answer.
    """

    def __init__(self, handlers: Mapping[str, Handler], send: Send) -> None:
        self._handlers = handlers
        self._send = send
        self._send_lock = threading.Lock()
        self._lock = threading.Lock()
        self._running: OrderedDict[str, jobs.Job] = OrderedDict()

    def receive(self, content: Any, buffers: Sequence[Any] = ()) -> None:  # noqa: ARG002
        """Take in a message of a page."""
        try:
            message = decode(content)
        except BadRequestError as error:
            self._refuse(error)
            return
        if isinstance(message, Cancel):
            self._cancel(message)
        else:
            self._start(message)

    def _refuse(self, error: BadRequestError) -> None:
        """Answer the requests of a message that is not understood, less those that are answered anyway."""
        with self._lock:
            names = [name for name in dict.fromkeys(error.details.get("requests", ())) if name not in self._running]
        for name in names:
            self._answer(Failure.of(name, error))

    def _start(self, ask: Ask) -> None:
        """Begin what is asked; what is answered within a moment is answered in one message."""
        together = _Together()
        until = time.monotonic() + STEP_ASIDE_SECONDS
        for request in ask.requests:
            with self._lock:
                if request.request in self._running:
                    continue  # asked again because the page heard nothing; the answer is on its way
                handler = self._handlers.get(request.method)
                job = self._job(request, handler, together)
                self._running[request.request] = job
            if handler is None:
                job.run()
                continue
            handler.pool.submit(job)
            if handler.pool is jobs.interactive:
                job.wait(max(0, until - time.monotonic()))  # one after the other: side by side each takes longer
        self._send_together(together.end())

    def _job(self, request: Request, handler: Handler | None, together: _Together) -> jobs.Job:
        def work(job: jobs.Job) -> tuple[dict[str, Any], Buffers]:
            if handler is None:
                raise BadRequestError(f"{request.method} cannot be asked for here.")
            return handler.handle(request, job)

        def done(outcome: object, error: BaseException | None) -> None:
            with self._lock:
                self._running.pop(request.request, None)
            answer: Reply | Failure
            buffers: Buffers
            if error is None:
                assert isinstance(outcome, tuple)
                answer, buffers = Reply(request.request, outcome[0]), outcome[1]
            else:
                if not isinstance(error, ExplorerError):
                    log.error("the request %s failed", request.method, exc_info=error)
                answer, buffers = Failure.of(request.request, error), []
            if not together.take(answer, buffers):
                self._answer(answer, buffers)

        return jobs.Job(work, done, handler.seconds if handler else 1)

    def _send_together(self, ready: list[tuple[Reply | Failure, Buffers]]) -> None:
        if len(ready) > 1:
            message = Answers(tuple((answer, len(buffers)) for answer, buffers in ready))
            try:
                with self._send_lock:
                    self._send(message.to_json(), [buffer for _, buffers in ready for buffer in buffers])
            except Exception:
                log.exception("answers could not be sent together")  # each by itself, then
            else:
                return
        for answer, buffers in ready:
            self._answer(answer, buffers)

    def _cancel(self, cancel: Cancel) -> None:
        for name in cancel.requests:
            with self._lock:
                job = self._running.get(name)
            if job is not None:
                job.cancel()

    def _answer(self, answer: Reply | Failure, buffers: Sequence[bytes] = ()) -> None:
        try:
            with self._send_lock:
                self._send(answer.to_json(), list(buffers))
        except Exception as error:
            log.exception("an answer could not be sent")
            if isinstance(answer, Reply):  # there may be something in it that cannot be; the page waits for an answer
                self._answer(Failure.of(answer.request, error))

    def close(self) -> None:
        """Withdraw all that is running."""
        with self._lock:
            running = list(self._running.values())
        for job in running:
            job.cancel()
