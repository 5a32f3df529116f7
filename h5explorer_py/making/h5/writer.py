"""One HDF5 file of pictures in one array, as it is written: packed chunks, then all that is known of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import h5py

from h5explorer_py._version import __version__
from h5explorer_py.bulk.aside import close_anyway, settle, written
from h5explorer_py.making.h5.columns import write_columns, write_values
from h5explorer_py.making.h5.names import COLUMNS, IMAGES, LABELS, NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from h5explorer_py.bulk.aside import Aside
    from h5explorer_py.making.h5.packing import Packing

FORMAT = "h5explorer images"
VERSION = 1
_LONGEST = 1 << 15
"""Characters of an attribute; HDF5 takes 64 kB."""


class H5Writer:
    """A file that is being written: used in a ``with`` statement.

    Parameters
    ----------
    aside : Aside
        Where.
    shape : tuple of int
        Of the array: how many pictures at most, then the shape of one.
    dtype : str
    chunks : tuple of int
        The shape of a chunk.
    packing : Packing
        How chunks are packed.

    Raises
    ------
    WriteFailedError
        By any of the methods.
    """

    def __init__(
        self, aside: Aside, shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...], packing: Packing
    ) -> None:
        self._target = aside.target
        self._path = aside.content
        with written(self._target):
            self._file = h5py.File(self._path, "x", locking=False)
        with written(self._target):
            self._images = self._file.create_dataset(
                IMAGES, shape, dtype, chunks=chunks, maxshape=(None, *shape[1:]), **packing.options
            )
        self._rest = (0,) * (len(shape) - 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_anyway(self._file)

    def put(self, place: int, chunk: bytes) -> None:
        """Write the packed chunk of a picture, of which others hold none; what is not written is zeros."""
        self.put_chunk((place, *self._rest), chunk)

    def put_chunk(self, offset: tuple[int, ...], chunk: bytes | memoryview, mask: int = 0) -> None:
        """Write a packed chunk to where its first value is; the mask says which filters it has not passed."""
        with written(self._target):
            self._images.id.write_direct_chunk(offset, chunk, mask)

    def finish(
        self,
        count: int,
        table: pa.Table,
        attributes: Mapping[str, Any],
        label: str | NDArray[np.generic] | None,
        origin: str = "",
    ) -> None:
        """Write what is known of the pictures, and close the file.

        Parameters
        ----------
        count : int
            How many there are.
        table : pyarrow.Table
            A row for each; the column ``filename`` has their names.
        attributes : mapping
            Of the file, as JSON where they are neither texts nor numbers.
        label : str, ndarray or None
            The column of their labels, or the labels.
        origin : str
            Where the labels come from.
        """
        with written(self._target):
            if count != self._images.shape[0]:
                self._images.resize(count, axis=0)
            linked = {"filename": NAMES} | ({label: LABELS} if isinstance(label, str) else {})
            write_columns(self._file, table, linked)
            if label is not None and not isinstance(label, str):
                write_values(self._file, LABELS, label)
            if LABELS in self._file:
                self._file[LABELS].attrs["from"] = origin
            made = {
                "format": FORMAT,
                "format_version": VERSION,
                "written_by": f"h5explorer {__version__}",
                "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                **attributes,
            }
            for name, value in made.items():
                self._file.attrs[name] = value if isinstance(value, int) else _text(value)
            self._file[COLUMNS].attrs["columns"] = len(table.column_names)
            self._file.close()
            settle(self._path)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    encoded = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return encoded if len(encoded) <= _LONGEST else f"{encoded[:_LONGEST]}…"
