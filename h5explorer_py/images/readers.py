"""The kernel's side of the reader processes: a pool that asks them, and replaces them.

The HDF5 library works in processes of its own because a damaged file can end or block the process that it is in, and
because its one global lock makes threads useless. Most images are found without it: see :mod:`h5explorer_py.hdf5`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ReaderFailedError, ReaderStalledError, ShardUnreadableError
from h5explorer_py.files import Signature, regular_file, why
from h5explorer_py.images.pipe import LARGEST_IMAGE
from h5explorer_py.images.process import Reader
from h5explorer_py.images.refusals import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

READERS = 2
SECONDS = int(os.environ.get("H5EXPLORER_READER_SECONDS", "10"))
"""How long a reader may take over one image before it is given up and replaced."""

PLACES_AT_ONCE = 256
"""Images that are found with one question, so that it takes well under ``SECONDS`` where a read takes milliseconds."""

_LOOK_SECONDS = 0.2
_LOOK_FACTOR = 6
_MOST_KEYS_SECONDS = 600
_BYTES_A_SECOND = 8 << 20
_CHANGES = 3


@dataclass(frozen=True)
class Found:
    """What a reader says of an image: its place in the file, or its bytes where there is no one place."""

    offset: int
    size: int
    data: bytes | None
    others: Sequence[tuple[str, int, int]] = ()
    """Other images of the file that were found besides: their keys, offsets and sizes."""


class _EndedBefore(Exception):  # noqa: N818  (no fault of what was asked)
    """A reader ended while it looked at images that nobody had asked for."""


class ReaderPool:
    """The readers of this process, shared by all explorers.

    The reader that worked last is asked first: it has the file open.
    """

    def __init__(self, size: int = READERS) -> None:
        self._free: list[Reader] = []
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._not_gathered: set[str] = set()

    def warm(self) -> None:
        """Start one reader if none runs, without waiting for it."""
        with self._lock, contextlib.suppress(OSError):  # the first image will say why
            if not self._free:
                self._free.append(Reader())

    def find(
        self,
        path: str,
        signature: Signature,
        key: str,
        folders: Sequence[str],
        give_up: Callable[[], None] = lambda: None,
    ) -> Found | None:
        """Find an image in a shard.

        Parameters
        ----------
        path : str
            The HDF5 file.
        signature : Signature
            The state of the file that the answer must be about.
        key : str
            The name of the data set.
        folders : sequence of str
            Real paths of the folders that links may lead to.
        give_up : callable
            Called while all readers are at work; raises where nobody waits for the answer any more.

        Returns
        -------
        Found or None
            ``None`` where the file is in another state by now.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        request = {"ask": "find", "key": key, "limit": LARGEST_IMAGE, "seconds": SECONDS}
        reply, data = self._ask(path, signature, folders, request, give_up)
        if reply.get("code") == "changed":
            return None
        if "code" in reply:
            raise error_of(reply["code"], reply["facts"], path, key)
        if "offset" in reply:
            return Found(reply["offset"], reply["size"], None, reply["others"])
        return Found(-1, len(data), data)

    def places(
        self,
        path: str,
        signature: Signature,
        keys: Sequence[str],
        folders: Sequence[str],
        give_up: Callable[[], None] = lambda: None,
    ) -> list[tuple[int, int] | None] | None:
        """Find many images in a shard: up to ``PLACES_AT_ONCE`` of them, with names of ordinary length.

        Parameters
        ----------
        path, signature, folders, give_up
            As ``find`` takes them.
        keys : sequence of str
            The names of the data sets.

        Returns
        -------
        list of (int, int) or None
            Offset and size of each that is one piece of the file, and ``None`` for each that ``find`` must be asked
            for; ``None`` as a whole where the file is in another state by now.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        request = {"ask": "places", "keys": list(keys), "seconds": SECONDS}
        reply, _ = self._ask(path, signature, folders, request, give_up)
        if reply.get("code") == "changed":
            return None
        if "code" in reply:
            raise error_of(reply["code"], reply["facts"], path, "")
        return [None if place is None else (place[0], place[1]) for place in reply["places"]]

    def stack(self, path: str, start: int, stop: int) -> tuple[dict[str, Any], bytes]:
        """Read pictures that lie in one array: see :func:`h5explorer_py.images.stack.read_stack`.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        return self._look(path, {"ask": "stack", "start": start, "stop": stop, "limit": LARGEST_IMAGE})

    def probe(self, path: str) -> dict[str, Any]:
        """Look at what may make a shard slow or unreadable: see :func:`h5explorer_py.images.probe.probe`.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        return self._look(path, {"ask": "probe"})[0]

    def _look(self, path: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            signature = regular_file(path)
        except OSError as error:
            raise ShardUnreadableError(f"{path} cannot be read: {why(error)}.") from error
        reply, data = self._ask(path, signature, [], request | {"seconds": _LOOK_FACTOR * SECONDS})
        if "code" in reply:
            raise error_of(reply["code"], reply["facts"], path, "images")
        return reply, data

    def list_keys(self, path: str, give_up: Callable[[], None] = lambda: None) -> list[str]:
        """List all keys of a shard; slow for many.

        Parameters
        ----------
        path : str
            The HDF5 file.
        give_up : callable
            Called while all readers are at work; raises where nobody waits for the keys any more.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        for _ in range(_CHANGES):
            try:
                signature = regular_file(path)
            except OSError as error:
                raise ShardUnreadableError(f"{path} cannot be read: {why(error)}.") from error
            # As long as the file is large: a small one that takes minutes is damaged.
            seconds = min(SECONDS + signature.size // _BYTES_A_SECOND, _MOST_KEYS_SECONDS)
            request = {"ask": "keys", "seconds": seconds}
            reply, data = self._ask(path, signature, [os.path.dirname(os.path.realpath(path))], request, give_up)
            if "code" not in reply:
                keys: list[str] = json.loads(data)
                return keys
            if reply["code"] != "changed":
                raise error_of(reply["code"], reply["facts"], path, "")
        raise ShardUnreadableError(f"{path} keeps changing.", action="Try again when it is written.")

    def _ask(
        self,
        path: str,
        signature: Signature,
        folders: Sequence[str],
        request: dict[str, Any],
        give_up: Callable[[], None] = lambda: None,
    ) -> tuple[dict[str, Any], bytes]:
        request |= {"path": path, "signature": list(signature), "allowed": list(folders)}
        with self._place(give_up):
            try:
                return self._ask_one(self._take(), request)
            except _EndedBefore:
                # Over what nobody had asked for, or over this image: a new reader, which has done nothing else, tells.
                return self._ask_one(_start(), request)

    def _ask_one(self, reader: Reader, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        path, gathering = request["path"], reader.gathering
        request["gather"] = path not in self._not_gathered
        reader.gathering = path if request["gather"] else ""
        try:
            answered = reader.ask(request)
        except TimeoutError as error:
            reader.end()
            raise ReaderStalledError(
                f"{path} could not be read within {request['seconds']} s.",
                action="The file system may be slow, or the file damaged. Try again.",
            ) from error
        except EOFError as error:
            reader.end()
            if gathering:
                self._not_gathered.add(gathering)
                raise _EndedBefore from error
            raise ReaderFailedError(
                f"The process that read {path} ended while it did so.",
                action="The file may be damaged: h5dump or h5check can tell. Other files are not concerned.",
            ) from error
        except BaseException:
            reader.end()  # it may be in the middle of an answer
            raise
        with self._lock:
            self._free.append(reader)
        return answered

    @contextlib.contextmanager
    def _place(self, give_up: Callable[[], None]) -> Iterator[None]:
        while not self._places.acquire(timeout=_LOOK_SECONDS):
            give_up()
        try:
            yield
        finally:
            self._places.release()

    def _take(self) -> Reader:
        with self._lock:
            while self._free:
                reader = self._free.pop()
                if reader.alive:
                    return reader
                if reader.gathering:
                    self._not_gathered.add(reader.gathering)
                reader.end()
        return _start()

    def close(self) -> None:
        """End all readers that are not at work."""
        with self._lock:
            for reader in self._free:
                reader.end()
            self._free.clear()


def _start() -> Reader:
    try:
        return Reader()
    except OSError as error:
        raise ReaderFailedError(f"No process could be started to read HDF5 files: {why(error)}.") from error


_pool: ReaderPool | None = None
_pool_lock = threading.Lock()


def reader_pool() -> ReaderPool:
    """Return the readers of this process."""
    global _pool  # noqa: PLW0603  (one for the process, as the processes are)
    with _pool_lock:
        if _pool is None:
            _pool = ReaderPool()
        return _pool


def _close_pool() -> None:
    if _pool is not None:
        _pool.close()


def _forget_pool() -> None:
    global _pool, _pool_lock  # noqa: PLW0603
    _pool = None  # the pipes belong to the parent of this fork
    _pool_lock = threading.Lock()


atexit.register(_close_pool)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
