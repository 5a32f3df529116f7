"""The time of a command, and the most memory that it and all processes below it take together."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_LOOK_SECONDS = 0.05


class Taken(NamedTuple):
    """What a command took.

    Attributes
    ----------
    seconds : float
        Of its life.
    pss, rss : float
        Megabytes (10⁶ bytes) of all its processes together, at most: pages that several share count once, or in each.
    """

    seconds: float
    pss: float
    rss: float


def take(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Taken:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        Where it fails.
    """
    begun = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        watch = _Watch(process.pid)
        said = process.communicate()[1]
        seconds = time.perf_counter() - begun
        watch.end()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
    return Taken(seconds, watch.pss * 1024 / 1e6, watch.rss * 1024 / 1e6)


class _Watch:
    def __init__(self, pid: int) -> None:
        self.pss = self.rss = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            found = [_kilobytes(pid) for pid in tree_of(self._pid)]
            self.pss = max(self.pss, sum(pss for pss, _ in found))
            self.rss = max(self.rss, sum(rss for _, rss in found))


def tree_of(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = path.read_text(encoding="ascii").split()
        except OSError:
            continue
        found += [each for child in below for each in tree_of(int(child))]
    return found


def _kilobytes(pid: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return sizes.get("Pss", 0), sizes.get("Rss", 0)
