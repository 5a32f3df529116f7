"""Data that is not where the lookup says: what is missing, and where it may be now."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from h5explorer_py.errors import ExplorerError
from h5explorer_py.shards import files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.dataset import Dataset

LOOKED_AT = 12
"""Rows from all over a lookup whose shards are looked for."""

_AGAIN = "If the data has moved, pass root= with its new place."


class Sought(NamedTuple):
    """A shard that is looked for.

    Attributes
    ----------
    filepath : str
        As the lookup has it.
    images : str
        The path of its HDF5 file.
    folder : str
        Where relative filepaths start; for others, where the lookup is.
    """

    filepath: str
    images: str
    folder: str


@dataclass(frozen=True)
class Absence:
    """What is not there of what was looked for.

    Attributes
    ----------
    message : str
        A sentence that says so.
    action : str
        What a person can do about it.
    below : str
        The folder below which all is missing; empty where there is no such folder.
    some : bool
        Whether only some are missing.
    """

    message: str
    action: str
    below: str = ""
    some: bool = False

    def __str__(self) -> str:
        return f"{self.message} {self.action}"


def absence(shards: Sequence[Sought], exists: Callable[[str], bool]) -> Absence | None:
    """Say what is missing of some shards, and how to name its new place.

    Parameters
    ----------
    shards : sequence of Sought
        The shards.
    exists : callable
        Tells whether there is something at a path.

    Returns
    -------
    Absence or None
        ``None`` where all of them are there.
    """
    missing = [shard for shard in shards if not exists(shard.images)]
    if not missing:
        return None
    if len(missing) < len(shards):
        some = f"{len(missing):,} of the {len(shards):,} shards looked at are not there, such as {missing[0].images}."
        return Absence(some, _AGAIN, some=True)
    common = _common([PurePath(shard.images).parent for shard in missing])
    if exists(str(common)):
        one = f"There is no file {missing[0].images}."
        several = f"None of the {len(missing):,} shards looked at is there, such as {missing[0].images}."
        return Absence(one if len(missing) == 1 else several, _found(missing, None, exists) or _AGAIN)
    parent = next((each for each in common.parents if exists(str(each))), None)
    there = "" if parent is None else f" ({parent} is)"
    old = _as_written(missing, common)
    action = _found(missing, old, exists)
    if not action:
        action = _AGAIN if old is None else f"If the data has moved, open it with {_root(old, '/where/it/is/now')}."
    return Absence(f"Files below {common} are not there{there}.", action, str(common))


def _common(folders: Sequence[PurePath]) -> PurePath:
    """Return the longest path that all begin with."""
    parts: list[str] = []
    for names in zip(*(folder.parts for folder in folders), strict=False):
        if len(set(names)) > 1:
            break
        parts.append(names[0])
    return PurePath(*parts)


def _as_written(missing: Sequence[Sought], common: PurePath) -> PurePath | None:
    """Return how the lookup writes a folder that holds all shards; ``None`` where it calls what is below otherwise."""
    found = set()
    for shard in missing:
        below = PurePath(shard.images).relative_to(common).parts
        written = PurePath(files_of(shard.filepath).images)
        if written.parts[-len(below) :] != below:
            return None
        found.add(PurePath(*written.parts[: -len(below)]))
    return found.pop() if len(found) == 1 else None


def _found(missing: Sequence[Sought], old: PurePath | None, exists: Callable[[str], bool]) -> str:
    """Look for the last folders of the paths below the lookup's own folder, and beside it.

    What is found for the first shard counts if most of the others are found in the same way.
    """
    first = missing[0]
    written = PurePath(files_of(first.filepath).images)
    for name in range(1 if written.anchor else 0, len(written.parts)):
        before, tail = PurePath(*written.parts[:name]), written.parts[name:]
        for base in dict.fromkeys((first.folder, os.path.dirname(first.folder))):
            place = os.path.join(base, *tail)
            if place == first.images or not exists(place):
                continue
            there = sum(1 for shard in missing if _is_there(shard, before, base, exists))
            if 2 * there <= len(missing):
                continue
            if old is not None and before.parts and old.is_relative_to(before):  # the same place, said for all
                before, base = old, str(PurePath(base, old.relative_to(before)))  # noqa: PLW2901
            return f"It seems to be in {base}: open it with {_root(before, base)}."
    return ""


def _is_there(shard: Sought, before: PurePath, base: str, exists: Callable[[str], bool]) -> bool:
    written = PurePath(files_of(shard.filepath).images)
    return written.is_relative_to(before) and exists(os.path.join(base, written.relative_to(before)))


def _root(old: PurePath, new: str) -> str:
    """Write the option as Python, in which a path may hold any signs."""
    quoted = [json.dumps(text, ensure_ascii=False) for text in (str(old), new)]
    return f"root={{{quoted[0]}: {quoted[1]}}}" if old.parts else f"root={quoted[1]}"


def sought_in(dataset: Dataset, give_up: Callable[[], None]) -> list[Sought]:
    """Return the shards of some rows from all over a data set, each once."""
    rows = min(dataset.num_rows, dataset.lookup.quick_rows)
    found: dict[Sought, None] = {}
    for probe in range(min(LOOKED_AT, rows)):
        give_up()
        try:
            found.setdefault(sought(dataset, probe * (rows - 1) // max(1, min(LOOKED_AT, rows) - 1)))
        except ExplorerError:
            continue  # it names no file, or cannot be read yet
    return list(found)


def sought(dataset: Dataset, row: int) -> Sought:
    """Return the shard of a row.

    Raises
    ------
    ExplorerError
        Where it names none, or cannot be read.
    """
    entry = dataset.entry(row)
    files = dataset.files(entry)
    return Sought(entry.filepath or "", files.images, dataset.lookup.folder_of(row))
