"""Converting pictures that are in memory already to a Zarr store."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import numpy as np
import pyarrow as pa

from h5explorer_py.decode.facts import Facts, Kind, kind_of
from h5explorer_py.errors import LabelsError, MixedPicturesError
from h5explorer_py.making.columns import numbers, texts
from h5explorer_py.making.conform import retyped
from h5explorer_py.making.job import Context, JobOptions, State
from h5explorer_py.making.labels import FILENAME
from h5explorer_py.making.outcome import Outcome, free_name
from h5explorer_py.making.report import ConvertReport
from h5explorer_py.making.rule import Survey
from h5explorer_py.making.zarr.beside import paths_of
from h5explorer_py.making.zarr.shard import write_pictures
from h5explorer_py.making.zarr.target import Asked, ZarrOptions
from h5explorer_py.making.zarr.write import creation_of, size_of, target_of

_DTYPES = {"bool", "float16", "float32", "float64"} | {f"{sign}int{8 << n}" for sign in ("", "u") for n in range(4)}


def write_arrays(
    images: Any, metadata: Any, output: str, options: ZarrOptions, context: Context, *, dtype: str | None = None
) -> ConvertReport:
    """Write pictures of an array to a Zarr store.

    Parameters
    ----------
    images : array, shape (pictures, channels, height, width)
        Of NumPy, or what can be sliced and becomes one: a dataset of h5py, an array of zarr or dask.
    metadata : list of dict, data frame, table or None
        A row for each picture, in their order.
    output : str
        See `write_zarr`.
    options : ZarrOptions
    context : Context
        Of which the executor does nothing.
    dtype : str or None
        The type, where values may lose something by it.

    Raises
    ------
    MixedPicturesError
        Where the array is none of pictures in this order of axes.
    LabelsError
        Where there are not as many rows as pictures.
    """
    begun = time.monotonic()
    kind = checked(images)
    labels = _labels(metadata, len(images))
    store, table_path = paths_of(output)
    target = target_of(store, table_path, options)
    count, channels, height, width = images.shape
    own = np.dtype(np.uint8) if images.dtype == np.bool_ else np.dtype(images.dtype).newbyteorder("=")
    facts = Facts("array", own.name, width, height, kind, channels, own.name)
    survey = Survey()
    survey.add(facts)
    outcomes: list[Outcome] = []
    try:
        rule = target.begin(survey, count, Asked(dtype=dtype))
        target.resume("")  # none of this is gone on with
        context.progress(State("Writing", 0, count))
        for start, stop in target.spans(count):
            context.give_up()
            block = np.asarray(images[start:stop]).astype(own, copy=False)
            for picture in block:
                outcome = Outcome(facts)
                outcome.measure(picture)
                outcomes.append(outcome)
            pictures = (np.ascontiguousarray(each) for each in retyped(block, rule))
            write_pictures(target.writing, target.description, target.offset + start, pictures)
            context.progress(State("Writing", stop, count))
        target.finish(_table(outcomes, labels, target.offset), creation_of(JobOptions(), [], from_memory=True))
    finally:
        target.end()
    return ConvertReport(
        output=store,
        metadata=table_path,
        images=count,
        rule=rule,
        failed=0,
        failures=(),
        left_out=(),
        without_picture=(),
        without_labels=(),
        bytes_read=count * math.prod(rule.shape) * own.itemsize,
        bytes_written=size_of(store),
        seconds=time.monotonic() - begun,
        notices=tuple(target.notices),
    )


def checked(images: Any) -> Kind:
    """Return what the channels of pictures in memory are.

    Raises
    ------
    MixedPicturesError
        Where the array is none of pictures, or its last axis seems to be the channels'.
    """
    shape, dtype = tuple(getattr(images, "shape", ())), getattr(images, "dtype", None)
    if len(shape) != 4 or 0 in shape:
        raise MixedPicturesError(
            f"The array has shape {shape}, and has to have four axes: pictures, channels, height, width.",
            action="Put an axis in (images[:, None]) where there are no channels.",
        )
    if shape[3] in {1, 3, 4} and shape[1] not in {1, 2, 3, 4}:
        raise MixedPicturesError(
            f"The array has shape {shape}, of which the last axis seems to be the channels.",
            action="Bring them to the second place: images.transpose(0, 3, 1, 2).",
        )
    if dtype is None or np.dtype(dtype).name not in _DTYPES:
        raise MixedPicturesError(f"The array has values of type {dtype}, which are none of pictures.")
    return kind_of(shape[1], alpha=shape[1] in {2, 4})


def _labels(metadata: Any, images: int) -> pa.Table | None:
    if metadata is None:
        return None
    if isinstance(metadata, pa.Table):
        table = metadata
    elif hasattr(metadata, "__arrow_c_stream__"):
        table = pa.table(metadata)
    else:
        rows = list(metadata)
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
        if not names:
            table = pa.table({FILENAME: pa.nulls(len(rows), pa.string())})
    if table.num_rows != images:
        raise LabelsError(f"There are {images:,} pictures, and metadata for {table.num_rows:,}.")
    return table


def _column(values: list[Any]) -> pa.Array:
    """Make a column; of values of several types one of texts."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {str}:
        return texts(plain)
    if kinds and kinds <= {int, float}:
        with contextlib.suppress(OverflowError):
            return numbers(plain, "int64" if kinds == {int} else "float64")
    try:
        return pa.array(plain)
    except (pa.ArrowException, OverflowError):
        return texts([None if value is None else str(value) for value in plain])


def _table(outcomes: list[Outcome], labels: pa.Table | None, offset: int) -> pa.Table:
    columns: dict[str, Any] = {FILENAME: texts([f"image_{offset + number:06d}" for number in range(len(outcomes))])}
    if labels is not None:
        columns |= {name: labels[name] for name in labels.column_names}
    found = [each.facts for each in outcomes if each.facts is not None]
    ours = {
        "dtype": texts([each.dtype for each in found]),
        "width": numbers([each.width for each in found], "int32"),
        "height": numbers([each.height for each in found], "int32"),
        "channels": numbers([each.channels for each in found], "int32"),
        "min": numbers([each.minimum for each in outcomes], "float64"),
        "max": numbers([each.maximum for each in outcomes], "float64"),
        "mean": numbers([each.mean for each in outcomes], "float64"),
        "error": pa.nulls(len(outcomes), pa.string()),
    }
    for name, array in ours.items():
        columns[free_name(name, columns)] = array
    return pa.table(columns)
