"""The sorted index of a packed lookup: from the beginning of a uuid to its rows.

uuid-index.bin
    12 bytes an entry, in the order of the uuids: the first 8 bytes of the uuid, then its row (4 bytes,
    little-endian). Rows of the same 8 bytes are in their order.
uuid-fences.bin
    The first 8 bytes of every ``FENCE_EVERY``-th entry: held in memory, they tell which entries to read.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

import numpy as np

from h5explorer_py.lookup.packed.layout import UUIDS
from h5explorer_py.lookup.packed.uuids import UUID_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

INDEX = "uuid-index.bin"
FENCES = "uuid-fences.bin"
FENCE_EVERY = 512

ENTRY = np.dtype([("begin", ">u8"), ("row", "<u4")])
_BLOCK_ROWS = 1 << 18
_BUCKET_ROWS = 1 << 21
_SAMPLES_A_BUCKET = 64
_MOST_BUCKETS = 512


def build_index(folder: str, rows: int, odd_rows: NDArray[np.int64], tick: Callable[[int], None]) -> None:
    """Sort the uuids of a packed lookup.

    The rows are first dealt into buckets between keys that were sampled, as uuids that begin with a time all begin
    alike; each bucket is then sorted in memory.

    Parameters
    ----------
    folder : str
        Where the lookup was packed to.
    rows : int
        How many rows it has.
    odd_rows : ndarray of int64
        The rows without a canonical uuid, in their order: they are left out.
    tick : callable
        Is told, now and then, how many rows have been dealt or sorted; stops the work by raising.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    with open(os.path.join(folder, UUIDS), "rb") as file, TemporaryDirectory(dir=folder) as aside:
        buckets = _deal(_blocks(file, odd_rows), _splitters(file, rows), aside, tick)
        _sort(folder, aside, buckets, rows, tick)


def _splitters(file: IO[bytes], rows: int) -> NDArray[np.uint64]:
    """Sample keys, and return those that part the rows into buckets of much the same size."""
    buckets = min(-(-rows // _BUCKET_ROWS), _MOST_BUCKETS)
    if buckets <= 1:
        return np.empty(0, np.uint64)
    sampled = np.linspace(0, rows - 1, buckets * _SAMPLES_A_BUCKET).astype(np.int64)
    keys = np.empty(len(sampled), np.uint64)
    for at, row in enumerate(sampled.tolist()):
        file.seek(row * UUID_BYTES)
        keys[at] = int.from_bytes(file.read(8))
    keys.sort()
    return np.unique(keys[_SAMPLES_A_BUCKET::_SAMPLES_A_BUCKET])


_Block = tuple[int, "NDArray[np.uint64]", "NDArray[np.uint32]"]


def _blocks(file: IO[bytes], odd_rows: NDArray[np.int64]) -> Iterator[_Block]:
    """Go through the rows: give how many have been read, and the keys and rows of some that have a uuid."""
    file.seek(0)
    first = 0
    while data := file.read(_BLOCK_ROWS * UUID_BYTES):
        keys = np.frombuffer(data, ">u8")[::2].astype(np.uint64)
        numbers = np.arange(first, first + len(keys), dtype=np.uint32)
        odd = odd_rows[np.searchsorted(odd_rows, first) : np.searchsorted(odd_rows, first + len(keys))]
        if len(odd):
            there = np.ones(len(keys), np.bool_)
            there[odd - first] = False
            keys, numbers = keys[there], numbers[there]
        first += len(data) // UUID_BYTES
        yield first, keys, numbers


def _deal(blocks: Iterator[_Block], splitters: NDArray[np.uint64], aside: str, tick: Callable[[int], None]) -> int:
    """Write every row to the file of its bucket; return how many buckets there are."""
    buckets = len(splitters) + 1
    files = [open(os.path.join(aside, str(number)), "wb") for number in range(buckets)]  # noqa: SIM115
    try:
        for read, keys, numbers in blocks:
            bucket = np.searchsorted(splitters, keys, side="right")
            order = np.argsort(bucket, kind="stable")
            ends = np.cumsum(np.bincount(bucket, minlength=buckets))
            entries = np.empty(len(keys), ENTRY)
            entries["begin"], entries["row"] = keys[order], numbers[order]
            start = 0
            for number, end in enumerate(ends.tolist()):
                if end > start:
                    files[number].write(entries[start:end].data)
                start = end
            tick(read // 2)
    finally:
        for each in files:
            each.close()
    return buckets


def _sort(folder: str, aside: str, buckets: int, rows: int, tick: Callable[[int], None]) -> None:
    """Sort the buckets one after the other, and write the index and its fences."""
    written = 0
    fences: list[NDArray[np.uint64]] = []
    with open(os.path.join(folder, INDEX), "wb") as index:
        for number in range(buckets):
            name = os.path.join(aside, str(number))
            entries = np.fromfile(name, ENTRY)
            os.unlink(name)
            keys = entries["begin"].astype(np.uint64)
            order = np.argsort(keys, kind="stable")
            index.write(entries[order].data)
            fences.append(keys[order[-written % FENCE_EVERY :: FENCE_EVERY]])
            written += len(entries)
            tick((rows + written) // 2)
    np.concatenate([np.empty(0, np.uint64), *fences]).astype(">u8").tofile(os.path.join(folder, FENCES))
