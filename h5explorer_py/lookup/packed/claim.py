"""The right to write to a lookup's folder in the cache, which one process has at a time, on any machine."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from h5explorer_py.lookup.packed.layout import HEADER, OWNER
from h5explorer_py.owner import Owner

FRESH_SECONDS = 60.0
"""For how long a sign of life counts of one that cannot be asked: it runs on another machine."""

LONGEST_SECONDS = 600.0
"""For how long one counts of a process that is there: it may be stopped, or its number may name another by now."""


class ClaimLostError(Exception):
    """Another process has taken the right over."""


@dataclass(frozen=True)
class _Sign:
    """What the one says who took the right last."""

    text: str
    holds: bool
    is_gone: bool  # for certain: what it has written can be gone on with


class Claim:
    """The right to write to a lookup's folder.

    Parameters
    ----------
    folder : str
        The folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, OWNER)
        self._text = json.dumps({**Owner.own().to_json(), "token": secrets.token_hex(8)})
        self._marked = 0.0

    def take(self) -> bool:
        """Take the right; ``False`` where another process that lives has it.

        What was written by one that may live, though it has given no sign for long, is not gone on with.

        Raises
        ------
        OSError
            Where the folder cannot be written.
        """
        for _ in range(2):
            try:
                number = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                owner = self._owner()
                if owner is not None and (owner.holds or not self._put_away(owner)):
                    return False
                continue
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(self._text)
            self._marked = time.monotonic()
            return True
        return False

    @property
    def is_held(self) -> bool:
        """Whether another process that lives has it."""
        owner = self._owner()
        return owner is not None and owner.holds

    def _owner(self) -> _Sign | None:
        try:
            marked = os.stat(self._path).st_mtime
            age = self._now() - marked  # not before: it writes to the folder, which so looks as if it were used
            text = Path(self._path).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        if text == self._text:
            return _Sign(text, holds=False, is_gone=True)
        lives = None
        with contextlib.suppress(ValueError, TypeError, KeyError):
            owner = Owner.of_json(json.loads(text))
            lives = None if owner.is_own else owner.lives
        if lives is None:
            return _Sign(text, holds=age < FRESH_SECONDS, is_gone=False)
        return _Sign(text, holds=lives and age < LONGEST_SECONDS, is_gone=not lives)

    def _now(self) -> float:
        """Return the time by the clock that marks the files: that of a file server may be another than ours."""
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=OWNER) as file:
                return os.fstat(file.fileno()).st_mtime
        except OSError:
            return time.time()

    def _put_away(self, owner: _Sign) -> bool:
        """Remove the sign of one that does not hold it; ``False`` where another process is at that."""
        turn = f"{self._path}.turn"
        try:
            os.close(os.open(turn, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if self._now() - os.stat(turn).st_mtime > FRESH_SECONDS:  # its process ended just then
                    os.unlink(turn)
            return False
        try:
            if self._owner() != owner:
                return False
            if not owner.is_gone:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, HEADER))
            os.unlink(self._path)
        finally:
            with contextlib.suppress(FileNotFoundError):  # this process stood still for long meanwhile
                os.unlink(turn)
        return True

    def renew(self) -> None:
        """Give a sign of life, not too often.

        Raises
        ------
        ClaimLostError
            Where another process has the right now.
        """
        if time.monotonic() - self._marked < FRESH_SECONDS / 6:
            return
        self._marked = time.monotonic()
        if not self._is_ours():
            raise ClaimLostError
        with contextlib.suppress(OSError):
            os.utime(self._path)

    def _is_ours(self) -> bool:
        try:
            return Path(self._path).read_text(encoding="utf-8", errors="replace") == self._text
        except FileNotFoundError:
            return False
        except OSError:
            return True  # that it cannot be looked at now does not say that it is lost

    def leave(self) -> None:
        """Give the right back."""
        with contextlib.suppress(OSError):
            if self._is_ours():
                os.unlink(self._path)
