"""Where the data and the cache are: file systems, locks, room."""

from __future__ import annotations

import errno
import os
import shutil
import statistics
import tempfile
import time
from typing import TYPE_CHECKING

from h5explorer_py.doctor.finding import Finding
from h5explorer_py.files import read_at, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOW_SECONDS = 0.005
_LEAST_ROOM = 1 << 30
_TIMES = 9
_READ = 4096
_REMOTE = ("nfs", "lustre", "gpfs", "beegfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "panfs")
_MOUNTS = "/proc/mounts"


def file_system(path: str, mounts: str = _MOUNTS) -> tuple[str, str] | None:
    """Return the kind of file system that a path is on, and where it is mounted; ``None`` where nothing tells."""
    real = os.path.realpath(path)
    best: tuple[str, str] | None = None
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split() for line in file]
    except OSError:
        return None
    for _, place, kind, *_ in (fields for fields in lines if len(fields) >= 3):
        mounted = place.encode().decode("unicode_escape") if "\\" in place else place
        inside = real == mounted or real.startswith(mounted.rstrip("/") + "/")
        if inside and (best is None or len(mounted) >= len(best[1])):
            best = kind, mounted
    return best


def mount(path: str) -> Iterator[Finding]:
    """Look at how quickly a file is seen and read, and what it lies on."""
    found = file_system(path)
    where = "" if found is None else f", {found[0]} on {found[1]}"
    try:
        looked = _median(lambda _: os.stat(path))
        read = _median_read(path) if os.path.isfile(path) else looked
    except OSError as error:
        yield Finding("file system", "bad", f"{path} cannot be read: {why(error)}.")
        return
    slowest = max(looked, read)
    text = f"a look takes {1000 * looked:.2f} ms, a small read {1000 * read:.2f} ms{where}"
    if slowest > _SLOW_SECONDS:
        copy = f"cp -r {os.path.dirname(os.path.abspath(path))} $TMPDIR"
        yield Finding("file system", "note", f"It is slow: {text}.", copy)
    else:
        yield Finding("file system", "good", f"{text}.")
    if found is not None and found[0].startswith(_REMOTE):
        yield Finding("file system", "note", f"{found[0]} is shared by many machines: how quick it is, changes.")


def _median(act: Callable[[int], object]) -> float:
    times = []
    for turn in range(_TIMES):
        begun = time.perf_counter()
        act(turn)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _median_read(path: str) -> float:
    size = os.stat(path).st_size
    with open(path, "rb", buffering=0) as file:
        return _median(lambda turn: read_at(file, turn * max(0, size - _READ) // _TIMES, _READ))


def locks(path: str | None) -> Iterator[Finding]:
    """Look at whether files can be locked; the explorer itself needs none."""
    variable = os.environ.get("HDF5_USE_FILE_LOCKING")
    yield Finding("file locks", "good", f"HDF5_USE_FILE_LOCKING is {variable or 'not set'}; h5explorer takes no locks.")
    if path is None or not os.path.isfile(path):
        return
    reason = _lock_refused(path)
    if reason and (variable or "").upper() not in {"FALSE", "0", "BEST_EFFORT"}:
        text = f"The file system gives no locks ({reason}): other programs cannot open HDF5 files on it."
        yield Finding("file locks", "note", text, "export HDF5_USE_FILE_LOCKING=FALSE")


def _lock_refused(path: str) -> str:
    """Return why a file cannot be locked for reading; empty where it can, or another holds it."""
    try:
        import fcntl
    except ImportError:
        return ""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return "" if error.errno in {errno.EWOULDBLOCK, errno.EAGAIN} else why(error)
        fcntl.flock(file, fcntl.LOCK_UN)
    return ""


def cache(folder: str) -> Finding:
    """Look at whether large lookups can be packed."""
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b".")
        room = shutil.disk_usage(folder).free
    except OSError as error:
        text = f"{folder} cannot be written ({why(error)}): large lookups are not packed."
        return Finding("cache", "bad", text, "export H5EXPLORER_CACHE=/a/folder/of/yours")
    if room < _LEAST_ROOM:
        text = f"{folder} has room for {room / 1e6:,.0f} MB: a packed lookup takes 36 bytes a row."
        return Finding("cache", "note", text, "h5explorer cache clear --stale")
    return Finding("cache", "good", f"{folder}, {room / 1e9:,.0f} GB free")
