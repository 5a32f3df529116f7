"""Arrays in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import BadArrayError
from h5explorer_py.stacks.stack import Axis, Stack, default_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.stacks.index import Selection


class ArrayStack(Stack):
    """An array in memory, or one of those that NumPy maps into it.

    Parameters
    ----------
    array : array_like
        The values; they are not copied.
    axes : sequence of Axis, optional
        Its axes.

    Raises
    ------
    BadArrayError
        Where the axes are not as many as the array's, or the values are Python objects.
    """

    def __init__(self, array: Any, axes: Sequence[Axis] | None = None) -> None:
        self._array = np.asarray(array)
        if self._array.dtype.hasobject:
            raise BadArrayError("The array holds Python objects, not numbers.")
        self._axes = tuple(axes) if axes is not None else tuple(map(Axis, default_names(self._array.ndim)))
        if len(self._axes) != self._array.ndim:
            raise BadArrayError(f"The array has {self._array.ndim} axes, but {len(self._axes)} are named.")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._array.dtype

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self._axes

    def take(self, selections: tuple[Selection, ...]) -> np.ndarray:
        cut = tuple(slice(s.start, s.stop, s.step) if isinstance(s, range) else slice(None) for s in selections)
        found = self._array[cut]
        for axis, chosen in enumerate(selections):
            if not isinstance(chosen, range):
                found = found.take(chosen, axis)
        return found.copy() if np.may_share_memory(found, self._array) else found
