"""How far the packing of a lookup is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """How far a preparation is."""

    OFF = "off"
    WAITING = "waiting"
    PACKING = "packing"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """How far a preparation is.

    Attributes
    ----------
    phase : Phase
        What is being done.
    fraction : float
        The part of the work that has been done, 0 to 1.
    rows : int
        How many rows can be had from what is packed.
    bytes : int
        The room that it takes on disk, where that is known.
    folder : str
        Where.
    message : str
        Why it has failed, or what it waits for.
    """

    phase: Phase
    fraction: float = 0.0
    rows: int = 0
    bytes: int = 0
    folder: str = ""
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire."""
        return {**asdict(self), "phase": str(self.phase)}
