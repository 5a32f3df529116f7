"""How far a conversion is, told in a terminal, a notebook, or a log."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from h5explorer_py.cli.progress import Line

if TYPE_CHECKING:
    from types import TracebackType

    from h5explorer_py.making.job import State

log = logging.getLogger("h5explorer")
log.addHandler(logging.NullHandler())  # who wants to hear of it adds another

_CELL_SECONDS = 0.5
_SETTLED_SECONDS = 1.0


class Watch:
    """Tells the states of a conversion: in one line that is written anew; in a log once a minute.

    Used in a ``with`` statement.

    Parameters
    ----------
    shown : bool
        Whether to show anything.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._line: Line | _Cell | None = (_Cell() if in_notebook() else Line()) if shown else None
        self._doing = ""
        self._begun = 0.0

    def __enter__(self) -> Self:
        if self._line is not None:
            self._line.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.__exit__(kind, error, trace)

    def __call__(self, state: State) -> None:
        """Tell a state, if it is time to."""
        now = time.monotonic()
        if state.doing != self._doing:
            self._doing, self._begun = state.doing, now
            log.info("%s: %s pictures", state.doing, f"{state.total:,}")
        if self._line is not None:
            self._line.say(words_of(state, now - self._begun))


def words_of(state: State, seconds: float) -> str:
    """Say a state in a line: how many, how quickly, how long it takes still, how many errors."""
    said = f"{state.doing}: {state.done:,} of {state.total:,}"
    if state.done and seconds >= _SETTLED_SECONDS:
        rate = state.done / seconds
        left = round((state.total - state.done) / rate)
        said += f", {rate:,.0f} a second, {_span(left)} left"
    if state.errors:
        said += f", {state.errors:,} could not be read"
    return said


def _span(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def in_notebook() -> bool:
    """Tell whether this runs in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class _Cell:
    """A line below a notebook's cell."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._next = time.monotonic() + _CELL_SECONDS
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._show(self._text)

    def say(self, text: str) -> None:
        """Show a text, if it is time to."""
        self._text = text
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _CELL_SECONDS
            self._show(text)

    def _show(self, text: str) -> None:
        from IPython import display

        bundle = {"text/plain": text}
        if self._handle is None:
            show: Any = display.display
            self._handle = show(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
