"""Which tiles of a grid a selection falls into: files of a set, chunks of a file."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from h5explorer_py.stacks.index import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Piece(NamedTuple):
    """What a selection takes of one tile, along one axis.

    Attributes
    ----------
    tile : int
        The tile's number along the axis.
    where : slice
        Where its values go in the box.
    inside : range or ndarray
        The positions in the tile, counted from its first one.
    """

    tile: int
    where: slice
    inside: Selection


Part = tuple[tuple[int, ...], tuple[slice, ...], tuple[Selection, ...]]
"""A tile's place in the grid, where its values go in the box, and their positions in the tile."""


def pieces(selection: Selection, length: int, count: int) -> list[Piece]:
    """Divide a selection along one axis.

    Parameters
    ----------
    selection : range or ndarray
        Positions in rising order.
    length : int
        The length of a tile.
    count : int
        How many tiles there are; the last one has all that is left.
    """
    found: list[Piece] = []
    done = 0
    while done < len(selection):
        tile = min(int(selection[done]) // length, count - 1)
        begin = tile * length
        end = len(selection) if tile == count - 1 else _before(selection, begin + length)
        some = selection[done:end]
        inside = range(some.start - begin, some.stop - begin, some.step) if isinstance(some, range) else some - begin
        found.append(Piece(tile, slice(done, end), inside))
        done = end
    return found


def _before(selection: Selection, bound: int) -> int:
    """Return how many of the positions lie before a bound."""
    if isinstance(selection, range):
        return min(len(selection), -((selection.start - bound) // selection.step))
    return int(np.searchsorted(selection, bound))


def divide(selections: Sequence[Selection], lengths: Sequence[int], counts: Sequence[int]) -> Iterator[Part]:
    """Divide a box: give each tile's place in the grid, where its values go, and the positions in it."""
    along = [pieces(*each) for each in zip(selections, lengths, counts, strict=True)]
    for some in itertools.product(*along):
        yield tuple(p.tile for p in some), tuple(p.where for p in some), tuple(p.inside for p in some)
