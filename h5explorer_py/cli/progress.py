"""How far a job has come: one line that is written anew in a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 60.0


class Line:
    """A line on the standard error stream: used in a ``with`` statement."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._every = _TERMINAL_SECONDS if self._terminal else _LOG_SECONDS
        self._next = time.monotonic() + self._every
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201

    def say(self, text: str) -> None:
        """Show a text, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every
        self._shown = True
        shown, end = (f"\r{text}\033[K", "") if self._terminal else (text, "\n")
        print(shown, end=end, file=sys.stderr, flush=True)  # noqa: T201


class Progress(Line):
    """Says how many rows are done.

    Parameters
    ----------
    total : int or None
        How many rows there are in all, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        super().__init__()
        self._of = "" if total is None else f" of {total:,}"

    def __call__(self, done: int) -> None:
        """Say how many rows are done, if it is time to."""
        self.say(f"{done:,}{self._of} rows")


class Share(Line):
    """Says what part of some work is done.

    Parameters
    ----------
    what : str
        The work.
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def __call__(self, done: float) -> None:
        """Say what part is done, 0 to 1, if it is time to."""
        self.say(f"{self._what}: {done:.0%}")
