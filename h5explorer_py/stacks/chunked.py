"""An HDF5 data set of numbers, of which parts are read.

HDF5 lets one thread in at a time, and a file that it has open cannot be opened otherwise in the same process. It is
therefore only asked where the chunks are, and is closed again; chunks of the usual kinds are read and unpacked here, by
several threads. All other data sets are read through it.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5d, h5f, h5i, h5p, h5s, h5t

from h5explorer_py.errors import ExplorerError, MissingFilterError, OutsideDataError, StackUnreadableError
from h5explorer_py.files import HeldFile, Signature, read_at, regular_file, shorten
from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import plain
from h5explorer_py.stacks.blosc import DamagedError
from h5explorer_py.stacks.chunk_filters import ChunkForm
from h5explorer_py.stacks.tiles import Part, divide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from h5explorer_py.stacks.index import Selection

_MANY = 0.05
"""Where more than this part of the chunks has been looked up, all of them are."""

_OPENINGS = 2
_FEW = 4096
"""So many chunks, or fewer, are all looked up after so many openings of the file."""

_RUN_BYTES = 4 << 20
"""Values that lie in one piece are read in runs of about so many bytes."""


def open_file(path: str) -> Any:
    """Open an HDF5 file for reading, without a lock, so that others may write it.

    Raises
    ------
    OSError
    """
    error: OSError | None = None
    # Where this process has the file open already, HDF5 opens it in the same way only: as h5py does, or as this does.
    for locks, closes in ((False, h5f.CLOSE_STRONG), (True, h5f.CLOSE_STRONG), (False, None), (True, None)):
        how = h5p.create(h5p.FILE_ACCESS)
        if closes is not None:
            how.set_fclose_degree(closes)
        if not locks:
            how.set_file_locking(False, True)  # noqa: FBT003  (not to lock; to do without where the system cannot)
        try:
            return h5f.open(os.fsencode(path), h5f.ACC_RDONLY, how)
        except OSError as caught:
            if "match" not in str(caught):
                raise
            error = error or caught
    assert error is not None
    raise error


class ElsewhereError(Exception):
    """What is looked for in a file is a link to another place."""


class ChunkedArray:
    """A data set in an HDF5 file.

    Parameters
    ----------
    path : str
        The file.
    find : callable
        Is given the open file; returns the low-level data set and its name. Raises ``LookupError`` with what is wrong,
        or ``ElsewhereError``.
    first : tuple of range or ndarray, optional
        What is to be read first: where it lies is found out while the file is open.

    Attributes
    ----------
    node : str
        The data set's name.
    signature : Signature
        The state of the file.
    shape : tuple of int
    dtype : numpy.dtype
    chunks : tuple of int, optional
        The shape of its chunks, where it has some.

    Raises
    ------
    StackUnreadableError, OutsideDataError, MissingFilterError
        With a sentence that names the file.
    OSError
        Where the file is not there.
    """

    def __init__(
        self, path: str, find: Callable[[Any], tuple[Any, str]], first: tuple[Selection, ...] | None = None
    ) -> None:
        self._path, self._name = path, os.path.basename(path)
        self.signature: Signature = regular_file(path)
        self._find = find
        self._file = HeldFile(path)
        self._chunks: dict[tuple[int, ...], tuple[int, int, int]] = {}
        self._all_known = False
        self._openings = 0
        with self._opened() as data:
            self._learn(data)
            fits = first is not None and len(first) == len(self.shape)
            if self._form and self._offset is None and first is not None and fits:
                self._look_up(data, self._form.shape, [place for place, _, _ in self._divided(first, self._form)])

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Open the file in HDF5 for a moment, and find the data set in it."""
        try:
            file = open_file(self._path)
            try:
                data, self.node = self._find(file)
                yield data
            finally:
                file.close()
        except ElsewhereError:
            raise OutsideDataError(
                f"{self._name} keeps its values in other files.", action="Such files are not followed.", path=self._path
            ) from None
        except ExplorerError:
            raise
        except Exception as error:  # HDF5's and h5py's are of many kinds
            raise self._unreadable(plain(error)) from error

    def _learn(self, data: Any) -> None:
        made = data.get_create_plist()
        # Before all else, as even asking for the shape may open the files that it refers to.
        if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
            raise ElsewhereError
        space = data.get_space()
        if space.get_simple_extent_type() != h5s.SIMPLE:
            raise self._unreadable("its data set has no axes")
        self.shape: tuple[int, ...] = space.get_simple_extent_dims()
        kind = data.get_type()
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
        self.chunks = tuple(made.get_chunk()) if made.get_layout() == h5d.CHUNKED else None
        self._form = self._form_of(data, made, kind)

    def _form_of(self, data: Any, made: Any, kind: Any) -> ChunkForm | None:
        """Return how its values are to be read here; ``None`` where HDF5 has to read them."""
        if h5i.get_file_id(data).get_create_plist().get_userblock():
            return None
        if not self._bits and not kind.equal(h5t.py_create(self.dtype, logical=True)):
            return None
        self._offset = data.get_offset()
        if self._offset is not None:
            shape = _run_of(self.shape, self.dtype.itemsize)
            filters: tuple[int, ...] = ()
        elif self.chunks is not None:
            shape = self.chunks
            filters = tuple(made.get_filter(each)[0] for each in range(made.get_nfilters()))
        else:
            return None
        form = ChunkForm(shape, self.dtype, filters)
        if not form.is_known or (filters and form.size > max(2 * self._size, 1 << 26)):
            return None
        self._grid = tuple(-(-length // step) for length, step in zip(self.shape, shape, strict=True))
        self._count = math.prod(self._grid)
        self._fill = h5py.Dataset(data).fillvalue if made.fill_value_defined() == h5d.FILL_VALUE_USER_DEFINED else 0
        return form

    @property
    def _size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def ask(self, question: Callable[[Any], Any]) -> Any:
        """Return what is told of the low-level data set, which is opened for it."""
        with self._opened() as data:
            return question(data)

    @property
    def task_size(self) -> int:
        """How many bytes are gone through for a task, about."""
        return self._form.size if self._form and self._form.filters else _RUN_BYTES

    def tasks(self, selections: tuple[Selection, ...], out: np.ndarray) -> Iterator[Callable[[], None]]:
        """Give the pieces of work that read a box into an array; they may be done at once, in any order.

        They raise ``StackUnreadableError`` where the values cannot be read.
        """
        if self._form is None:
            yield partial(self._read_through, selections, out)
            return
        wanted = self._divided(selections, self._form)
        if self._offset is None and not self._all_known:
            unknown = [place for place, _, _ in wanted if place not in self._chunks]
            if unknown:
                with self._opened() as data:
                    self._look_up(data, self._form.shape, unknown)
        for place, where, inside in wanted:
            yield partial(self._read_chunk, self._form, place, inside, out[where])

    def _divided(self, selections: tuple[Selection, ...], form: ChunkForm) -> list[Part]:
        return list(divide(selections, form.shape, self._grid))

    def _look_up(self, data: Any, shape: tuple[int, ...], places: list[tuple[int, ...]]) -> None:
        """Ask HDF5 where chunks lie: which takes less for all of them at once than for many one by one."""
        self._openings += 1
        often = self._openings > _OPENINGS and self._count <= _FEW
        if often or len(self._chunks) + len(places) > _MANY * self._count:
            self._look_up_all(data, shape)
            return
        for place in places:
            told = data.get_chunk_info_by_coord(tuple(at * step for at, step in zip(place, shape, strict=True)))
            self._chunks[place] = (told.byte_offset or 0, told.size, told.filter_mask)  # none was written: 0, 0

    def _look_up_all(self, data: Any, shape: tuple[int, ...]) -> None:
        def note(found: Any) -> None:
            place = tuple(at // step for at, step in zip(found.chunk_offset, shape, strict=True))
            self._chunks[place] = (found.byte_offset or 0, found.size, found.filter_mask)

        data.chunk_iter(note)
        self._all_known = True

    def _read_chunk(self, form: ChunkForm, place: tuple[int, ...], inside: tuple[Selection, ...], out: Any) -> None:
        offset, size, mask = self._place_of(form, place)
        if not size:
            out[...] = self._fill
        elif form.filters:
            packed = self._read_at(offset, size)
            try:
                form.unpack(packed, mask, inside, out)
            except DamagedError:
                raise self._unreadable("a chunk is damaged") from None
        else:
            first, last = form.ends(inside)
            wide = form.dtype.itemsize
            if self._offset is None and size != form.size:
                raise self._unreadable("a chunk is damaged")
            form.put(self._read_at(offset + first * wide, (last - first + 1) * wide), inside, out)

    def _place_of(self, form: ChunkForm, place: tuple[int, ...]) -> tuple[int, int, int]:
        """Return offset, size and filter mask of a chunk."""
        if self._offset is None:
            return self._chunks.get(place, (0, 0, 0))  # they have been looked up
        corner = [at * step for at, step in zip(place, form.shape, strict=True)]
        at = 0
        for position, length in zip(corner, self.shape, strict=True):
            at = at * length + position
        return int(self._offset) + at * form.dtype.itemsize, form.size, 0

    def _read_at(self, offset: int, size: int) -> bytes:
        if size <= 0 or offset <= 0 or offset + size > self.signature.size:
            raise self._unreadable("values lie beyond the end of the file")
        data = read_at(self._file, offset, size)
        if len(data) != size:
            raise self._unreadable("the file is truncated")
        return data

    def _read_through(self, selections: tuple[Selection, ...], out: np.ndarray) -> None:
        cut = tuple(_bounds(each) for each in selections)
        with self._opened() as data:
            found = h5py.Dataset(data)[cut]
        for axis, chosen in enumerate(selections):
            if not isinstance(chosen, range):
                found = found.take(chosen - chosen[0], axis)
        out[...] = found

    def _unreadable(self, reason: str) -> StackUnreadableError:
        return unreadable(self._path, reason)


def unreadable(path: str, reason: str) -> StackUnreadableError:
    """Make the error that names a file and says what is wrong with it."""
    action = "It may still be written or copied; try again, or copy it anew." if "truncated" in reason else ""
    return StackUnreadableError(f"{os.path.basename(path)} cannot be read: {reason}.", action=action, path=path)


def _run_of(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the shape of runs of an array that lies in one piece: some lines of a plane each."""
    run = [1] * len(shape)
    run[-1] = shape[-1] if len(shape) > 1 else min(shape[-1], max(1, _RUN_BYTES // itemsize))
    if len(shape) > 1:
        run[-2] = min(shape[-2], max(1, _RUN_BYTES // max(1, run[-1] * itemsize)))
    return tuple(run)


def _bounds(chosen: Selection) -> slice:
    if isinstance(chosen, range):
        return slice(chosen.start, chosen.stop, chosen.step)
    return slice(int(chosen[0]), int(chosen[-1]) + 1)


def _told(dtype: np.dtype[Any]) -> str:
    return "Python object or text of any length" if dtype.hasobject else shorten(str(dtype))
