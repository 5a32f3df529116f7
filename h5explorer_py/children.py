"""Processes of this package's own: how they are started, heard and ended.

They are started as modules over pipes: a fork deadlocks in a kernel with threads, and other ways run the user's main
script again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from h5explorer_py.pipes import readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

START_SECONDS = 50
"""How long one may take to start: its libraries may come from a file system that is slow at first."""

_HDF5_PREFIXES = ("HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX", "HDF5_EXTFILE_PREFIX")
"""Variables that would have HDF5 look elsewhere for what a shard refers to than where it is checked."""

# The package comes from where this one is, whatever else is installed; all other paths are looked at behind the
# process's own, so that no json.py or h5py.py beside a notebook takes the place of the real one.
_HOME = str(Path(__file__).parents[1])
_START = """
import sys
sys.path.insert(0, sys.argv[1])
import h5explorer_py
sys.path[:1] = []
sys.path += sys.argv[2:]
from {module} import main
main()
"""

_SHORT = 1 << 16
_LONG = 1 << 20


def start_code(module: str) -> str:
    """Return the code that runs ``main`` of a module of this package."""
    return _START.format(module=module)


class Child:
    """A process that takes requests on its standard input and answers on its standard output.

    Parameters
    ----------
    code : str
        What it runs: see ``start_code``.
    handed : sequence of int, optional
        File descriptors that it is to have besides, under the same numbers.
    complaints : file, optional
        Takes what it says on its standard error.
    environment : mapping, optional
        Variables that it is to have besides.

    Raises
    ------
    OSError
        Where it cannot be started.
    """

    def __init__(
        self,
        code: str,
        *,
        handed: Sequence[int] = (),
        complaints: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (nothing in it comes from data)
            [sys.executable, "-P", "-c", code, _HOME, *(path for path in sys.path if path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if complaints is None else complaints,
            bufsize=0,
            env={
                **{name: value for name, value in os.environ.items() if name not in _HDF5_PREFIXES},
                "OPENBLAS_NUM_THREADS": "1",  # else it reserves memory for every core of the node
                "HDF5_USE_FILE_LOCKING": "FALSE",
                **(environment or {}),
            },
            pass_fds=handed,
            start_new_session=True,  # an interrupt of this process is none of theirs
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin.fileno()
        self._replies = self._process.stdout.fileno()
        self._ready = readiness(self._replies)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def _receive(self, waiting: bytearray, size: int, wait: Callable[[], None]) -> None:
        """Read until so many bytes are there; a short answer comes whole with the first read.

        Raises
        ------
        EOFError
            Where the process ended.
        """
        while len(waiting) < size:
            wait()
            part = os.read(self._replies, max(_SHORT, min(size - len(waiting), _LONG)))
            if not part:
                raise EOFError
            waiting += part

    def end(self) -> None:
        """End the process at once, and those that it started."""
        with contextlib.suppress(OSError):
            if self.alive and sys.platform != "win32":
                os.killpg(self.pid, signal.SIGKILL)
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5)  # one that waits for a dead file system ends later
