"""A shard, or a folder of shards, as its own lookup: the uuids come from its metadata or else from its keys."""

from __future__ import annotations

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import CancelledError, ExplorerError, LookupUnreadableError
from h5explorer_py.files import shorten, why
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.lookup.base import Lookup
from h5explorer_py.lookup.concat import ConcatLookup
from h5explorer_py.lookup.memory import MemoryLookup
from h5explorer_py.lookup.parquet import ParquetLookup
from h5explorer_py.lookup.text import is_unicode, repeated, text_array
from h5explorer_py.options import KeyColumns
from h5explorer_py.shards import HDF5_SUFFIXES, IMAGES_SUFFIX, METADATA_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from h5explorer_py.files import Signature

_OPENERS = 16  # opening thousands of footers waits on the file system, not on the processor
_REASONS_TOLD = 4
_NAMES_TOLD = 20


class MetadataKeysLookup(Lookup):
    """The uuids of one shard's metadata file, each with the shard as its filepath.

    Parameters
    ----------
    metadata : str
        The Parquet file.
    filepath : str
        What the shard is called: its path without the suffix.
    columns : KeyColumns
        The names of the key columns.
    """

    def __init__(self, metadata: str, filepath: str, columns: KeyColumns) -> None:
        same = KeyColumns(columns.uuid, columns.uuid)
        self._uuids = ParquetLookup(metadata, same)
        self._filepath = filepath
        self.name = Path(filepath).name
        self.location = metadata
        self.folder = str(Path(metadata).parent)
        self.columns = columns
        uuid = self._uuids.schema.field(columns.uuid)
        self.schema = pa.schema([uuid, (columns.filepath, pa.string())])

    @property
    def num_rows(self) -> int:
        return self._uuids.num_rows

    def _with_filepath(self, uuids: pa.Array | pa.ChunkedArray) -> pa.Table:
        return pa.Table.from_arrays([uuids, repeated(self._filepath, len(uuids))], schema=self.schema)

    def read(self, start: int, stop: int) -> pa.Table:
        return self._with_filepath(self._uuids.read(start, stop).column(self.columns.uuid))

    def check_unchanged(self, start: int = 0, stop: int = 1) -> None:
        self._uuids.check_unchanged(start, stop)

    @property
    def sources(self) -> tuple[tuple[str, Signature], ...]:
        return self._uuids.sources

    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        for batch in self._uuids.scan([self.columns.uuid], start):
            yield from self._with_filepath(batch.column(0)).select(list(columns)).to_batches()

    def close(self) -> None:
        self._uuids.close()


def shard_lookup(path: str, columns: KeyColumns, give_up: Callable[[], None] = lambda: None) -> Lookup:
    """Open one HDF5 shard as a lookup.

    Parameters
    ----------
    path : str
        The file.
    columns : KeyColumns
        What the key columns are called.
    give_up : callable
        Called while all readers are at work; raises where nobody waits for the lookup any more.

    Raises
    ------
    LookupUnreadableError
        Where neither metadata nor keys can be read.
    """
    prefix = path.removesuffix(IMAGES_SUFFIX) if path.endswith(IMAGES_SUFFIX) else path
    metadata = prefix + METADATA_SUFFIX
    filepath = prefix if is_unicode(prefix) else os.path.basename(prefix)
    if prefix != path and os.path.isfile(metadata):
        return MetadataKeysLookup(metadata, filepath, columns)
    keys = reader_pool().list_keys(path, give_up)
    table = pa.table({columns.uuid: text_array(keys), columns.filepath: repeated(filepath, len(keys))})
    lookup = MemoryLookup(table, columns, Path(path).name)
    lookup.location = path
    lookup.folder = str(Path(path).parent)
    return lookup


def folder_lookup(folder: str, columns: KeyColumns) -> Lookup:
    """Open all shards of a folder as one lookup, in the natural order of their names.

    Its shards are the files named ``..._images.h5``; where there are none, all HDF5 files. Those that cannot be read
    are left out, which ``notices`` says.

    Raises
    ------
    LookupUnreadableError
        Where the folder holds no shards.
    ExplorerError
        Where none of them can be read.
    """
    names = _shard_names(folder)
    outcomes = _open_all([str(Path(folder) / name) for name in names], columns)
    parts = [each for each in outcomes if isinstance(each, Lookup)]
    bad = {name: each for name, each in zip(names, outcomes, strict=True) if isinstance(each, ExplorerError)}
    if not parts:
        raise _none_is_good(Path(folder).name, list(bad.values()))
    if len(parts) == 1 and not bad:
        return parts[0]
    try:
        lookup = ConcatLookup(parts, Path(folder).name, columns, _left_out(bad))
    except BaseException:
        for part in parts:
            part.close()
        raise
    lookup.location = folder
    return lookup


def _open_all(paths: list[str], columns: KeyColumns) -> list[Lookup | ExplorerError]:
    """Open shards several at a time; an interrupt is not held up by those that are slow."""
    interrupted = threading.Event()

    def give_up() -> None:
        if interrupted.is_set():
            raise CancelledError("It was interrupted.")

    def opened(path: str) -> Lookup | ExplorerError:
        try:
            return shard_lookup(path, columns, give_up)
        except ExplorerError as error:
            return error

    openers = ThreadPoolExecutor(_OPENERS)
    try:
        return list(openers.map(opened, paths))
    finally:
        interrupted.set()
        openers.shutdown(wait=False, cancel_futures=True)


def _shard_names(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder), key=natural)
    except OSError as error:
        raise LookupUnreadableError(f"The folder {folder} cannot be listed: {why(error)}.") from error
    visible = [name for name in names if not name.startswith(".")]
    shards = [name for name in visible if name.endswith(IMAGES_SUFFIX)]
    shards = shards or [name for name in visible if name.endswith(HDF5_SUFFIXES)]
    if not shards:
        raise LookupUnreadableError(
            f"The folder {folder} holds no shards (files named ...{IMAGES_SUFFIX}).",
            action="Name a lookup, one shard, or the folder of the shards.",
        )
    return shards


def _left_out(bad: dict[str, ExplorerError]) -> list[str]:
    """Say which files are left out: the first ones each with its reason, of the others the names."""
    names = list(bad)
    notices = []
    for name in names[:_REASONS_TOLD]:
        reason = bad[name].message
        notices.append(f"Left out: {reason if name in reason else f'{name}, as {reason}'}")
    more = names[_REASONS_TOLD:]
    if more:
        shown = ", ".join(shorten(name, 60) for name in more[:_NAMES_TOLD])
        rest = f" and {len(more) - _NAMES_TOLD:,} more" if len(more) > _NAMES_TOLD else ""
        notices.append(f"Left out are {len(more):,} more: {shown}{rest}.")
    return notices


def _none_is_good(folder: str, errors: list[ExplorerError]) -> ExplorerError:
    """Make one error out of those of all files: of their kind if they are of one."""
    first = errors[0]
    if len(errors) == 1:
        return first
    kind = type(first) if all(type(each) is type(first) for each in errors) else LookupUnreadableError
    sentence = f"None of the {len(errors):,} shards of the folder {folder} can be read. {first.message}"
    return kind(sentence, action=first.action, **first.details)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return the key that sorts ``shard_10`` after ``shard_9``."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name) if part]
