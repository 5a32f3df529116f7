"""The metadata files of all shards, and which rows of the lookup each of them is about."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.errors import ExplorerError, UnsupportedError
from h5explorer_py.files import Signature, regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.packed.packed import PackedLookup

_LOOKERS = 16  # looking at thousands of files waits on the file system, not on the processor


@dataclass(frozen=True)
class ShardRecords:
    """The rows of one metadata file.

    Attributes
    ----------
    path : str
        The file.
    signature : Signature or None
        Its state; ``None`` where it is not there.
    start, stop : int
        Where its rows stand in the order of files.
    by_record : bool
        Whether it has one record for each of its rows, and no other.
    """

    path: str
    signature: Signature | None
    start: int
    stop: int
    by_record: bool = False


def shards_of(dataset: Dataset, packed: PackedLookup) -> list[ShardRecords]:
    """Return the metadata files of all shards, in the order of files.

    Raises
    ------
    UnsupportedError
        Where too many files differ.
    """
    index = packed.files
    if index is None:
        raise UnsupportedError("The lookup names too many different files for conditions on their metadata.")
    folders = dataset.lookup.folders()
    found: list[tuple[str, int, int]] = []
    for code, name in enumerate(index.names):
        start, stop = int(index.starts[code]), int(index.starts[code + 1])
        for folder, first, last in _by_folder(folders, lambda at: int(index.rows_at(at, at + 1)[0]), start, stop):
            with contextlib.suppress(ExplorerError):
                found.append((dataset.paths.files(name, folder).metadata, first, last))
    states = states_of([path for path, _, _ in found])
    return [ShardRecords(path, state, start, stop) for (path, start, stop), state in zip(found, states, strict=True)]


def _by_folder(
    folders: Sequence[tuple[int, str]], row_at: Callable[[int], int], start: int, stop: int
) -> list[tuple[str, int, int]]:
    """Part the places of a file's rows by the folders that their relative filepath starts from."""
    if len(folders) == 1:
        return [(folders[0][1], start, stop)]
    parts = []
    for number, (_, folder) in enumerate(folders):
        until = folders[number + 1][0] if number + 1 < len(folders) else None
        last = stop if until is None else _first_at_or_above(row_at, start, stop, until)
        if last > start:
            parts.append((folder, start, last))
        start = last
    return parts


def _first_at_or_above(row_at: Callable[[int], int], start: int, stop: int, row: int) -> int:
    while start < stop:
        middle = (start + stop) // 2
        if row_at(middle) < row:
            start = middle + 1
        else:
            stop = middle
    return start


def states_of(paths: Sequence[str]) -> list[Signature | None]:
    """Return the state of every file; ``None`` where it is not there."""
    with ThreadPoolExecutor(_LOOKERS) as lookers:
        return list(lookers.map(_state, paths))


def _state(path: str) -> Signature | None:
    try:
        return regular_file(path)
    except (OSError, ValueError):
        return None
