"""The folder in which packed lookups are kept: one below the person's cache folder for every lookup."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from h5explorer_py.files import Signature
from h5explorer_py.lookup.packed.claim import Claim
from h5explorer_py.lookup.packed.layout import MOST_ROWS, VERSION, Header

if TYPE_CHECKING:
    from h5explorer_py.lookup.base import Lookup

CACHE_VARIABLE = "H5EXPLORER_CACHE"

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
