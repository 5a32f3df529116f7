"""How a query is to be run: whether to go on, who is told how far it is, where to write, and what is odd on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Work:
    """How a query is to be run.

    Attributes
    ----------
    give_up : callable
        Raises where nobody waits for it any more.
    progress : callable
        Is told the part of the work that has been done, 0 to 1.
    scratch : str or None
        A folder for what does not fit in memory.
    notes : list of str
        Sentences about what is odd, said by those who do the work.
    """

    give_up: Callable[[], None] = lambda: None
    progress: Callable[[float], None] = lambda _: None
    scratch: str | None = None
    notes: list[str] = field(default_factory=list)

    def part(self, start: float, stop: float) -> Work:
        """Return the same work for what takes its time from ``start`` to ``stop``, both 0 to 1."""
        return replace(self, progress=lambda done: self.progress(start + (stop - start) * done))

    def note(self, sentence: str) -> None:
        """Say that something is odd."""
        if sentence and sentence not in self.notes:
            self.notes.append(sentence)
