"""Finding rows of a packed lookup by its sorted index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import read_at
from h5explorer_py.lookup.packed.index import ENTRY, FENCE_EVERY, FENCES, INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray


class UuidIndex:
    """The sorted index of a packed lookup. All methods may be called from any thread.

    Parameters
    ----------
    folder : str
        Where the lookup was packed to.
    entries : int
        How many rows have a canonical uuid.

    Raises
    ------
    LookupUnreadableError
        Where the index is absent, or not of this lookup.
    """

    def __init__(self, folder: str, entries: int) -> None:
        try:
            self._fences = np.fromfile(os.path.join(folder, FENCES), ">u8").astype(np.uint64)
            self._file = open(os.path.join(folder, INDEX), "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise LookupUnreadableError(f"The index in {folder} cannot be read: {error}.") from error
        size = os.fstat(self._file.fileno()).st_size
        if size != entries * ENTRY.itemsize or len(self._fences) != -(-entries // FENCE_EVERY):
            self.close()
            raise LookupUnreadableError(f"The index in {folder} is not whole.")
        self._entries = entries

    def rows(self, low: bytes, high: bytes) -> NDArray[np.uint32]:
        """Return the rows, in the order of their uuids, whose uuids begin with 8 bytes within bounds.

        The caller looks at the other 8 bytes where they matter. One read, however many rows there are.

        Parameters
        ----------
        low, high : bytes
            Uuids of 16 bytes, both within.
        """
        begin, end = (np.uint64(int.from_bytes(each[:8])) for each in (low, high))
        first = max(0, int(np.searchsorted(self._fences, begin, "left")) - 1) * FENCE_EVERY
        last = min(self._entries, int(np.searchsorted(self._fences, end, "right")) * FENCE_EVERY)
        if last <= first:
            return np.empty(0, np.uint32)
        data = read_at(self._file, first * ENTRY.itemsize, (last - first) * ENTRY.itemsize)
        entries = np.frombuffer(data, ENTRY)
        if len(entries) != last - first:
            raise LookupUnreadableError("The index has been cut short.")
        keys = entries["begin"].astype(np.uint64)
        within = slice(np.searchsorted(keys, begin, "left"), np.searchsorted(keys, end, "right"))
        found: NDArray[np.uint32] = entries["row"][within].astype(np.uint32)
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
