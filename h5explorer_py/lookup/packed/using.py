"""Which packed lookups are in use: what is being read is not removed to make room for another."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from pathlib import Path

from h5explorer_py.owner import Owner

_FOLDER = "using"
_STALE_SECONDS = 24 * 3600
"""A process of another machine cannot be asked for; its sign counts for so long."""


class Use:
    """The sign that this process reads a packed lookup. Where the cache cannot be written, there is none.

    Parameters
    ----------
    folder : str
        The lookup's folder in the cache.
    """

    def __init__(self, folder: str) -> None:
        lookups, name = os.path.split(folder)
        self._path = os.path.join(os.path.dirname(lookups), _FOLDER, f"{name}.{secrets.token_hex(8)}")
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            Path(self._path).write_text(json.dumps(Owner.own().to_json()), encoding="utf-8")

    def end(self) -> None:
        """Say that it is read no more."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def in_use(root: str) -> set[str]:
    """Return the names of the folders that processes read which live; the signs of others are removed.

    Parameters
    ----------
    root : str
        The cache folder.
    """
    names = set()
    try:
        with os.scandir(os.path.join(root, _FOLDER)) as entries:
            signs = [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return set()
    for sign in signs:
        if _counts(sign):
            names.add(os.path.basename(sign).rpartition(".")[0])
        else:
            with contextlib.suppress(OSError):
                os.unlink(sign)
    return names


def _counts(sign: str) -> bool:
    lives = None
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        lives = Owner.of_json(json.loads(Path(sign).read_text(encoding="utf-8"))).lives
    if lives is not None:
        return lives
    try:
        return time.time() - os.stat(sign).st_mtime < _STALE_SECONDS
    except OSError:
        return False
