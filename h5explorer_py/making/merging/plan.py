"""What comes of HDF5 files that are merged: the files, how the new array lies, what is known of each picture."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import BadRequestError, LossyError, MixedPicturesError, SourceNotFoundError
from h5explorer_py.lookup.shards import natural
from h5explorer_py.lookup.text import repeated, text_array
from h5explorer_py.making.h5.packing import LEVEL, Packing
from h5explorer_py.making.outcome import free_name
from h5explorer_py.making.rule import joined_dtype
from h5explorer_py.making.stores.known import known_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from h5explorer_py.making.merging.look import Looked

MERGED_FROM = "merged_from"
_ERROR = "error"
_SHOWN = 8
_SLACK = 1 << 16


def input_paths(inputs: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the files that are named, patterns as the files that match them.

    Raises
    ------
    BadRequestError
        Where there is none, or one is named twice.
    SourceNotFoundError
        Where one is not there, or nothing matches a pattern.
    """
    paths: list[str] = []
    absent: list[str] = []
    for each in inputs:
        path = os.path.expanduser(os.fsdecode(each))
        if os.path.lexists(path):
            paths.append(os.path.abspath(path))
            continue
        matches = sorted(glob.glob(path, recursive=True), key=natural) if glob.has_magic(path) else []
        paths += map(os.path.abspath, matches)
        if not matches:
            absent.append(path)
    if absent:
        said = ", ".join(absent[:_SHOWN]) + (f" and {len(absent) - _SHOWN:,} more" if len(absent) > _SHOWN else "")
        raise SourceNotFoundError(f"Not there: {said}. Nothing is merged.")
    if not paths:
        raise BadRequestError("No files to merge are named.")
    twice = [path for path, count in Counter(map(os.path.realpath, paths)).items() if count > 1]
    if twice:
        raise BadRequestError(f"{twice[0]} is named more than once.", action="Name each file once.")
    return paths


@dataclass(frozen=True, slots=True)
class Layout:
    """How the new array lies.

    Attributes
    ----------
    shape : tuple of int
        Of one picture.
    dtype : str
    chunks : tuple of int
    packing : Packing
    notices : tuple of str
    """

    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    packing: Packing
    notices: tuple[str, ...] = ()

    @property
    def most_chunk_bytes(self) -> int:
        """What no chunk is larger than, once it is packed."""
        return 2 * int(np.prod(self.chunks, dtype=object)) * np.dtype(self.dtype).itemsize + _SLACK

    def takes_chunks_of(self, looked: Looked, start: int, *, is_last: bool) -> bool:
        """Tell whether the chunks of a file can be copied to where its first picture comes to be."""
        packing = looked.packing
        if looked.places is None or packing is None or looked.facts.chunks != self.chunks:
            return False
        if np.dtype(looked.facts.stored) != np.dtype(self.dtype):
            return False
        if (packing.level > 0, packing.shuffle) != (self.packing.level > 0, self.packing.shuffle):
            return False
        return start % self.chunks[0] == 0 and (is_last or looked.count % self.chunks[0] == 0)


def layout_of(looked: Sequence[Looked]) -> Layout:
    """Decide how the new array lies.

    Raises
    ------
    MixedPicturesError, LossyError
    """
    shapes = {each.facts.shape[1:] for each in looked}
    if len(shapes) > 1:
        said = "; ".join(f"{each.path} has {_size(each.facts.shape[1:])}" for each in looked[:_SHOWN])
        raise MixedPicturesError(
            f"The pictures of the files differ in size (height × width × channels): {said}.",
            action="Convert them to one size first.",
        )
    (shape,) = shapes
    dtypes = Counter(each.facts.dtype for each in looked)
    try:
        dtype = joined_dtype(dtypes)
    except LossyError as error:
        raise LossyError(error.message, action="Convert them to one type first.") from error
    said = ", ".join(sorted(dtypes))
    notices = (f"The files have values of several types: {said}. All are {dtype} now.",) if len(dtypes) > 1 else ()
    first = looked[0]
    if first.facts.chunks is not None and first.packing is not None:
        same = Layout(shape, dtype, first.facts.chunks, first.packing, notices)
        start = 0
        for number, each in enumerate(looked):
            if not same.takes_chunks_of(each, start, is_last=number == len(looked) - 1):
                break
            start += each.count
        else:
            return same
    single = (1, *shape)
    of_ours = [
        each.packing
        for each in looked
        if each.facts.chunks == single and each.packing is not None and each.facts.dtype == dtype
    ]
    return Layout(shape, dtype, single, of_ours[0] if of_ours else Packing.of("gzip", LEVEL, dtype), notices)


def merged_table(looked: Sequence[Looked], lost: dict[int, str]) -> pa.Table:
    """Put together what all files say of their pictures, with the file that each comes from."""
    count = sum(each.count for each in looked)
    starts = np.cumsum([0, *(each.count for each in looked)]).tolist()
    table = known_table([(start, each.known) for start, each in zip(starts, looked, strict=False)], count)
    origins = [repeated(each.path, each.count) for each in looked]
    columns = dict(zip(table.column_names, table.columns, strict=True))
    if lost:
        errors = columns[_ERROR].to_pylist() if _ERROR in columns else [None] * count
        for place, reason in lost.items():
            errors[place] = reason
        columns[_ERROR] = text_array([None if each is None else str(each) for each in errors])
    columns[free_name(MERGED_FROM, columns)] = pa.chunked_array(origins, pa.string())
    return pa.table(columns)


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
