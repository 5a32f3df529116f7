"""A shard that is held open in one state, with what is known of where its images lie."""

from __future__ import annotations

import os
import time

from h5explorer_py.files import HeldFile, Signature, read_at
from h5explorer_py.hdf5.group import Group
from h5explorer_py.hdf5.pages import UnrecognisedError
from h5explorer_py.images.pipe import LARGEST_IMAGE

GROUP = b"images"

_ENOUGH_MISSES = 3
"""By so many more must images have been left to HDF5 than were found for the others to be left to it as well."""

SLOW_SECONDS = 0.0005
"""Where most reads take longer, it is the file system that is waited for: from memory one takes 0.01 ms."""

_NOT_FOUND = (UnrecognisedError, OSError, ValueError)


class _Reads:
    """Reads a file, and takes the time of it.

    What reads a shard's structure holds this rather than the shard, so that the file is closed with the last who holds
    the shard.
    """

    def __init__(self, path: str) -> None:
        self.file = HeldFile(path)
        self.seconds: list[float] = []

    def __call__(self, offset: int, size: int) -> bytes:
        started = time.perf_counter()
        data = read_at(self.file, offset, size)
        self.seconds.append(time.perf_counter() - started)
        return data


class OpenedShard:
    """An open shard in one state, and the places of its images found so far.

    Parameters
    ----------
    path : str
        The HDF5 file.
    signature : Signature
        The state that it should be in: see ``in_same_state``.

    Raises
    ------
    OSError
        Where it cannot be opened.
    """

    def __init__(self, path: str, signature: Signature) -> None:
        self._reads = _Reads(path)
        self.signature = signature
        self.places: dict[str, tuple[int, int]] = {}
        self._group: Group | None = None
        self._left_to_hdf5 = False
        self._balance = 0

    @property
    def nbytes(self) -> int:
        """How many bytes of the file's structure are held, at most."""
        group = self._group
        return 0 if group is None else group.nbytes

    def let_go(self) -> None:
        """Hold nothing of the file's structure any more; it is read anew when it is needed."""
        self._group = None

    @property
    def is_slow(self) -> bool:
        """Whether the file system took long over most reads since the last ``begin``."""
        seconds = sorted(self._reads.seconds)
        return bool(seconds) and seconds[len(seconds) // 2] > SLOW_SECONDS

    def begin(self) -> None:
        """Begin to take the time of reads."""
        self._reads.seconds = []

    def read(self, offset: int, size: int) -> bytes:
        """Read a piece of the file; fewer bytes come back where it ends before."""
        return self._reads(offset, size)

    def in_same_state(self) -> bool:
        """Whether the file is in the state that it was opened for."""
        return Signature.of(os.fstat(self._reads.file.fileno())) == self.signature

    def look_for(self, key: str) -> tuple[int, int] | None:
        """Find an image without HDF5: its offset and size, or ``None`` where HDF5 must be asked.

        They hold only if the file is in the same state afterwards.
        """
        if self._left_to_hdf5:
            return None
        group = self._group
        try:
            if group is None:
                group = self._group = Group(self._reads, self.signature.size, GROUP)
        except _NOT_FOUND:
            self._left_to_hdf5 = True
            return None
        try:
            place = group.place(key.encode())
        except _NOT_FOUND:
            place = None
        if place is None or place[1] > LARGEST_IMAGE:
            self._balance -= 1
            self._left_to_hdf5 = self._balance <= -_ENOUGH_MISSES
            return None
        self._balance += 1
        return place
