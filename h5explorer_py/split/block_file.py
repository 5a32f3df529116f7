"""Writing one block as an HDF5 file, as the original package and PyTables read it."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from h5explorer_py.bulk.aside import settle
from h5explorer_py.errors import BadArrayError
from h5explorer_py.split.layout import chunk_shape, plane_bytes
from h5explorer_py.stacks.blosc import load_blosc
from h5explorer_py.stacks.chunk_filters import deflated
from h5explorer_py.stacks.tiles import divide
from h5explorer_py.stacks.work import do_all

if TYPE_CHECKING:
    from collections.abc import Callable

Compression = Literal["blosc", "zlib"] | None

_COMPRESSIONS: tuple[Compression, ...] = ("blosc", "zlib", None)

NODE = "stack"
_ZLIB_LEVEL = 4
_BLOSC_BLOCK = 16 << 10
_SMALL = 4096


def check_compression(compression: Any) -> Compression:
    """Return the compression.

    Raises
    ------
    BadArrayError
        Where it is none that is known.
    """
    for known in _COMPRESSIONS:
        if compression == known:
            return known
    raise BadArrayError(f"The compression {compression!r} is not known.", action="Use 'blosc', 'zlib' or None.")


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """Return a type whose values can be saved.

    Raises
    ------
    BadArrayError
    """
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise BadArrayError(f"{dtype!r} is not a type of numbers.") from None
    kinds = {"O": "Python objects", "V": "records of several fields", "M": "dates", "m": "durations", "U": "text"}
    if found.kind not in "biufcS" or not found.itemsize:
        told = kinds.get(found.kind, str(found))
        raise BadArrayError(f"Values that are {told} cannot be saved in a split data set: only numbers can.")
    if found.kind in "fc" and found.itemsize > (8 if found.kind == "f" else 16):
        raise BadArrayError(f"Values of the type {found} are not the same on all machines: save them as float64.")
    return found


def write_block(path: str, data: np.ndarray, compression: Compression, *, settled: bool = True) -> None:
    """Write a block's file, whole or not at all.

    Parameters
    ----------
    path : str
        The file.
    data : ndarray
        Its values.
    compression : {"blosc", "zlib", None}
        Of the file.
    settled : bool
        Whether to wait until it is on the disk.

    Raises
    ------
    OSError, RuntimeError
        Where it cannot be written; nothing is left of it.
    """
    folder, name = os.path.split(path)
    aside = os.path.join(folder, f".{name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with h5py.File(aside, "w", libver="earliest", locking=False) as file:
            _mark(file)
            _write(file, np.ascontiguousarray(data), compression)
        if settled:
            settle(aside)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(aside)
        raise


def _mark(file: Any) -> None:
    """Say what PyTables wants to be told of a file."""
    file.attrs["TITLE"] = h5py.Empty("S1")
    file.attrs["CLASS"] = np.bytes_("GROUP")
    file.attrs["VERSION"] = np.bytes_("1.0")
    file.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")


def _write(file: Any, data: np.ndarray, compression: Compression) -> None:
    chunked = compression is not None and data.nbytes >= _SMALL
    made = h5p.create(h5p.DATASET_CREATE)
    made.set_fill_time(h5d.FILL_TIME_NEVER)
    chunk = chunk_shape(data.shape, data.itemsize)
    if chunked:
        made.set_chunk(chunk)
        _set_filters(made, data, chunk, compression)
    # A bool is a field of bits to PyTables, and an enumeration to h5py.
    kind = h5t.NATIVE_B8 if data.dtype.kind == "b" else h5t.py_create(data.dtype, logical=True)
    space = h5s.create_simple(data.shape)
    dataset = h5d.create(file.id, NODE.encode(), kind, space, made)
    if not chunked:
        dataset.write(h5s.ALL, h5s.ALL, data, kind)
    elif compression == "blosc" and load_blosc() is None:
        dataset.write(h5s.ALL, h5s.ALL, data, kind)  # HDF5 compresses it, a chunk at a time
    else:
        _write_chunks(dataset, data, chunk, _packer(compression, chunk))
    attributes = h5py.Dataset(dataset).attrs
    attributes["CLASS"] = np.bytes_("CARRAY" if chunked else "ARRAY")
    attributes["VERSION"] = np.bytes_("1.1" if chunked else "2.4")
    attributes["TITLE"] = h5py.Empty("S1")
    if not chunked:
        attributes["FLAVOR"] = np.bytes_("numpy")


def _set_filters(made: Any, data: np.ndarray, chunk: tuple[int, ...], compression: Compression) -> None:
    if compression == "zlib":
        made.set_shuffle()
        made.set_deflate(_ZLIB_LEVEL)
        return
    import hdf5plugin

    filter_ = hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE)
    size = math.prod(chunk) * data.itemsize
    # What Blosc's own set-up would put there: its versions, the sizes of a value and of a chunk.
    made.set_filter(filter_.filter_id, 0, (2, 2, data.itemsize, size, *filter_.filter_options[4:]))


def _packer(compression: Compression, chunk: tuple[int, ...]) -> Callable[[np.ndarray], bytes]:
    if compression == "zlib":
        return lambda part: deflated(part, _ZLIB_LEVEL)
    library = load_blosc()
    assert library is not None
    return lambda part: library.pack(part, min(part.nbytes, max(_BLOSC_BLOCK, plane_bytes(chunk, part.itemsize))))


def _write_chunks(dataset: Any, data: np.ndarray, chunk: tuple[int, ...], pack: Callable[[np.ndarray], bytes]) -> None:
    """Compress the chunks by several threads; HDF5 lets in one at a time to write them."""

    def write(place: tuple[int, ...], where: tuple[slice, ...]) -> None:
        part = data[where]
        if part.shape != chunk:
            padded = np.zeros(chunk, data.dtype)
            padded[tuple(map(slice, part.shape))] = part
            part = padded
        packed = pack(np.ascontiguousarray(part))
        dataset.write_direct_chunk(tuple(at * n for at, n in zip(place, chunk, strict=True)), packed)

    grid = tuple(-(-length // step) for length, step in zip(data.shape, chunk, strict=True))
    everything = tuple(map(range, data.shape))
    do_all(
        (partial(write, place, where) for place, where, _ in divide(everything, chunk, grid)),
        math.prod(chunk) * data.itemsize,
    )
