"""Arrays in HDF5 files, at any path in them."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o

from h5explorer_py.errors import ExplorerError, StackNotFoundError, StackUnreadableError
from h5explorer_py.files import shorten, why
from h5explorer_py.images.places import plain
from h5explorer_py.stacks.chunked import ChunkedArray, ElsewhereError, open_file, unreadable
from h5explorer_py.stacks.held import HELD
from h5explorer_py.stacks.index import selected_shape
from h5explorer_py.stacks.stack import Axis, Stack, default_names
from h5explorer_py.stacks.work import do_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from h5explorer_py.stacks.index import Selection

_MOST_NODES = 10_000
_MOST_FOUND = 1_000
_MOST_LINKS = 16
_LARGEST_ATTRIBUTE = 1 << 16


class Hdf5Stack(Stack):
    """A data set in an HDF5 file.

    Parameters
    ----------
    path : path
        The file.
    dataset : str, optional
        The data set's path in it. Without it, the one that has two axes or more, where there is only one.

    Raises
    ------
    StackNotFoundError
        Where there is no such file or data set, or there are several to choose from.
    StackUnreadableError
        Where it is damaged, or holds no numbers.
    OutsideDataError
        Where its values, or a link on the way to it, are in other files.
    MissingFilterError
        Where it is compressed by a filter that is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], dataset: str | None = None) -> None:
        self.path = os.path.abspath(os.path.expanduser(os.fsdecode(path)))
        if dataset is None:
            dataset = _only(self.path)
        self.dataset = "/" + dataset.strip("/")
        found = self._array
        self._shape, self._dtype = found.shape, found.dtype

    @property
    def _array(self) -> ChunkedArray:
        try:
            return HELD.get(self.path, partial(find_data, path=self.dataset), self.dataset)
        except ExplorerError:
            raise
        except FileNotFoundError:
            raise StackNotFoundError(f"There is no file {shorten(self.path, 200)}.", path=self.path) from None
        except OSError as error:
            raise unreadable(self.path, why(error)) from error

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        return self._array.chunks

    @property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(map(Axis, default_names(len(self._shape))))

    @property
    def attributes(self) -> Mapping[str, Any]:
        found: dict[str, Any] = self._array.ask(_attributes)
        return found

    def take(self, selections: tuple[Selection, ...]) -> np.ndarray:
        array = self._array
        if array.shape != self._shape or array.dtype != self._dtype:
            raise unreadable(self.path, f"{self.dataset} has become another array since it was opened")
        out = np.empty(selected_shape(selections), self._dtype)
        if out.size:
            do_all(array.tasks(selections, out), array.task_size)
        return out

    def close(self) -> None:
        HELD.drop(self.path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Hdf5Stack, (self.path, self.dataset)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return ("h5explorer-hdf5", self.path, self.dataset, tuple(self._array.signature))


def find_data(file: Any, path: str) -> tuple[Any, str]:
    """Find a data set by its path in a file, link by link; none that leads to another file is followed."""
    root = h5o.open(file, b"/")
    found = _walk(root, root, path.encode("utf-8", "surrogateescape"), _MOST_LINKS)
    if not isinstance(found, h5d.DatasetID):
        raise LookupError(f"{shorten(path)} is not a data set")  # noqa: TRY004  (turned into one of ours)
    return found, path


def _walk(root: Any, here: Any, path: bytes, left: int) -> Any:
    if not left:
        raise LookupError("its links go round in circles")
    if path.startswith(b"/"):
        here = root
    for name in path.split(b"/"):
        if name in {b"", b"."}:
            continue
        if b"\0" in name or not isinstance(here, h5g.GroupID) or not here.links.exists(name):
            raise LookupError(f"it has no data set {shorten(path.decode('utf-8', 'replace'))}")
        kind = here.links.get_info(name).type
        if kind == h5l.TYPE_HARD:
            here = h5o.open(here, name)
        elif kind == h5l.TYPE_SOFT:
            here = _walk(root, here, here.links.get_val(name), left - 1)
        else:
            raise ElsewhereError
    return here


def list_arrays(path: str) -> dict[str, tuple[int, ...]]:
    """Return the paths and shapes of the arrays of numbers in a file: those of one axis or more.

    Links to other files are not followed, and of very many nodes only the first ones are looked at.

    Raises
    ------
    StackNotFoundError, StackUnreadableError
    """
    found: dict[str, tuple[int, ...]] = {}
    seen = 0

    def note(name: bytes) -> bool | None:
        nonlocal seen
        seen += 1
        node = h5o.open(root, name)
        if isinstance(node, h5d.DatasetID) and _is_own(node) and node.rank:
            found["/" + name.decode("utf-8", "surrogateescape")] = tuple(node.shape)
        return True if seen >= _MOST_NODES or len(found) >= _MOST_FOUND else None

    try:
        file = open_file(path)
        try:
            root = h5o.open(file, b"/")
            h5o.visit(root, note)
        finally:
            file.close()
    except FileNotFoundError:
        raise StackNotFoundError(f"There is no file {shorten(path, 200)}.", path=path) from None
    except Exception as error:
        raise unreadable(path, plain(error)) from error
    return found


def _is_own(data: Any) -> bool:
    """Whether it holds numbers, in the file itself; else even asking for the shape could open another one."""
    made = data.get_create_plist()
    elsewhere = made.get_layout() == h5d.VIRTUAL or made.get_external_count()
    return not elsewhere and data.get_type().get_class() in _NUMBERS


_NUMBERS = {h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.BITFIELD, h5py.h5t.COMPOUND}


def _only(path: str) -> str:
    found = list_arrays(path)
    frames = [name for name, shape in found.items() if len(shape) > 1] or list(found)
    if len(frames) == 1:
        return frames[0]
    name = os.path.basename(path)
    if not frames:
        raise StackUnreadableError(f"{name} has no array of numbers.", path=path)
    told = ", ".join(shorten(each) for each in frames[:8]) + (", …" if len(frames) > 8 else "")
    raise StackNotFoundError(
        f"{name} has {len(frames):,} arrays: {told}.", action="Name one: dataset=...", path=path, found=frames[:100]
    )


def _attributes(data: Any) -> dict[str, Any]:
    found = {}
    attributes = h5py.Dataset(data).attrs
    for name in attributes:
        if attributes.get_id(name).get_storage_size() <= _LARGEST_ATTRIBUTE:
            value = attributes[name]
            found[name] = value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
    return found
