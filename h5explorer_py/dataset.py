"""A data set that is open: its lookup, and the images and metadata that its rows name."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.errors import (
    AmbiguousKeyError,
    ClosedError,
    KeyNotFoundError,
    NoFilepathError,
    RowOutOfRangeError,
)
from h5explorer_py.files import shorten
from h5explorer_py.images.image import Image
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.images.store import ImageStore
from h5explorer_py.keyindex import KeyIndex
from h5explorer_py.lookup.find import Query, first_match
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.text import as_text, is_unicode
from h5explorer_py.metadata.store import MetadataStore, Record
from h5explorer_py.shards import ShardFiles, ShardPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from h5explorer_py.options import KeyColumns

WINDOW_ROWS = 1024
_WINDOWS_KEPT = 64
_ENTRIES_KEPT = 50_000
_LOOK_SECONDS = 0.2

INDEXED_ROWS = 2_000_000
"""Lookups up to this size get an index of their uuids in memory (88 MB at most) when one is first asked for."""


class Entry(NamedTuple):
    """One row of the lookup.

    Attributes
    ----------
    row : int
        Its number, from 0.
    key : str or None
        The uuid as text.
    filepath : str or None
        The filepath as the lookup has it.
    """

    row: int
    key: str | None
    filepath: str | None


class Dataset:
    """An open data set. All methods may be called from any thread.

    Parameters
    ----------
    source
        What :func:`h5explorer_py.lookup.open.open_lookup` takes.
    columns : KeyColumns
        The names of the lookup's key columns.
    root : str or mapping, optional
        Where the data is now, if not where the lookup says: see :class:`h5explorer_py.shards.ShardPaths`.

    Raises
    ------
    ExplorerError
        Where the lookup is absent, unreadable, or lacks a column.
    """

    def __init__(
        self,
        source: Any,
        columns: KeyColumns,
        root: str | os.PathLike[str] | Mapping[str, str] | None = None,
    ) -> None:
        readers = reader_pool()
        self.lookup = open_lookup(source, columns)
        self._paths = ShardPaths(root)
        self._images = ImageStore(readers)
        self._metadata = MetadataStore(tuple(dict.fromkeys((columns.uuid, "uuid"))))
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._windows: OrderedDict[int, pa.Table] = OrderedDict()
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._rows_by_key: OrderedDict[str, int] = OrderedDict()
        self._files: dict[tuple[str, str], tuple[ShardFiles, tuple[str, ...]]] = {}
        self._index: KeyIndex | None = None
        self._index_lock = threading.Lock()
        self._filepaths: int | None = None
        self.closed = False

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self.lookup.num_rows

    # Rows

    def keys(self, start: int, stop: int, give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return rows ``start`` to ``stop`` as text, in the columns ``uuid`` and ``filepath``.

        Parameters
        ----------
        start, stop : int
            The rows.
        give_up : callable
            Called while others read the lookup; raises where nobody waits for the rows any more.
        """
        self._check_open()
        start, stop = max(0, start), min(stop, self.num_rows)
        if start >= stop:
            return self.lookup.keys(0, 0)
        first, last = start // WINDOW_ROWS, (stop - 1) // WINDOW_ROWS
        table = pa.concat_tables([self._window(index, give_up) for index in range(first, last + 1)])
        return table.slice(start - first * WINDOW_ROWS, stop - start)

    def _window(self, index: int, give_up: Callable[[], None]) -> pa.Table:
        held = self._held_window(index)
        if held is not None:
            return held
        while not self._reading.acquire(timeout=_LOOK_SECONDS):
            give_up()
        try:
            held = self._held_window(index)  # read by the one that was waited for
            if held is not None:
                return held
            table = self.lookup.keys(index * WINDOW_ROWS, min((index + 1) * WINDOW_ROWS, self.num_rows))
        finally:
            self._reading.release()
        with self._lock:
            self._windows[index] = table
            while len(self._windows) > _WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return table

    def _held_window(self, index: int) -> pa.Table | None:
        with self._lock:
            held = self._windows.get(index)
            if held is not None:
                self._windows.move_to_end(index)
            return held

    def entry(self, row: int, give_up: Callable[[], None] = lambda: None) -> Entry:
        """Return one row.

        Parameters
        ----------
        row : int
            Its number.
        give_up : callable
            Called while others read the lookup; raises where nobody waits for the row any more.

        Raises
        ------
        RowOutOfRangeError
            Where there is no such row.
        """
        held = self._entries.get(row)
        if held is not None:
            return held
        self.check_row(row)
        self._check_open()
        table, at = self._window(row // WINDOW_ROWS, give_up), row % WINDOW_ROWS
        found = Entry(row, table.column(0)[at].as_py(), table.column(1)[at].as_py())
        with self._lock:
            self._entries[row] = found
            if len(self._entries) > _ENTRIES_KEPT:
                self._entries.popitem(last=False)
        return found

    def check_row(self, row: int) -> None:
        """Raise where there is no such row.

        Raises
        ------
        RowOutOfRangeError
        """
        if not 0 <= row < self.num_rows:
            rows = f"rows go from 0 to {self.num_rows - 1:,}" if self.num_rows else "the lookup has none"
            raise RowOutOfRangeError(f"There is no row {row:,}: {rows}.", row=row)

    def row_of(self, key: str) -> int:
        """Return the row of a uuid.

        Raises
        ------
        KeyNotFoundError
            Where no row has it.
        AmbiguousKeyError
            Where several rows have it that name different files.
        """
        held = self._rows_by_key.get(key)
        if held is not None:
            return held
        rows = self._rows_of(key)
        if not rows:
            raise KeyNotFoundError(f"{self.lookup.name} has no uuid {shorten(key)!r}.", key=key)
        if len({self.entry(row).filepath for row in rows}) > 1:
            shown = ", ".join(map(str, rows[:5])) + (" ..." if len(rows) > 5 else "")
            raise AmbiguousKeyError(
                f"{len(rows)} rows of {self.lookup.name} have the uuid {shorten(key)!r}, in different files.",
                action=f"Ask by row number: {shown}.",
                rows=rows[:100],
            )
        with self._lock:
            self._rows_by_key[key] = rows[0]
            if len(self._rows_by_key) > _ENTRIES_KEPT:
                self._rows_by_key.popitem(last=False)
        return rows[0]

    def _rows_of(self, key: str) -> list[int]:
        self._check_open()
        if not is_unicode(key):
            return []
        if self.num_rows <= INDEXED_ROWS:
            return self._key_index().rows(key)
        rows: list[int] = []
        start = 0
        name = self.lookup.columns.uuid
        for batch in self.lookup.scan([name]):
            keys = as_text(pa.chunked_array([batch.column(0)]))
            begin_alike = pc.indices_nonzero(pc.starts_with(keys, key)).to_pylist()
            rows.extend(start + row for row in begin_alike if keys[row].as_py() == key)
            start += batch.num_rows
        return rows

    def _key_index(self) -> KeyIndex:
        with self._index_lock:
            if self._index is None:
                batches = list(self.lookup.scan([self.lookup.columns.uuid]))
                columns = [as_text(pa.chunked_array([batch.column(0)])) for batch in batches]
                chunks = [chunk for column in columns for chunk in column.chunks]
                self._index = KeyIndex(pa.chunked_array(chunks, type=pa.string()))
            return self._index

    def find(self, query: Query, after: int | None, give_up: Callable[[], None]) -> int | None:
        """Return the next row that matches, from behind ``after`` and round again from the first row.

        A uuid that is exactly the text goes before all others, when the search begins.
        """
        self._check_open()
        if query.row is not None:
            return query.row if 0 <= query.row < self.num_rows else None
        if not query.text or not is_unicode(query.text):
            return None
        if after is None and query.in_uuid and self.num_rows <= INDEXED_ROWS:
            exact = self._rows_of(query.text)
            if exact:
                return exact[0]
        start = 0 if after is None else after + 1
        found = first_match(self.lookup, query, start, self.num_rows, give_up)
        if found is None and start > 0:
            found = first_match(self.lookup, query, 0, start, give_up)
        return found

    def filepaths(self, give_up: Callable[[], None]) -> int:
        """Count the different filepaths; goes through the lookup once."""
        self._check_open()
        if self._filepaths is None:
            name = self.lookup.columns.filepath
            seen: set[str] = set()
            for batch in self.lookup.scan([name]):
                give_up()
                column = batch.column(0)
                if isinstance(column, pa.DictionaryArray):
                    used = pc.drop_null(pc.unique(column.indices))
                    column = column.dictionary.take(used)
                else:
                    column = pc.unique(column)
                seen.update(text for text in as_text(pa.chunked_array([column])).to_pylist() if text)
            self._filepaths = len(seen)
        return self._filepaths

    # Images and metadata

    def files(self, entry: Entry) -> ShardFiles:
        """Return the files of the shard that a row names.

        Raises
        ------
        NoFilepathError
            Where it names none.
        """
        return self._shard(entry)[0]

    def _shard(self, entry: Entry) -> tuple[ShardFiles, tuple[str, ...]]:
        """Return the shard's files, and the folders that its links may lead to."""
        if not entry.filepath:
            raise NoFilepathError(f"Row {entry.row + 1:,} of {self.lookup.name} names no file.", row=entry.row)
        folder = self.lookup.folder_of(entry.row)
        held = self._files.get((entry.filepath, folder))
        if held is None:
            files = self._paths.files(entry.filepath, folder)
            held = (files, (os.path.dirname(os.path.realpath(files.images)),))
            if len(self._files) >= _ENTRIES_KEPT:
                self._files.clear()
            self._files[entry.filepath, folder] = held
        return held

    def image(self, entry: Entry, give_up: Callable[[], None] = lambda: None) -> Image:
        """Return the image of a row, as it is stored.

        Parameters
        ----------
        entry : Entry
            The row.
        give_up : callable
            Called while all readers are at work; raises where nobody waits for the image any more.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        started = time.perf_counter()
        self._check_open()
        files, folders = self._shard(entry)
        if not entry.key:
            raise KeyNotFoundError(f"Row {entry.row + 1:,} of {self.lookup.name} has no uuid.", row=entry.row)
        try:
            data = self._images.read(files.images, entry.key, folders, give_up)
        except FileNotFoundError:
            self._look_anew(entry)
            raise
        return Image(data, entry.key, files.images, time.perf_counter() - started)

    def image_state(self, entry: Entry) -> str:
        """Return a text that differs whenever the file that holds the image of a row has changed."""
        files = self.files(entry)
        try:
            return self._images.state(files.images)
        except FileNotFoundError:
            self._look_anew(entry)
            raise

    def is_open(self, entry: Entry) -> tuple[bool, bool]:
        """Whether the image and the record of a row can be had without opening another file.

        Raises
        ------
        NoFilepathError
            Where the row names no file.
        """
        files = self.files(entry)
        return self._images.is_open(files.images), self._metadata.holds(files.metadata)

    def record(self, entry: Entry) -> Record:
        """Return the metadata of a row.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        self._check_open()
        files = self.files(entry)
        if not entry.key:
            raise KeyNotFoundError(f"Row {entry.row + 1:,} of {self.lookup.name} has no uuid.", row=entry.row)
        try:
            return self._metadata.record(files.metadata, entry.key)
        except FileNotFoundError:
            self._look_anew(entry)
            raise

    def _look_anew(self, entry: Entry) -> None:
        """Have a shard that is not there looked for in every place the next time."""
        self._files.pop((entry.filepath or "", self.lookup.folder_of(entry.row)), None)

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("This data set has been closed.")

    def close(self) -> None:
        """Let go of all files."""
        self.closed = True
        self._images.clear()
        self._metadata.clear()
        self.lookup.close()
