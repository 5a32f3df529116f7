"""How a lookup is to be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_NAMED = 50
"""Paths of one lookup that the page is told of: what it is told is kept with the notebook."""


@dataclass(frozen=True)
class KeyColumns:
    """The names of the two columns that the explorer needs."""

    uuid: str = "uuid"
    filepath: str = "filepath"


@dataclass(frozen=True)
class Options:
    """How a lookup is to be read.

    Attributes
    ----------
    root : str or mapping, optional
        Where the data is now, if it has moved.
    cache : bool or str
        Whether the lookup is packed in the background; a text names the folder for that.
    columns : KeyColumns
        The names of the key columns.
    cache_limit : int, optional
        How many bytes all packed lookups may take in that folder.
    """

    root: str | os.PathLike[str] | Mapping[str, str] | None = None
    cache: bool | str = False
    columns: KeyColumns = field(default_factory=KeyColumns)
    cache_limit: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire; folders as they are from wherever one stands."""
        root = self.root
        return {
            "root": _place(root) if isinstance(root, (str, os.PathLike)) else root and _prefixes(root),
            "uuidColumn": self.columns.uuid,
            "filepathColumn": self.columns.filepath,
            "cache": self.cache,
        }

    def changed(self, **options: Any) -> Options:
        """Return a copy with those options changed that are not ``None``."""
        columns = KeyColumns(
            options.get("uuid_column") or self.columns.uuid,
            options.get("filepath_column") or self.columns.filepath,
        )
        given = {name: options[name] for name in ("root", "cache", "cache_limit") if options.get(name) is not None}
        return replace(self, columns=columns, **given)


def named(source: Any) -> str | list[str] | None:
    """Return the path, the pattern or the list of paths that a lookup is opened by, from wherever one stands.

    Returns
    -------
    str, list of str or None
        Nothing for what has no path, such as a data frame, and for a list of more than 50.
    """
    if isinstance(source, (str, os.PathLike)):
        return _place(source)
    if not isinstance(source, (list, tuple)) or len(source) > _MOST_NAMED:
        return None
    names = [_place(each) for each in source if isinstance(each, (str, os.PathLike))]
    return names if len(names) == len(source) else None


def _place(path: str | os.PathLike[str]) -> str:
    name = os.fsdecode(path)
    return name if "://" in name else os.path.abspath(os.path.expanduser(name))


def _prefixes(root: Mapping[str, str]) -> dict[str, str]:
    return {os.fsdecode(old): _place(new) for old, new in root.items()}
