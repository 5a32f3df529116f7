"""Large messages to hosts that take only small ones, cut in pieces; the twin of ``src/channel/pieces.ts``.

A message is put into a frame, as a websocket has it, and the frame is cut. A piece is ``{"kind": "piece",
"message": name, "at": index, "of": count}`` with its bytes as the one buffer. The pieces of a message come one behind
the other: the dispatcher sends nothing between them.
"""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import BadRequestError
from h5explorer_py.serve.frames import pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from h5explorer_py.dispatch import Buffers, Send

VARIABLE = "H5EXPLORER_MESSAGE_BYTES"
"""Names the variable that says how many bytes a message may have; without it, or with 0, any number."""

LEAST = 1_000

COLAB_BYTES = 700_000
"""Colab is known to break above 1 MB; as base64 these and what is around them are below."""


def most_bytes() -> int | None:
    """Return how many bytes a message may have here; ``None`` for any number, as in all of Jupyter.

    Raises
    ------
    BadRequestError
        Where the variable says something else.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return COLAB_BYTES if "google.colab" in sys.modules else None
    most = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 1
    if most == 0:
        return None
    if most < LEAST:
        raise BadRequestError(
            f"{VARIABLE} is a number of bytes, {LEAST:,} or more, or 0 for any number, not {text[:40]!r}.",
            action=f"Set it to such a number, or remove it: del os.environ[{VARIABLE!r}].",
        )
    return most


def in_pieces(send: Send, most: int | None) -> Send:
    """Have messages of more bytes than ``most`` sent in pieces; where that is ``None``, nothing is changed."""
    if most is None:
        return send
    numbers = itertools.count()

    def send_in_pieces(content: dict[str, Any], buffers: Buffers) -> None:
        frame = pack(content, buffers)
        if len(frame) <= most:
            send(content, buffers)
            return
        for piece, part in cut(frame, str(next(numbers)), most):
            send(piece, [part])

    return send_in_pieces


def cut(frame: bytes, name: str, most: int) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Cut a frame in pieces of up to ``most`` bytes."""
    starts = range(0, len(frame), most)
    for at, start in enumerate(starts):
        yield {"kind": "piece", "message": name, "at": at, "of": len(starts)}, frame[start : start + most]
