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

    from h5explorer_py.making.columns import numbers, texts

    def fact(name: str) -> list[Any]:
        return [None if each.facts is None else getattr(each.facts, name) for each in outcomes]

    def found(name: str, kind: str) -> pa.Array:
        return numbers([getattr(each, name) for each in outcomes], kind)

    basenames = [os.path.basename(item.path) for item in items]
    ours: dict[str, pa.Array] = {
        "original_filename": texts(basenames),
        "original_extension": texts([os.path.splitext(name)[1].lower() for name in basenames]),
        "format": texts(fact("format")),
        "mode": texts(fact("mode")),
        "width": numbers(fact("width"), "int32"),
        "height": numbers(fact("height"), "int32"),
        "channels": numbers(fact("channels"), "int32"),
        "dtype": texts(fact("dtype")),
        "pages": numbers(fact("pages"), "int32"),
        "page": numbers([item.page for item in items], "int32"),
        "file_size": found("file_size", "int64"),
        "min": found("minimum", "float64"),
        "max": found("maximum", "float64"),
        "mean": found("mean", "float64"),
        "checksum": texts([each.checksum for each in outcomes]),
        "error": texts([each.error or None for each in outcomes]),
        "source_path": texts([item.path for item in items]),
    }
    columns: dict[str, Any] = {"filename": texts([item.name for item in items])}
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
