"""A lookup in a Parquet file, read in place."""

from __future__ import annotations

import threading
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.errors import LookupChangedError, LookupUnreadableError
from h5explorer_py.files import Signature, arrow_path, regular_file, why
from h5explorer_py.lookup.base import Lookup, without_first
from h5explorer_py.lookup.columns import check_schema
from h5explorer_py.lookup.text import no_rows
from h5explorer_py.lookup.windows import GroupWindows, SqlWindows, StreamWindows, Windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from tempfile import _TemporaryFileWrapper

    from h5explorer_py.options import KeyColumns

    TemporaryFile = _TemporaryFileWrapper[bytes]

SMALL_GROUP = 131_072
"""Rows in a row group up to which decoding all of it beats asking DuckDB for a few of its rows: with groups of
10,000 rows 1.4 ms against 230 ms a window, with groups of 1,048,576 rows 86 ms against 10 ms (100 million rows)."""

LARGEST_GROUP = 256 << 20
"""Bytes of the keys of a row group up to which it is decoded whole for a window: DuckDB, polars and pyarrow take
between 1.1 and 3 GB for one of 67 million rows, while streaming up to a row stays within 142 MB."""

STREAMED_ROWS = 1 << 21
"""Rows of a lookup with larger groups that are had by streaming within a moment; the others when it is packed."""

BATCH_ROWS = 65_536

FIRST_ROWS = BATCH_ROWS
"""Rows at the beginning of a row group that are streamed rather than asked of DuckDB: that takes 15 ms at most, loading
DuckDB and its first query 300 ms, and each later query 10 ms."""

_DAMAGE = (pa.ArrowException, OSError, ValueError)  # the last for names that are no UTF-8
_LEAST_KEY_BYTES = 16
_BUFFER = 1 << 20  # streaming through a giant row group within 142 MB needs a bounded buffer


class ParquetLookup(Lookup):
    """A lookup in one Parquet file.

    Parameters
    ----------
    path : str
        The file.
    columns : KeyColumns
        The names of its two key columns.
    content : temporary file, optional
        Where the content is read from instead: an unpacked copy.

    Raises
    ------
    LookupUnreadableError
        Where the file is not Parquet, or damaged.
    WrongColumnsError
        Where a key column is missing.
    """

    def __init__(self, path: str, columns: KeyColumns, content: TemporaryFile | None = None) -> None:
        self._content = content
        self._path = content.name if content else path
        self.location = path
        self.name = Path(path).name
        self.folder = str(Path(path).parent)
        self.columns = columns
        self._lock = threading.Lock()
        try:
            self._signature = regular_file(path)
            self._file = self._open()
            self.schema = self._file.schema_arrow
            metadata = self._file.metadata
            self._num_rows: int = metadata.num_rows
            groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        except _DAMAGE as error:
            raise LookupUnreadableError(f"{self.name} cannot be read as Parquet: {why(error)}.") from error
        check_schema(self.schema, columns, self.name)
        try:
            giant = self._key_bytes(groups) > LARGEST_GROUP
        except _DAMAGE as error:
            raise self._damaged(error) from error
        self._group_starts = [0, *accumulate(groups)]
        by_group = GroupWindows(self._read_group, columns)
        sql = SqlWindows.can_read(self._path, columns, self.schema)
        self.quick_rows = min(self.num_rows, STREAMED_ROWS) if giant else self.num_rows
        self.duckdb_path = self._path if sql and not giant and content is None else None
        self.parquet_path = path if content is None else None
        self._windows: Windows = by_group
        self._first_windows: Windows = StreamWindows(self.scan, columns)
        if giant:
            self._windows = self._first_windows
        elif sql and max(groups, default=0) > SMALL_GROUP:
            self._windows = SqlWindows(self._path, columns, self.schema, by_group)

    @property
    def num_rows(self) -> int:
        return self._num_rows

    def _key_bytes(self, groups: Sequence[int]) -> int:
        """Return about how many bytes the keys of the row group with the most rows take when they are decoded."""
        if not groups:
            return 0
        largest = max(range(len(groups)), key=groups.__getitem__)
        group = self._file.metadata.row_group(largest)
        size = max(group.total_byte_size, _LEAST_KEY_BYTES * groups[largest])  # some writers leave it out
        if size <= LARGEST_GROUP:
            return int(size)
        # Arrow ends the process when it is asked about a column that is encrypted; reading one raises.
        keys = list(dict.fromkeys((self.columns.uuid, self.columns.filepath)))
        next(self._open().iter_batches(1, row_groups=[largest], columns=keys, use_threads=False), None)
        leaves = [self._file.schema.column(at).path for at in range(group.num_columns)]
        return sum(group.column(at).total_uncompressed_size for at, path in enumerate(leaves) if path in keys)

    def _open(self, dictionary: Sequence[str] = ()) -> pq.ParquetFile:
        with arrow_path(self._path) as source:
            return pq.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER, read_dictionary=list(dictionary))

    def check_unchanged(self, start: int = 0, stop: int = 1) -> None:  # noqa: ARG002
        try:
            now: Signature | None = regular_file(self.location)
        except OSError:
            now = None
        if now != self._signature:
            raise LookupChangedError(
                f"{self.name} has {'changed' if now else 'gone'} since it was opened.",
                action="Open it again.",
            )

    def _groups_between(self, start: int, stop: int) -> range:
        first = bisect_right(self._group_starts, start) - 1
        last = bisect_right(self._group_starts, max(start, stop - 1)) - 1
        return range(first, last + 1)

    def _read_group(self, start: int, stop: int, names: Sequence[str]) -> tuple[int, pa.Table]:
        groups = list(self._groups_between(start, stop))
        with self._lock:
            table = self._file.read_row_groups(groups, columns=list(names))
        return self._group_starts[groups[0]], table

    def keys(self, start: int, stop: int) -> pa.Table:
        self.check_unchanged()
        stop = min(stop, self.num_rows)
        try:
            return self._windows_at(start, stop).keys(start, max(start, stop))
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _windows_at(self, start: int, stop: int) -> Windows:
        """Return what gives these rows soonest."""
        if isinstance(self._windows, SqlWindows) and start < stop:
            begin = self._group_starts[self._groups_between(start, start + 1)[0]]
            if stop - begin <= FIRST_ROWS:
                return self._first_windows
        return self._windows

    def read(self, start: int, stop: int) -> pa.Table:
        self.check_unchanged()
        stop = max(start, min(stop, self.num_rows))
        if start >= stop:
            return no_rows(self.schema)
        groups = list(self._groups_between(start, stop))
        skip = start - self._group_starts[groups[0]]
        want = stop - start
        parts: list[pa.RecordBatch] = []
        try:
            batches = self._open().iter_batches(BATCH_ROWS, row_groups=groups, use_threads=False)
            for batch in batches:
                if skip >= batch.num_rows:
                    skip -= batch.num_rows
                    continue
                parts.append(batch.slice(skip, want))
                want -= parts[-1].num_rows
                skip = 0
                if want <= 0:
                    break
        except _DAMAGE as error:
            raise self._damaged(error) from error
        return pa.Table.from_batches(parts, schema=parts[0].schema if parts else self.schema)

    def stream(self, start: int) -> Iterator[pa.Table]:
        self.check_unchanged()
        if start >= self.num_rows:
            return
        groups = list(self._groups_between(start, self.num_rows))
        skip = start - self._group_starts[groups[0]]
        try:
            for batch in self._open().iter_batches(BATCH_ROWS, row_groups=groups, use_threads=False):
                if skip < batch.num_rows:
                    yield pa.Table.from_batches([batch.slice(skip)])
                skip = max(0, skip - batch.num_rows)
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def begins(self, row: int) -> int:
        begin: int = self._group_starts[self._groups_between(row, row + 1)[0]]
        return begin

    @property
    def sources(self) -> tuple[tuple[str, Signature], ...]:
        return ((self.location, self._signature),)

    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        self.check_unchanged()
        if start >= self.num_rows:
            return
        groups = self._groups_between(start, self.num_rows)
        skipped = start - self._group_starts[groups[0]]
        try:
            file = self._open(dictionary=[name for name in columns if name == self.columns.filepath])
            batches = file.iter_batches(BATCH_ROWS, row_groups=list(groups), columns=list(columns), use_threads=False)
            yield from without_first(batches, skipped)
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LookupUnreadableError:
        return LookupUnreadableError(f"{self.name} is damaged: {why(error)}.")

    def close(self) -> None:
        with self._lock:
            self._file.close()
        self._windows.close()
        if self._content is not None:
            self._content.close()
