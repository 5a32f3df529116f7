"""The folder in which packed lookups are kept: one below the person's cache folder for every lookup."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from h5explorer_py.files import Signature
from h5explorer_py.lookup.packed.layout import MOST_ROWS, OWNER, VERSION, Header

if TYPE_CHECKING:
    from h5explorer_py.lookup.base import Lookup

CACHE_VARIABLE = "H5EXPLORER_CACHE"

FRESH_SECONDS = 60.0
"""For how long a sign of life of the one who packs a lookup counts."""

SMALLEST = 100_000
"""Rows from which on a lookup is packed: smaller ones are as quick without."""

BYTES_A_ROW = 40
"""Room that packing takes for every row, its buckets included; what stays is 36."""


def cache_root() -> str:
    """Return the folder for what can be made again: ``H5EXPLORER_CACHE`` or else the system's place for it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    general = os.environ.get("XDG_CACHE_HOME")
    if general and os.path.isabs(general):
        return os.path.join(general, "h5explorer")
    own = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return os.path.join(os.path.expanduser("~"), own, "h5explorer")


def origin_of(lookup: Lookup) -> Header | None:
    """Return what a lookup is and in which state; ``None`` where packing it is of no use.

    Devices and inodes are left out: the same file has others on every machine of a cluster.
    """
    if not SMALLEST <= lookup.num_rows < MOST_ROWS or not lookup.sources:
        return None
    sources = tuple((path, Signature(0, 0, state.size, state.mtime_ns)) for path, state in lookup.sources)
    return Header(sources, lookup.columns.uuid, lookup.columns.filepath, lookup.num_rows)


def known_rows(lookup: Lookup, root: str) -> int | None:
    """Return how many rows a lookup has by what has been packed of it; ``None`` where that is not whole."""
    sources = tuple((path, Signature(0, 0, state.size, state.mtime_ns)) for path, state in lookup.sources)
    if not sources:
        return None
    origin = Header(sources, lookup.columns.uuid, lookup.columns.filepath, 0)
    kept = Header.read(folder_of(origin, root))
    if kept is None or not kept.whole or not kept.is_of(origin.changed(lookup_rows=kept.lookup_rows)):
        return None
    return kept.lookup_rows


def folder_of(origin: Header, root: str) -> str:
    """Return the folder of a lookup: by its paths and key columns, whatever its state."""
    names = [os.path.abspath(path) for path, _ in origin.sources]
    described = json.dumps([names, origin.uuid_column, origin.filepath_column])
    mark = hashlib.sha256(described.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(names[0]).stem)[:40].strip("_") or "lookup"
    return os.path.join(root, "lookups", f"{stem}-{mark}")


class Claim:
    """The right to write to a lookup's folder, which one process has at a time.

    Parameters
    ----------
    folder : str
        The folder.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, OWNER)
        self._marked = 0.0

    def take(self) -> bool:
        """Take the right; ``False`` where another process that lives has it.

        Raises
        ------
        OSError
            Where the folder cannot be written.
        """
        for _ in range(2):
            try:
                number = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                if self.is_held:
                    return False
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path)
                continue
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump({"host": socket.gethostname(), "process": os.getpid()}, file)
            self._marked = time.monotonic()
            return True
        return False

    @property
    def is_held(self) -> bool:
        """Whether another process that lives has it."""
        age = 0.0
        try:
            age = time.time() - os.stat(self._path).st_mtime
            owner = json.loads(Path(self._path).read_text(encoding="utf-8"))
            if owner["host"] == socket.gethostname():
                return owner["process"] != os.getpid() and _lives(int(owner["process"]))
        except FileNotFoundError:
            return False
        except (OSError, ValueError, TypeError, KeyError):
            return age < FRESH_SECONDS  # just being written
        return age < FRESH_SECONDS

    def renew(self) -> None:
        """Give a sign of life, not too often."""
        if time.monotonic() - self._marked > FRESH_SECONDS / 6:
            self._marked = time.monotonic()
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def leave(self) -> None:
        """Give the right back."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@dataclass(frozen=True)
class Kept:
    """A packed lookup in the cache.

    Attributes
    ----------
    folder : str
        Where it is.
    lookup : str
        The lookup's file, or the first of its files; empty where its folder does not tell.
    files : int
        How many files the lookup has.
    rows, lookup_rows : int
        How many rows are packed, and how many there are.
    bytes : int
        The room it takes.
    used : float
        When it was used last, in seconds since 1970.
    current : bool
        Whether the lookup's files are still in the state in which they were packed.
    """

    folder: str
    lookup: str
    files: int
    rows: int
    lookup_rows: int
    bytes: int
    used: float
    current: bool


def kept_lookups(root: str) -> list[Kept]:
    """Return what is in the cache, what was used last first."""
    try:
        with os.scandir(os.path.join(root, "lookups")) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted((_kept(folder) for folder in folders), key=lambda each: each.used, reverse=True)


def _kept(folder: str) -> Kept:
    header = Header.read(folder)
    size, used = size_of(folder), 0.0
    with contextlib.suppress(OSError):
        used = os.stat(folder).st_mtime
    if header is None or not header.sources:
        return Kept(folder, "", 0, 0, 0, size, used, current=False)
    current = header.version == VERSION and all(_is_in(path, state) for path, state in header.sources)
    return Kept(folder, header.sources[0][0], len(header.sources), header.rows, header.lookup_rows, size, used, current)


def _is_in(path: str, state: Signature) -> bool:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return False
    return (found.st_size, found.st_mtime_ns) == (state.size, state.mtime_ns)


def size_of(folder: str) -> int:
    """Return the bytes that the files of a folder take."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total


def mark_used(folder: str) -> None:
    """Remember that a lookup was used now."""
    with contextlib.suppress(OSError):
        os.utime(folder)


def remove(kept: Kept) -> bool:
    """Remove a packed lookup; ``False`` where a process that lives is just packing it, or it cannot be removed."""
    claim = Claim(kept.folder)
    try:
        if not claim.take():
            return False
    except OSError:
        return False
    try:
        shutil.rmtree(kept.folder)
    except OSError:
        claim.leave()
        return False
    return True
