"""An HDF5 data set of numbers, held open, of which parts are read.

HDF5 lets one thread in at a time. Chunks of the usual kinds are therefore only looked up through it, and are read and
unpacked here, by several threads; all other data sets are read through it.
"""

from __future__ import annotations

import math
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

from h5explorer_py.errors import MissingFilterError, OutsideDataError, StackUnreadableError
from h5explorer_py.files import HeldFile, Signature, read_at, regular_file, shorten
from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import plain
from h5explorer_py.stacks.blosc import DamagedError
from h5explorer_py.stacks.chunk_filters import ChunkForm
from h5explorer_py.stacks.index import selected_shape
from h5explorer_py.stacks.tiles import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from h5explorer_py.stacks.index import Selection

_MANY = 0.2
"""Where more than this part of the chunks is read, all of them are looked up at once."""


def open_file(path: str) -> Any:
    """Open an HDF5 file for reading, without a lock, so that others may write it.

    Raises
    ------
    OSError
    """
    how = h5p.create(h5p.FILE_ACCESS)
    how.set_fclose_degree(h5f.CLOSE_STRONG)
    how.set_file_locking(False, True)  # noqa: FBT003  (not to lock; to do without where the system cannot)
    return h5f.open(os.fsencode(path), h5f.ACC_RDONLY, how)


class ElsewhereError(Exception):
    """What is looked for in a file is a link to another place."""


class ChunkedArray:
    """A data set in an HDF5 file.

    Parameters
    ----------
    path : str
        The file.
    find : callable
        Is given the open file; returns the low-level data set and its name. Raises ``LookupError`` with what is wrong, or
        ``ElsewhereError``.

    Attributes
    ----------
    node : str
        The data set's name.
    signature : Signature
        The state of the file.
    shape : tuple of int
    dtype : numpy.dtype

    Raises
    ------
    StackUnreadableError, OutsideDataError, MissingFilterError
        With a sentence that names the file.
    OSError
        Where the file is not there.
    """

    def __init__(self, path: str, find: Callable[[Any], tuple[Any, str]]) -> None:
        self._path, self._name = path, os.path.basename(path)
        self.signature: Signature = regular_file(path)
        self._file = HeldFile(path)
        try:
            self._open = open_file(path)
            self._data, self.node = find(self._open)
            self._learn()
        except ElsewhereError:
            raise OutsideDataError(
                f"{self._name} keeps its values in other files.", action="Such files are not followed.", path=path
            ) from None
        except (StackUnreadableError, MissingFilterError):
            raise
        except Exception as error:
            raise self._unreadable(plain(error)) from error

    def _learn(self) -> None:
        made = self._data.get_create_plist()
        # Before all else, as even asking for the shape may open the files that it refers to.
        if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
            raise ElsewhereError
        space = self._data.get_space()
        if space.get_simple_extent_type() != h5s.SIMPLE:
            raise self._unreadable("its data set has no axes")
        self.shape: tuple[int, ...] = space.get_simple_extent_dims()
        kind = self._data.get_type()
        self._bits = kind.get_class() == h5t.BITFIELD and kind.get_size() == 1  # PyTables' bool
        dtype = np.dtype(np.bool_) if self._bits else kind.dtype
        if dtype.kind not in "biufcSV" or dtype.hasobject or dtype.subdtype:
            raise self._unreadable(f"its values are of the type {_told(dtype)}")
        if dtype.kind == "V":
            raise self._unreadable("its values are records of several fields, not numbers")
        self.dtype: np.dtype[Any] = dtype
        missing = load_filters(made)
        if missing:
            raise MissingFilterError(
                f"{self._name} is compressed by the HDF5 filter {missing[0]} ({missing[1] or 'unnamed'}), "
                "which is not installed.",
                action="hdf5plugin brings most filters: pip install --upgrade hdf5plugin.",
                filter=missing[0],
            )
        self._form = self._form_of(made, kind)
        self._chunks: dict[tuple[int, ...], tuple[int, int, int]] = {}

    def _form_of(self, made: Any, kind: Any) -> ChunkForm | None:
        """Return how its chunks are to be unpacked; ``None`` where HDF5 has to read it."""
        if made.get_layout() != h5d.CHUNKED or self._open.get_create_plist().get_userblock():
            return None
        if not self._bits and not kind.equal(h5t.py_create(self.dtype, logical=True)):
            return None
        form = ChunkForm(
            made.get_chunk(), self.dtype, tuple(made.get_filter(each)[0] for each in range(made.get_nfilters()))
        )
        if not form.is_known or form.size > max(2 * self._size, 1 << 26):
            return None
        self._grid = tuple(-(-length // step) for length, step in zip(self.shape, form.shape, strict=True))
        # Chunks that were never written have no place: HDF5 knows what to give for them.
        return form if self._data.get_num_chunks() == math.prod(self._grid) else None

    @property
    def _size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """The shape of its chunks."""
        made = self._data.get_create_plist()
        return tuple(made.get_chunk()) if made.get_layout() == h5d.CHUNKED else None

    def tasks(self, selections: tuple[Selection, ...], out: np.ndarray) -> Iterator[Callable[[], None]]:
        """Give the pieces of work that read a box into an array; they may be done at once, in any order.

        They raise ``StackUnreadableError`` where the values cannot be read.
        """
        if self._form is None:
            yield partial(self._read_through, selections, out)
            return
        wanted = list(divide(selections, self._form.shape, self._grid))
        if len(wanted) > max(8, _MANY * math.prod(self._grid)) and len(self._chunks) < math.prod(self._grid):
            self._look_up_all()
        for place, where, inside in wanted:
            yield partial(self._read_chunk, self._form, place, inside, out[where])

    def _look_up_all(self) -> None:
        shape = self._form.shape if self._form else ()
        chunks: dict[tuple[int, ...], tuple[int, int, int]] = {}

        def note(found: Any) -> None:
            place = tuple(at // step for at, step in zip(found.chunk_offset, shape, strict=True))
            chunks[place] = (found.byte_offset, found.size, found.filter_mask)

        self._guarded(lambda: self._data.chunk_iter(note))
        self._chunks = chunks

    def _chunk(self, form: ChunkForm, place: tuple[int, ...]) -> tuple[int, int, int]:
        found = self._chunks.get(place)
        if found is None:
            corner = tuple(at * step for at, step in zip(place, form.shape, strict=True))
            told = self._guarded(lambda: self._data.get_chunk_info_by_coord(corner))
            found = self._chunks[place] = (told.byte_offset or 0, told.size, told.filter_mask)
        return found

    def _read_chunk(self, form: ChunkForm, place: tuple[int, ...], inside: tuple[Selection, ...], out: Any) -> None:
        offset, size, mask = self._chunk(form, place)
        if size <= 0 or offset <= 0 or offset + size > self.signature.size:
            raise self._unreadable("a chunk lies beyond the end of the file")
        packed = read_at(self._file, offset, size)
        if len(packed) != size:
            raise self._unreadable("the file is truncated")
        try:
            form.unpack(packed, mask, inside, out)
        except DamagedError:
            raise self._unreadable("a chunk is damaged") from None

    def _read_through(self, selections: tuple[Selection, ...], out: np.ndarray) -> None:
        cut = tuple(_bounds(each) for each in selections)
        found = self._guarded(lambda: h5py.Dataset(self._data)[cut])
        for axis, chosen in enumerate(selections):
            if not isinstance(chosen, range):
                found = found.take(chosen - chosen[0], axis)
        out[...] = found

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (OSError, RuntimeError, ValueError, KeyError) as error:  # HDF5's are of these kinds
            raise self._unreadable(plain(error)) from error

    def _unreadable(self, reason: str) -> StackUnreadableError:
        return unreadable(self._path, reason)


def unreadable(path: str, reason: str) -> StackUnreadableError:
    """Make the error that names a file and says what is wrong with it."""
    action = "It may still be written or copied; try again, or copy it anew." if "truncated" in reason else ""
    return StackUnreadableError(f"{os.path.basename(path)} cannot be read: {reason}.", action=action, path=path)


def read_box(array: ChunkedArray, selections: tuple[Selection, ...]) -> np.ndarray:
    """Read a box of one data set."""
    from h5explorer_py.stacks.work import do_all

    out = np.empty(selected_shape(selections), array.dtype)
    if out.size:
        do_all(array.tasks(selections, out))
    return out


def _bounds(chosen: Selection) -> slice:
    if isinstance(chosen, range):
        return slice(chosen.start, chosen.stop, chosen.step)
    return slice(int(chosen[0]), int(chosen[-1]) + 1)


def _told(dtype: np.dtype[Any]) -> str:
    return "Python object or text of any length" if dtype.hasobject else shorten(str(dtype))
