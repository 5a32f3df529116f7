"""Writing one shard out of picture files, as a task of a bulk job: each file is read once, and kept as it is."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from h5explorer_py.bulk.aside import settle, written
from h5explorer_py.bulk.shard import Shard
from h5explorer_py.decode.light import facts_in
from h5explorer_py.decode.picture import facts_of, pixels_of
from h5explorer_py.errors import (
    ConvertFailedError,
    EmptyImageError,
    ExplorerError,
    NotAnImageError,
    SourceNotFoundError,
    TruncatedImageError,
)
from h5explorer_py.images.sniff import is_truncated
from h5explorer_py.making.outcome import Outcome
from h5explorer_py.making.shards.records import unpacked, write_records
from h5explorer_py.making.shards.whole_file import WholeFile
from h5explorer_py.making.stores.inside import check_known, opened_store
from h5explorer_py.shards import IMAGES_SUFFIX, METADATA_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.decode.facts import DecodeOptions
    from h5explorer_py.making.items import Item
    from h5explorer_py.making.job import OnError
    from h5explorer_py.making.reading import ReadOptions

_NAMESPACE = uuid.UUID("5b0c3a52-7a0e-5f0a-9d53-6f1f0a6d2c11").bytes
_WHOLE = 64 << 20
"""Bytes of a file that is held in memory; of a larger one, pieces are."""

_NO_MEMORY = "The picture takes more memory than there is."
_STALLED = "reader_stalled"


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard that is to be written.

    Attributes
    ----------
    folder : str
        Where its files go: a folder that all workers see.
    target : str
        What is called so in sentences: where they will be at the end.
    name : str
        What they are called, less their suffixes.
    items : tuple of Item
        The pictures, in order.
    mark : str
        What else goes into their uuids, as they are added to others.
    marks : dict of int to str
        What else goes into those of some of them, as another before it has the same path.
    labels : bytes
        The columns that people brought, as an Arrow stream; empty for none.
    reading : ReadOptions
    on_error : str
    stats : bool
        Whether to decode pixels and measure their values.
    """

    folder: str
    target: str
    name: str
    items: tuple[Item, ...]
    mark: str
    marks: dict[int, str]
    labels: bytes
    reading: ReadOptions
    on_error: OnError
    stats: bool


@dataclass(slots=True)
class ShardMade:
    """What came of a shard.

    Attributes
    ----------
    keys : list of str
        The uuids of its images, in order.
    faults : list of (int, str, str)
        Pictures that could not be read, by their numbers in the task: the error's code, and a sentence.
    bytes : int
        Of its images.
    read : int
        Bytes of all files that were read.
    """

    keys: list[str] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    bytes: int = 0
    read: int = 0


def write_shard(task: ShardTask, begin: Begin, doomed: Doomed) -> ShardMade:
    """Write a shard.

    Its files are written under names of this attempt alone, and get their own as they are whole: where a worker is
    lost, or taken for lost and goes on, they are still those of one attempt.

    Raises
    ------
    ConvertFailedError
        Where a picture cannot be read, and that is to end the conversion.
    WriteFailedError
    """
    attempt = f"{task.name}.{uuid.uuid4().hex[:12]}"
    paths = [os.path.join(task.folder, attempt + suffix) for suffix in (IMAGES_SUFFIX, METADATA_SUFFIX)]
    try:
        with written(task.target):
            made = _Writing(task, attempt, begin, doomed).write(paths[1])
            if made.keys:
                for path, suffix in zip(paths, (IMAGES_SUFFIX, METADATA_SUFFIX), strict=True):
                    os.replace(path, os.path.join(task.folder, task.name + suffix))
            return made
    finally:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


class _Writing:
    def __init__(self, task: ShardTask, attempt: str, begin: Begin, doomed: Doomed) -> None:
        self._task = task
        self._begin = begin
        self._doomed = doomed
        self._made = ShardMade()
        self._outcomes: list[Outcome] = []
        self._kept: list[int] = []
        self._shard = Shard(task.folder, attempt, None, len(task.items))

    def write(self, records: str) -> ShardMade:
        try:
            for number, item in enumerate(self._task.items):
                self._add(number, item)
            self._begin(-1)
            self._shard.close()
        except BaseException:
            self._shard.abandon()
            raise
        self._made.bytes = self._shard.bytes
        if self._kept:
            items = [self._task.items[number] for number in self._kept]
            labels = unpacked(self._task.labels, self._kept)
            write_records(records, self._made.keys, items, self._outcomes, labels, stats=self._task.stats)
            settle(records)
        return self._made

    def _add(self, number: int, item: Item) -> None:
        """Add a picture, unless it is to be left out."""
        outcome = Outcome()
        fault = self._doomed.get(number)
        if fault is not None:
            outcome.code, outcome.error = fault.code, fault.reason
        try:
            if outcome.code == _STALLED:
                raise SourceNotFoundError(outcome.error)
            if fault is None:
                self._begin(number)
            key = self._store(number, item, outcome)
        except ExplorerError as error:
            if not outcome.code:
                outcome.fail(error)
            key = None
        if outcome.code:
            self._fault(number, item, outcome)
        if key is not None:
            self._made.keys.append(key)
            self._kept.append(number)
            self._outcomes.append(outcome)

    def _fault(self, number: int, item: Item, outcome: Outcome) -> None:
        if self._task.on_error == "stop":
            raise ConvertFailedError(
                f"{item.path} cannot be read: {outcome.error} Nothing is written.",
                action="Leave out what cannot be read (skip), or keep its bytes as they are (zero).",
                path=item.path,
                code=outcome.code,
            )
        self._made.faults.append((number, outcome.code, outcome.error))

    def _store(self, number: int, item: Item, outcome: Outcome) -> str | None:
        """Store a picture's bytes; return its uuid, ``None`` where it is left out, for what the outcome says."""
        if item.inside is not None:
            check_known(item)
            data = opened_store(item).encoded(item, self._task.reading.decoding(item))
            return self._store_whole(number, item, data, outcome)
        with WholeFile(item.path) as file:
            outcome.file_size = file.size
            if file.size > _WHOLE:
                return self._store_large(number, item, file, outcome)
            data = file.whole()
        return self._store_whole(number, item, data, outcome)

    def _store_whole(self, number: int, item: Item, data: bytes, outcome: Outcome) -> str | None:
        outcome.file_size = len(data)
        self._made.read += len(data)
        if not data:
            raise EmptyImageError("The file is empty: it has no bytes.")
        outcome.checksum = hashlib.sha256(data).hexdigest()
        if not outcome.code:
            self._look(data, self._task.reading.decoding(item), outcome)
        if outcome.code and self._task.on_error != "zero":
            return None
        key = self._key(number, item, outcome.checksum)
        self._shard.add(key, data, None, "")
        return key

    def _store_large(self, number: int, item: Item, file: WholeFile, outcome: Outcome) -> str | None:
        if not outcome.code:
            try:
                with file.opened() as opened:
                    self._look_in(opened, self._task.reading.decoding(item), outcome)
            except ExplorerError as error:
                outcome.fail(error)
            except MemoryError:
                outcome.fail(NotAnImageError(_NO_MEMORY))
        if outcome.code and self._task.on_error != "zero":
            return None
        file.rewind()
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in file.pieces():
                digest.update(piece)
                self._made.read += len(piece)
                yield piece

        def key() -> str:
            outcome.checksum = digest.hexdigest()
            return self._key(number, item, outcome.checksum)

        try:
            return self._shard.add_pieces(file.size, pieces(), key)
        except EOFError as error:
            raise SourceNotFoundError("The file has changed while it was read.") from error

    def _look(self, data: bytes, options: DecodeOptions, outcome: Outcome) -> None:
        try:
            if self._task.stats:
                self._look_in(io.BytesIO(data), options, outcome)
                return
            outcome.facts = facts_in(data, options)
            kind = outcome.facts.format
            if not (kind == "JPEG" and data.endswith(b"\xff\xd9")) and is_truncated(data, kind):
                raise TruncatedImageError(f"The {kind} picture is cut short: the file ends before it does.")
        except ExplorerError as error:
            outcome.fail(error)
        except MemoryError:
            outcome.fail(NotAnImageError(_NO_MEMORY))

    def _look_in(self, file: BinaryIO, options: DecodeOptions, outcome: Outcome) -> None:
        outcome.facts = facts_of(file, options)
        if self._task.stats:
            values, outcome.facts = pixels_of(file, options)
            outcome.measure(values)

    def _key(self, number: int, item: Item, checksum: str) -> str:
        return key_of(item.below, checksum, f"{self._task.mark}+{self._task.marks.get(number, '')}")


def key_of(below: str, checksum: str, mark: str) -> str:
    """Return the uuid of a picture: of version 5, out of its path below the folder that was named, and its bytes.

    The same folder gives the same uuids wherever it lies; two files of the same bytes have two.
    """
    name = f"{checksum}\n{below}\n{mark}".encode("utf-8", "surrogatepass")
    number = bytearray(hashlib.sha1(_NAMESPACE + name, usedforsecurity=False).digest()[:16])
    number[6], number[8] = number[6] & 0x0F | 0x50, number[8] & 0x3F | 0x80
    text = number.hex()  # which uuid.UUID does too, ten times as slowly
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
