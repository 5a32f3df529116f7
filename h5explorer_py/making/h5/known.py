"""What an HDF5 file of pictures says of each of them: its name, its label, and the columns beside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa

from h5explorer_py.lookup.text import text_array
from h5explorer_py.making.columns import from_numpy
from h5explorer_py.making.h5.names import COLUMNS, KIND, LABELS, NAME, NAMES, NULLS, POSITION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.making.h5.file import PicturesFile

FILENAME, LABEL = "filename", "label"
_NUMBERS = {str(kind): kind for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16())}
_NUMBERS |= {str(kind): kind for kind in (pa.uint32(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_())}
_MOST_COLUMNS = 10_000


def known_of(file: PicturesFile) -> tuple[pa.Table, list[str]]:
    """Read what a file says of its pictures.

    Returns
    -------
    table : pyarrow.Table
        A row for each picture; ``filename`` is its first column.
    notices : list of str
        What was left out.
    """
    count = file.facts.shape[0]
    notices: list[str] = []
    columns = _columns(file, count, notices)
    names = columns.pop(FILENAME, None)
    if names is None:
        names = _column(file.own(NAMES, count), None)
    if names is None or not pa.types.is_string(names.type):
        base = os.path.basename(file.path)
        names = text_array([f"{base}#{number}" for number in range(count)])
        if NAMES in file.file:
            notices.append(f"The names in {file.path} are left out, as they are no {count:,} texts.")
    labels = columns.pop(LABEL, None)
    if labels is None and LABELS in file.file:
        labels = _column(file.own(LABELS, count), None)
        if labels is None:
            notices.append(f"The labels in {file.path} are left out, as they are no {count:,} numbers or texts.")
    first = {FILENAME: names} | ({} if labels is None else {LABEL: labels})
    return pa.table(first | columns), notices


def _columns(file: PicturesFile, count: int, notices: list[str]) -> dict[str, pa.Array]:
    if not isinstance(file.file.get(COLUMNS, getlink=True), h5py.HardLink):
        return {}
    group = file.file[COLUMNS]
    if not isinstance(group, h5py.Group) or len(group) > _MOST_COLUMNS:
        return {}
    found: list[tuple[int, str, pa.Array]] = []
    for own in group:
        dataset = file.own(f"{COLUMNS}/{own}", count)
        nulls = file.own(f"{NULLS}/{own}", count)
        array = _column(dataset, None if nulls is None or nulls.dtype.kind not in "iub" else nulls[...] == 0)
        if array is None:
            notices.append(f"The column {own} of {file.path} is left out, as it is no {count:,} numbers or texts.")
            continue
        name, position = dataset.attrs.get(NAME, own), dataset.attrs.get(POSITION, len(group))
        position = int(position) if isinstance(position, int | np.integer) else len(group)
        found.append((position, name if isinstance(name, str) else own, array))
    found.sort(key=lambda each: each[0])
    return {name: array for _, name, array in found}


def _column(dataset: Any, there: NDArray[np.bool_] | None) -> pa.Array | None:
    """Return the values of a data set; ``None`` where they are neither numbers nor texts."""
    if dataset is None:
        return None
    there = None if there is None or there.all() else there
    kind = dataset.attrs.get(KIND, "")
    if h5py.check_string_dtype(dataset.dtype) is not None:
        texts = [each.decode("utf-8", "replace") for each in dataset[...]]
        made = text_array(texts if there is None else [t if h else None for t, h in zip(texts, there, strict=True)])
    elif dataset.dtype.kind in "iufb":
        values = dataset[...]
        made = from_numpy(values.astype(values.dtype.newbyteorder("="), copy=False), there)
    else:
        return None
    target = _NUMBERS.get(kind) if isinstance(kind, str) else None
    if target is None or target == made.type:
        return made
    try:
        return made.cast(target)
    except pa.ArrowException:
        return made
