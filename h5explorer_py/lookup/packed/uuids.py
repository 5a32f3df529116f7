"""Canonical uuids as 16 bytes, and back, a column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

UUID_BYTES = 16
TEXT_LENGTH = 36

_DASHES = (8, 13, 18, 23)
_RUNS = ((0, 8), (9, 13), (14, 18), (19, 23), (24, 36))
"""Where the digits stand between the dashes."""

_DASH = ord("-")
_PAIR_OF = np.array([[ord(sign) for sign in f"{byte:02x}"] for byte in range(256)], np.uint8)
_PAIR_OF = _PAIR_OF.reshape(-1).view(np.uint16)
"""The two digits of every byte, as they stand in memory."""


def pack(column: pa.StringArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pack a column of texts.

    Parameters
    ----------
    column : pyarrow.StringArray
        Any texts and nulls.

    Returns
    -------
    packed : ndarray of uint8, shape (n, 16)
        The bytes of each uuid; zeros where the text is none.
    canonical : ndarray of bool, shape (n,)
        Where the text is a uuid in its canonical form: lower case, with dashes. Others would not come back as they are.
    """
    _, offset_buffer, data_buffer = column.buffers()
    packed = np.zeros((len(column), UUID_BYTES), np.uint8)
    if len(column) == 0 or offset_buffer is None or data_buffer is None:
        return packed, np.zeros(len(column), np.bool_)
    offsets = np.frombuffer(offset_buffer, np.int32)[column.offset : column.offset + len(column) + 1]
    right_length = np.diff(offsets) == TEXT_LENGTH
    data = np.frombuffer(data_buffer, np.uint8)
    if right_length.all():
        texts = data[offsets[0] : offsets[-1]].reshape(-1, TEXT_LENGTH)
        rows: slice | NDArray[np.intp] = slice(None)
    else:
        rows = np.flatnonzero(right_length)
        texts = data[offsets[:-1][rows, None].astype(np.int64) + np.arange(TEXT_LENGTH)]
    made, good = _pack_texts(texts)
    packed[rows] = made
    canonical = np.zeros(len(column), np.bool_)
    canonical[rows] = good
    if column.null_count:
        there = np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
        packed[~there] = 0
        canonical &= there
    return packed, canonical


def _pack_texts(texts: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pack texts of the right length, shape (n, 36).

    65 ns each: with arithmetic, as looking each sign up in a table takes twice as long.
    """
    values = (texts & 15) + 9 * (texts >> 6)  # "0" is 0x30, "a" is 0x61
    made = np.empty((len(texts), UUID_BYTES), np.uint8)
    at = 0
    for start, stop in _RUNS:
        to = at + (stop - start) // 2
        np.bitwise_or(values[:, start:stop:2] << 4, values[:, start + 1 : stop : 2], out=made[:, at:to])
        at = to
    is_digit = (texts - ord("0") < 10) | (texts - ord("a") < 6)  # below zero wraps round to large numbers
    is_dash = texts[:, _DASHES] == _DASH
    if is_dash.all() and np.count_nonzero(is_digit) == 2 * UUID_BYTES * len(texts):
        return made, np.ones(len(texts), np.bool_)
    good = is_dash.all(axis=1)
    for start, stop in _RUNS:
        good &= is_digit[:, start:stop].all(axis=1)
    made[~good] = 0
    return made, good


def unpack(packed: NDArray[np.uint8]) -> pa.StringArray:
    """Return packed uuids as their canonical texts.

    Parameters
    ----------
    packed : ndarray of uint8, shape (n, 16)
    """
    texts = np.full((len(packed), TEXT_LENGTH), _DASH, np.uint8)
    digits = _PAIR_OF[packed].view(np.uint8)
    at = 0
    for start, stop in _RUNS:
        texts[:, start:stop] = digits[:, at : at + stop - start]
        at += stop - start
    offsets = np.arange(len(packed) + 1, dtype=np.int32) * TEXT_LENGTH
    return pa.StringArray.from_buffers(len(packed), pa.py_buffer(offsets), pa.py_buffer(texts))


def bounds_of(begin: str) -> tuple[bytes, bytes] | None:
    """Return the lowest and highest packed uuid that begins with a text; ``None`` where none can.

    Parameters
    ----------
    begin : str
        The beginning of a canonical uuid, of any length up to the whole.
    """
    if len(begin) > TEXT_LENGTH:
        return None
    for position, sign in enumerate(begin):
        if (sign == "-") != (position in _DASHES) or (sign != "-" and sign not in "0123456789abcdef"):
            return None
    digits = begin.replace("-", "")
    low, high = (digits.ljust(2 * UUID_BYTES, fill) for fill in "0f")
    return bytes.fromhex(low), bytes.fromhex(high)
