"""The metadata of shards: a table is decoded once, and kept with an index of its uuids while there is room."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from h5explorer_py.errors import (
    ExplorerError,
    MetadataNotFoundError,
    MetadataUnreadableError,
    RecordNotFoundError,
)
from h5explorer_py.files import Signature, arrow_path, regular_file, shorten, why
from h5explorer_py.keyindex import KeyIndex
from h5explorer_py.lookup.columns import nearest
from h5explorer_py.lookup.take import take
from h5explorer_py.lookup.text import as_text, is_unicode, no_rows, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Answer = TypeVar("_Answer")

KEPT_BYTES = 192 << 20
"""Tables and indexes kept in all. A shard of 100,000 records with 15 columns takes 31 MB, with 60 columns 115 MB."""

WHOLE_BYTES = 128 << 20
"""Tables up to this size are kept whole; of larger ones only the index is, and a record is read when asked for."""

_BATCH_ROWS = 16_384
_INDEX_BYTES = 44
_LOOKED_FOR = 32
"""Questions about a shard before its uuids are sorted: looking at 10,000 takes 0.06 ms, sorting them 5 ms."""


@dataclass(frozen=True)
class Record:
    """The metadata of one image.

    Attributes
    ----------
    table : pyarrow.Table
        One row with all columns in their order.
    matches : int
        How many records have this uuid; the first is given.
    """

    table: pa.Table
    matches: int


@dataclass(frozen=True)
class Records:
    """The metadata of several images of a shard.

    Attributes
    ----------
    table : pyarrow.Table
        A row each for those that have a record, with all columns in their order.
    places : tuple of int
        Which of its rows each image has; -1 for one without a record.
    repeated : frozenset of str
        The images that have several records; the first is given.
    """

    table: pa.Table
    places: tuple[int, ...]
    repeated: frozenset[str]


class _ShardTable:
    """One metadata file in one state."""

    def __init__(self, path: str, signature: Signature, uuid_columns: tuple[str, ...]) -> None:
        self.path = path
        self.signature = signature
        file = _open(path)
        names = file.schema_arrow.names
        found = [name for name in uuid_columns if name in names]
        if not found:
            near = nearest(uuid_columns[0], names)
            raise MetadataUnreadableError(
                f"{Path(path).name} has no column {uuid_columns[0]!r}. It has: {', '.join(map(shorten, names[:40]))}.",
                action=f"The nearest is {near!r}: pass uuid_column={near!r}." if near else "",
                path=path,
            )
        whole = sum(file.metadata.row_group(index).total_byte_size for index in range(file.metadata.num_row_groups))
        self._table = file.read(use_threads=True) if whole <= WHOLE_BYTES else None
        column = names.index(found[0])
        keys = self._table.column(column) if self._table is not None else file.read([found[0]]).column(0)
        self._keys = as_text(keys)
        self._index: KeyIndex | None = None
        self._indexing = threading.Lock()
        self._asked = 0
        index_bytes = self._keys.nbytes + _INDEX_BYTES * len(self._keys)
        self.nbytes = index_bytes + (self._table.nbytes if self._table is not None else 0)

    def record(self, key: str) -> Record:
        rows = self._rows(key)
        if not rows:
            raise no_record(self.path, key)
        table = self._table.slice(rows[0], 1) if self._table is not None else self._read_row(rows[0])
        return Record(table, len(rows))

    def _rows(self, key: str) -> list[int]:
        """Return the rows of a uuid: the first times by looking at all, which is quicker than to sort them."""
        if self._asked < _LOOKED_FOR and is_unicode(key):
            self._asked += 1
            rows: list[int] = pc.indices_nonzero(pc.equal(self._keys, text_array([key])[0])).to_pylist()
            return rows
        with self._indexing:
            if self._index is None:
                self._index = KeyIndex(self._keys)
        return self._index.rows(key)

    def records(self, keys: Sequence[str]) -> Records:
        found = [self._rows(key) for key in keys]
        rows = sorted({each[0] for each in found if each})
        place = {row: at for at, row in enumerate(rows)}
        table = take(self._table, rows) if self._table is not None else self._read_rows(rows)
        places = tuple(place[each[0]] if each else -1 for each in found)
        repeated = frozenset(key for key, each in zip(keys, found, strict=True) if len(each) > 1)
        return Records(table, places, repeated)

    def _read_rows(self, rows: list[int]) -> pa.Table:
        """Go through the file once for all rows, which are in order."""
        file = _open(self.path)
        parts, first, at = [no_rows(file.schema_arrow)], 0, 0
        for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
            end = bisect_left(rows, first + batch.num_rows)
            if end > at:
                parts.append(take(pa.Table.from_batches([batch]), [row - first for row in rows[at:end]]))
            first, at = first + batch.num_rows, end
        if at < len(rows) or regular_file(self.path) != self.signature:
            raise _changes(self.path)
        return pa.concat_tables(parts)

    def _read_row(self, row: int) -> pa.Table:
        for batch in _open(self.path).iter_batches(_BATCH_ROWS, use_threads=False):
            if row < batch.num_rows and regular_file(self.path) == self.signature:
                return pa.Table.from_batches([batch.slice(row, 1)])
            row -= batch.num_rows
        raise _changes(self.path)


def _open(path: str) -> pq.ParquetFile:
    with arrow_path(path) as source:
        return pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20)


class MetadataStore:
    """Reads records of metadata files.

    Parameters
    ----------
    uuid_columns : tuple of str
        Names that the column of uuids may have, the likeliest first.
    """

    def __init__(self, uuid_columns: tuple[str, ...]) -> None:
        self._uuid_columns = uuid_columns
        self._kept: OrderedDict[str, _ShardTable] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def record(self, path: str, key: str) -> Record:
        """Return the metadata of one image.

        Raises
        ------
        MetadataNotFoundError, MetadataUnreadableError, RecordNotFoundError
        """
        return self._answer(path, lambda table: table.record(key))

    def records(self, path: str, keys: Sequence[str]) -> Records:
        """Return the metadata of several images of a shard.

        Raises
        ------
        MetadataNotFoundError, MetadataUnreadableError
        """
        return self._answer(path, lambda table: table.records(keys))

    def _answer(self, path: str, ask: Callable[[_ShardTable], _Answer]) -> _Answer:
        signature = self._look(path)
        with self._lock:
            loading = self._loading.setdefault(path, threading.Lock())
        try:
            with loading:  # a second request for the same file waits for the first rather than decode it too
                table = self._get(path, signature)
            return ask(table)
        except ExplorerError:
            raise
        except (pa.ArrowException, OSError, TypeError, ValueError) as error:
            raise _unreadable(path, error) from error
        finally:
            with self._lock:
                self._loading.pop(path, None)

    def _get(self, path: str, signature: Signature) -> _ShardTable:
        with self._lock:
            held = self._kept.get(path)
            if held is not None and held.signature == signature:
                self._kept.move_to_end(path)
                return held
        table = _ShardTable(path, signature, self._uuid_columns)
        with self._lock:
            self._kept[path] = table
            self._kept.move_to_end(path)
            while len(self._kept) > 1 and sum(other.nbytes for other in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)
        return table

    def holds(self, path: str) -> bool:
        """Whether a file has been decoded before, so that its records are at hand."""
        return path in self._kept

    def _look(self, path: str) -> Signature:
        try:
            return regular_file(path)
        except FileNotFoundError as error:
            raise MetadataNotFoundError(
                f"There is no file {path}.", action="The picture does not need it.", path=path
            ) from error
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error

    def clear(self) -> None:
        """Drop all tables."""
        with self._lock:
            self._kept.clear()


def no_record(path: str, key: str) -> RecordNotFoundError:
    """Make the error of a metadata file that has no record of an image."""
    return RecordNotFoundError(f"{os.path.basename(path)} has no record of {shorten(key)}.", path=path)


def _changes(path: str) -> MetadataUnreadableError:
    return MetadataUnreadableError(
        f"{os.path.basename(path)} changes while it is read.", action="Try again when it is written.", path=path
    )


def _unreadable(path: str, error: Exception) -> MetadataUnreadableError:
    return MetadataUnreadableError(f"{os.path.basename(path)} cannot be read: {why(error)}.", path=path)
