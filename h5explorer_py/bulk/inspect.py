"""What a data set is and holds, as far as that is quick to see."""

from __future__ import annotations

import io
import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ExplorerError
from h5explorer_py.images.sniff import is_truncated
from h5explorer_py.lookup.packed.store import kept_lookups
from h5explorer_py.metadata.record import type_name
from h5explorer_py.moved import absence, sought_in
from h5explorer_py.shards import files_of
from h5explorer_py.view.columns import metadata_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.images.image import Image

SAMPLED = 24
"""Images from all over the data set that are looked at."""

_MEASURED = {"JPEG", "PNG", "GIF", "BMP", "WebP"}
_REASONS_KEPT = 3

JSON = dict[str, Any]


def inspected(dataset: Dataset, cache: str) -> JSON:
    """Return what there is to say of a data set.

    Parameters
    ----------
    dataset : Dataset
        The data set; its lookup is gone through once, to count rows and filepaths.
    cache : str
        Where packed lookups are kept.
    """
    lookup = dataset.lookup
    lookup.wait_counted()
    return {
        "name": lookup.name,
        "location": lookup.location,
        "rows": lookup.num_rows,
        "filepaths": dataset.filepaths(lambda: None),
        "files": [{"path": path, "bytes": state.size} for path, state in lookup.sources],
        "row_groups": _row_groups([path for path, _ in lookup.sources]),
        "columns": _columns(lookup.schema),
        "metadata_columns": _columns(metadata_schema(dataset)),
        "cache": _cached([path for path, _ in lookup.sources], cache),
        "shards": _shards(dataset),
        "images": _images(dataset),
        "notices": list(lookup.notices),
    }


def _columns(schema: pa.Schema) -> list[JSON]:
    return [{"name": field.name, "type": type_name(field.type)} for field in schema]


def _row_groups(paths: list[str]) -> JSON | None:
    """Return how many row groups Parquet files have, and the rows of the largest; ``None`` of all others."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for path in paths:
        with suppress(OSError, pa.ArrowException), pq.ParquetFile(path) as file:
            rows += [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    return {"count": len(rows), "largest_rows": max(rows)} if rows else None


def _cached(paths: list[str], root: str) -> JSON | None:
    """Return what is kept of a lookup; ``None`` where nothing is."""
    for kept in kept_lookups(root):
        if kept.lookup in paths and kept.files == len(paths):
            return {
                "folder": kept.folder,
                "rows": kept.rows,
                "whole": kept.rows == kept.lookup_rows,
                "current": kept.current,
                "bytes": kept.bytes,
            }
    return None


def _shards(dataset: Dataset) -> JSON:
    """Return what there is of the shards of some rows."""
    looked = sought_in(dataset, lambda: None)
    missing = absence(looked, os.path.exists)
    found = []
    for shard in looked:
        with suppress(OSError):
            metadata = os.path.isfile(files_of(shard.images).metadata)
            found.append({"path": shard.images, "bytes": os.stat(shard.images).st_size, "metadata": metadata})
    return {"looked_at": len(looked), "found": found, "missing": None if missing is None else str(missing)}


def _images(dataset: Dataset) -> JSON:
    """Return what some images from all over the data set are."""
    rows = dataset.num_rows
    formats: Counter[str] = Counter()
    sizes: list[int] = []
    pixels: list[tuple[int, int]] = []
    reasons: dict[str, None] = {}
    looked = sorted({probe * (rows - 1) // max(1, SAMPLED - 1) for probe in range(SAMPLED)}) if rows else []
    for row in looked:
        try:
            image = dataset.image(dataset.entry(row))
        except ExplorerError as error:
            reasons.setdefault(error.message)
            continue
        cut = is_truncated(image.data, image.format)
        formats[f"{image.format or 'unknown'}{', cut short' if cut else ''}"] += 1
        sizes.append(len(image.data))
        pixels += _pixels(image)
    return {
        "looked_at": len(looked),
        "read": len(sizes),
        "formats": dict(formats.most_common()),
        "bytes": _spread(sizes),
        "widths": _spread([width for width, _ in pixels]),
        "heights": _spread([height for _, height in pixels]),
        "not_read": list(reasons)[:_REASONS_KEPT],
    }


def _pixels(image: Image) -> list[tuple[int, int]]:
    """Return the size of a picture, as its header says; nothing where it cannot be told."""
    from PIL import Image as pil

    if image.format not in _MEASURED:
        return []
    kind = image.format.upper()
    try:
        with pil.open(io.BytesIO(image.data), formats=[kind]) as opened:
            return [opened.size]
    except Exception:  # noqa: BLE001  (Pillow's plugins raise all kinds on damaged bytes)
        return []


def _spread(values: list[int]) -> JSON | None:
    ordered = sorted(values)
    return {"least": ordered[0], "median": ordered[len(ordered) // 2], "most": ordered[-1]} if ordered else None
