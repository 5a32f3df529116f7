"""What a Zarr store of pictures is and holds."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py.making.zarr.beside import read_beside, table_beside
from h5explorer_py.making.zarr.store import HISTORY, Existing, is_url, open_existing, open_store, run_sync

if TYPE_CHECKING:
    import pyarrow as pa

_ERRORS_KEPT = 1_000


@dataclass(frozen=True)
class StoreFacts:
    """What a store is and holds.

    Attributes
    ----------
    store : str
        Its path or URL.
    format : int
        Of Zarr: 2 or 3.
    images : int
    shape : tuple of int
        Of the array.
    dtype : str
    chunks : tuple of int
        What is compressed by itself.
    shards : tuple of int or None
        What is one file, where that holds several chunks.
    compression : str
        As the array says.
    bytes, files : int
        Of the whole store, as they lie there.
    chunk_files : int
        How many files of pictures there are.
    chunk_files_most : int
        How many there would be, if none were left out for holding only zeros.
    metadata : str
        Where the table beside it is.
    rows : int
        Of that table, or as many of them as there are pictures.
    formats, dtypes, sizes : dict
        How many pictures were of each, as far as the table says: their files' formats, types, width × height.
    errors : tuple of (str, str)
        The first 1,000 pictures that could not be read, with why.
    failed : int
        How many could not be read.
    smallest, greatest : float or None
        Of all values, as far as the table says.
    appends : int
        How often it was added to.
    notices : tuple of str
    """

    store: str
    format: int
    images: int
    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    compression: str
    bytes: int
    files: int
    chunk_files: int
    chunk_files_most: int
    metadata: str
    rows: int
    formats: dict[str, int]
    dtypes: dict[str, int]
    sizes: dict[str, int]
    errors: tuple[tuple[str, str], ...]
    failed: int
    smallest: float | None
    greatest: float | None
    appends: int
    notices: tuple[str, ...]


def described_store(store: str) -> StoreFacts:
    """Look at a store and at the table beside it.

    Raises
    ------
    SourceNotFoundError, UnsupportedError
        Where it is no store of pictures.
    """
    where = store_at(store)
    existing = open_existing(where)
    table_path = table_beside(where)
    table, notices = read_beside(table_path, existing.images, existing.mark)
    rows = table.num_rows if table.num_columns > 1 or not existing.images else 0
    if not rows and existing.images and not notices:
        notices = [*notices, f"There is no table of metadata at {table_path}."]
    bytes_, files, pictures = _sizes(where)
    chunks, shards, compression = _storage(existing.description)
    failed = _errors(table)
    low, high = _extremes(table)
    grid = shards or chunks
    return StoreFacts(
        store=where,
        format=int(existing.description["zarr_format"]),
        images=existing.images,
        shape=existing.shape,
        dtype=existing.dtype,
        chunks=chunks,
        shards=shards,
        compression=compression,
        bytes=bytes_,
        files=files,
        chunk_files=pictures,
        chunk_files_most=math.prod(-(-whole // part) for whole, part in zip(existing.shape, grid, strict=True)),
        metadata=table_path,
        rows=rows,
        formats=_counts(_formats(table)),
        dtypes=_counts(_values(table, "dtype", "image_dtype")),
        sizes=_counts(_shapes(table)),
        errors=tuple(failed[:_ERRORS_KEPT]),
        failed=len(failed),
        smallest=low,
        greatest=high,
        appends=len(_history(existing)),
        notices=tuple(notices),
    )


def store_at(store: str) -> str:
    """Return where a store is: in a folder that ``convert`` has written it is ``images.zarr``."""
    if is_url(store):
        return store.rstrip("/")
    path = os.path.abspath(os.path.expanduser(store))
    inside = os.path.join(path, "images.zarr")
    has_own = any(os.path.lexists(os.path.join(path, name)) for name in ("zarr.json", ".zgroup"))
    return inside if not has_own and os.path.isdir(inside) else path


def _history(existing: Existing) -> list[Any]:
    history = existing.attributes.get(HISTORY, [])
    kept = history if isinstance(history, list) else []
    return [each for each in kept if isinstance(each, dict) and each.get("end_index", 0) <= existing.images]


def _sizes(where: str) -> tuple[int, int, int]:
    """Return the bytes and files of a store, and how many files hold pictures."""
    if not is_url(where):
        found = [os.path.join(folder, name) for folder, _, names in os.walk(where) for name in names]
        prefix = os.path.join(where, "images", "")
        pictures = [path for path in found if path.startswith(prefix) and not _is_description(path)]
        return sum(os.path.getsize(path) for path in found), len(found), len(pictures)
    store = open_store(where, read_only=True)

    async def look() -> tuple[int, int, int]:
        size = files = pictures = 0
        async for key in store.list():
            size += await store.getsize(key)
            files += 1
            pictures += key.startswith("images/") and not _is_description(key)
        return size, files, pictures

    found_there: tuple[int, int, int] = run_sync(look())
    return found_there


def _is_description(path: str) -> bool:
    return os.path.basename(path) in {"zarr.json", ".zarray", ".zattrs"}


def _storage(description: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...] | None, str]:
    """Return chunks, shards and compression, as an array's description says."""
    if description["zarr_format"] == 2:
        return tuple(description["chunks"]), None, _codec_text(description.get("compressor") or {})
    outer = tuple(description["chunk_grid"]["configuration"]["chunk_shape"])
    codecs = description["codecs"]
    if codecs and codecs[0]["name"] == "sharding_indexed":
        settings = codecs[0]["configuration"]
        return tuple(settings["chunk_shape"]), outer, _compression(settings["codecs"])
    return outer, None, _compression(codecs)


def _compression(codecs: list[dict[str, Any]]) -> str:
    found = [_codec_text(each) for each in codecs if each["name"] not in {"bytes", "transpose", "crc32c"}]
    return ", ".join(found) or "none"


def _codec_text(codec: dict[str, Any]) -> str:
    """Say what compresses, and how strongly."""
    settings = codec.get("configuration", codec)
    name = codec.get("name", codec.get("id", "none"))
    parts = [str(settings[key]) for key in ("cname",) if key in settings]
    level = settings.get("clevel", settings.get("level"))
    parts += [] if level is None else [f"level {level}"]
    return f"{name} ({', '.join(parts)})" if parts else str(name)


def _column(table: pa.Table, *names: str) -> list[Any]:
    """Return the values of the first of these columns that is there: ours have a longer name beside people's own."""
    for name in names:
        if name in table.column_names:
            values: list[Any] = table[name].to_pylist()
            return values
    return [None] * table.num_rows


def _values(table: pa.Table, name: str, other: str) -> list[Any]:
    return _column(table, other, name)


def _formats(table: pa.Table) -> list[Any]:
    """Return the files' formats: as they were told, else by their names, which is all that old stores have."""
    told = _column(table, "image_format", "format")
    names = _column(table, "image_original_filename", "original_filename")
    return [
        each if isinstance(each, str) and each else _format_by_name(name)
        for each, name in zip(told, names, strict=True)
    ]


def _format_by_name(name: Any) -> str | None:
    suffix = os.path.splitext(name)[1].lower() if isinstance(name, str) else ""
    known = {
        ".jpg": "JPEG",
        ".jpeg": "JPEG",
        ".png": "PNG",
        ".tif": "TIFF",
        ".tiff": "TIFF",
        ".fits": "FITS",
        ".fit": "FITS",
    }
    return known.get(suffix)


def _shapes(table: pa.Table) -> list[str | None]:
    widths = _column(table, "image_width", "width")
    heights = _column(table, "image_height", "height")
    return [
        f"{width} × {height}" if isinstance(width, int) and isinstance(height, int) else None
        for width, height in zip(widths, heights, strict=True)
    ]


def _counts(values: list[Any]) -> dict[str, int]:
    return dict(Counter(str(each) for each in values if each is not None).most_common())


def _errors(table: pa.Table) -> list[tuple[str, str]]:
    errors = _column(table, "image_error", "error")
    names = _column(table, "filename")
    return [(str(name), str(error)) for name, error in zip(names, errors, strict=True) if error]


def _extremes(table: pa.Table) -> tuple[float | None, float | None]:
    lows = [each for each in _column(table, "image_min", "min") if isinstance(each, float)]
    highs = [each for each in _column(table, "image_max", "max") if isinstance(each, float)]
    return (min(lows) if lows else None), (max(highs) if highs else None)
