"""What a worker does: reads the pictures of one shard and writes it as one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.bulk.aside import written
from h5explorer_py.making.headers import lost
from h5explorer_py.making.reading import ReadOptions, read
from h5explorer_py.making.zarr_store import array_at, use_one_thread

if TYPE_CHECKING:
    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.making.items import Item
    from h5explorer_py.making.outcome import Outcome
    from h5explorer_py.making.rule import Rule


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Pictures that lie side by side.

    Attributes
    ----------
    where : str
        The store.
    description : dict
        Of its array.
    start : int
        The number of the first of them in the array.
    items, outcomes : tuples
    rule : Rule
    options : ReadOptions
    """

    where: str
    description: dict[str, Any]
    start: int
    items: tuple[Item, ...]
    outcomes: tuple[Outcome, ...]
    rule: Rule
    options: ReadOptions


def write_shard(task: ShardTask, begin: Begin, doomed: Doomed) -> list[Outcome]:
    """Read the pictures, and write those that lie in one file: zeros for those that cannot be read.

    Raises
    ------
    WriteFailedError
    """
    use_one_thread()
    block = np.zeros((len(task.items), *task.rule.shape), task.rule.dtype)
    outcomes = list(task.outcomes)
    for number, item in enumerate(task.items):
        if number in doomed:
            outcomes[number] = lost(doomed[number])
            continue
        if outcomes[number].code and outcomes[number].facts is None:
            continue  # its header cannot be read
        begin(number)
        values = read(item, task.rule, task.options, outcomes[number])
        if values is not None:
            block[number] = values
    begin(-1)
    write_block(task.where, task.description, task.start, block)
    return outcomes


def write_block(where: str, description: dict[str, Any], start: int, block: np.ndarray[Any, Any]) -> None:
    """Write pictures into an array.

    Raises
    ------
    WriteFailedError
    """
    if len(description["shape"]) == 3:  # old stores of grey pictures have no axis of channels
        block = block[:, 0]
    with written(where):
        array_at(where, description)[start : start + len(block)] = block
