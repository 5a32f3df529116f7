"""The place or the bytes of one data set that holds an encoded picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
from h5py import h5s, h5t, h5z

from h5explorer_py.images.places import Allowed, Place, Refusal, plain

if TYPE_CHECKING:
    from h5explorer_py.images.hdf5 import Shard


def bytes_of(dataset: Any, limit: int, allowed: Allowed, shard: Shard) -> Place | bytes:
    """Return the place or the bytes of a data set that holds an encoded picture."""
    offset = dataset.get_offset()
    if offset is None:
        shard.check_sources(dataset, allowed)  # before all else, as even asking for the shape may open them
    space = dataset.get_space()
    kind = dataset.get_type()
    if space.get_simple_extent_type() == h5s.NULL:
        raise Refusal("empty_image")
    shape = space.get_simple_extent_dims()
    check_shape(kind, shape)
    count = shape[0] if shape else 1
    variable = is_variable(kind)
    size = 0 if variable else count * kind.get_size()
    if size > limit:
        raise Refusal("too_large", size=size, limit=limit)
    if not variable and size == 0:
        raise Refusal("empty_image")
    if offset is not None and not variable:
        return Place(offset, size)
    return read(dataset, variable=variable, limit=limit)


def check_shape(kind: Any, shape: tuple[int, ...]) -> None:
    """Let through what can hold encoded bytes: one-byte numbers in a row, opaque and text values, alone or in one."""
    of_class = kind.get_class()
    wide = of_class in {h5t.OPAQUE, h5t.STRING} or is_variable(kind)
    byte = of_class in {h5t.INTEGER, h5t.BITFIELD, h5t.ENUM} and kind.get_size() == 1
    if is_variable(kind) and of_class == h5t.VLEN and kind.get_super().get_size() != 1:
        raise Refusal("array_not_shown", shape=list(shape), dtype=f"lists of {_dtype_name(kind.get_super())}")
    if wide and shape in {(), (1,)}:
        return
    if (byte or (wide and kind.get_size() == 1 and not is_variable(kind))) and len(shape) == 1:
        if shape[0] == 0:
            raise Refusal("empty_image")
        return
    if 0 in shape:
        raise Refusal("empty_image")
    if shape == ():
        raise Refusal("not_an_image", kind=f"a single value of type {_dtype_name(kind)}")
    raise Refusal("array_not_shown", shape=list(shape), dtype=_dtype_name(kind))


def is_variable(kind: Any) -> bool:
    """Whether values of a type are as long as each is."""
    of_class = kind.get_class()
    return bool(of_class == h5t.VLEN or (of_class == h5t.STRING and kind.is_variable_str()))


def load_filters(made: Any) -> tuple[int, str] | None:
    """Load the filters that reading takes; return the code and name of one that is missing."""
    for index in range(made.get_nfilters()):
        code, _, _, name = made.get_filter(index)
        if h5z.filter_avail(code):
            continue
        import hdf5plugin  # noqa: F401  (registers its filters; takes longer than most images)

        if not h5z.filter_avail(code):
            return code, name.decode("utf-8", "replace")
    return None


def read(dataset: Any, *, variable: bool, limit: int) -> bytes:
    """Read all of a data set through its filters.

    Raises
    ------
    Refusal
        Where it is empty, too large, or cannot be read.
    """
    try:
        values = h5py.Dataset(dataset)[...]
    except OSError as error:
        missing = load_filters(dataset.get_create_plist())
        if missing:  # told only now: a chunk may have been written without it
            raise Refusal("missing_filter", filter=missing[0], name=missing[1]) from error
        raise Refusal("shard_unreadable", why=plain(error)) from error
    value = values.reshape(-1)[0] if variable else values
    data = value if isinstance(value, bytes) else value.tobytes()
    if not data:
        raise Refusal("empty_image")
    if variable and len(data) > limit:
        raise Refusal("too_large", size=len(data), limit=limit)
    return bytes(data)


def _dtype_name(kind: Any) -> str:
    try:
        return str(kind.dtype)
    except (TypeError, ValueError):
        return "an unknown kind"
