"""Data sets whose files stay open, for the next read; not more than a few."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from h5explorer_py.files import regular_file
from h5explorer_py.stacks.chunked import ChunkedArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.stacks.index import Selection

_MOST = 64


class Held:
    """The data sets that this process has open.

    One whose file has changed since, or has another in its place, is opened anew. One that is let go of is closed when
    the last thread that reads it is done.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._open: OrderedDict[tuple[str, str], ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()  # another thread may have had it

    def __len__(self) -> int:
        return len(self._open)

    def get(
        self,
        path: str,
        find: Callable[[Any], tuple[Any, str]],
        node: str = "",
        first: tuple[Selection, ...] | None = None,
    ) -> ChunkedArray:
        """Return a file's data set; ``node`` tells several of one file apart.

        ``first`` is what is to be read next.

        Raises
        ------
        OSError
            Where the file is not there.
        StackUnreadableError, OutsideDataError, MissingFilterError
            Where it cannot be read.
        """
        signature, key = regular_file(path), (path, node)
        with self._lock:
            found = self._open.get(key)
            if found is not None and found.signature == signature:
                self._open.move_to_end(key)
                return found
            self._open.pop(key, None)
        found = ChunkedArray(path, find, first)
        with self._lock:
            self._open[key] = found
            while len(self._open) > self._most:
                self._open.popitem(last=False)
        return found

    def drop(self, inside: str) -> None:
        """Let go of a file, or of those in a folder."""
        with self._lock:
            for key in [key for key in self._open if inside in {key[0], os.path.dirname(key[0])}]:
                del self._open[key]


HELD = Held()
"""Those of all arrays."""
