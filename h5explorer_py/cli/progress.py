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


class Progress:
    """Says on the standard error stream how many rows are done: used in a ``with`` statement.

    Parameters
    ----------
    total : int or None
        How many rows there are in all, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total:,}"
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

    def __call__(self, done: int) -> None:
        """Say how many rows are done, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every
        self._shown = True
        text = f"{done:,}{self._of} rows"
        shown, end = (f"\r{text}\033[K", "") if self._terminal else (text, "\n")
        print(shown, end=end, file=sys.stderr, flush=True)  # noqa: T201
