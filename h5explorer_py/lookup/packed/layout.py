"""The files of a packed lookup, and what its header says.

uuid.bin
    16 bytes a row: the uuid; zeros where the row's key is none in the lookup's form.
odd.arrow
    The rows whose key is no such uuid, in their order, and the key as it is stored (null where there is none).
key.ends, key.texts
    The keys as texts, instead of these two, where most of them are no uuids.
file.bin
    4 bytes a row (little-endian): the number of its filepath in ``filepaths.arrow``, or ``NO_FILE``.
filepaths.arrow
    The different filepaths, in the order in which they come.
file.ends, file.texts
    The filepaths as texts, instead of these two, where there are more different ones than fit in memory.
header.json
    Says how far the rest is to be believed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any

from h5explorer_py.files import Signature
from h5explorer_py.lookup.packed.uuids import FORMS

VERSION = 1
UUIDS = "uuid.bin"
ODD = "odd.arrow"
KEY_ENDS, KEY_TEXTS = "key.ends", "key.texts"
FILES = "file.bin"
FILEPATHS = "filepaths.arrow"
FILE_ENDS, FILE_TEXTS = "file.ends", "file.texts"
HEADER = "header.json"

OWNER = "owner.json"
"""Who is just writing to the folder."""

CODE_BYTES = 4
NO_FILE = 0xFFFFFFFF

MOST_ROWS = 0xFFFFFFFF
"""Rows that are numbered by 4 bytes."""


@dataclass(frozen=True)
class Header:
    """What a packed lookup was made of, and how far.

    Attributes
    ----------
    sources : tuple of (str, Signature)
        The lookup's files, and their states.
    uuid_column, filepath_column : str
        The names of its key columns.
    lookup_rows : int
        How many rows the lookup has.
    rows : int
        How many of them are packed.
    form : str
        The name of the form of its uuids; empty where the keys are kept as texts.
    odd : int
        How many rows have a key that is no uuid of that form.
    filepaths : int
        How many different filepaths; -1 where they are kept as texts.
    begins : tuple of (int, int), optional
        The lowest and the highest number that the first 8 bytes of a uuid make.
    version : int
        The version of the files' layout.
    """

    sources: tuple[tuple[str, Signature], ...]
    uuid_column: str
    filepath_column: str
    lookup_rows: int
    rows: int = 0
    form: str = ""
    odd: int = 0
    filepaths: int = 0
    begins: tuple[int, int] | None = None
    version: int = VERSION

    @property
    def whole(self) -> bool:
        """Whether all rows are packed."""
        return self.rows == self.lookup_rows

    def changed(self, **fields: Any) -> Header:
        """Return a copy in which these fields are others."""
        return replace(self, **fields)

    def is_of(self, other: Header) -> bool:
        """Whether both are of the same lookup in the same state, laid out in the same way."""
        return self._origin() == other._origin()

    def _origin(self) -> Header:
        return replace(self, rows=0, form="", odd=0, filepaths=0, begins=None)

    def write(self, folder: str) -> None:
        """Write the header, all or nothing."""
        aside = os.path.join(folder, f"{HEADER}.part")
        with open(aside, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, os.path.join(folder, HEADER))

    @classmethod
    def read(cls, folder: str) -> Header | None:
        """Read the header; ``None`` where there is none, or it is none."""
        try:
            with open(os.path.join(folder, HEADER), encoding="utf-8") as file:
                fields = json.load(file)
            fields["sources"] = tuple((str(path), Signature(*signature)) for path, signature in fields["sources"])
            fields["begins"] = fields["begins"] and tuple(fields["begins"])
            return _checked(cls(**fields))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _checked(header: Header) -> Header:
    counts: list[Any] = [header.lookup_rows, header.rows, header.odd, header.version]
    if not all(type(count) is int and count >= 0 for count in counts) or type(header.filepaths) is not int:
        raise ValueError("a header has counts")
    if header.rows > header.lookup_rows or header.form not in {"", *FORMS}:
        raise ValueError("a header is of its lookup")
    return header
