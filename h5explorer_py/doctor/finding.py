"""What has been looked at, and how it is."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """One thing that has been looked at.

    Attributes
    ----------
    about : str
        What it concerns, in a word or two.
    level : str
        ``good``; ``note``, what a person may want to know; ``bad``, what keeps something from working.
    text : str
        How it is.
    command : str
        What mends it; empty where there is nothing to mend.
    """

    about: str
    level: Level
    text: str
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def pip(*packages: str, python: str = sys.executable) -> str:
    """Return the command that installs packages in an environment."""
    return " ".join([python, "-m", "pip", "install", *packages])
