"""The indexes of a packed lookup: from the beginning of a uuid, and from a file, to their rows.

uuid-index.bin
    12 bytes an entry, in the order of the uuids: 8 bytes of the uuid, then its row (4 bytes, little-endian). Which 8
    bytes: those behind the ones that all uuids begin with. Rows of the same uuid are in their order.
uuid-fences.bin
    The 8 bytes of every ``FENCE_EVERY``-th entry: held in memory, they tell which entries to read.
file-rows.bin
    4 bytes a row: the rows of the first file, then those of the second, each in their order; those without one last.
file-starts.bin
    8 bytes a file: where in ``file-rows.bin`` its rows begin; then where those of the last one end.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import numpy as np

from h5explorer_py.lookup.packed.filecolumn import CodeColumn
from h5explorer_py.lookup.packed.keycolumn import UuidColumn
from h5explorer_py.lookup.packed.sorting import LONG, SHORT, sorted_entries
from h5explorer_py.lookup.packed.uuids import UUID_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.keys import PackedKeys
    from h5explorer_py.lookup.packed.sorting import Entries

INDEX = "uuid-index.bin"
FENCES = "uuid-fences.bin"
FENCE_EVERY = 512

FILE_ROWS = "file-rows.bin"
FILE_STARTS = "file-starts.bin"

ENTRY = np.dtype([("begin", ">u8"), ("row", "<u4")])
_BLOCK_ROWS = 1 << 18


def common_bytes(begins: tuple[int, int] | None) -> int:
    """Return how many bytes, 8 at most, all uuids begin with, by the lowest and highest number of their first 8."""
    if begins is None:
        return 0
    differing = (begins[0] ^ begins[1]).bit_length()
    return 8 - -(-differing // 8)


def build_uuid_index(folder: str, keys: PackedKeys, tick: Callable[[int], None]) -> None:
    """Sort the uuids of a packed lookup.

    Parameters
    ----------
    folder : str
        Where the lookup was packed to.
    keys : PackedKeys
        What was packed. Of keys that are kept as texts no index is built.
    tick : callable
        Is told, now and then, how many rows have been dealt or sorted; stops the work by raising.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    column = keys.uuids
    if not isinstance(column, UuidColumn):
        return
    common = common_bytes(keys.header.begins)
    odd = np.array(column.odd_rows, np.int64)

    def blocks() -> Iterator[Entries]:
        for start in range(0, keys.rows, _BLOCK_ROWS):
            stop = min(start + _BLOCK_ROWS, keys.rows)
            tick(stop // 2)
            yield _without(odd, _uuid_entries(column.bytes_at(start, stop), common, start), start, stop)

    def sample(wanted: int) -> Entries:
        rows = np.linspace(0, keys.rows - 1, min(wanted, keys.rows)).astype(np.int64).tolist()
        return np.concatenate([_uuid_entries(column.bytes_at(row, row + 1), common, row) for row in rows])

    fences: list[NDArray[np.uint64]] = []
    written = 0
    with TemporaryDirectory(dir=folder) as aside, _Aside(os.path.join(folder, INDEX)) as index:
        for entries in sorted_entries(blocks, keys.rows, sample, aside, ["high", "low"]):
            made = np.empty(len(entries), ENTRY)
            made["begin"], made["row"] = entries["high"], entries["row"]
            index.write(made.data)
            fences.append(entries["high"][-written % FENCE_EVERY :: FENCE_EVERY].copy())
            written += len(entries)
            tick((keys.rows + written) // 2)
        with _Aside(os.path.join(folder, FENCES)) as file:
            file.write(np.concatenate([np.empty(0, np.uint64), *fences]).astype(">u8").data)


def _uuid_entries(uuids: NDArray[np.uint8], common: int, first: int) -> Entries:
    entries = np.empty(len(uuids), LONG)
    entries["high"] = np.ascontiguousarray(uuids[:, common : common + 8]).view(">u8")[:, 0]
    entries["low"] = np.ascontiguousarray(uuids[:, UUID_BYTES - 8 :]).view(">u8")[:, 0]
    entries["row"] = np.arange(first, first + len(uuids), dtype=np.uint32)
    return entries


def _without(odd: NDArray[np.int64], entries: Entries, start: int, stop: int) -> Entries:
    first, last = np.searchsorted(odd, [start, stop])
    if first == last:
        return entries
    there = np.ones(len(entries), np.bool_)
    there[odd[first:last] - start] = False
    return entries[there]


def build_file_index(folder: str, keys: PackedKeys, tick: Callable[[int], None]) -> None:
    """Sort the rows of a packed lookup by their files. The parameters are those of :func:`build_uuid_index`."""
    column = keys.files
    if not isinstance(column, CodeColumn):
        return
    counts = np.zeros(len(column.names) + 1, np.int64)

    def blocks() -> Iterator[Entries]:
        for start in range(0, keys.rows, _BLOCK_ROWS):
            stop = min(start + _BLOCK_ROWS, keys.rows)
            tick(stop // 2)
            entries = _file_entries(column.codes_at(start, stop), start)
            counted = np.minimum(entries["high"], len(column.names)).astype(np.int64)
            counts[:] += np.bincount(counted, minlength=len(counts))
            yield entries

    def sample(wanted: int) -> Entries:
        rows = np.linspace(0, keys.rows - 1, min(wanted, keys.rows)).astype(np.int64).tolist()
        return np.concatenate([_file_entries(column.codes_at(row, row + 1), row) for row in rows])

    written = 0
    with TemporaryDirectory(dir=folder) as aside, _Aside(os.path.join(folder, FILE_ROWS)) as file:
        for entries in sorted_entries(blocks, keys.rows, sample, aside, ["high"]):
            file.write(np.ascontiguousarray(entries["row"]).data)
            written += len(entries)
            tick((keys.rows + written) // 2)
        starts = np.concatenate([[0], np.cumsum(counts[:-1])]).astype("<u8")
        with _Aside(os.path.join(folder, FILE_STARTS)) as starts_file:
            starts_file.write(starts.data)


def _file_entries(codes: NDArray[np.uint32], first: int) -> Entries:
    entries = np.empty(len(codes), SHORT)
    entries["high"] = codes
    entries["row"] = np.arange(first, first + len(codes), dtype=np.uint32)
    return entries


class _Aside:
    """A file that takes its name when it is whole."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(f"{path}.part", "wb", 1 << 20)  # noqa: SIM115

    def write(self, data: memoryview) -> None:
        self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            os.replace(f"{self._path}.part", self._path)
        else:
            os.unlink(f"{self._path}.part")
