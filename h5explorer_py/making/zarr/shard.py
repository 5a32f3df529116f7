"""What a worker does: reads the pictures of one shard and writes it as one file."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.bulk.aside import written
from h5explorer_py.making.headers import lost
from h5explorer_py.making.reading import ReadOptions, read
from h5explorer_py.making.zarr.shard_file import ShardFile, ShardLayout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

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
    outcomes = list(task.outcomes)
    write_pictures(task.where, task.description, task.start, _pictures(task, outcomes, begin, doomed))
    return outcomes


def use_one_thread() -> None:
    """Have Blosc compress with one thread: there are as many processes as there is to do, and chunks are small."""
    from numcodecs import blosc

    if threading.current_thread() is threading.main_thread():  # in others it does anyway
        blosc.set_nthreads(1)


def _pictures(task: ShardTask, outcomes: list[Outcome], begin: Begin, doomed: Doomed) -> Iterator[NDArray[Any] | None]:
    for number, item in enumerate(task.items):
        values = None
        if number in doomed:
            outcomes[number] = lost(doomed[number])
        elif not outcomes[number].code or outcomes[number].facts is not None:
            begin(number)
            values = read(item, task.rule, task.options, outcomes[number])
            begin(-1)
        yield values


def write_pictures(
    where: str, description: dict[str, Any], start: int, pictures: Iterator[NDArray[Any] | None]
) -> None:
    """Write pictures of one file of an array; ``None`` for zeros.

    Raises
    ------
    WriteFailedError
    """
    layout = ShardLayout.of(description)
    with written(where):
        if layout is None or "://" in where or start % layout.shards[0]:
            _write_block(where, description, start, pictures)
            return
        path = os.path.join(where, "images", "c", str(start // layout.shards[0]), "0", "0", "0")
        with ShardFile(path, layout) as file:
            for picture in pictures:
                file.add(picture)


def _write_block(where: str, description: dict[str, Any], start: int, pictures: Iterator[NDArray[Any] | None]) -> None:
    """Have zarr write them, which reads what else there is in the file."""
    from h5explorer_py.making.zarr.store import array_at

    array = array_at(where, description)
    shape = array.shape[1:]
    kept = [np.zeros(shape, array.dtype) if each is None else each.reshape(shape) for each in pictures]
    array[start : start + len(kept)] = np.stack(kept)
