"""The columns that conditions may name: those of the lookup and those of its shards' metadata."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.errors import ExplorerError
from h5explorer_py.files import arrow_path, regular_file
from h5explorer_py.lookup.sql.names import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.dataset import Dataset

_LOOKED_AT = 8
_PROBES = 64


def metadata_names(dataset: Dataset, own: Sequence[str]) -> list[str]:
    """Return the columns of the metadata that a condition may name: those that DuckDB tells from the lookup's own."""
    taken = {folded(name) for name in own}
    names = []
    for name in metadata_schema(dataset).names:
        if folded(name) not in taken:
            taken.add(folded(name))
            names.append(name)
    return names


def metadata_schema(dataset: Dataset) -> pa.Schema:
    """Return the columns of the metadata files of some rows from all over the lookup."""
    held = dataset.held_metadata_schema
    if held is not None:
        return held
    paths: dict[str, None] = {}
    rows = dataset.num_rows
    for probe in range(min(_PROBES, rows)):
        row = probe * (rows - 1) // max(1, min(_PROBES, rows) - 1)
        with contextlib.suppress(ExplorerError):
            paths.setdefault(dataset.files(dataset.entry(row)).metadata)
        if len(paths) >= _LOOKED_AT:
            break
    fields: dict[str, pa.Field] = {}
    for path in paths:
        with contextlib.suppress(OSError, pa.ArrowException, ValueError):
            regular_file(path)
            with arrow_path(path) as source:
                for field in pq.read_schema(source):
                    fields.setdefault(field.name, field)
    schema = pa.schema(list(fields.values()))
    if fields:
        dataset.held_metadata_schema = schema
    return schema
