"""What came of one picture, and the table of all of them that goes beside the arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray
    from PIL import Image as pil

    from h5explorer_py.decode.facts import Facts
    from h5explorer_py.errors import ExplorerError
    from h5explorer_py.making.items import Item


@dataclass(slots=True)
class Outcome:
    """What came of one picture.

    Attributes
    ----------
    facts : Facts or None
        What its header says; ``None`` where that cannot be read.
    file_size : int or None
        In bytes.
    checksum : str or None
        SHA-256 of the file's bytes, as hexadecimal digits.
    minimum, maximum, mean : float or None
        Of its values as they were decoded, over all channels, before it was resized; NaN is left out.
    code, error : str
        Of the error, where it could not be read; empty where it could.
    """

    facts: Facts | None = None
    file_size: int | None = None
    checksum: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    code: str = ""
    error: str = ""

    def fail(self, error: ExplorerError) -> None:
        """Note why it could not be read."""
        self.code, self.error = error.code, error.message

    def measure(self, values: NDArray[Any]) -> None:
        """Note what its values are like."""
        if values.dtype.kind == "f":
            values = values[~np.isnan(values)].astype(np.float64)
            if not values.size:
                return
            self.mean = float(values.mean())
        else:
            total = values.sum(dtype=np.int64 if values.dtype.kind == "i" else np.uint64)
            self.mean = float(values.mean(dtype=np.float64)) if values.itemsize == 8 else int(total) / values.size
        self.minimum, self.maximum = float(values.min()), float(values.max())

    def measure_image(self, image: pil.Image) -> None:
        """Note what the values of a picture of 8 bits are like, which Pillow counts as quickly as it reads them."""
        counts = np.array(image.histogram()).reshape(-1, 256).sum(axis=0)
        there = np.flatnonzero(counts)
        self.mean = int(counts @ np.arange(256)) / int(counts.sum())
        self.minimum, self.maximum = float(there[0]), float(there[-1])


def table_of(items: Sequence[Item], outcomes: Sequence[Outcome], labels: pa.Table | None = None) -> pa.Table:
    """Put together what is known of each picture: its name, the columns that people brought, what was found out.

    Parameters
    ----------
    items, outcomes : sequences
        Of one length.
    labels : pyarrow.Table, optional
        Columns with a row for each; a column called as one of ours keeps its name, and ours is called
        ``image_`` and its name.

    Returns
    -------
    pyarrow.Table
        Of which ``filename`` is the first column.
    """
    import pyarrow as pa

    from h5explorer_py.making.arrow import numbers

    def column(values: list[Any], kind: pa.DataType) -> pa.Array:
        return text(values) if kind == pa.string() else numbers(values, kind)

    def facts(name: str, kind: pa.DataType) -> pa.Array:
        return column([None if each.facts is None else getattr(each.facts, name) for each in outcomes], kind)

    def found(name: str, kind: pa.DataType) -> pa.Array:
        return column([getattr(each, name) for each in outcomes], kind)

    basenames = [os.path.basename(item.path) for item in items]
    ours: dict[str, pa.Array] = {
        "original_filename": text(basenames),
        "original_extension": text([os.path.splitext(name)[1].lower() for name in basenames]),
        "format": facts("format", pa.string()),
        "mode": facts("mode", pa.string()),
        "width": facts("width", pa.int32()),
        "height": facts("height", pa.int32()),
        "channels": facts("channels", pa.int32()),
        "dtype": facts("dtype", pa.string()),
        "pages": facts("pages", pa.int32()),
        "page": numbers([item.page for item in items], pa.int32()),
        "file_size": found("file_size", pa.int64()),
        "min": found("minimum", pa.float64()),
        "max": found("maximum", pa.float64()),
        "mean": found("mean", pa.float64()),
        "checksum": found("checksum", pa.string()),
        "error": text([each.error or None for each in outcomes]),
        "source_path": text([item.path for item in items]),
    }
    columns: dict[str, Any] = {"filename": text([item.name for item in items])}
    if labels is not None:
        columns |= {name: labels[name] for name in labels.column_names}
    for name, array in ours.items():
        columns[free_name(name, columns)] = array
    return pa.table(columns)


def free_name(name: str, taken: dict[str, Any]) -> str:
    """Return a column's name that is not taken yet."""
    while name in taken:
        name = f"image_{name}"
    return name


def text(values: Sequence[str | None]) -> pa.Array:
    """Make a column of texts; names of files that are no text have their bytes written out."""
    from h5explorer_py.lookup.text import text_array

    return text_array(
        [None if value is None else value.encode("utf-8", "backslashreplace").decode() for value in values]
    )
