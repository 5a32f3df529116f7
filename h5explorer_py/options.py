"""How a lookup is to be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


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
    """

    root: str | os.PathLike[str] | Mapping[str, str] | None = None
    cache: bool | str = False
    columns: KeyColumns = field(default_factory=KeyColumns)

    def changed(self, **options: Any) -> Options:
        """Return a copy with those options changed that are not ``None``."""
        columns = KeyColumns(
            options.get("uuid_column") or self.columns.uuid,
            options.get("filepath_column") or self.columns.filepath,
        )
        given = {name: options[name] for name in ("root", "cache") if options.get(name) is not None}
        return replace(self, columns=columns, **given)
