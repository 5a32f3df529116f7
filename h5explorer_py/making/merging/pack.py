"""Reading pictures of a file and packing them anew, in the workers, where its chunks cannot be copied as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ShardUnreadableError
from h5explorer_py.files import regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.making.h5.file import PicturesFile
    from h5explorer_py.making.h5.packing import Packing
    from h5explorer_py.making.merging.look import Looked

_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pictures that are read as one task."""

    path: str
    signature: tuple[int, ...]
    start: int
    stop: int
    dtype: str
    packing: Packing


def stretches(looked: Looked, dtype: str, packing: Packing) -> Iterator[Stretch]:
    """Part a file into tasks, at the bounds of its chunks where these are not too large."""
    size = max(1, looked.facts.picture_bytes)
    count = max(1, _BYTES // size)
    chunk = 1 if looked.facts.chunks is None else looked.facts.chunks[0]
    if chunk <= count:
        count -= count % chunk
    for start in range(0, looked.count, count):
        stop = min(start + count, looked.count)
        yield Stretch(looked.path, tuple(looked.signature), start, stop, dtype, packing)


def pack_stretch(task: Stretch, begin: Begin, doomed: Doomed) -> list[bytes | str]:
    """Read and pack pictures; of those that cannot be read return why."""
    from h5explorer_py.making.h5.file import PicturesFile

    if tuple(regular_file(task.path)) != task.signature:
        raise ShardUnreadableError(f"{task.path} was changed while it was merged.")
    file = PicturesFile(task.path)
    try:
        values = None if doomed else _whole(file, task, begin)
        packed: list[bytes | str] = []
        for number, place in enumerate(range(task.start, task.stop)):
            if number in doomed:
                packed.append(doomed[number].reason)
                continue
            begin(number)
            try:
                one = file.read(place, place + 1)[0] if values is None else values[number]
                packed.append(task.packing.pack(one.astype(task.dtype, copy=False)))
            except ShardUnreadableError as error:
                packed.append(error.message)
        return packed
    finally:
        file.close()


def _whole(file: PicturesFile, task: Stretch, begin: Begin) -> NDArray[Any] | None:
    """Read all at once; ``None`` where one of them is damaged."""
    begin(-1)  # were the process to end here, none is known to be at fault
    try:
        return file.read(task.start, task.stop)
    except ShardUnreadableError:
        return None
