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
    columns : KeyColumns
        The names of the key columns.
    """

    root: str | os.PathLike[str] | Mapping[str, str] | None = None
    columns: KeyColumns = field(default_factory=KeyColumns)

    def changed(self, **options: Any) -> Options:
        """Return a copy with those options changed that are not ``None``."""
        columns = KeyColumns(
            options.get("uuid_column") or self.columns.uuid,
            options.get("filepath_column") or self.columns.filepath,
        )
        root = options.get("root")
        return replace(self, columns=columns, root=self.root if root is None else root)
