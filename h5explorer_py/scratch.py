"""Temporary folders for what does not fit in memory. Each says whose it is, so that none is left behind for ever."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

from h5explorer_py.errors import ExplorerError, WriteFailedError
from h5explorer_py.files import why
from h5explorer_py.lookup.packed.store import CACHE_VARIABLE
from h5explorer_py.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRATCH = "scratch"
"""The folder for them, below that of the cache."""

_PREFIX = "h5explorer-"
_OWNER = "owner.json"
_OLD_SECONDS = 24 * 3600
"""What does not say whose it is (files of DuckDB) is of no use any more when nothing has written to it for so long."""


def temporary_folder(scratch: str | None) -> TemporaryDirectory[str]:
    """Make a folder of its own for this process.

    Parameters
    ----------
    scratch : str or None
        Where; the system's folder for such things where it is ``None``.

    Raises
    ------
    OSError
        Where nothing can be written.
    """
    folder = TemporaryDirectory(prefix=_PREFIX, dir=scratch, ignore_cleanup_errors=True)
    try:
        with open(os.path.join(folder.name, _OWNER), "w", encoding="utf-8") as file:
            json.dump(Owner.own().to_json(), file)
    except BaseException:
        folder.cleanup()
        raise
    return folder


@contextmanager
def put_aside(folder: str | None) -> Iterator[None]:
    """Turn the system's refusal to keep what does not fit in memory into an error that says what to do.

    Parameters
    ----------
    folder : str or None
        Where it is put; the system's folder for such things where it is ``None``.

    Raises
    ------
    WriteFailedError
    """
    try:
        yield
    except ExplorerError:
        raise
    except OSError as error:
        raise WriteFailedError(
            f"What does not fit in memory cannot be kept in {folder or gettempdir()}: {why(error)}.",
            action=f"Make room there, or set {CACHE_VARIABLE} to a folder with room.",
        ) from error


def left_behind(root: str) -> list[str]:
    """Return what is in the scratch folder of a cache and belongs to no process that lives, sorted."""
    try:
        with os.scandir(os.path.join(root, SCRATCH)) as entries:
            return sorted(entry.path for entry in entries if _is_left_behind(entry))
    except OSError:
        return []


def _is_left_behind(entry: os.DirEntry[str]) -> bool:
    with (
        suppress(OSError, ValueError, TypeError, KeyError),
        open(os.path.join(entry.path, _OWNER), encoding="utf-8") as file,
    ):
        return Owner.of_json(json.load(file)).is_gone(entry.path)
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD_SECONDS
    except OSError:
        return False
