"""Unpacking and packing one chunk of an HDF5 data set."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from h5explorer_py.stacks import blosc
from h5explorer_py.stacks.blosc import DamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.stacks.index import Selection

DEFLATE, SHUFFLE = 1, 2


class ChunkForm(NamedTuple):
    """How the chunks of a data set are laid out and compressed.

    Attributes
    ----------
    shape : tuple of int
        Of a chunk.
    dtype : numpy.dtype
        Of its values, as they lie in the file.
    filters : tuple of int
        The codes of its filters, in the order in which they were applied.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    filters: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many bytes a chunk has when it is unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_known(self) -> bool:
        """Whether it can be unpacked here."""
        known = {DEFLATE, SHUFFLE, blosc.FILTER} if blosc.FILTER in self.filters else {DEFLATE, SHUFFLE}
        if self.filters.count(blosc.FILTER) and (len(self.filters) > 1 or blosc.load_blosc() is None):
            return False
        return set(self.filters) <= known

    def unpack(self, packed: bytes, mask: int, inside: Sequence[Selection], out: np.ndarray) -> None:
        """Unpack what a selection takes of a chunk.

        Parameters
        ----------
        packed : bytes
            As they lie in the file.
        mask : int
            The filters that were left out for this chunk, a bit each.
        inside : sequence of range or ndarray
            The positions in the chunk.
        out : ndarray
            Where their values go.

        Raises
        ------
        DamagedError
        """
        applied = [code for place, code in enumerate(self.filters) if not mask >> place & 1]
        first, last = self.ends(inside)
        if applied == [blosc.FILTER]:
            self._unpack_blosc(packed, first, last, inside, out)
            return
        data: np.ndarray = np.frombuffer(packed, np.uint8)
        for code in reversed(applied):
            data = _inflate(data, self.size) if code == DEFLATE else _unshuffle(data, self.dtype.itemsize)
        if data.nbytes != self.size:
            raise DamagedError
        out[...] = _taken(data.view(self.dtype).reshape(self.shape), inside)

    def put(self, data: bytes, inside: Sequence[Selection], out: np.ndarray) -> None:
        """Pick a selection out of values that are not compressed: those from its first to its last one."""
        values = np.frombuffer(data, self.dtype)
        if values.size == out.size:
            out[...] = values.reshape(out.shape)
            return
        first, last = self.ends(inside)
        chunk = np.empty(math.prod(self.shape), self.dtype)  # what is not written to takes no memory
        chunk[first : last + 1] = values
        out[...] = _taken(chunk.reshape(self.shape), inside)

    def _unpack_blosc(self, packed: bytes, first: int, last: int, inside: Sequence[Selection], out: np.ndarray) -> None:
        library = blosc.load_blosc()
        assert library is not None  # is_known
        whole = math.prod(self.shape)
        run = last - first + 1
        if run == out.size and out.flags.c_contiguous and out.dtype == self.dtype:
            if run == whole:
                library.unpack(packed, out)
            else:
                library.unpack_some(packed, first, out, self.size)
            return
        chunk = np.empty(whole, self.dtype)
        if 2 * run <= whole:
            library.unpack_some(packed, first, chunk[first : last + 1], self.size)
        else:
            library.unpack(packed, chunk)
        out[...] = _taken(chunk.reshape(self.shape), inside)

    def ends(self, inside: Sequence[Selection]) -> tuple[int, int]:
        """Return where the first and the last of a selection lie in the chunk, counted in values."""
        first = last = 0
        for chosen, length in zip(inside, self.shape, strict=True):
            first = first * length + int(chosen[0])
            last = last * length + int(chosen[-1])
        return first, last


def _taken(chunk: np.ndarray, inside: Sequence[Selection]) -> np.ndarray:
    found = chunk[tuple(slice(s.start, s.stop, s.step) if isinstance(s, range) else slice(None) for s in inside)]
    for axis, chosen in enumerate(inside):
        if not isinstance(chosen, range):
            found = found.take(chosen, axis)
    return found


def _inflate(data: np.ndarray, size: int) -> np.ndarray:
    try:
        found = zlib.decompressobj().decompress(data.data, size + 1)
    except zlib.error:
        raise DamagedError from None
    return np.frombuffer(found, np.uint8)


def _unshuffle(data: np.ndarray, wide: int) -> np.ndarray:
    if data.size % wide:
        raise DamagedError
    return np.ascontiguousarray(data.reshape(wide, -1).T).reshape(-1)


def deflated(data: np.ndarray, level: int) -> bytes:
    """Compress a chunk as HDF5's own filters do: shuffled, then deflated."""
    shuffled = np.ascontiguousarray(data.reshape(-1).view(np.uint8).reshape(-1, data.itemsize).T)
    return zlib.compress(shuffled.data, level)
