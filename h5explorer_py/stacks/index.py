"""From any index that NumPy takes to what must be read of each axis, and what remains to be done to it.

An array that lies in files is read as a box: of each axis some positions, in rising order, each once. The index is then
rewritten for that box, and NumPy itself does the rest: reversing, repeating, dropping and adding axes, and the rules of
where the axes of lists and masks go.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from h5explorer_py.errors import BadIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Selection = range | np.ndarray
"""Positions along an axis in rising order: a range, or an array of them."""

_SCATTERED = 1 << 20
"""Boxes of up to so many values are read as one, however few of the values are asked for."""


class Plan(NamedTuple):
    """What an index asks for.

    Attributes
    ----------
    selections : tuple of range or ndarray
        What to read of each axis.
    rest : tuple
        The index to apply to the box that has been read.
    lists : dict
        By axis, the index arrays as they were given, out of which ``selections`` were made.
    """

    selections: tuple[Selection, ...]
    rest: tuple[Any, ...]
    lists: dict[int, np.ndarray]

    def read(self, take: Callable[[tuple[Selection, ...]], np.ndarray]) -> Any:
        """Read the values.

        Parameters
        ----------
        take : callable
            Is given selections, and returns the box of the values at them.

        Returns
        -------
        ndarray or scalar
            What NumPy would return.
        """
        if len(self.lists) > 1:
            points = math.prod(np.broadcast_shapes(*(each.shape for each in self.lists.values())))
            others = math.prod(len(each) for axis, each in enumerate(self.selections) if axis not in self.lists)
            box = math.prod(len(each) for each in self.selections)
            if box > max(_SCATTERED, 4 * points * others):
                return self._read_scattered(take)
        return take(self.selections)[self.rest]

    def _read_scattered(self, take: Callable[[tuple[Selection, ...]], np.ndarray]) -> Any:
        """Read points that lie far apart by boxes around those that lie near each other.

        They are laid out along the first of the axes that lists go with, the other ones of which become one long.
        """
        first, *others = axes = list(self.lists)
        shared = np.broadcast_arrays(*self.lists.values())
        points = dict(zip(axes, (each.ravel() for each in shared), strict=True))
        count = points[first].size
        gathered: np.ndarray | None = None
        for some in _near(points, np.arange(count)):
            found = [np.unique(points[axis][some], return_inverse=True) for axis in axes]
            wanted = dict(zip(axes, found, strict=True))
            box = take(tuple(wanted[axis][0] if axis in wanted else old for axis, old in enumerate(self.selections)))
            box = np.moveaxis(box, axes, range(len(axes)))[tuple(where for _, where in found)]
            if gathered is None:
                gathered = np.empty((count, *box.shape[1:]), box.dtype)
            gathered[some] = box
        assert gathered is not None  # there are points, or the box would have been empty
        laid = np.expand_dims(np.moveaxis(gathered, 0, first), tuple(others))
        order = np.arange(count).reshape(shared[0].shape)
        return laid[self._rest_with(order)]

    def _rest_with(self, order: np.ndarray) -> tuple[Any, ...]:
        """Return the rest of the index with the first list replaced, and the other ones by nothing but zeros."""
        lists = iter([order, *(np.zeros_like(order),) * (len(self.lists) - 1)])
        return tuple(next(lists) if isinstance(part, np.ndarray) else part for part in self.rest)


def plan_index(index: Any, shape: Sequence[int]) -> Plan:
    """Find out what an index asks of an array of this shape.

    Raises
    ------
    BadIndexError
        Where NumPy would raise an ``IndexError``, or a ``ValueError`` for a step of zero.
    """
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    used = sum(map(_axes_of, parts))
    if used > len(shape):
        raise BadIndexError(f"The array has {len(shape)} axes, but the index is for {used}.")
    if sum(part is Ellipsis for part in parts) > 1:
        raise BadIndexError("An index can have only one Ellipsis ('...').")
    if used < len(shape) and not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    selections: list[Selection] = []
    rest: list[Any] = []
    lists: dict[int, np.ndarray] = {}
    for part in parts:
        axis = len(selections)
        if part is None or isinstance(part, bool):
            rest.append(part)
        elif part is Ellipsis:
            selections.extend(map(range, shape[axis : axis + len(shape) - used]))
            rest.append(part)
        elif isinstance(part, slice):
            chosen, left = _sliced(part, shape[axis])
            selections.append(chosen)
            rest.append(left)
        elif isinstance(part, int):
            selections.append(_single(part, axis, shape[axis]))
            rest.append(0)
        else:
            named = list(_positions(part, axis, shape))
            lists.update(enumerate(named, axis))
            for unique, where in (np.unique(values, return_inverse=True) for values in named):
                selections.append(_as_range(unique))
                rest.append(where.reshape(named[0].shape))
    _check_lists(rest)
    return Plan(tuple(selections), tuple(rest), lists)


def selected_shape(selections: Sequence[Selection]) -> tuple[int, ...]:
    """Return the shape of the box that selections make."""
    return tuple(len(each) for each in selections)


def _part(part: Any) -> Any:
    """Return one part of an index as ``None``, ``Ellipsis``, a slice, bool, int or array."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, (bool, np.bool_)):
        return bool(part)
    try:
        return operator.index(part)
    except TypeError:
        pass
    if isinstance(part, (str, bytes)):
        raise BadIndexError("An array is indexed by numbers, not by text.")
    try:
        values = np.asarray(part)
    except (TypeError, ValueError):
        raise BadIndexError("The index is neither numbers nor a list of them.") from None
    if values.size == 0 and not isinstance(part, np.ndarray):
        values = values.astype(np.intp)
    if values.dtype.kind not in "iub":
        raise BadIndexError(f"An array is indexed by whole numbers or a mask, not by values of type {values.dtype}.")
    if values.ndim == 0:
        return bool(values) if values.dtype.kind == "b" else int(values)
    return values


def _axes_of(part: Any) -> int:
    """Return how many axes of the array a part of an index is for."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return part.ndim
    return 1


def _sliced(part: slice, length: int) -> tuple[range, slice]:
    if part.step is not None and operator.index(part.step) == 0:
        raise BadIndexError("The step of a slice cannot be zero.")
    chosen = range(*part.indices(length))
    if not chosen:
        return range(0), slice(None)
    if chosen.step > 0:
        return range(chosen.start, chosen[-1] + 1, chosen.step), slice(None)
    return range(chosen[-1], chosen[0] + 1, -chosen.step), slice(None, None, -1)


def _single(position: int, axis: int, length: int) -> range:
    if not -length <= position < length:
        raise BadIndexError(f"The index {position} is out of range: axis {axis} has {length:,} positions.")
    position += length if position < 0 else 0
    return range(position, position + 1)


def _positions(values: np.ndarray, axis: int, shape: Sequence[int]) -> Iterator[np.ndarray]:
    """Return the positions that a list or a mask names, for each axis that it is for."""
    if values.dtype.kind == "b":
        there = tuple(shape[axis : axis + values.ndim])
        if values.shape != there:
            raise BadIndexError(f"The mask has the shape {values.shape}, but the array has {there} there.")
        yield from values.nonzero()
        return
    length = shape[axis]
    wrong = (values < -length) | (values >= length) if values.dtype.kind == "i" else values >= length
    if wrong.any():
        raise BadIndexError(f"The index {values[wrong].flat[0]} is out of range: axis {axis} has {length:,} positions.")
    positions = values.astype(np.intp)
    yield np.where(positions < 0, positions + length, positions)


def _as_range(unique: np.ndarray) -> Selection:
    """Return evenly spaced positions as a range, which is quicker to read."""
    if unique.size == 0:
        return range(0)
    start, stop = int(unique[0]), int(unique[-1]) + 1
    step = int(unique[1]) - start if unique.size > 1 else 1
    if unique.size <= 2 or bool((np.diff(unique) == step).all()):
        return range(start, stop, step)
    return unique


def _check_lists(rest: list[Any]) -> None:
    """Raise where lists cannot go together, before anything is read."""
    shapes = [part.shape for part in rest if isinstance(part, np.ndarray)]
    shapes += [(int(part),) for part in rest if isinstance(part, bool)]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        told = ", ".join(map(str, shapes))
        raise BadIndexError(f"Lists of the shapes {told} do not go together in one index.") from None


def _near(points: dict[int, np.ndarray], chosen: np.ndarray) -> Iterator[np.ndarray]:
    """Divide points until a box around each part has not many more values than points."""
    box = math.prod(np.unique(each[chosen]).size for each in points.values())
    if box <= 4 * chosen.size:
        yield chosen
        return
    widest = max(points.values(), key=lambda each: int(np.ptp(each[chosen])))
    order = chosen[np.argsort(widest[chosen], kind="stable")]
    half = order.size // 2
    yield from _near(points, order[:half])
    yield from _near(points, order[half:])
