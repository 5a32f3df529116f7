"""Reading many places of a file, those that lie together at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from h5explorer_py.files import Signature, read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP_BYTES = 16 << 10
"""Bytes between two places up to which both are read at once: headers lie there."""


def read_places(path: str, signature: Signature, places: list[tuple[int, int]]) -> list[bytes] | None:
    """Read places of a file, which are in order; ``None`` where that fails or the file is in another state."""
    data: list[bytes] = []
    try:
        with open(path, "rb", buffering=0) as file:
            for first, last in _spans(places):
                begin = places[first][0]
                span = read_at(file, begin, max(at + size for at, size in places[first:last]) - begin)
                data += [span[at - begin : at - begin + size] for at, size in places[first:last]]
            if Signature.of(os.fstat(file.fileno())) != signature:
                return None
    except OSError:
        return None
    sizes = [len(each) for each in data]
    return data if sizes == [size for _, size in places] else None


def _spans(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Put places together that lie so near that one read is better than two: give first and last of each span."""
    first = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at][0] - sum(places[at - 1]) > _GAP_BYTES:
            yield first, at
            first = at
