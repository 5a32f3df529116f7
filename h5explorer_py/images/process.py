"""One reader process: asking it."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from h5explorer_py.children import START_SECONDS, Child, start_code
from h5explorer_py.images.pipe import LENGTH

SPIN_SECONDS = 0.001
"""How long the kernel stays awake for an answer. Where both sides sleep at once, an image of 1,000 takes 0.22 ms to be
found; where they stay awake this long, 0.08 ms (two processors of a virtual machine)."""

_START = start_code("h5explorer_py.images.reader")


class Reader(Child):
    """One reader process."""

    def __init__(self) -> None:
        super().__init__(_START)
        self._started = False
        self.gathering = ""
        """The file whose images it may look at while it has nothing else to do."""

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its reply.

        Raises
        ------
        TimeoutError
            Where there is none in time; the reader is to be ended then.
        EOFError
            Where the process ended.
        """
        if not self._started:
            self._fill(bytearray(), 1, time.perf_counter() + START_SECONDS)
            self._started = True
        deadline = time.perf_counter() + request["seconds"]
        text = json.dumps(request).encode()
        try:
            os.write(self._requests, LENGTH.pack(len(text)) + text)  # far shorter than a pipe's buffer
        except OSError as error:
            raise EOFError from error
        waiting = bytearray()
        self._fill(waiting, LENGTH.size, deadline)
        text_end = LENGTH.size + int(LENGTH.unpack_from(waiting)[0])
        self._fill(waiting, text_end, deadline)
        reply: dict[str, Any] = json.loads(waiting[LENGTH.size : text_end])
        self._fill(waiting, text_end + reply["bytes"], deadline)
        return reply, bytes(waiting[text_end:])

    def _fill(self, waiting: bytearray, size: int, deadline: float) -> None:
        self._receive(waiting, size, lambda: self._wait(deadline))

    def _wait(self, deadline: float) -> None:
        if self._ready is None:
            return
        awake_until = min(time.perf_counter() + SPIN_SECONDS, deadline)
        while not self._ready(0):
            now = time.perf_counter()
            if now >= awake_until:
                if not self._ready(max(0, deadline - now)):
                    raise TimeoutError
                return
