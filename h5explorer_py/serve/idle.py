"""Ending by itself: how long nothing has been asked."""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class IdleClock:
    """Counts from the last message, or the last end of a connection.

    Parameters
    ----------
    seconds : float or None
        After how long without either it is over; ``None`` for never.
    now : callable
        Tells the time in seconds.
    """

    def __init__(self, seconds: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._last = now()

    def touch(self) -> None:
        """Begin to count anew."""
        self._last = self._now()

    @property
    def left(self) -> float | None:
        """How many seconds are left; ``None`` where there is no end."""
        return None if self._seconds is None else max(0.0, self._last + self._seconds - self._now())


def duration(text: str) -> float:
    """Understand ``90s``, ``30m`` or ``2h``, as seconds.

    Raises
    ------
    ArgumentTypeError
        Where it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, such as 90s, 30m or 2h")
    return seconds
