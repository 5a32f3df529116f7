"""What all figures of one run share: how many rows, where the data is, how many turns are taken."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.figures.lookups import BYTES_A_ROW, make_lookup, path_of
from tests.bench.figures.preparing import prepared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CACHE_BYTES_A_ROW = 44
"""The room for what the explorer keeps of a lookup, with what it takes in between."""

MOST_WHOLE = 20_000_000
"""Rows up to which a lookup is read whole by ways that hold all of it in memory."""


class NoRoomError(Exception):
    """The disk has not the room for the data."""


@dataclass(frozen=True)
class Bench:
    """One run.

    Attributes
    ----------
    rows : int
        Rows of the lookups.
    folder : Path
        Where data is made and kept.
    turns : int
        Turns that count.
    """

    rows: int
    folder: Path
    turns: int

    @property
    def lookups(self) -> Path:
        """The folder of the lookups of this size."""
        return self.folder / f"{self.rows // 1_000_000}m"

    @property
    def cache(self) -> str:
        """The folder in which lookups are kept packed from one run to the next."""
        return str(self.lookups / "cache")

    def lookup(self, form: str = "1Mi groups") -> str:
        """Return the path of a lookup, made now where it is not there."""
        return make_lookup(self.lookups, form, self.rows)

    def packed(self, form: str = "1Mi groups") -> str:
        """Return the path of a lookup that lies packed in ``cache``."""
        path = self.lookup(form)
        prepared(path, self.cache)
        return path

    def check_room(self, forms: Sequence[str]) -> int:
        """Return the bytes that are still to be written for these forms of the lookup.

        Raises
        ------
        NoRoomError
            Where the disk has not so many.
        """
        missing = [BYTES_A_ROW[form] for form in forms if not path_of(self.lookups, form).exists()]
        needed = (sum(missing) + 2 * CACHE_BYTES_A_ROW) * self.rows
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise NoRoomError(f"{needed / 1e9:.1f} GB are needed in {self.folder} and {free / 1e9:.1f} free.")
        return needed
