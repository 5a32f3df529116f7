"""What describes a split data set: its JSON file, or what very old sets have in their last block."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from h5explorer_py.errors import BadArrayError, ExplorerError, StackUnreadableError
from h5explorer_py.files import regular_file, shorten, why
from h5explorer_py.images.places import plain
from h5explorer_py.split.blocks import Blocks
from h5explorer_py.stacks.stack import Axis, default_names

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST = 1 << 20
_OLD_GROUP = "stack_metadata"
_OLD_NAMES = {"full_size": "shape_full", "block_size": "shape_block"}
_MOST_AXES = 32


@dataclass(frozen=True)
class Description:
    """What is known of a split data set before a block is opened.

    Attributes
    ----------
    blocks : Blocks
        How it is divided.
    resolution : tuple of float, optional
        The distance from one position to the next along each axis.
    frequency : float, optional
        How many items of the first axis there are in a second.
    names : tuple of str
        Of the axes.
    dtype : numpy.dtype, optional
        Of the values; the original does not write it.
    fields : dict
        All that the file says.
    """

    blocks: Blocks
    resolution: tuple[float, ...] | None
    frequency: float | None
    names: tuple[str, ...]
    dtype: np.dtype[Any] | None
    fields: dict[str, Any]

    @classmethod
    def of(cls, fields: Any, name: str) -> Description:
        """Make it of what a file says.

        Raises
        ------
        StackUnreadableError
            Where that is not enough, or contradicts itself.
        """
        if not isinstance(fields, dict):
            raise _bad(name, "it is not a list of names and values")
        fields = {_OLD_NAMES.get(key, key) if _OLD_NAMES.get(key) not in fields else key: fields[key] for key in fields}
        shape = _lengths(fields, "shape_full", name)
        block = _lengths(fields, "shape_block", name, len(shape), least=1, may_lack=True)
        padding = _lengths(fields, "padding", name, len(shape), least=0, may_lack=True)
        try:
            blocks = Blocks([each or 0 for each in shape], block or None, padding=[each or 0 for each in padding])
        except BadArrayError as error:
            raise _bad(name, error.message[:1].lower() + error.message[1:].rstrip(".")) from error
        resolution = fields.get("resolution", fields.get("voxel_size"))
        dtype = fields.get("dtype")
        return cls(
            blocks,
            _floats(resolution, "resolution", name, len(shape)) if resolution is not None else None,
            _floats([fields["frequency"]], "frequency", name, 1)[0] if fields.get("frequency") is not None else None,
            _names(fields.get("axis_order"), len(shape)),
            None if dtype is None else _dtype(dtype, name),
            fields,
        )

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, their spacing in micrometres and seconds."""
        count = len(self.names)
        resolution = self.resolution or ()
        told = any(value != 1 for value in resolution) and len(resolution) == count
        found = []
        for number, name in enumerate(self.names):
            if name == "t":
                known = self.frequency is not None and self.frequency > 0
                found.append(Axis(name, 1 / (self.frequency or 1), "s") if known else Axis(name))
            elif told and name in {"z", "y", "x"} and resolution[number] > 0:
                found.append(Axis(name, resolution[number], "µm"))
            else:
                found.append(Axis(name))
        return tuple(found)


def read_description(path: str) -> Description:
    """Read a JSON file.

    Raises
    ------
    StackUnreadableError
    """
    name = os.path.basename(path)
    try:
        if regular_file(path).size > _LARGEST:
            raise _bad(name, "it is too large for a description")
        with open(path, "rb") as file:
            fields = json.loads(file.read().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = why(error) if isinstance(error, OSError) else "it is not whole JSON"
        raise _bad(name, reason) from error
    return Description.of(fields, name)


def read_old_description(path: str) -> Description:
    """Read what the last block of a set without JSON says.

    Raises
    ------
    StackUnreadableError
    """
    name = os.path.basename(path)
    try:
        regular_file(path)
        with h5py.File(os.path.realpath(path), "r", locking=False) as file:
            if not isinstance(file.get(_OLD_GROUP, getlink=True), h5py.HardLink):
                raise StackUnreadableError(
                    f"The folder has no stack_metadata.json, and {name} has no stack_metadata in its place: "
                    "it is not known how the blocks go together."
                )
            fields = _old_value(file[_OLD_GROUP], 0)
    except ExplorerError:
        raise
    except Exception as error:
        raise StackUnreadableError(f"{name} cannot be read as HDF5: {plain(error)}.", path=path) from error
    return Description.of(fields, f"stack_metadata in {name}")


def _old_value(node: Any, depth: int) -> Any:
    """Read a dict, list, tuple, array or None as flammkuchen wrote it."""
    if depth > 4 or len(node.attrs) > _MOST_AXES * 2:
        raise ValueError("its description is nested too deeply")
    if isinstance(node, h5py.Dataset):
        if node.size > _MOST_AXES or node.is_virtual or node.external or node.dtype.hasobject:
            raise ValueError("its description is not one")
        return node[()].tolist()
    title = node.attrs.get("TITLE", b"")
    kind = title.decode("utf-8", "replace").partition(":")[0] if isinstance(title, bytes) else ""
    if kind == "nonetype":
        return None
    found = {name: _plain(node.attrs[name]) for name in node.attrs if name not in {"CLASS", "TITLE", "VERSION"}}
    for name in node:
        if isinstance(node.get(name, getlink=True), h5py.HardLink):
            found[name] = _old_value(node[name], depth + 1)
    if kind in {"tuple", "list"}:
        return [found[f"i{number}"] for number in range(len(found))]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _lengths(
    fields: dict[str, Any], key: str, name: str, count: int | None = None, *, least: int = 1, may_lack: bool = False
) -> list[int | None]:
    values = fields.get(key)
    if values is None and may_lack:
        return []
    good = isinstance(values, list) and 0 < len(values) <= _MOST_AXES
    if not good or not all(_is_whole(value) or (value is None and may_lack) for value in values or ()):
        raise _bad(name, f"{key} must be a list of whole numbers")
    assert isinstance(values, list)
    if count is not None and len(values) != count:
        raise _bad(name, f"{key} is for {len(values)} axes, but shape_full for {count}")
    numbers = [None if value is None else int(value) for value in values]
    wrong = [number for number in numbers if number is not None and number < least]
    if wrong:
        raise _bad(name, f"{key} has a length of {wrong[0]}")
    return numbers


def _is_whole(value: Any) -> bool:
    """Whether it is a whole number; microscopes' programs write some as 20.0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value == int(value) and abs(value) < 1 << 62


def _floats(values: Any, key: str, name: str, count: int) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    ):
        raise _bad(name, f"{key} must be numbers")
    try:
        found = tuple(map(float, values))
    except OverflowError:
        raise _bad(name, f"{key} has a number that is too large") from None
    return found if len(found) != count - 1 else (1.0, *found)  # of the three axes of a volume, but not of time


def _names(order: Any, count: int) -> tuple[str, ...]:
    if isinstance(order, str) and len(order) == count and len(set(order)) == count and order.isprintable():
        return tuple(order)
    return default_names(count)


def _dtype(text: Any, name: str) -> np.dtype[Any]:
    try:
        found = np.dtype(text) if isinstance(text, str) else None
    except TypeError:
        found = None
    if found is None or found.kind not in "biufcS" or not found.itemsize:
        raise _bad(name, f"{shorten(str(text))} is not a type of numbers")
    return found


def _bad(name: str, reason: str) -> StackUnreadableError:
    return StackUnreadableError(f"{shorten(name)} does not describe a split data set: {reason}.")


def describe(
    blocks: Blocks, dtype: np.dtype[Any], resolution: Sequence[float] | None, frequency: float | None, order: str | None
) -> dict[str, Any]:
    """Return what to write for blocks whose files hold just what they are to hold.

    Raises
    ------
    BadArrayError
        Where the resolution, the frequency or the names do not fit.
    """
    count = blocks.n_dims
    try:
        distances = [1.0] * count if resolution is None else [float(value) for value in resolution]
        rate = None if frequency is None else float(frequency)
    except (TypeError, ValueError):
        raise BadArrayError("The resolution and the frequency must be numbers.") from None
    if len(distances) != count or not all(math.isfinite(value) for value in (*distances, rate or 0)):
        raise BadArrayError(f"The resolution must be {count} numbers, one for each axis.")
    names = "".join(default_names(count)) if order is None else order
    if order is not None and (len(order) != count or len(set(order)) != count):
        raise BadArrayError(f"The names of the axes must be {count} different letters.")
    inner = Blocks(blocks.shape_cropped, blocks.shape_block, padding=blocks.padding)
    found = inner.serialize() | {"resolution": distances, "axis_order": names if len(names) == count else "zyx"}
    return found | {"dtype": dtype.str} | ({} if rate is None else {"frequency": rate})
