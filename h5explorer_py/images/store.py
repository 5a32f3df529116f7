"""The bytes of images, with every place remembered that has been found once."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from h5explorer_py.errors import ShardNotFoundError, ShardUnreadableError
from h5explorer_py.files import HeldFile, Signature, read_at, regular_file, why
from h5explorer_py.images.pipe import LARGEST_IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.images.readers import Found, ReaderPool

SHARDS_KEPT = 128
"""Shards whose places are remembered: with fewer than a person goes through in turn, all would be forgotten each time.
"""

PLACES_KEPT = 200_000
"""Places remembered in all; one takes about 150 bytes."""

_CHANGES = 3


class _Shard:
    """An open shard in one state, and the places of its images found so far."""

    def __init__(self, path: str, signature: Signature) -> None:
        self.file = HeldFile(path)
        self.signature = signature
        self.places: dict[str, tuple[int, int]] = {}

    def in_same_state(self) -> bool:
        return Signature.of(os.fstat(self.file.fileno())) == self.signature


class ImageStore:
    """Reads images of shards.

    Parameters
    ----------
    readers : ReaderPool
        The processes that parse HDF5.
    """

    def __init__(self, readers: ReaderPool) -> None:
        self._readers = readers
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: str, key: str, folders: tuple[str, ...], give_up: Callable[[], None] = lambda: None) -> bytes:
        """Return the encoded bytes of an image.

        A place that is known costs one look at the file's state before and after, and one read.

        Parameters
        ----------
        path : str
            The HDF5 file.
        key : str
            The name of the data set.
        folders : tuple of str
            Real paths of the folders that links and external storage may lead to.
        give_up : callable
            Called while all readers are at work; raises where nobody waits for the image any more.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        for _ in range(_CHANGES):
            signature = self._look(path)
            shard = self._shards.get(path)
            if shard is not None and shard.signature == signature:
                place = shard.places.get(key)
                if place is not None:
                    data = self._read_place(shard, *place)
                    if data is not None:
                        return data
                    self.forget(path)
                    continue
            found = self._readers.find(path, signature, key, folders, give_up)
            if found is None:
                continue
            if found.data is not None:
                return found.data
            shard = self._remember(path, signature, key, found)
            data = None if shard is None else self._read_place(shard, found.offset, found.size)
            if data is not None:
                return data
        raise ShardUnreadableError(
            f"{path} changes while it is read.", action="Try again when it has been written.", path=path
        )

    def state(self, path: str) -> str:
        """Return a text that differs whenever the file has changed.

        Raises
        ------
        ShardNotFoundError, ShardUnreadableError
        """
        return "-".join(format(number, "x") for number in self._look(path))

    def is_open(self, path: str) -> bool:
        """Whether an image of a shard has been found before, so that others will be found soon."""
        return path in self._shards

    def forget(self, path: str) -> None:
        """Drop what is known of a shard."""
        with self._lock:
            self._shards.pop(path, None)

    def clear(self) -> None:
        """Drop all that is known, and the open files."""
        with self._lock:
            self._shards.clear()

    def _look(self, path: str) -> Signature:
        try:
            return regular_file(path)
        except FileNotFoundError as error:
            raise ShardNotFoundError(
                f"There is no file {path}.",
                action="If the data has moved, pass root= with its new place.",
                path=path,
            ) from error
        except (OSError, ValueError) as error:
            raise ShardUnreadableError(f"{path} cannot be read: {why(error)}.", path=path) from error

    def _remember(self, path: str, signature: Signature, key: str, found: Found) -> _Shard | None:
        """Note places; ``None`` where the file is in another state by now."""
        offset, size = found.offset, found.size
        if offset < 0 or offset + size > signature.size:
            raise ShardUnreadableError(
                f"{path} is damaged: the image {key} would lie beyond its end.",
                action="It may still be written or copied; try again, or copy it anew.",
                path=path,
            )
        with self._lock:
            shard = self._shards.get(path)
            if shard is None or shard.signature != signature:
                try:
                    shard = _Shard(path, signature)
                except OSError as error:
                    raise ShardUnreadableError(f"{path} cannot be read: {why(error)}.", path=path) from error
                if not shard.in_same_state():
                    self._shards.pop(path, None)
                    return None
                self._shards[path] = shard
            self._shards.move_to_end(path)
            for other, at, length in found.others:
                if 0 <= at <= signature.size - length and length <= LARGEST_IMAGE:
                    shard.places[other] = (at, length)
            shard.places[key] = (offset, size)
            while len(self._shards) > SHARDS_KEPT or (
                len(self._shards) > 1 and sum(len(other.places) for other in self._shards.values()) > PLACES_KEPT
            ):
                self._shards.popitem(last=False)
            if len(shard.places) > PLACES_KEPT:
                shard.places = {key: (offset, size)}
            return shard

    @staticmethod
    def _read_place(shard: _Shard, offset: int, size: int) -> bytes | None:
        """Read a place; ``None`` where the file changed meanwhile."""
        data = read_at(shard.file, offset, size)
        return data if len(data) == size and shard.in_same_state() else None
