"""Reading files that may change or vanish while they are open: signatures and positioned reads."""

from __future__ import annotations

import io
import os
import stat
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PathText = str
"""A file's path as text, as the operating system takes it."""


class Signature(NamedTuple):
    """What tells one state of a file from another.

    Two states of a file that were written within one tick of the file system's clock (a few milliseconds on
    Linux), in place and with the same length, are not told apart.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """Take the signature out of what ``os.stat`` returned."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def regular_file(path: PathText) -> Signature:
    """Return the signature of a regular file.

    Raises
    ------
    OSError
        Where there is no such file, it may not be seen, or it is a folder, pipe or device: opening one of those
        could wait for ever.
    ValueError
        Where the path holds a NUL character.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise OSError(f"it is {kind}")
    return Signature.of(status)


class HeldFile(io.FileIO):
    """An unbuffered file that is closed when the last one lets go of it.

    Who is done with it takes ``CLOSED_FILE`` in its place rather than close it: a number that is closed under a reading
    thread may name another file next.
    """

    def __del__(self) -> None:
        self.close()


CLOSED_FILE = HeldFile(os.devnull)
"""What is in the place of a file that has been let go of: reading it is a ``ValueError``."""
CLOSED_FILE.close()


def write_all(file: IO[bytes], data: memoryview) -> None:
    """Write all bytes to an unbuffered file: of one call, the system may take less than it is given.

    Raises
    ------
    OSError
        Where they do not fit.
    """
    left = data.cast("B")
    while left.nbytes:
        written = file.write(left)
        left = left[written:]


_SEEK_LOCK = threading.Lock()


def read_at(file: IO[bytes], offset: int, size: int) -> bytes:
    """Read ``size`` bytes at ``offset`` of an unbuffered file, in one call where the system allows it.

    Fewer bytes come back where the file ends before.
    """
    if not hasattr(os, "pread"):
        with _SEEK_LOCK:
            file.seek(offset)
            return file.read(size)
    data = os.pread(file.fileno(), size, offset)
    if len(data) == size or not data:
        return data
    parts = [data]  # Linux reads at most 2 GiB in one call; a network file system may return less
    got = len(data)
    while got < size:
        part = os.pread(file.fileno(), size - got, offset + got)
        if not part:
            break
        parts.append(part)
        got += len(part)
    return b"".join(parts)


@contextmanager
def arrow_path(path: PathText) -> Iterator[PathText]:
    """Give a path by which Arrow can open a file: it takes only those that are Unicode text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        number = os.open(path, os.O_RDONLY)
        try:
            yield f"/proc/self/fd/{number}"  # only Linux has file names of any bytes
        finally:
            os.close(number)
    else:
        yield path


def shorten(text: str, limit: int = 80) -> str:
    """Cut a long text in its middle, for a sentence that a person reads."""
    if len(text) <= limit:
        return text
    keep = (limit - 1) // 2
    return f"{text[:keep]}…{text[-keep:]}"


def why(error: BaseException) -> str:
    """Say in a few words what an error from the system or a library means."""
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = str(error).strip().splitlines()
    return shorten(first[0], 200) if first else type(error).__name__
