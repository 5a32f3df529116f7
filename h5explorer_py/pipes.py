"""What both ends of a pipe between this process and one that it started need."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def readiness(pipe: int) -> Callable[[float], bool] | None:
    """Return what tells, within so many seconds, whether a pipe can be read; ``None`` where nothing can (Windows)."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        return lambda seconds: bool(poll.poll(seconds * 1000))
    if sys.platform == "win32":
        return None
    return lambda seconds: bool(select.select([pipe], [], [], seconds)[0])


def send(pipe: int, data: bytes | memoryview) -> None:
    """Write all bytes: of one call, the system may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


def own_streams() -> tuple[int, int]:
    """Take over what were the standard input and output; libraries that print, or read, reach neither."""
    requests = os.dup(0)
    replies = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return requests, replies


def leave_no_core() -> None:
    """Have the system write no image of this process, which may be large, where it crashes."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
