"""Stores as sources: HDF5 files of pictures, Zarr stores, and shards by their lookup; what lies in each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.decode.picture import SUFFIXES
from h5explorer_py.errors import NotAnImageError, ShardUnreadableError, SourceNotFoundError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from h5explorer_py.making.items import Item

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PARQUET = b"PAR1"
_ZARR_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")
_SHARD_SUFFIX = "_images.h5"
_LOOKUP = "lookup.parquet"
_IMAGES_ZARR = "images.zarr"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".he5")
_ROWS = 65_536
_LOOK_SECONDS = 600.0
_LOOK_BYTES = 4 << 30


@dataclass(frozen=True)
class Listed:
    """What lies in a store.

    Attributes
    ----------
    items : list of Item
        In the store's order.
    known : pyarrow.Table or None
        What people know of each, where the store says.
    notices : tuple of str
    """

    items: list[Item]
    known: pa.Table | None = None
    notices: tuple[str, ...] = ()


def store_kind(path: str) -> str:
    """Tell what store a path is: ``"h5"``, ``"zarr"``, ``"shards"``, or an empty text where it is none."""
    if os.path.isdir(path):
        if any(os.path.lexists(os.path.join(path, mark)) for mark in _ZARR_MARKS):
            return "zarr"
        names = _names(path)
        if any(os.path.splitext(name)[1].lower() in SUFFIXES for name in names):
            return ""  # a folder of pictures, whatever lies beside them
        if _IMAGES_ZARR in names:
            return "zarr"
        return "shards" if any(name == _LOOKUP or name.endswith(_SHARD_SUFFIX) for name in names) else ""
    if path.endswith(_SHARD_SUFFIX):
        return "shards"
    head = _head(path)
    if head.startswith(_HDF5) or (head and path.lower().endswith(_HDF5_SUFFIXES)):
        return "h5"
    return "shards" if head.startswith(_PARQUET) else ""


def list_store(path: str, kind: str) -> Listed:
    """List the pictures of a store.

    Raises
    ------
    ExplorerError
        Where it cannot be read.
    """
    return _LISTS[kind](os.path.abspath(path))


def looked_at(function: Callable[[str], Listed], path: str) -> Listed:
    """Look at a file in a process of its own, which it may bring down.

    Raises
    ------
    ShardUnreadableError
        Where it did, or took all memory. Besides, whatever the function raises.
    """
    from h5explorer_py.bulk.running import run
    from h5explorer_py.bulk.workers import Workers
    from h5explorer_py.errors import WorkerFailedError

    try:
        with Workers(1, item_seconds=_LOOK_SECONDS, memory=_LOOK_BYTES) as worker:
            for _, result in run(_Looking(function), [path], worker, retries=0):
                return result
    except WorkerFailedError as error:
        raise ShardUnreadableError(f"{path} cannot be read: the process that did so ended.") from error
    except MemoryError as error:
        raise ShardUnreadableError(f"{path} cannot be read: it takes too much memory.") from error
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Looking:
    function: Callable[[str], Listed]

    def __call__(self, path: str, begin: Callable[[int], None], doomed: object) -> Listed:
        if doomed:
            raise ShardUnreadableError(f"{path} cannot be read: processes that did so ended, or took too long.")
        begin(0)
        return self.function(path)


def _list_h5(path: str) -> Listed:
    return looked_at(list_h5_here, path)


def list_h5_here(path: str) -> Listed:
    """List the pictures of an HDF5 file: in this process."""
    from h5explorer_py.errors import NoImagesGroupError
    from h5explorer_py.making.h5.file import PicturesFile
    from h5explorer_py.making.h5.known import known_of

    try:
        file = PicturesFile(path)
    except NoImagesGroupError as error:
        if "shard" in error.message:
            return Listed([])
        raise
    try:
        known, notices = known_of(file)
    finally:
        file.close()
    return _listed(path, "h5", known, notices)


def _list_zarr(path: str) -> Listed:
    inner = os.path.join(path, _IMAGES_ZARR)
    return looked_at(list_zarr_here, inner if os.path.isdir(inner) else path)


def list_zarr_here(path: str) -> Listed:
    """List the pictures of a Zarr store: in this process."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from h5explorer_py.lookup.text import text_array
    from h5explorer_py.making.stores.zarr_array import open_array

    count = int(open_array(path).shape[0])
    stem = os.path.splitext(path)[0]
    notices = []
    known = None
    metadata = f"{stem}_metadata.parquet"
    if os.path.isfile(metadata):
        try:
            known = pq.read_table(metadata)
        except (OSError, pa.ArrowException) as error:
            raise SourceNotFoundError(f"{metadata} cannot be read: {why(error)}.") from error
        if known.num_rows < count or "filename" not in known.column_names:
            notices.append(f"{metadata} is left out: it has {known.num_rows:,} rows for {count:,} pictures.")
            known = None
        else:
            known = known.slice(0, count)  # rows behind the last picture are of an addition that was not finished
    if known is None:
        base = os.path.basename(path)
        known = pa.table({"filename": text_array([f"{base}#{number}" for number in range(count)])})
    return _listed(path, "zarr", known, notices)


def _listed(path: str, kind: str, known: pa.Table, notices: list[str]) -> Listed:
    from h5explorer_py.making.items import Inside, Item

    names = known["filename"].cast("string").to_pylist()
    errors = known["error"].to_pylist() if "error" in known.column_names else [None] * len(names)
    store = os.path.basename(path)
    items = [
        Item(name or f"{store}#{number}", path, f"{store}/{name or number}", inside=Inside(kind, number, error or ""))
        for number, (name, error) in enumerate(zip(names, errors, strict=True))
    ]
    return Listed(items, people_know(known), tuple(notices))


def people_know(known: pa.Table) -> pa.Table:
    """Return the columns that are not what a conversion finds out itself, and would again."""
    from h5explorer_py.making.outcome import table_of

    names = set(known.column_names)
    own = {"filename"}
    for name in table_of([], []).column_names:
        found = name
        while f"image_{found}" in names:
            found = f"image_{found}"
        own.add(found)
    return known.select([name for name in known.column_names if name not in own])


def _list_shards(path: str) -> Listed:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.making.items import Inside, Item
    from h5explorer_py.options import KeyColumns

    dataset = Dataset(path, KeyColumns())
    try:
        dataset.lookup.wait_counted()
        items = []
        for start in range(0, dataset.num_rows, _ROWS):
            keys = dataset.keys(start, min(start + _ROWS, dataset.num_rows))
            for row in range(start, start + keys.num_rows):
                entry = dataset.entry(row)
                if not entry.key:
                    raise NotAnImageError(f"Row {row + 1:,} of {path} has no uuid.")
                shard = dataset.files(entry).images
                items.append(Item(entry.key, shard, entry.key, inside=Inside("shard", entry.key)))
        return Listed(items, None, dataset.notices)
    finally:
        dataset.close()


def _head(path: str) -> bytes:
    try:
        if not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            return file.read(len(_HDF5))
    except OSError:
        return b""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


_LISTS: dict[str, Callable[[str], Listed]] = {"h5": _list_h5, "zarr": _list_zarr, "shards": _list_shards}
