"""Names of columns in SQL: they may hold anything, and to DuckDB upper and lower case of ASCII are alike."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from h5explorer_py.errors import ConditionError
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def folded(name: str) -> str:
    """Return what is the same for all spellings of a name that DuckDB takes for one: é and É are two to it."""
    return name.translate(_UPPER_TO_LOWER)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is spelt most like a name, or nothing where none is."""
    by_folded = {folded(each): each for each in known}
    near = get_close_matches(folded(name), list(by_folded), n=1, cutoff=0.6)
    return by_folded[near[0]] if near else ""


class Columns:
    """The columns that a condition may name, and those that it has named.

    Parameters
    ----------
    names : sequence of str
        The names of the columns.
    written : mapping of str to str
        How a column is called in the query, where that is not its name.
    """

    def __init__(self, names: Sequence[str], written: Mapping[str, str]) -> None:
        self._names = names
        self._written = written
        self._exact = set(names)
        self._spellings: dict[str, set[str]] = {}
        for name in names:
            self._spellings.setdefault(folded(name), set()).add(name)
        self.used: dict[str, None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._exact or folded(name) in self._spellings

    def sql(self, name: str, position: int) -> str:
        """Return the column of this name as SQL takes it.

        Raises
        ------
        ConditionError
            Where there is no such column, or several that differ only in case, none of them spelt so.
        """
        found = {name} if name in self._exact else self._spellings.get(folded(name), set())
        if len(found) > 1:
            raise ConditionError(
                f"The name {quoted(name)} may be any of the columns {', '.join(map(quoted, sorted(found)))}.",
                action="Write it as the column does.",
                position=position,
            )
        if not found:
            raise self._unknown(name, position)
        (column,) = found
        self.used.setdefault(column)
        return quoted(self._written.get(column, column))

    def _unknown(self, name: str, position: int) -> ConditionError:
        near = nearest(name, self._names)
        action = f"Did you mean {quoted(near)}?" if near else "Text stands in 'single quotes'."
        return ConditionError(f"There is no column {quoted(shorten(name))}.", action=action, position=position)
