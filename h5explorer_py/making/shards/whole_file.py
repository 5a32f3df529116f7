"""Reading a file once from its begin to its end, at one go or in pieces."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO, Self

from h5explorer_py.errors import SourceNotFoundError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 8 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class WholeFile:
    """A regular file that is open; another, as a pipe is, is refused and keeps nobody waiting.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    size : int
        In bytes, when it was opened.

    Raises
    ------
    SourceNotFoundError
        Where it cannot be opened; so do the methods where it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._number = os.open(path, _FLAGS)
        except (OSError, ValueError) as error:
            raise _unopened(why(error)) from error
        status = os.fstat(self._number)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._number)
            raise _unopened("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
        self.size = status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._number)

    def whole(self) -> bytes:
        """Return all its bytes."""
        data = self._read(self.size + 1)
        if len(data) == self.size:
            return data
        return b"".join((data, *self.pieces()))  # it grows, or has shrunk, or the system gives less at a time

    def pieces(self) -> Iterator[bytes]:
        """Give its bytes from where it stands, in pieces of 8 MiB."""
        while piece := self._read(_PIECE):
            yield piece

    def opened(self) -> BinaryIO:
        """Return it as a file to seek in, which is to be closed by itself; this one then stands at the begin."""
        os.lseek(self._number, 0, os.SEEK_SET)
        return open(self._path, "rb", opener=lambda *_: os.dup(self._number))  # decoders ask for its name

    def rewind(self) -> None:
        """Stand at the begin."""
        os.lseek(self._number, 0, os.SEEK_SET)

    def _read(self, size: int) -> bytes:
        try:
            return os.read(self._number, size)
        except OSError as error:
            raise SourceNotFoundError(f"The file cannot be read: {why(error).rstrip('.')}.") from error


def _unopened(reason: str) -> SourceNotFoundError:
    return SourceNotFoundError(f"The file cannot be opened: {reason.rstrip('.')}.")
