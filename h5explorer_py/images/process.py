"""One reader process: starting it over pipes, asking it, ending it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from h5explorer_py.images.pipe import LENGTH, readiness

START_SECONDS = 50
"""How long a reader may take to start: its libraries may come from a file system that is slow at first."""

SPIN_SECONDS = 0.001
"""How long the kernel stays awake for an answer. Where both sides sleep at once, an image of 1,000 takes 0.22 ms to be
found; where they stay awake this long, 0.08 ms (two processors of a virtual machine)."""

_HDF5_PREFIXES = ("HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX", "HDF5_EXTFILE_PREFIX")
"""Variables that would have HDF5 look elsewhere for what a shard refers to than where it is checked."""

# The package comes from where this one is, whatever else is installed; all other paths are looked at behind the
# reader's own, so that no json.py or h5py.py beside a notebook takes the place of the real one.
_HOME = str(Path(__file__).parents[2])
_START = """
import sys
sys.path.insert(0, sys.argv[1])
import h5explorer_py
sys.path[:1] = []
sys.path += sys.argv[2:]
from h5explorer_py.images.reader import main
main()
"""

_SHORT = 1 << 16
_LONG = 1 << 20


class Reader:
    """One reader process."""

    def __init__(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if name not in _HDF5_PREFIXES},
            "OPENBLAS_NUM_THREADS": "1",  # else it reserves memory for every core of the node
            "HDF5_USE_FILE_LOCKING": "FALSE",
        }
        self._process = subprocess.Popen(  # noqa: S603  (nothing in it comes from data)
            [sys.executable, "-P", "-c", _START, _HOME, *(path for path in sys.path if path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            start_new_session=True,  # an interrupt of the kernel is none of the readers'
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin.fileno()
        self._replies = self._process.stdout.fileno()
        self._ready = readiness(self._replies)
        self._started = False
        self.gathering = ""
        """The file whose images it may look at while it has nothing else to do."""

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

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
        """Read until so many bytes are there; a short answer comes whole with the first read."""
        while len(waiting) < size:
            self._wait(deadline)
            part = os.read(self._replies, max(_SHORT, min(size - len(waiting), _LONG)))
            if not part:
                raise EOFError
            waiting += part

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

    def end(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5)  # one that waits for a dead file system ends later
