"""What a reader says of an image: its place, or why it is not given out; and what it may open for it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py.files import regular_file, why

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRUNCATED = re.compile(r"truncated file: eof = (\d+),.* stored_eof = (\d+)")
_SYSTEM_ERROR = re.compile(r"error message = '([^']*)'")


class Refusal(Exception):  # noqa: N818  (an answer, rather than a fault)
    """An image that is not given out.

    Parameters
    ----------
    code : str
        The code of the error that the kernel raises.
    facts : dict
        What its sentence needs.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Place:
    """Where the bytes of an image lie in the file itself, as they are."""

    offset: int
    size: int


@dataclass(frozen=True)
class Allowed:
    """The folders that links and external storage may lead to.

    Attributes
    ----------
    folders : sequence of str
        Real paths.
    """

    folders: Sequence[str]

    def check(self, name: str, beside: str) -> str:
        """Return the real path of a file that the shard refers to.

        Parameters
        ----------
        name : str
            As the shard has it.
        beside : str
            The folder where relative names start.

        Raises
        ------
        Refusal
            Where the file lies outside all the folders, or is none.
        """
        real = os.path.realpath(os.path.join(beside, name))
        if not any(os.path.commonpath([real, folder]) == folder for folder in self.folders):
            raise Refusal("outside_data", target=name)
        try:
            regular_file(real)
        except OSError as error:
            raise Refusal("shard_unreadable", why=f"it refers to {name}, which cannot be read: {why(error)}") from error
        return real


def plain(error: BaseException) -> str:
    """Take the telling part out of HDF5's message: ``Unable to ... (why)``."""
    text = " ".join(str(error).split())
    truncated = _TRUNCATED.search(text)
    if truncated:
        return f"the file is truncated, {int(truncated[1]):,} of its {int(truncated[2]):,} bytes are there"
    system = _SYSTEM_ERROR.search(text)
    if system:
        return system[1].lower()
    inside = text[text.find("(") + 1 : text.rfind(")")] if "(" in text and text.endswith(")") else text
    return inside.partition(" (may use <")[0] or type(error).__name__
