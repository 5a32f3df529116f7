"""What a worker does before anything is written: reads the headers of some pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.making.outcome import Outcome
from h5explorer_py.making.reading import ReadOptions, survey

if TYPE_CHECKING:
    from h5explorer_py.bulk.running import Begin, Doomed, Fault
    from h5explorer_py.making.items import Item


@dataclass(frozen=True, slots=True)
class Headers:
    """Pictures whose headers are to be read.

    Attributes
    ----------
    items : tuple of Item
    options : ReadOptions
    """

    items: tuple[Item, ...]
    options: ReadOptions


def read_headers(task: Headers, begin: Begin, doomed: Doomed) -> list[Outcome]:
    """Read the headers of some pictures. What is wrong with one is in its outcome."""
    outcomes = []
    for number, item in enumerate(task.items):
        begin(number)
        outcomes.append(lost(doomed[number]) if number in doomed else survey(item, task.options))
    return outcomes


def lost(fault: Fault) -> Outcome:
    """Return the outcome of a picture that ended the process that read it."""
    return Outcome(code=fault.code, error=fault.reason)
