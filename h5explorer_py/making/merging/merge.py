"""HDF5 files of pictures to one, one behind the other, with all that is known of each picture.

All files are looked at before anything is written. Chunks are copied as they lie where the new file has the same, which
takes as long as copying the bytes; else the pictures are read, and packed anew one a chunk.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from h5explorer_py.bulk.aside import Aside
from h5explorer_py.bulk.running import run
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import ShardUnreadableError
from h5explorer_py.files import read_at
from h5explorer_py.making.h5.writer import H5Writer
from h5explorer_py.making.job import Failure, State
from h5explorer_py.making.merging.look import look_at
from h5explorer_py.making.merging.pack import pack_stretch, stretches
from h5explorer_py.making.merging.plan import Layout, input_paths, layout_of, merged_table
from h5explorer_py.making.merging.report import MergeReport
from h5explorer_py.making.replacing import check_file, check_no_source, check_target
from h5explorer_py.making.report import FAILURES_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from h5explorer_py.making.merging.look import Looked

_LOOK_SECONDS = 600.0
_LOOK_MEMORY = 4 << 30
_WORKERS = 2
_LABEL = "label"
_SAID_EVERY = 256


def merge(
    inputs: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Callable[[State], None] = lambda _: None,
    give_up: Callable[[], None] = lambda: None,
) -> MergeReport:
    """Merge HDF5 files of pictures.

    Parameters
    ----------
    inputs : iterable of path
        Files and patterns; pictures come in their order.
    output : path
        The file that is written; it is there when it is whole.
    overwrite : bool
        Whether a file that is there already is replaced. One of the inputs never is.
    progress : callable
        Is told the state now and then.
    give_up : callable
        Called often; ends the merging by raising.

    Raises
    ------
    SourceNotFoundError, ShardUnreadableError, NoImagesGroupError, NotAnImageError, OutsideDataError, MissingFilterError
        Where an input is not there, or is no file of pictures.
    MixedPicturesError, LossyError
        Where pictures differ in size, or no type holds the values of all.
    BadRequestError, TargetExistsError, WriteFailedError
        In all of which cases nothing is written, and what was there before is there still.
    """
    started = time.perf_counter()
    path = os.fsdecode(output)
    paths = input_paths(inputs)
    check_no_source(path, paths)
    check_target(path, overwrite=overwrite)
    with ExitStack() as resources:
        workers = resources.enter_context(Workers(_WORKERS, memory=_LOOK_MEMORY))
        looked = _look(paths, workers, progress, give_up)
        layout = layout_of(looked)
        aside = Aside(path, check_file if overwrite else None)
        resources.callback(aside.discard)
        merging = _Merging(looked, layout, workers, progress, give_up)
        shape = (merging.total, *layout.shape)
        with H5Writer(aside, shape, layout.dtype, layout.chunks, layout.packing) as writer:
            merging.write(writer)
            table = merged_table(looked, merging.lost)
            label = _LABEL if _LABEL in table.column_names else None
            attributes = {"sources": [each.path for each in looked]}
            writer.finish(merging.total, table, attributes, label, "the files that were merged")
        size = os.path.getsize(aside.content)
        give_up()
        check_no_source(path, paths)
        aside.publish()
    return MergeReport(
        output=aside.target,
        images=merging.total,
        inputs=tuple((each.path, each.count) for each in looked),
        shape=layout.shape,
        dtype=layout.dtype,
        copied=merging.copied,
        failed=len(merging.lost),
        failures=tuple(_failures(looked, merging.lost)[:FAILURES_KEPT]),
        bytes_read=sum(each.signature.size for each in looked),
        bytes_written=size,
        seconds=time.perf_counter() - started,
        notices=(*(notice for each in looked for notice in each.notices), *layout.notices, *aside.notices),
    )


def _look(
    paths: list[str], workers: Workers, progress: Callable[[State], None], give_up: Callable[[], None]
) -> list[Looked]:
    progress(State("Looking at files", 0, len(paths)))
    looked: list[Looked] = []
    for _, each in run(look_at, paths, workers, item_seconds=_LOOK_SECONDS, give_up=give_up, ordered=True):
        looked.append(each)
        progress(State("Looking at files", len(looked), len(paths)))
    return looked


class _Merging:
    """Writes the pictures of all files.

    Attributes
    ----------
    total : int
        How many there are.
    copied : int
        Of how many the bytes were copied as they lay.
    lost : dict of int to str
        Why those could not be read that are zeros now, by their places.
    """

    def __init__(
        self,
        looked: list[Looked],
        layout: Layout,
        workers: Workers,
        progress: Callable[[State], None],
        give_up: Callable[[], None],
    ) -> None:
        self._looked = looked
        self._layout = layout
        self._workers = workers
        self._progress = progress
        self._give_up = give_up
        self.total = sum(each.count for each in looked)
        self.copied = 0
        self.lost: dict[int, str] = {}

    def write(self, writer: H5Writer) -> None:
        start = 0
        for number, each in enumerate(self._looked):
            self._tell(start)
            if self._layout.takes_chunks_of(each, start, is_last=number == len(self._looked) - 1):
                self._copy(each, start, writer)
                self.copied += each.count
            else:
                self._pack(each, start, writer)
            start += each.count
        self._tell(start)

    def _tell(self, done: int) -> None:
        self._give_up()
        self._progress(State("Merging", done, self.total, len(self.lost)))

    def _copy(self, each: Looked, start: int, writer: H5Writer) -> None:
        """Copy the chunks of a file as they are, without the library that could stumble over them."""
        places = each.places
        assert places is not None
        most = self._layout.most_chunk_bytes
        buffer = memoryview(bytearray(int(min(places.sizes.max(initial=0), most))))  # one, as a new one takes its time
        with open(each.path, "rb", buffering=0) as file:
            _check_same(file, each)
            rows = zip(
                places.first.tolist(),
                places.offsets.tolist(),
                places.sizes.tolist(),
                places.masks.tolist(),
                strict=True,
            )
            for number, (first, offset, size, mask) in enumerate(rows):
                if number % _SAID_EVERY == 0:
                    self._tell(start + min(int(first[0]), each.count))
                if not 0 < size <= most or offset < 0 or not _read(file, offset, buffer[:size], each.path):
                    self._lose(each, start, int(first[0]))
                    continue
                writer.put_chunk((start + first[0], *first[1:]), buffer[:size], mask)
            _check_same(file, each)

    def _lose(self, each: Looked, start: int, first: int) -> None:
        for place in range(first, min(first + self._layout.chunks[0], each.count)):
            self.lost[start + place] = f"A chunk of it in {each.path} is damaged."

    def _pack(self, each: Looked, start: int, writer: H5Writer) -> None:
        tasks = stretches(each, self._layout.dtype, self._layout.packing)
        for task, results in run(pack_stretch, tasks, self._workers, give_up=self._give_up, ordered=True):
            for place, packed in enumerate(results, start + task.start):
                if isinstance(packed, bytes):
                    writer.put(place, packed)
                else:
                    self.lost[place] = packed
            self._tell(start + task.stop)


def _read(file: Any, offset: int, into: memoryview, path: str) -> bool:
    """Read a piece of a file; tell whether it is all there."""
    try:
        if not hasattr(os, "preadv"):
            into[:] = read_at(file, offset, len(into)).ljust(len(into), b"\0")
            return offset + len(into) <= os.fstat(file.fileno()).st_size
        done = 0
        while done < len(into):
            got = os.preadv(file.fileno(), [into[done:]], offset + done)
            if not got:
                return False
            done += got
    except OSError as error:
        raise ShardUnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    return True


def _check_same(file: Any, each: Looked) -> None:
    from h5explorer_py.files import Signature

    if Signature.of(os.fstat(file.fileno())) != each.signature:
        raise ShardUnreadableError(f"{each.path} was changed while it was merged.")


def _failures(looked: list[Looked], lost: dict[int, str]) -> list[Failure]:
    failures, start = [], 0
    places = sorted(lost)
    for each in looked:
        for place in places:
            if start <= place < start + each.count:
                name = each.known["filename"][place - start].as_py()
                failures.append(Failure(name, each.path, ShardUnreadableError.code, lost[place]))
        start += each.count
    return failures
