"""Looking at an HDF5 file that is to be merged: in a process that it may bring down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import ShardUnreadableError
from h5explorer_py.files import Signature, regular_file
from h5explorer_py.making.h5.packing import Packing

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.making.h5.file import ArrayFacts, PicturesFile

_DEFLATE, _SHUFFLE = 1, 2
_DEFAULT_LEVEL = 6


@dataclass(frozen=True)
class Places:
    """Where the chunks of an array lie.

    Attributes
    ----------
    first : ndarray, shape (chunks, dimensions)
        Where the first value of each is in the array.
    offsets, sizes : ndarray of int64
        In the file.
    masks : ndarray of int64
        Which filters each has not passed.
    """

    first: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    masks: NDArray[np.int64]


@dataclass(frozen=True)
class Looked:
    """What is known of a file.

    Attributes
    ----------
    path : str
    signature : Signature
        The state that this holds for.
    facts : ArrayFacts
    known : pyarrow.Table
        What it says of its pictures; ``filename`` is the first column.
    places : Places or None
        ``None`` where its chunks cannot be taken as they are.
    notices : tuple of str
    """

    path: str
    signature: Signature
    facts: ArrayFacts
    known: pa.Table
    places: Places | None
    notices: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many pictures it has."""
        return self.facts.shape[0]

    @property
    def packing(self) -> Packing | None:
        """How its chunks are packed; ``None`` where not as this package does it."""
        codes = tuple(code for code, _, _ in self.facts.filters)
        if codes == ():
            return Packing(0)
        if codes not in {(_DEFLATE,), (_SHUFFLE, _DEFLATE)}:
            return None
        values = self.facts.filters[-1][2]
        return Packing(min(9, max(1, values[0] if values else _DEFAULT_LEVEL)), codes[0] == _SHUFFLE)


def look_at(path: str, begin: Begin, doomed: Doomed) -> Looked:
    """Look at a file.

    Raises
    ------
    ExplorerError
        Where it is no file of pictures, or damaged.
    """
    from h5explorer_py.making.h5.file import PicturesFile
    from h5explorer_py.making.h5.known import known_of

    if doomed:
        raise ShardUnreadableError(f"{path} is damaged: processes that read it ended, or took too long.")
    begin(0)
    file = PicturesFile(path)
    try:
        known, notices = known_of(file)
        return Looked(path, regular_file(path), file.facts, known, _places(file), tuple(notices))
    finally:
        file.close()


def _places(file: PicturesFile) -> Places | None:
    if file.facts.chunks is None or file.file.userblock_size:
        return None
    first: list[tuple[int, ...]] = []
    rest: list[tuple[int, int, int]] = []

    def note(info: Any) -> None:
        first.append(info.chunk_offset)
        rest.append((info.byte_offset, info.size, info.filter_mask))

    try:
        file.array.id.chunk_iter(note)
    except Exception:  # noqa: BLE001  (it is not in every build of HDF5; the pictures are read one by one then)
        return None
    table = np.array(rest, np.int64).reshape(-1, 3)
    starts = np.array(first, np.int64).reshape(-1, len(file.facts.shape))
    return Places(starts, table[:, 0], table[:, 1], table[:, 2])
