"""Blosc, by which most arrays of microscopes are compressed, without HDF5 around it.

HDF5 runs its filters one at a time. The library inside hdf5plugin can be called directly, from many threads, and can
unpack a part of a chunk. Where it does not let itself be called, HDF5 does the work.
"""

from __future__ import annotations

import ctypes
import glob
import os
from functools import cache
from typing import Any, Protocol

import numpy as np

FILTER = 32001
LEVEL = 5
SHUFFLED = 1
COMPRESSOR = "lz4"
_HEADER = 16
_OVERHEAD = 16


class DamagedError(Exception):
    """Bytes that do not unpack to as many as they should."""


class Blosc(Protocol):
    """The functions of Blosc that are needed."""

    def unpack(self, packed: bytes, out: np.ndarray) -> None:
        """Unpack a chunk into an array whose values lie in one row, of exactly its size.

        Raises
        ------
        DamagedError
        """

    def unpack_some(self, packed: bytes, start: int, out: np.ndarray, size: int) -> None:
        """Unpack some values of a chunk of so many bytes, from one of them on, into an array that lies in one row.

        Raises
        ------
        DamagedError
        """

    def pack(self, data: np.ndarray, block: int) -> bytes:
        """Compress an array; a part of it can be unpacked in blocks of so many bytes."""


@cache
def load_blosc() -> Blosc | None:
    """Return Blosc, where the library can be called."""
    import hdf5plugin

    try:
        found = glob.glob(os.path.join(hdf5plugin.PLUGIN_PATH, "libh5blosc.*"))
        return _Library(found[0]) if found else None
    except (OSError, AttributeError):
        return None


class _Library:
    """The library, by its own interface in C, which has been the same since its first version."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        size, number, pointer = ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p
        self._unpack = _declared(library.blosc_decompress_ctx, [ctypes.c_char_p, pointer, size, number])
        self._some = _declared(library.blosc_getitem, [ctypes.c_char_p, number, number, pointer])
        # So short that letting other threads in takes longer.
        self._check = _declared(
            ctypes.PyDLL(path).blosc_cbuffer_validate, [ctypes.c_char_p, size, ctypes.POINTER(size)]
        )
        self._pack = _declared(
            library.blosc_compress_ctx,
            [number, number, size, size, pointer, pointer, size, ctypes.c_char_p, size, number],
        )

    def unpack(self, packed: bytes, out: np.ndarray) -> None:
        self._validate(packed, out.nbytes)
        if self._unpack(packed, out.ctypes.data, out.nbytes, 1) != out.nbytes:
            raise DamagedError

    def unpack_some(self, packed: bytes, start: int, out: np.ndarray, size: int) -> None:
        self._validate(packed, size)
        if packed[3] != out.itemsize:  # what Blosc counts in; HDF5 sets it to 1 for very long values
            whole = np.empty(size // out.itemsize, out.dtype)
            self.unpack(packed, whole)
            out.reshape(-1)[:] = whole[start : start + out.size]
        elif self._some(packed, start, out.size, out.ctypes.data) != out.nbytes:
            raise DamagedError

    def _validate(self, packed: bytes, size: int) -> None:
        told = ctypes.c_size_t()
        if len(packed) < _HEADER or self._check(packed, len(packed), ctypes.byref(told)) < 0 or told.value != size:
            raise DamagedError

    def pack(self, data: np.ndarray, block: int) -> bytes:
        room = np.empty(data.nbytes + _OVERHEAD, np.uint8)
        wide = data.itemsize if data.itemsize < 256 else 1
        size = self._pack(
            LEVEL,
            SHUFFLED,
            wide,
            data.nbytes,
            data.ctypes.data,
            room.ctypes.data,
            room.size,
            COMPRESSOR.encode(),
            block,
            1,
        )
        if size <= 0:
            raise OSError("Blosc could not compress a chunk")
        return room[:size].tobytes()


def _declared(function: Any, arguments: list[Any]) -> Any:
    function.argtypes = arguments
    function.restype = ctypes.c_int
    return function
