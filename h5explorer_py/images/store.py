"""The bytes of images, with every place remembered that has been found once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from h5explorer_py.errors import ShardNotFoundError, ShardUnreadableError
from h5explorer_py.files import Signature, regular_file, why
from h5explorer_py.images.opened import OpenedShard
from h5explorer_py.images.pipe import LARGEST_IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.images.readers import Found, ReaderPool

SHARDS_KEPT = 128
"""Shards whose places are remembered: with fewer than a person goes through in turn, all would be forgotten each time.
"""

PLACES_KEPT = 200_000
"""Places remembered in all; one takes about 150 bytes."""

STRUCTURE_BYTES = 32 << 20
"""Bytes of the structure of shards that are held in all. One of 400 images takes 0.3 MB at most, of 100,000 5 MB."""

_CHANGES = 3


class ImageStore:
    """Reads images of shards.

    Parameters
    ----------
    readers : ReaderPool
        The processes that parse HDF5.
    """

    def __init__(self, readers: ReaderPool) -> None:
        self._readers = readers
        self._shards: OrderedDict[str, OpenedShard] = OrderedDict()
        self._lock = threading.Lock()
        self._noted = 0
        self.is_slow = False
        """Whether the file system took long over the last image."""

    def read(self, path: str, key: str, folders: tuple[str, ...], give_up: Callable[[], None] = lambda: None) -> bytes:
        """Return the encoded bytes of an image.

        A place that is known costs one look at the file's state before and after, and one read. One that is not is
        found with a few reads where the shard is of the usual kind, by a reader process where it is not.

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
            shard = self._opened(path, signature)
            known = shard is not None and key in shard.places
            place = None if shard is None else self._place(shard, key)
            if shard is None or place is None:
                found = self._readers.find(path, signature, key, folders, give_up)
                if found is None:
                    continue
                if found.data is not None:
                    return found.data
                shard = self._remember(path, signature, key, found)
                place = (found.offset, found.size)
            data = None if shard is None else self._read_place(shard, *place)
            if data is not None and (known or self._look(path) == signature):
                return data
            self.forget(path)
        raise ShardUnreadableError(
            f"{path} changes while it is read.", action="Try again when it has been written.", path=path
        )

    def read_small(self, path: str, key: str, most: int) -> bytes | None:
        """Return the bytes of an image that is no larger than so many, if they can be had without a reader.

        Of a larger one the place is remembered.

        Parameters
        ----------
        path : str
            The HDF5 file.
        key : str
            The name of the data set.
        most : int
            The size in bytes up to which it is read.

        Returns
        -------
        bytes or None
            ``None`` where ``read`` must be asked, which says what is wrong, too.
        """
        try:
            signature = regular_file(path)
            shard = self._opened(path, signature)
            known = shard is not None and key in shard.places
            place = None if shard is None else self._place(shard, key)
            if shard is None or place is None or place[1] > most:
                return None
            data = self._read_place(shard, *place)
            return data if known or regular_file(path) == signature else None
        except (OSError, ValueError):
            return None

    def state(self, path: str) -> str:
        """Return a text that differs whenever the file has changed.

        Raises
        ------
        ShardNotFoundError, ShardUnreadableError
        """
        return "-".join(format(number, "x") for number in self._look(path))

    def is_open(self, path: str) -> bool:
        """Whether an image of a shard has been found before, so that others will be found soon."""
        shard = self._shards.get(path)
        return shard is not None and bool(shard.places)

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

    def _remember(self, path: str, signature: Signature, key: str, found: Found) -> OpenedShard | None:
        """Note places; ``None`` where the file is in another state by now."""
        offset, size = found.offset, found.size
        if offset < 0 or offset + size > signature.size:
            raise ShardUnreadableError(
                f"{path} is damaged: the image {key} would lie beyond its end.",
                action="It may still be written or copied; try again, or copy it anew.",
                path=path,
            )
        shard = self._opened(path, signature)
        if shard is None:
            return None
        others = {
            other: (at, length)
            for other, at, length in found.others
            if 0 <= at <= signature.size - length and length <= LARGEST_IMAGE
        }
        self._note(shard, {**others, key: (offset, size)})
        return shard

    def _opened(self, path: str, signature: Signature) -> OpenedShard | None:
        """Return a shard in a state, held open from now on; ``None`` where it is in another, or cannot be opened."""
        shard = self._shards.get(path)
        if shard is None or shard.signature != signature:
            try:
                shard = OpenedShard(path, signature)
            except OSError:
                return None
            if not shard.in_same_state():
                self.forget(path)
                return None
        with self._lock:
            held = self._shards.get(path)
            if held is None or held.signature != signature:
                held = self._shards[path] = shard
            self._shards.move_to_end(path)
            while len(self._shards) > SHARDS_KEPT:
                self._shards.popitem(last=False)
            return held

    def _place(self, shard: OpenedShard, key: str) -> tuple[int, int] | None:
        """Return the offset and the size of an image, if they are known or found without a reader."""
        shard.begin()
        place = shard.places.get(key)
        if place is None:
            held = shard.nbytes
            place = shard.look_for(key)
            if shard.nbytes > held:
                self._let_go()
            if place is not None:
                self._note(shard, {key: place})
        return place

    def _note(self, shard: OpenedShard, places: dict[str, tuple[int, int]]) -> None:
        """Remember places, and forget those that were used longest ago where they are too many."""
        with self._lock:
            shard.places.update(places)
            self._noted += len(places)
            if self._noted <= PLACES_KEPT:
                return
            shards = self._shards
            while len(shards) > 1 and sum(len(other.places) for other in shards.values()) > PLACES_KEPT:
                shards.popitem(last=False)
            if len(shard.places) > PLACES_KEPT:
                shard.places = dict([places.popitem()])
            self._noted = sum(len(other.places) for other in shards.values())

    def _let_go(self) -> None:
        """Hold no more of the structure of shards than there is room for."""
        with self._lock:
            held = 0
            for shard in reversed(self._shards.values()):
                held += shard.nbytes
                if held > STRUCTURE_BYTES:
                    shard.let_go()

    def _read_place(self, shard: OpenedShard, offset: int, size: int) -> bytes | None:
        """Read a place; ``None`` where the file changed meanwhile."""
        data = shard.read(offset, size)
        self.is_slow = shard.is_slow
        return data if len(data) == size and shard.in_same_state() else None
