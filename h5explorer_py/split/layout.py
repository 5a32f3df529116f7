"""How large blocks and their chunks are made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK_BYTES = 128 << 20
_CHUNK_BYTES = 1 << 20
_MOST_DEEP = 32
_NARROWEST, _WIDEST = 64, 256


def block_shape(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the shape of blocks of up to 128 MiB, which are divided along as few axes as it takes."""
    block = list(shape)
    for axis, length in enumerate(shape):
        rest = math.prod(block[axis + 1 :]) * itemsize
        block[axis] = _even(length, max(1, _BLOCK_BYTES // rest))
        if rest <= _BLOCK_BYTES:
            break
    return tuple(block)


def chunk_shape(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the shape of a block's chunks: tiles of planes, many deep along the first axis.

    A plane then takes a short piece of each of its tiles, as Blosc unpacks parts of chunks, and a voxel through time
    one chunk a block.
    """
    chunk = [1] * len(shape)
    for axis in range(max(0, len(shape) - 2), len(shape)):
        wide = min(_WIDEST, max(_NARROWEST, shape[axis] // 8))
        chunk[axis] = _even(shape[axis], wide)
    if len(shape) > 2:
        chunk[0] = _even(shape[0], max(1, min(_MOST_DEEP, _CHUNK_BYTES // plane_bytes(chunk, itemsize))))
    return tuple(chunk)


def plane_bytes(chunk: Sequence[int], itemsize: int) -> int:
    """Return how many bytes of a chunk lie in one plane of the last two axes."""
    return math.prod(chunk[-2:]) * itemsize


def _even(length: int, most: int) -> int:
    """Return the length of parts, up to so long, that are all about as long."""
    return -(-length // -(-length // most))
