"""The time of a piece of Python in a process of its own, and the most memory that it and all below it take."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_LOOK_SECONDS = 0.05


class Run(NamedTuple):
    """What a process took.

    Attributes
    ----------
    seconds : float
        Of its life.
    megabytes : float
        Of all its processes together at most; pages that several share count once.
    """

    seconds: float
    megabytes: float


def run(code: str, *arguments: object) -> Run:
    """Run a piece of Python."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT) as process:
        peak = _Peak(process.pid)
        process.wait()
        seconds = time.perf_counter() - begun
        megabytes = peak.end()
    if process.returncode:
        raise RuntimeError(f"It ended with {process.returncode}.")
    return Run(seconds, megabytes)


class _Peak:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._most * 1024 / 1e6

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._most = max(self._most, sum(_kilobytes(pid) for pid in _tree(self._pid)))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = path.read_text().split()
        except OSError:
            continue
        found += [each for child in below for each in _tree(int(child))]
    return found


def _kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
