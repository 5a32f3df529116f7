"""What the kernel and its reader processes share: how messages are framed, and how to wait for one."""

from __future__ import annotations

import select
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_IMAGE = 256 << 20
"""Bytes of an image that is given out."""

LENGTH = struct.Struct("<I")
"""In front of every message: how many bytes of JSON follow."""


def readiness(pipe: int) -> Callable[[float], bool] | None:
    """Return what tells, within so many seconds, whether a pipe can be read; ``None`` where nothing can (Windows)."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        return lambda seconds: bool(poll.poll(seconds * 1000))
    if sys.platform == "win32":
        return None
    return lambda seconds: bool(select.select([pipe], [], [], seconds)[0])
