"""The files of a packed lookup, and what its header says.

uuid.bin
    16 bytes a row: the uuid; zeros where the row's key is none in canonical form.
file.bin
    4 bytes a row (little-endian): the number of its filepath in ``filepaths.arrow``, or ``NO_FILE``.
filepaths.arrow
    The different filepaths, in the order in which they come.
odd.arrow
    The rows whose key is no canonical uuid, in their order, and the key as it is stored (null where there is none).
header.json
    Written last: a folder without it is not finished.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from h5explorer_py.files import Signature

VERSION = 1
UUIDS = "uuid.bin"
FILES = "file.bin"
FILEPATHS = "filepaths.arrow"
ODD = "odd.arrow"
HEADER = "header.json"

CODE_BYTES = 4
NO_FILE = 0xFFFFFFFF


@dataclass(frozen=True)
class Header:
    """What a packed lookup was made of.

    Attributes
    ----------
    path : str
        The lookup's file.
    signature : Signature
        The state of that file.
    uuid_column, filepath_column : str
        The names of its key columns.
    rows : int
        How many rows there are.
    filepaths : int
        How many different filepaths.
    odd : int
        How many rows have a key that is no canonical uuid.
    version : int
        The version of the files' layout.
    """

    path: str
    signature: Signature
    uuid_column: str
    filepath_column: str
    rows: int
    filepaths: int
    odd: int
    version: int = VERSION

    def write(self, folder: str) -> None:
        """Write the header, which says that all else is there."""
        aside = os.path.join(folder, f"{HEADER}.part")
        with open(aside, "w", encoding="utf-8") as file:
            json.dump({**asdict(self), "signature": list(self.signature)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, os.path.join(folder, HEADER))

    @classmethod
    def read(cls, folder: str) -> Header | None:
        """Read the header; ``None`` where there is none, or it is none."""
        try:
            with open(os.path.join(folder, HEADER), encoding="utf-8") as file:
                fields = json.load(file)
            return cls(**{**fields, "signature": Signature(*fields["signature"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
