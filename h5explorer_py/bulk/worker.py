"""A process that does tasks of a bulk job.

It is told where modules are found and what it may use, writes one byte when it is ready, then takes calls on its
standard input and answers on its standard output, each a pickle behind its length in 8 bytes. Which item it works on
lies in memory that both processes see: saying so costs next to nothing, and holds when it crashes.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any

from h5explorer_py.errors import UnsupportedError
from h5explorer_py.pipes import leave_no_core, own_streams, send

LENGTH = struct.Struct("<Q")
"""In front of every message."""

CELL = struct.Struct("=qq")
"""How many items have been begun, and the number of the last."""

NONE = -1
"""Stands for no item."""

_CHUNK = 1 << 20
_PARENT_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Settings:
    """What a worker is told at first.

    Attributes
    ----------
    parent : int
        The number of the process that it ends with.
    path : list of str
        Where modules are found, in order.
    cell : int
        The descriptor of the memory in which it says what it works on.
    memory : int or None
        How many bytes it may use.
    """

    parent: int
    path: list[str]
    cell: int
    memory: int | None


class Cell:
    """The memory in which a worker says what it works on."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, CELL.size)
        self._words = memoryview(self._memory).cast("q")

    def begin(self, item: int) -> None:
        """Say that an item is worked on from now on."""
        self._words[1] = item
        self._words[0] += 1


def serve(requests: int, replies: int, cell: Cell) -> None:
    """Do calls until their stream ends."""
    while (message := receive(requests)) is not None:
        reply = _answer(message, cell)
        del message
        send(replies, LENGTH.pack(len(reply)))
        send(replies, reply)
        del reply  # or it stays until the next one is done


def receive(requests: int) -> bytearray | None:
    """Return the next message; ``None`` where there is none any more."""
    length = _exactly(requests, LENGTH.size)
    return None if length is None else _exactly(requests, LENGTH.unpack(length)[0])


def _exactly(pipe: int, size: int) -> bytearray | None:
    data = bytearray()
    while len(data) < size:
        part = os.read(pipe, min(size - len(data), _CHUNK))
        if not part:
            return None
        data += part
    return data


def _answer(message: bytearray, cell: Cell) -> bytes:
    try:
        try:
            function, arguments, named, watched = pickle.loads(message)  # noqa: S301  (of this package's own)
        except MemoryError:
            raise
        except Exception as error:
            raise UnsupportedError(
                f"A worker process cannot find what is to be done: {type(error).__name__}: {error}.",
                action="Functions and classes must be in a module that can be imported, not in the script or notebook.",
            ) from error
        if watched:
            task, doomed = arguments
            arguments = task, cell.begin, doomed
        try:
            result = function(*arguments, **named)
        finally:
            cell.begin(NONE)
        return _packed(result)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the one who asked is told)
        return _packed_error(error)


def _packed(result: Any) -> bytes:
    try:
        return pickle.dumps((True, result), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise
    except Exception as error:
        raise UnsupportedError(f"The result of a task cannot be sent: {type(error).__name__}: {error}.") from error


def _packed_error(error: BaseException) -> bytes:
    """Pack an error with where it came from; where it cannot be unpacked as it is, with its kind as text."""
    try:
        error.add_note("In a worker process:\n" + "".join(traceback.format_exception(error)).rstrip())
        packed = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        if type(pickle.loads(packed)[1]) is type(error):  # noqa: S301
            return packed
    except MemoryError:
        return pickle.dumps((False, MemoryError("A worker process has run out of memory.")))
    except Exception:  # noqa: BLE001, S110  (it may take and do anything)
        pass
    return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")), pickle.HIGHEST_PROTOCOL)


def _end_with(parent: int) -> None:
    """End as the parent ends, whatever this process is at, and however that one ends."""
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) == 0:
            if os.getppid() != parent:  # it was too late
                os._exit(1)
            return
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


def _limit_memory(memory: int | None) -> None:
    if memory is None or sys.platform == "win32":
        return
    import resource

    # Not the address space: files that are mapped into it take none.
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(hard, memory)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def main() -> None:
    """Do tasks on what were the standard streams, until the input ends."""
    requests, replies = own_streams()
    message = receive(requests)
    if message is None:
        return
    settings: Settings = pickle.loads(message)  # noqa: S301  (of this package's own)
    _end_with(settings.parent)
    leave_no_core()
    cell = Cell(settings.cell)
    sys.path[:] = settings.path
    _limit_memory(settings.memory)
    os.dup2(1, 2)  # what it says from now on is the libraries' chatter
    send(replies, b".")
    serve(requests, replies, cell)
