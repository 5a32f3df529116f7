"""One interface for arrays, wherever they lie."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import BadIndexError
from h5explorer_py.stacks.index import plan_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from h5explorer_py.stacks.index import Selection


@dataclass(frozen=True)
class Axis:
    """An axis of an array.

    Attributes
    ----------
    name : str
        ``t``, ``z``, ``y``, ``x``, ``c``, or what the file calls it.
    spacing : float, optional
        From one position to the next, in the unit; ``None`` where that is not known.
    unit : str
        Of the spacing; empty where there is none or it is not known.
    """

    name: str
    spacing: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known of an array before a value is read.

    Attributes
    ----------
    shape : tuple of int
        How many positions each axis has.
    dtype : numpy.dtype
        What the values are.
    axes : tuple of Axis
        As many as ``shape`` has lengths.
    attributes : mapping
        What else the file says of it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: tuple[Axis, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Stack(ABC):
    """An array that is read a part at a time, by NumPy's rules.

    It stands in for an array where one is indexed: in napari's layers, in ``dask.array.from_array``, in
    ``numpy.asarray``, which reads all of it. Reading is safe from several threads at once.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """How many positions each axis has."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """What the values are."""

    @property
    @abstractmethod
    def axes(self) -> tuple[Axis, ...]:
        """The names of the axes, and the spacing along them."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What else the file says of the array."""
        return {}

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """The parts that are read best as a whole: a hint for those who divide the work."""
        return None

    @abstractmethod
    def take(self, selections: tuple[Selection, ...]) -> np.ndarray:
        """Read the box that is made of some positions of each axis, in rising order; an array of its own."""

    def close(self) -> None:  # noqa: B027  (most have none)
        """Let go of open files; they are opened again where something is read after it."""

    def read(self, index: Any = ...) -> Any:
        """Read values by any index that NumPy takes.

        Returns
        -------
        ndarray or scalar
            Equal to what the whole array would give, in value, shape and type.

        Raises
        ------
        BadIndexError
            Where NumPy would raise an ``IndexError``.
        """
        return plan_index(index, self.shape).read(self.take)

    def __getitem__(self, index: Any) -> Any:
        return self.read(index)

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many values there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes the values take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("An array of no axes has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("An array of no axes cannot be gone through.")
        return (self.read(position) for position in range(self.shape[0]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001
        if copy is False:
            raise ValueError("The values lie in files: they cannot be had without a copy.")
        values: np.ndarray = np.asarray(self.read(...))
        return values if dtype is None else values.astype(dtype, copy=False)

    def __contains__(self, value: object) -> bool:
        raise TypeError("Searching all of the array is not done by 'in'; read it first.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'×'.join(map(str, self.shape))} {self.dtype}>"


def check_axis(axis: int, count: int) -> int:
    """Return the number of an axis, which may be counted from the last one.

    Raises
    ------
    BadIndexError
    """
    if not -count <= axis < count:
        raise BadIndexError(f"There is no axis {axis}: the array has {count}.")
    return axis % count


def default_names(count: int) -> tuple[str, ...]:
    """Return the usual names of so many axes."""
    usual = ("c", "t", "z", "y", "x")
    if count == len(usual):
        return ("t", "c", "z", "y", "x")
    if count < len(usual):
        return usual[len(usual) - count :]
    return tuple(f"axis {number}" for number in range(count))
