"""Reading many images of a data set with their records, shard by shard, each shard from its begin to its end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from h5explorer_py.bulk.ahead import ahead
from h5explorer_py.bulk.spans import read_places
from h5explorer_py.errors import (
    CancelledError,
    ClosedError,
    ExplorerError,
    ReaderStalledError,
    ShardNotFoundError,
    ShardUnreadableError,
)
from h5explorer_py.files import Signature, regular_file, why
from h5explorer_py.images.pipe import LARGEST_IMAGE
from h5explorer_py.images.readers import PLACES_AT_ONCE, ReaderPool
from h5explorer_py.metadata.store import no_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.images.readers import Found
    from h5explorer_py.shards import ShardFiles

READERS = 4
CHUNK_IMAGES = 1_024
PIECE_BYTES = 16 << 20
_AHEAD_BYTES = 64 << 20
_LEAST_BYTES = 64 << 10
_QUESTION_LENGTH = 16 << 10
_STALLS = 3
"""Images of a shard waited for in vain, one after the other, before those behind are not tried: each takes 10 s."""

_ENDS = (CancelledError, ClosedError)


@dataclass
class Wanted:
    """Images that are wanted of one shard.

    Attributes
    ----------
    files : ShardFiles
        The shard.
    folders : tuple of str
        Where its links may lead to.
    entries : dict of str to Entry
        A row of the lookup for each uuid.
    """

    files: ShardFiles
    folders: tuple[str, ...]
    entries: dict[str, Entry] = field(default_factory=dict)

    def chunks(self) -> Iterator[Wanted]:
        """Part them into chunks."""
        keys = list(self.entries)
        for at in range(0, len(keys), CHUNK_IMAGES):
            part = {key: self.entries[key] for key in keys[at : at + CHUNK_IMAGES]}
            yield Wanted(self.files, self.folders, part)


class Gathered(NamedTuple):
    """An image as it came.

    Attributes
    ----------
    files : ShardFiles
        The shard.
    key : str
        Its uuid.
    image : bytes or ExplorerError
        The encoded bytes, or why there are none.
    record : pyarrow.Table or ExplorerError
        One row, or why there is none.
    several : bool
        Whether there are further records of it.
    """

    files: ShardFiles
    key: str
    image: bytes | ExplorerError
    record: pa.Table | ExplorerError
    several: bool


class _Piece(NamedTuple):
    """Images that are read together: with their places in the file, or one that is asked for, or has come already."""

    chunk: _Located
    keys: list[str]
    places: list[tuple[int, int]]
    come: bytes | ExplorerError | None = None

    @property
    def size(self) -> int:
        """How much memory it takes up, in bytes; a guess for one that is asked for."""
        if self.places:
            return max(_LEAST_BYTES, sum(size for _, size in self.places))
        if self.come is None:
            return PIECE_BYTES
        return max(_LEAST_BYTES, len(self.come) if isinstance(self.come, bytes) else 0)


class _Located(NamedTuple):
    """A chunk whose images have been found, and whose records have been read."""

    wanted: Wanted
    signature: Signature | None
    places: dict[str, tuple[int, int]]
    come: dict[str, bytes | ExplorerError]
    records: Callable[[str], tuple[pa.Table | ExplorerError, bool]]

    def pieces(self) -> Iterator[_Piece]:
        """Part the images into pieces, in the order in which they lie in the file."""
        for key in self.wanted.entries:
            if key not in self.places:
                yield _Piece(self, [key], [], self.come.pop(key, None))
        keys: list[str] = []
        size = 0
        for key in sorted(self.places, key=self.places.__getitem__):
            if keys and size + self.places[key][1] > PIECE_BYTES:
                yield _Piece(self, keys, [self.places[each] for each in keys])
                keys, size = [], 0
            keys.append(key)
            size += self.places[key][1]
        if keys:
            yield _Piece(self, keys, [self.places[each] for each in keys])


class Gatherer:
    """Reads images, by reader processes and threads of its own: used in a ``with`` statement.

    Parameters
    ----------
    dataset : Dataset
        Where from.
    give_up : callable
        Called while images are waited for; raises where they are not wanted any more.
    """

    def __init__(self, dataset: Dataset, give_up: Callable[[], None]) -> None:
        self._dataset = dataset
        self._give_up = give_up
        self._readers = ReaderPool(READERS)
        self._threads = ThreadPoolExecutor(2 * READERS, "h5explorer-gather")
        self._ended = threading.Event()
        self._stalls: dict[str, int] = {}
        self._one_by_one: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._threads.shutdown(wait=kind is None, cancel_futures=True)
        self._readers.close()

    def read(self, wanted: Iterable[Wanted]) -> Iterator[Gathered]:
        """Give all images, shard by shard, in an order that is kind to the file system."""
        chunks = (chunk for each in wanted for chunk in each.chunks())
        located = ahead(self._threads, self._locate, chunks, weight=lambda _: 1, most=READERS, give_up=self._give_up)
        pieces = (piece for chunk in located for piece in chunk.pieces())
        for piece, images in ahead(
            self._threads,
            self._read_piece,
            pieces,
            weight=lambda piece: piece.size,
            most=_AHEAD_BYTES,
            give_up=self._give_up,
        ):
            for key, image in zip(piece.keys, images, strict=True):
                yield Gathered(piece.chunk.wanted.files, key, image, *piece.chunk.records(key))

    def _check(self) -> None:
        if self._ended.is_set():
            raise CancelledError("It was interrupted.")

    # Where the images are

    def _locate(self, wanted: Wanted) -> _Located:
        try:
            return self._located(wanted)
        finally:
            if self._ended.is_set():
                self._readers.close()  # the reader was at work when the others were ended

    def _located(self, wanted: Wanted) -> _Located:
        records = self._records(wanted)
        places: dict[str, tuple[int, int]] = {}
        come: dict[str, bytes | ExplorerError] = {}
        path = wanted.files.images
        try:
            signature = regular_file(path)
        except (OSError, ValueError):
            first = next(iter(wanted.entries))
            error = self._ask(wanted, first)
            come[first] = error
            if isinstance(error, ShardNotFoundError):
                come = dict.fromkeys(wanted.entries, error)
            return _Located(wanted, None, places, come, records)
        held = 0
        for key, place in self._places(wanted, signature):
            self._check()
            if place is not None:
                places[key] = place
                continue
            found = self._find(wanted, signature, key)
            if isinstance(found, ExplorerError):
                come[key] = found
            elif found is not None and found.data is not None:
                held += len(found.data)
                if held <= PIECE_BYTES:
                    come[key] = found.data  # of those beyond, each is asked for when its turn comes
            elif found is not None and 0 <= found.offset <= signature.size - found.size:
                places[key] = (found.offset, found.size)
        return _Located(wanted, signature, places, come, records)

    def _places(self, wanted: Wanted, signature: Signature) -> Iterator[tuple[str, tuple[int, int] | None]]:
        """Give the place of each image that is one piece of the file."""
        for keys in _questions(wanted.entries):
            places: list[tuple[int, int] | None] | None = None
            if wanted.files.images not in self._one_by_one:
                try:
                    places = self._readers.places(wanted.files.images, signature, keys, wanted.folders, self._check)
                except _ENDS:
                    raise
                except ExplorerError:
                    self._one_by_one.add(wanted.files.images)  # which tells why
            for key, place in zip(keys, places or [None] * len(keys), strict=True):
                good = place is not None and 0 <= place[0] <= signature.size - place[1] and place[1] <= LARGEST_IMAGE
                yield key, place if good else None

    def _find(self, wanted: Wanted, signature: Signature, key: str) -> Found | ExplorerError | None:
        path = wanted.files.images
        if self._stalls.get(path, 0) >= _STALLS:
            return ReaderStalledError(
                f"{path} was not tried again, as {_STALLS} images of it could not be read in time."
            )
        try:
            found = self._readers.find(path, signature, key, wanted.folders, self._check)
        except _ENDS:
            raise
        except ReaderStalledError as error:
            self._stalls[path] = self._stalls.get(path, 0) + 1
            return error
        except ExplorerError as error:
            return error
        self._stalls[path] = 0
        return found

    def _records(self, wanted: Wanted) -> Callable[[str], tuple[pa.Table | ExplorerError, bool]]:
        keys = list(wanted.entries)
        try:
            records = self._dataset.records(wanted.files, keys)
        except _ENDS:
            raise
        except ExplorerError as error:
            reason = error
            return lambda _: (reason, False)
        places = dict(zip(keys, records.places, strict=True))

        def record(key: str) -> tuple[pa.Table | ExplorerError, bool]:
            at = places[key]
            if at < 0:
                return no_record(wanted.files.metadata, key), False
            return records.table.slice(at, 1), key in records.repeated

        return record

    # Their bytes

    def _read_piece(self, piece: _Piece) -> tuple[_Piece, list[bytes | ExplorerError]]:
        self._check()
        if piece.come is not None:
            return piece, [piece.come]
        wanted, signature = piece.chunk.wanted, piece.chunk.signature
        data = read_places(wanted.files.images, signature, piece.places) if piece.places and signature else None
        if data is None:  # it has changed, or cannot be read: one by one, as they are looked at, tells why
            return piece, [self._ask(wanted, key) for key in piece.keys]
        return piece, [*data]

    def _ask(self, wanted: Wanted, key: str) -> bytes | ExplorerError:
        self._check()
        try:
            return self._dataset.image(wanted.entries[key], self._check).data
        except _ENDS:
            raise
        except ExplorerError as error:
            return error
        except OSError as error:
            path = wanted.files.images
            return ShardUnreadableError(f"{path} cannot be read: {why(error)}.", path=path)


def _questions(keys: Iterable[str]) -> Iterator[list[str]]:
    """Part keys into as many as one question may hold."""
    asked: list[str] = []
    length = 0
    for key in keys:
        if asked and (len(asked) >= PLACES_AT_ONCE or length + len(key) > _QUESTION_LENGTH):
            yield asked
            asked, length = [], 0
        asked.append(key)
        length += len(key)
    if asked:
        yield asked
