"""What is known of each picture, in the HDF5 file beside the pictures: a data set for each column.

A column is what a reader of plain HDF5 expects: numbers are numbers, all else is text. Where a number is missing it is
NaN, for which whole numbers and truths become floating point; a missing text is empty. The group ``nulls`` has a data
set of the same name then, which is 1 where there is no value, so that nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
from pyarrow import types

from h5explorer_py.bulk.cells import cells
from h5explorer_py.lookup.arrays import there
from h5explorer_py.making.h5.names import COLUMNS, KIND, NAME, NULLS, POSITION

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 65_536
_EXACT = 1 << 53
_LONGEST_KIND = 1_000
TEXT = h5py.string_dtype()


def write_columns(file: h5py.File, table: pa.Table, linked: dict[str, str] | None = None) -> None:
    """Write a table.

    Parameters
    ----------
    file : h5py.File
    table : pyarrow.Table
    linked : dict of str to str, optional
        For columns that have a place of their own in the file too: the path of that.
    """
    from h5explorer_py.bulk.shard import key_problem

    group = file.require_group(COLUMNS)
    for position, name in enumerate(table.column_names):
        own = name if not key_problem(name) else f"column {position}"
        while own in group:
            own = f"{own} {position}"
        values, missing = plain(table[name])
        made = write_values(group, own, values)
        made.attrs[NAME] = _whole(name)
        made.attrs[POSITION] = position
        made.attrs[KIND] = str(table[name].type)[:_LONGEST_KIND]
        if missing is not None:
            write_values(file.require_group(NULLS), own, missing)
        if linked and name in linked:
            file[linked[name]] = made


def write_values(group: h5py.Group, name: str, values: NDArray[Any]) -> h5py.Dataset:
    """Write a data set of numbers or texts."""
    if values.dtype != object:
        return group.create_dataset(name, data=values)
    made = group.create_dataset(name, (len(values),), TEXT)
    for start in range(0, len(values), _AT_ONCE):
        made[start : start + _AT_ONCE] = values[start : start + _AT_ONCE]
    return made


def plain(column: pa.ChunkedArray) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Return a column's values as HDF5 holds them, and 1 for each that is missing, if any is."""
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    missing = _missing(column)
    if types.is_integer(column.type) or types.is_boolean(column.type) or types.is_floating(column.type):
        values = _numbers(column, missing)
        if values is not None:
            return values, missing
    found = cells(column, is_key=False)
    texts = np.empty(len(found), object)
    texts[:] = ["" if text is None else _whole(text) for text in found.to_pylist()]
    return texts, missing


def _missing(column: pa.ChunkedArray) -> NDArray[np.uint8] | None:
    if not column.null_count:
        return None
    parts = [np.zeros(len(chunk), bool) if types.is_null(chunk.type) else there(chunk) for chunk in column.chunks]
    return np.concatenate([~part for part in parts]).astype(np.uint8)


def _numbers(column: pa.ChunkedArray, missing: NDArray[np.uint8] | None) -> NDArray[Any] | None:
    """Return numbers; ``None`` where they cannot be told apart once missing ones are NaN."""
    truths = types.is_boolean(column.type)
    wide = column.cast(pa.uint8()) if truths else column
    kind = np.dtype(wide.type.to_pandas_dtype())  # which takes no pandas
    filled = [chunk if not chunk.null_count else chunk.drop_null() for chunk in wide.chunks]
    values = np.concatenate([np.zeros(0, kind), *(np.from_dlpack(chunk) for chunk in filled if len(chunk))])
    if missing is None:
        return values.astype(bool) if truths else values
    if kind.kind != "f":
        if values.size and (int(values.max()) > _EXACT or int(values.min()) < -_EXACT):
            return None
        kind = np.dtype(np.float64)
    made = np.full(len(column), np.nan, kind)
    made[missing == 0] = values
    return made


def _whole(text: str) -> str:
    """Return a text as HDF5 can hold it, where a NUL would end it."""
    return text.replace("\0", "\\x00")
