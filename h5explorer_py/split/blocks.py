"""How an array is divided into blocks, a file each."""

from __future__ import annotations

import itertools
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import BadArrayError, BadIndexError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Crop = tuple[tuple[int, int], ...]
"""By axis, how many positions are cut off at its start and at its end."""

_LARGEST = 1 << 62


class Blocks:
    """A division of an array into blocks, which are numbered from 0, the last axis counting fastest.

    Parameters
    ----------
    shape_full : sequence of int
        The array's shape.
    shape_block : int or sequence of int or None, optional
        The lengths of a block, from the first axis on; ``None``, and axes that are not named, are not divided.
    dim_split : int or sequence of int, optional
        The axes that the lengths, or numbers, are for, where they are not the first ones.
    blocks_number : int or sequence of int, optional
        How many blocks there are along each axis, in place of their lengths.
    padding : int or sequence of int
        By how many positions each block goes on into the next one; an int is for the axes that are divided.
    crop : sequence of (int, int), optional
        How many positions to cut off at the start and end of each axis before it is divided.

    Attributes
    ----------
    shape_full, shape_block, shape_cropped, padding : tuple of int
    crop : tuple of (int, int)
    grid : tuple of int
        How many blocks there are along each axis.

    Raises
    ------
    BadArrayError
        Where an array cannot be divided so.
    """

    def __init__(  # noqa: PLR0917  (as the original has them)
        self,
        shape_full: Sequence[int],
        shape_block: int | Sequence[int | None] | None = None,
        dim_split: int | Sequence[int] | None = None,
        blocks_number: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        crop: Any = None,
    ) -> None:
        self.shape_full = whole_numbers(shape_full, "The shape")
        if not self.shape_full:
            raise BadArrayError("A single value, without axes, is not divided into blocks.")
        if min(self.shape_full) < 1 or math.prod(self.shape_full) > _LARGEST:
            raise BadArrayError(f"An array of the shape {self.shape_full} has no values, or too many.")
        self.crop = read_crop(crop, self.shape_full)
        self.shape_cropped = tuple(
            length - start - end for length, (start, end) in zip(self.shape_full, self.crop, strict=True)
        )
        lengths = self._lengths(shape_block, dim_split, blocks_number)
        self.shape_block = tuple(min(pair) for pair in zip(lengths, self.shape_cropped, strict=True))
        if isinstance(padding, (int, np.integer)):
            divided = zip(self.shape_block, self.shape_cropped, strict=True)
            padding = [int(padding) if block < length else 0 for block, length in divided]
        self.padding = self._padded(whole_numbers(padding, "The padding"))
        self.grid = tuple(
            max(1, -(-(length - more) // block))
            for length, more, block in zip(self.shape_cropped, self.padding, self.shape_block, strict=True)
        )

    def _lengths(self, shape_block: Any, dim_split: Any, blocks_number: Any) -> list[int]:
        lengths = list(self.shape_cropped)
        given = _listed(shape_block if blocks_number is None else blocks_number)
        axes = list(range(len(given))) if dim_split is None else list(whole_numbers(_listed(dim_split), "The axes"))
        if len(given) == 1:
            given *= len(axes)
        if len(axes) != len(given) or not set(axes) <= set(range(len(lengths))) or len(set(axes)) < len(axes):
            raise BadArrayError(f"{len(given)} lengths of blocks do not fit an array of {len(lengths)} axes.")
        for axis, length in zip(axes, given, strict=True):
            if length is None:
                continue
            number = whole_numbers([length], "A length of blocks")[0]
            if number < 1:
                raise BadArrayError(f"A block cannot be {number} long.")
            lengths[axis] = number if blocks_number is None else -(-self.shape_cropped[axis] // number)
        return lengths

    def _padded(self, padding: tuple[int, ...]) -> tuple[int, ...]:
        if len(padding) > len(self.shape_full) or min(padding, default=0) < 0:
            raise BadArrayError(f"The padding {padding} does not fit an array of {len(self.shape_full)} axes.")
        return (*padding, *(0,) * (len(self.shape_full) - len(padding)))

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return math.prod(self.grid)

    @property
    def n_dims(self) -> int:
        """How many axes there are."""
        return len(self.shape_full)

    def __len__(self) -> int:
        return self.n_blocks

    def __getitem__(self, number: int) -> tuple[slice, ...]:
        return self.bounds(self.linear_to_cartesian(number))

    def bounds(self, place: Sequence[int]) -> tuple[slice, ...]:
        """Return what of the uncropped array lies in a block, what it shares with the next ones included."""
        return tuple(
            slice(start + at * block, start + min(at * block + block + more, length))
            for at, block, more, length, (start, _) in zip(
                place, self.shape_block, self.padding, self.shape_cropped, self.crop, strict=True
            )
        )

    def shape_of(self, number: int) -> tuple[int, ...]:
        """Return the shape of a block."""
        return tuple(each.stop - each.start for each in self[number])

    def slices(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Give each block's place in the grid, and what of the uncropped array lies in it."""
        for place in itertools.product(*map(range, self.grid)):
            yield place, self.bounds(place)

    def linear_to_cartesian(self, number: int) -> tuple[int, ...]:
        """Return the place of a block in the grid.

        Raises
        ------
        BadIndexError
            Where there is no block of this number.
        """
        number = operator.index(number)
        if not 0 <= number < self.n_blocks:
            raise BadIndexError(f"There is no block {number}: they are numbered from 0 to {self.n_blocks - 1}.")
        place: list[int] = []
        for n in reversed(self.grid):
            number, at = divmod(number, n)
            place.insert(0, at)
        return tuple(place)

    def cartesian_to_linear(self, place: Sequence[int]) -> int:
        """Return the number of the block at a place in the grid.

        Raises
        ------
        BadIndexError
            Where there is no such place.
        """
        place = tuple(operator.index(at) for at in place)
        if len(place) != len(self.grid) or not all(0 <= at < n for at, n in zip(place, self.grid, strict=True)):
            raise BadIndexError(f"There is no block at {place}: there are {self.grid} of them along the axes.")
        number = 0
        for at, n in zip(place, self.grid, strict=True):
            number = number * n + at
        return number

    def block_containing_coords(self, coordinates: Sequence[int]) -> tuple[int, ...]:
        """Return the place in the grid of the block from which a position of the uncropped array is read.

        Raises
        ------
        BadIndexError
            Where the position is none of the cropped array.
        """
        inner = [int(at) - start for at, (start, _) in zip(coordinates, self.crop, strict=True)]
        if not all(0 <= at < length for at, length in zip(inner, self.shape_cropped, strict=True)):
            raise BadIndexError(f"The position {tuple(coordinates)} is outside the array.")
        return tuple(min(at // block, n - 1) for at, block, n in zip(inner, self.shape_block, self.grid, strict=True))

    def neighbour_blocks(self, number: int) -> tuple[int, ...]:
        """Return the numbers of the blocks that touch one, corners included."""
        place = self.linear_to_cartesian(number)
        near = [range(max(0, at - 1), min(n, at + 2)) for at, n in zip(place, self.grid, strict=True)]
        return tuple(self.cartesian_to_linear(each) for each in itertools.product(*near) if each != place)

    def centres(self) -> np.ndarray:
        """Return the middle of each block, as an array of the shape ``(*grid, number of axes)``."""
        middles = [[(each.start + each.stop) / 2 for each in bounds] for _, bounds in self.slices()]
        return np.array(middles).reshape(*self.grid, -1)

    def drop_dim(self, axis: int) -> Blocks:
        """Return the division without one of the axes."""
        kept = [each for each in range(self.n_dims) if each != axis % self.n_dims]
        return Blocks(
            tuple(self.shape_full[each] for each in kept),
            tuple(self.shape_block[each] for each in kept),
            padding=tuple(self.padding[each] for each in kept),
            crop=tuple(self.crop[each] for each in kept),
        )

    def serialize(self) -> dict[str, Any]:
        """Return what describes the division, as it is written to JSON."""
        return {
            "shape_full": list(self.shape_full),
            "shape_block": list(self.shape_block),
            "crop_start": [start for start, _ in self.crop],
            "crop_end": [end for _, end in self.crop],
            "padding": list(self.padding),
        }


def read_crop(crop: Any, shape: Sequence[int]) -> Crop:
    """Return a crop for every axis.

    Raises
    ------
    BadArrayError
        Where it is none, or would leave nothing.
    """
    pairs = [(0, 0) if pair is None else pair for pair in (crop if crop is not None else ())]
    try:
        read = [whole_numbers(pair, "The crop") for pair in pairs]
    except TypeError:
        read = [(0,)]
    if len(read) > len(shape) or any(len(pair) != 2 or min(pair) < 0 for pair in read):
        raise BadArrayError(
            f"A crop is a pair of numbers for each of {len(shape)} axes: how many to cut off at its ends."
        )
    full = [*((pair[0], pair[1]) for pair in read), *((0, 0),) * (len(shape) - len(read))]
    if any(start + end >= length for (start, end), length in zip(full, shape, strict=True)):
        raise BadArrayError(f"The crop {tuple(full)} leaves nothing of an array of the shape {tuple(shape)}.")
    return tuple(full)


def whole_numbers(values: Any, what: str) -> tuple[int, ...]:
    """Return numbers as Python's own.

    Raises
    ------
    BadArrayError
        Where they are none.
    """
    try:
        return tuple(operator.index(value) for value in values)
    except TypeError:
        raise BadArrayError(f"{what} must be whole numbers.") from None


def _listed(values: Any) -> list[Any]:
    if values is None:
        return []
    try:
        return list(values)
    except TypeError:
        return [values]
