"""The room that the cache may take: what was used longest ago goes, so that something new fits."""

from __future__ import annotations

import os
import time

from h5explorer_py.errors import BadRequestError, TooLargeError
from h5explorer_py.lookup.packed.claim import Claim
from h5explorer_py.lookup.packed.store import kept_lookups, remove, size_of
from h5explorer_py.lookup.packed.using import in_use
from h5explorer_py.sizes import parse_size, size_text

LIMIT_VARIABLE = "H5EXPLORER_CACHE_LIMIT"

_LOOK_SECONDS = 1.0
_ACTION = f"Raise cache_limit or {LIMIT_VARIABLE}, or clear the cache."


def usual_limit() -> int | None:
    """Return how many bytes the cache may take where nobody says otherwise; ``None`` where any number.

    Raises
    ------
    BadRequestError
        Where the environment's variable is no size.
    """
    text = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not text:
        return None
    try:
        return parse_size(text)
    except BadRequestError as error:
        raise BadRequestError(f"{LIMIT_VARIABLE} is {text!r}, which is no size, such as 20 GB.") from error


class Room:
    """The room for one packed lookup.

    Parameters
    ----------
    folder : str
        Its folder in the cache.
    limit : int or None
        How many bytes all packed lookups may take.
    """

    def __init__(self, folder: str, limit: int | None) -> None:
        self._folder = folder
        self._root = os.path.dirname(os.path.dirname(folder))
        self._limit = limit
        self._granted = 0
        self._looked = time.monotonic()

    def make(self, needed: int) -> None:
        """Make room for so many bytes. Nothing is removed where that would not be enough.

        Raises
        ------
        TooLargeError
            Where the lookup, with those that are in use or just being packed, takes more than the limit.
        """
        if self._limit is None:
            return
        if needed > self._limit:
            text = f"The index takes {size_text(needed)}, and the cache is limited to {size_text(self._limit)}."
            raise TooLargeError(text, action=_ACTION)
        others = [each for each in kept_lookups(self._root) if each.folder != self._folder]
        excess = needed + sum(each.bytes for each in others) - self._limit
        if excess > 0:
            using = in_use(self._root)
            unused = [each for each in others if os.path.basename(each.folder) not in using]
            unused = [each for each in unused if not Claim(each.folder).is_held]
            if excess <= sum(each.bytes for each in unused):
                for each in reversed(unused):
                    if excess > 0 and remove(each):
                        excess -= each.bytes
            if excess > 0:
                text = f"The cache is limited to {size_text(self._limit)}, and of that too much is in use."
                raise TooLargeError(f"{text} The index takes {size_text(needed)}.", action=_ACTION)
        self._granted = needed

    def check(self, *, now: bool = False) -> None:
        """Look, not too often, whether the lookup takes more than was thought; make room for that.

        Raises
        ------
        TooLargeError
            Where there is none.
        """
        if self._limit is None or (not now and time.monotonic() - self._looked < _LOOK_SECONDS):
            return
        self._looked = time.monotonic()
        size = size_of(self._folder)
        if size > self._granted:
            self.make(size)
