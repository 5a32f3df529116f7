"""Looking up the places of a shard's other images, while a reader has nothing else to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from h5explorer_py.images.places import Refusal

if TYPE_CHECKING:
    from h5explorer_py.images.hdf5 import Shard

MOST_GATHERED = 4096
"""Images of a shard whose places are looked up ahead; of larger shards none are."""

_AT_A_TIME = 64
"""Places that go with one answer."""

_SLOW_SECONDS = 0.001
"""Where looking at an image takes longer than this, the file system is slow."""

_FIRST_LOOKED = 8


class Gathering:
    """Looks up the places of a small shard's images one by one, for when they are asked for.

    Parameters
    ----------
    shard : Shard
        The open file.
    """

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._left: list[bytes] | None = None
        self._found: list[tuple[str, int, int]] = []
        self._looked = 0
        self._seconds = 0.0

    def step(self) -> bool:
        """Look at one more; ``False`` where there is nothing to do."""
        try:
            if self._left is None:
                self._left = self._shard.names(MOST_GATHERED)
            if not self._left or len(self._found) >= _AT_A_TIME:
                return False
            self._look(self._left.pop())
        except Refusal:
            pass  # why, is told when it is asked for
        except Exception:  # noqa: BLE001  (h5py raises many kinds on a damaged file)
            self._left = []
        if self._seconds > _SLOW_SECONDS * max(self._looked, _FIRST_LOOKED):
            self._left = []  # the file system is slow: it is left to those who want the images
        return True

    def _look(self, name: bytes) -> None:
        begun = time.perf_counter()
        try:
            place = self._shard.own_place(name)
        finally:
            self._looked += 1
            self._seconds += time.perf_counter() - begun
        if place is not None:
            self._found.append((name.decode("utf-8", "surrogateescape"), place.offset, place.size))

    def end(self) -> None:
        """Look at no more."""
        self._left, self._found = [], []

    def take(self) -> list[tuple[str, int, int]]:
        """Return what has been found since the last time: keys, offsets and sizes."""
        found, self._found = self._found, []
        return found
