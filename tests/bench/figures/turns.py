"""Several ways of one operation, turn by turn: each run in a process of its own, in alternating order."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bench.figures.alone import FailedError, Measured, measure_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TURNS = 5
"""Turns that count; one before them is discarded, as files and libraries are read from disk in it."""


@dataclass(frozen=True)
class Way:
    """A way to do an operation: a function of a module, and what it is given."""

    function: Callable[..., Measured]
    given: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Runs:
    """All runs of one way that count."""

    runs: tuple[Measured, ...]

    def median(self, what: str) -> float:
        return statistics.median(run.values[what] for run in self.runs)

    @property
    def peak(self) -> float:
        """The highest peak of memory, in megabytes."""
        return max(run.peak for run in self.runs)

    def ratio(self, what: str, to: Runs, of: str | None = None) -> float:
        """Return the median of the ratios within each turn."""
        pairs = zip(self.runs, to.runs, strict=True)
        return statistics.median(ours.values[what] / theirs.values[of or what] for ours, theirs in pairs)


def take_turns(ways: Mapping[str, Way], turns: int = TURNS) -> dict[str, Runs]:
    """Run all ways ``turns`` times after a first time that does not count, every other time in reverse order.

    Raises
    ------
    FailedError
        Where a run fails, or ways that give an answer do not agree.
    """
    taken: dict[str, list[Measured]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        names = list(ways) if turn % 2 == 0 else list(ways)[::-1]
        for name in names:
            way = ways[name]
            print(f"  {way.function.__module__.rpartition('.')[2]}, {name}: {turn} of {turns}", file=sys.stderr)
            taken[name].append(measure_alone(way.function, way.given, way.environment))
    check_agreed(taken)
    return {name: Runs(tuple(runs[1:])) for name, runs in taken.items()}


def check_agreed(taken: Mapping[str, list[Measured]]) -> None:
    """Raise where two runs gave different answers.

    Raises
    ------
    FailedError
    """
    answers = [(name, run.answer) for name, runs in taken.items() for run in runs if run.answer is not None]
    for name, answer in answers[1:]:
        if answer != answers[0][1]:
            raise FailedError(f"{answers[0][0]} and {name} do not agree: {answers[0][1]!r} and {answer!r}")
