"""The files of a split data set's folder: which of them are blocks, and which blocks they are."""

from __future__ import annotations

import os
import re
from collections import defaultdict

from h5explorer_py.errors import StackNotFoundError, StackUnreadableError
from h5explorer_py.files import shorten, why

DESCRIPTION = "stack_metadata.json"
PLAN = "split_plan.json"
"""What is there in place of the description while blocks are still written. The original does not take it for one."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)\.h5\Z", re.DOTALL | re.ASCII)
_MOST_DIGITS = 18


def block_name(number: int) -> str:
    """Return the name of a block's file."""
    return f"{number:04d}.h5"


def names_in(folder: str) -> list[str]:
    """List a folder.

    Raises
    ------
    StackNotFoundError, StackUnreadableError
    """
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        raise StackNotFoundError(f"There is no folder {shorten(folder, 200)}.", path=folder) from None
    except OSError as error:
        raise StackUnreadableError(
            f"{shorten(folder, 200)} cannot be read as a split data set: {why(error)}.",
            action="A split data set is a folder of numbered HDF5 files.",
        ) from error


def description_name(names: list[str]) -> str | None:
    """Return the name of the file that describes the set; that of a plan where there is only one; ``None`` without.

    Raises
    ------
    StackUnreadableError
        Where there are several, of which none has the usual name.
    """
    found = sorted(name for name in names if name.endswith(DESCRIPTION) and not name.startswith("."))
    if DESCRIPTION in found:
        return DESCRIPTION
    if len(found) > 1:
        told = ", ".join(shorten(name) for name in found[:4])
        raise StackUnreadableError(f"The folder has several descriptions of a split data set: {told}.")
    return found[0] if found else PLAN if PLAN in names else None


def block_names(names: list[str], prefix: str | None, count: int | None = None) -> dict[int, str]:
    """Find the blocks' files among the names in a folder.

    Parameters
    ----------
    names : list of str
        All names there.
    prefix : str, optional
        What the blocks' names begin with, before their numbers; the underscore between may be left out.
    count : int, optional
        How many blocks there should be, where that is known.

    Returns
    -------
    dict
        Names by number, whose order is that of the numbers, however many digits they have.

    Raises
    ------
    StackUnreadableError
        Where there are several series of numbered files, and none is plainly that of the blocks.
    """
    series: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for name in sorted(names, key=lambda name: (len(name), name), reverse=True):
        found = _NUMBERED.match(name)
        if not found or name.startswith(".") or len(found[2]) > _MOST_DIGITS:
            continue
        number = int(found[2])
        of_series = series[found[1]]
        if number not in of_series or name == found[1] + block_name(number):
            of_series[number] = name
    chosen = _from_zero(_choose(series, prefix, count), count)
    return {number: chosen[number] for number in sorted(chosen) if count is None or number < count}


def _choose(series: dict[str, dict[int, str]], prefix: str | None, count: int | None) -> dict[int, str]:
    if prefix:
        return series.get(f"{prefix}_") or series.get(prefix) or {}
    if "" in series:
        return series[""]
    # Stray files such as notes1.h5 are numbered, too.
    whole = [each for each in series.values() if set(each) >= set(range(count or 1))]
    some = whole or [each for each in series.values() if len(each) > 1] or list(series.values())
    if len(some) > 1:
        told = ", ".join(shorten(name) for name in sorted(series)[:4])
        raise StackUnreadableError(
            f"The folder has several series of numbered HDF5 files: {told}.", action="Name the one to read: prefix=..."
        )
    return some[0] if some else {}


def _from_zero(found: dict[int, str], count: int | None) -> dict[int, str]:
    """Count from 0 where the numbers count from 1."""
    if 0 not in found and set(found) == set(range(1, (count or len(found)) + 1)):
        return {number - 1: name for number, name in found.items()}
    return found
