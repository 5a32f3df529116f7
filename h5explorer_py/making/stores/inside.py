"""Pictures that lie in a store, as an array or encoded: one at a time, whatever the store is.

Runs where pictures are read. The stores used last are kept open.
"""

from __future__ import annotations

import hashlib
import io
import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from h5explorer_py.decode.facts import Facts, Kind, check_size
from h5explorer_py.decode.picture import facts_of, pixels_of
from h5explorer_py.errors import NotAnImageError, SourceNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import DecodeOptions
    from h5explorer_py.making.items import Item

_KEPT = 4
_CHANNELS: dict[int, Kind] = {1: "grey", 2: "grey+alpha", 3: "colour", 4: "colour+alpha"}


class Opened(Protocol):
    """A store that is open."""

    def facts(self, item: Item, options: DecodeOptions) -> tuple[Facts, int]:
        """Return what is known of a picture without its values, and how many bytes it takes."""

    def values(self, item: Item, options: DecodeOptions) -> tuple[NDArray[Any], Facts, int, str]:
        """Return a picture as height × width × channels, its facts, its bytes, and their checksum."""

    def encoded(self, item: Item, options: DecodeOptions) -> bytes:
        """Return a picture as bytes that any program reads: as they lie there, where it is encoded already."""

    def close(self) -> None:
        """Let go of it."""


class _Array(ABC):
    """A store of arrays."""

    @abstractmethod
    def values(self, item: Item, options: DecodeOptions) -> tuple[NDArray[Any], Facts, int, str]:
        """See `Opened`."""

    def encoded(self, item: Item, options: DecodeOptions) -> bytes:
        from h5explorer_py.making.encode import encode

        values, told, _, _ = self.values(item, options)
        return encode(values, told.kind)


class _H5Array(_Array):
    def __init__(self, path: str) -> None:
        from h5explorer_py.making.h5.file import PicturesFile

        self._file = PicturesFile(path)
        self.close = self._file.close

    def facts(self, item: Item, options: DecodeOptions) -> tuple[Facts, int]:  # noqa: ARG002
        found = self._file.facts
        shape = found.shape[1:] if len(found.shape) == 4 else (*found.shape[1:], 1)
        return array_facts("HDF5", shape, found.dtype, options), found.picture_bytes

    def values(self, item: Item, options: DecodeOptions) -> tuple[NDArray[Any], Facts, int, str]:
        told, size = self.facts(item, options)
        number = number_of(item, self._file.facts.shape[0])
        values = self._file.read(number, number + 1)[0]
        return with_channels(values), told, size, hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


class _ZarrArray(_Array):
    def __init__(self, path: str) -> None:
        from h5explorer_py.making.stores.zarr_array import open_array

        self._array = open_array(path)

    def facts(self, item: Item, options: DecodeOptions) -> tuple[Facts, int]:  # noqa: ARG002
        shape = tuple(self._array.shape[1:])
        channels, height, width = shape if len(shape) == 3 else (1, *shape)
        dtype = self._array.dtype.newbyteorder("=")
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        return array_facts("Zarr", (height, width, channels), dtype.name, options), size

    def values(self, item: Item, options: DecodeOptions) -> tuple[NDArray[Any], Facts, int, str]:
        told, size = self.facts(item, options)
        number = number_of(item, self._array.shape[0])
        try:
            values = np.asarray(self._array[number], told.dtype)
        except Exception as error:  # codecs raise many kinds
            raise NotAnImageError(f"The picture cannot be read from the store: {error}.") from error
        checksum = hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
        return np.moveaxis(values, 0, -1) if values.ndim == 3 else with_channels(values), told, size, checksum

    def close(self) -> None:
        pass


class _Shard:
    def __init__(self, path: str) -> None:
        from h5explorer_py.images.hdf5 import Shard
        from h5explorer_py.images.places import Allowed, Refusal
        from h5explorer_py.images.refusals import error_of

        self._path = path
        self._allowed = Allowed([os.path.dirname(os.path.realpath(path))])
        try:
            self._shard = Shard(path, self._allowed, lambda: None)
        except Refusal as refusal:
            raise error_of(refusal.code, refusal.facts, path, "") from refusal
        self.close = self._shard.close

    def facts(self, item: Item, options: DecodeOptions) -> tuple[Facts, int]:
        data = self._bytes(item)
        return facts_of(io.BytesIO(data), options), len(data)

    def values(self, item: Item, options: DecodeOptions) -> tuple[NDArray[Any], Facts, int, str]:
        data = self._bytes(item)
        values, told = pixels_of(io.BytesIO(data), options)
        return values, told, len(data), hashlib.sha256(data).hexdigest()

    def encoded(self, item: Item, options: DecodeOptions) -> bytes:  # noqa: ARG002
        return self._bytes(item)

    def _bytes(self, item: Item) -> bytes:
        from h5explorer_py.images.pipe import LARGEST_IMAGE
        from h5explorer_py.images.places import Place, Refusal
        from h5explorer_py.images.refusals import error_of

        key = "" if item.inside is None else str(item.inside.key)
        try:
            found = self._shard.find(key, LARGEST_IMAGE, self._allowed)
        except Refusal as refusal:
            raise error_of(refusal.code, refusal.facts, self._path, key) from refusal
        if not isinstance(found, Place):
            return found
        with open(self._path, "rb") as file:
            file.seek(found.offset)
            data = file.read(found.size)
        if len(data) < found.size:
            raise NotAnImageError("The file ends before the picture does.")
        return data


_KINDS: dict[str, Callable[[str], Opened]] = {"h5": _H5Array, "zarr": _ZarrArray, "shard": _Shard}
_open: OrderedDict[tuple[str, str], tuple[tuple[int, ...], Opened]] = OrderedDict()


def opened_store(item: Item) -> Opened:
    """Return the store that an item lies in, open.

    Raises
    ------
    ExplorerError
        Where it cannot be opened.
    """
    assert item.inside is not None
    key = item.inside.kind, item.path
    state = _state(item.path)
    held = _open.pop(key, None)
    if held is not None and held[0] != state:
        held[1].close()
        held = None
    if held is None:
        held = state, _KINDS[item.inside.kind](item.path)
    _open[key] = held
    while len(_open) > _KEPT:
        _open.popitem(last=False)[1][1].close()
    return held[1]


def _state(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise SourceNotFoundError(f"{path} is not there.") from error
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def array_facts(store: str, shape: tuple[int, ...], dtype: str, options: DecodeOptions) -> Facts:
    """Return the facts of a picture that is height × width × channels values of an array.

    Raises
    ------
    TooLargeError
    """
    height, width, channels = shape
    check_size(width, height, channels * np.dtype(dtype).itemsize, options.most_pixels)
    return Facts(store, f"{dtype} array", width, height, _CHANNELS.get(channels, "bands"), channels, dtype)


def with_channels(values: NDArray[Any]) -> NDArray[Any]:
    """Return a picture with an axis of channels, be it one."""
    return values if values.ndim == 3 else values[..., np.newaxis]


def number_of(item: Item, count: int) -> int:
    """Return which picture of an array an item is.

    Raises
    ------
    NotAnImageError
        Where the array has become shorter.
    """
    assert item.inside is not None
    number = int(item.inside.key)
    if not 0 <= number < count:
        raise NotAnImageError(f"The store has {count:,} pictures, none of number {number + 1:,}.")
    return number


def check_known(item: Item) -> None:
    """Raise where a picture was lost when its store was made, and is but zeros there.

    Raises
    ------
    NotAnImageError
    """
    if item.inside is not None and item.inside.error:
        raise NotAnImageError(f"It was lost when the store was made: {item.inside.error}")
