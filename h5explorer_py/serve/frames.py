"""Messages of a websocket, JSON and buffers in one binary frame; the twin of ``src/channel/frames.ts``.

A frame is the length of its head in 4 bytes (little-endian), the head, and the buffers one behind the other. The head
is JSON in UTF-8: ``{"content": ..., "buffers": [length, ...]}``.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH = struct.Struct("<I")


def pack(content: Any, buffers: Sequence[bytes] = ()) -> bytes:
    """Put a message into a frame.

    Raises
    ------
    ValueError
        Where the content cannot be written as JSON, such as a number that is none.
    """
    lengths = [len(each) for each in buffers]
    head = json.dumps({"content": content, "buffers": lengths}, allow_nan=False, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *buffers))


def unpack(frame: bytes) -> tuple[Any, list[bytes]]:
    """Take a message out of a frame.

    Raises
    ------
    BadRequestError
        Where it is no frame.
    """
    if len(frame) < _LENGTH.size:
        raise BadRequestError("A frame begins with the length of its head.")
    at = _LENGTH.size + int(_LENGTH.unpack_from(frame)[0])
    try:
        head: Any = json.loads(frame[_LENGTH.size : at]) if at <= len(frame) else None
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The head of a frame is JSON.") from error
    fields = head if isinstance(head, dict) else {}
    lengths = fields.get("buffers")
    if not isinstance(lengths, list) or not all(type(each) is int and each >= 0 for each in lengths):
        raise BadRequestError("The head of a frame has the lengths of its buffers.")
    if at + sum(lengths) != len(frame):
        raise BadRequestError("A frame is as long as its head and its buffers.")
    buffers = []
    for length in lengths:
        buffers.append(frame[at : at + length])
        at += length
    return fields.get("content"), buffers
