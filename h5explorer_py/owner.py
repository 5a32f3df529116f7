"""Whose a folder is, and whether that process is gone."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import Any

_STALE_SECONDS = 24 * 3600
"""A process of another machine cannot be asked for; one that has written nothing for so long is taken to be gone."""


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes
    ----------
    host : str
        The machine's name.
    boot : str
        What tells one run of the machine from another; empty where nothing does.
    pid : int
        The process's number there.
    started : str
        When it started, as the system counts: numbers are given again. Empty where that is not told.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def own(cls) -> Owner:
        """Return this process."""
        return cls(socket.gethostname(), _boot(), os.getpid(), started_at(os.getpid()) or "")

    @classmethod
    def of_json(cls, fields: dict[str, Any]) -> Owner:
        """Read what ``to_json`` gave.

        Raises
        ------
        TypeError, KeyError, ValueError
            Where it is none.
        """
        return cls(str(fields["host"]), str(fields["boot"]), int(fields["pid"]), str(fields["started"]))

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @property
    def is_own(self) -> bool:
        """Whether it is this process."""
        return self == Owner.own()

    @property
    def lives(self) -> bool | None:
        """Whether the process is still there; ``None`` where that cannot be told, as it is of another machine."""
        own = Owner.own()
        if (self.host, self.boot) != (own.host, own.boot):
            return None
        return started_at(self.pid) == self.started

    def is_gone(self, folder: str) -> bool:
        """Tell whether the process that owns a folder is no more."""
        lives = self.lives
        return time.time() - _last_change(folder) > _STALE_SECONDS if lives is None else not lives


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def started_at(pid: int) -> str | None:
    """Return when a process started, empty where that is not told; ``None`` where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, *fields = file.read().rpartition(b")")[2].split()
        return None if state == b"Z" else fields[18].decode()
    except (OSError, IndexError, ValueError):
        if os.path.isdir("/proc/self"):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return ""


def _last_change(folder: str) -> float:
    """Return when anything in a folder was last changed, in seconds since 1970; now, where that cannot be told."""
    try:
        paths = [os.path.join(above, name) for above, _, names in os.walk(folder) for name in names]
        return max(os.stat(path).st_mtime for path in [folder, *paths])
    except OSError:
        return time.time()
