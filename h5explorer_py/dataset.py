"""A data set that is open: its lookup, and the images and metadata that its rows name."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from h5explorer_py.errors import (
    ClosedError,
    KeyNotFoundError,
    NoFilepathError,
    RowOutOfRangeError,
    ShardNotFoundError,
)
from h5explorer_py.files import shorten
from h5explorer_py.images.image import Image
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.images.store import ImageStore
from h5explorer_py.lookup.finding import only_row
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.rows import LookupRows
from h5explorer_py.lookup.sql.kept import KeptConnections
from h5explorer_py.metadata.store import MetadataStore, Record, Records
from h5explorer_py.moved import Absence, Sought, absence, sought_in
from h5explorer_py.shards import ShardFiles, ShardPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from h5explorer_py.lookup.find import Query
    from h5explorer_py.options import KeyColumns
    from h5explorer_py.view.rowsets import Numbers

_ENTRIES_KEPT = 50_000
_ADVICE_KEPT = 1_000


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
    cache : bool or str
        Whether the lookup is packed in the background; a text names the folder for that.
    cache_limit : int, optional
        How many bytes all that is packed may take there.

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
        *,
        cache: bool | str = False,
        cache_limit: int | None = None,
    ) -> None:
        readers = reader_pool()
        self.lookup = open_lookup(source, columns)
        self.rows = LookupRows(self.lookup, cache=cache, cache_limit=cache_limit)
        self.paths = ShardPaths(root)
        self._images = ImageStore(readers)
        self.uuid_columns = tuple(dict.fromkeys((columns.uuid, "uuid")))
        self._metadata = MetadataStore(self.uuid_columns)
        self.connections = KeptConnections()
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._rows_by_key: OrderedDict[str, int] = OrderedDict()
        self._files: dict[tuple[str, str], tuple[ShardFiles, tuple[str, ...]]] = {}
        self._advice: dict[str, Absence | None] = {}
        self.absence: Absence | None = None
        self.held_metadata_schema: pa.Schema | None = None
        self.closed = False

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self.lookup.num_rows

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what is odd: shards that are not there, as far as looked for, then what the lookup says."""
        absent = () if self.absence is None else (str(self.absence),)
        return (*absent, *self.lookup.notices)

    def look_for_shards(self, give_up: Callable[[], None] = lambda: None) -> None:
        """See whether the shards of a few rows from all over the lookup are there; ``notices`` say what is not.

        Parameters
        ----------
        give_up : callable
            Called between the rows; raises where nobody wants to know any more.
        """
        self.absence = absence(sought_in(self, give_up), os.path.exists)

    # Rows

    def keys(self, start: int, stop: int, give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return rows ``start`` to ``stop`` as text: see :meth:`h5explorer_py.lookup.rows.LookupRows.keys`."""
        self._check_open()
        return self.rows.keys(start, stop, give_up)

    def forget(self) -> None:
        """Forget what has been read of rows, as it is to be read in another way."""
        self.rows.forget()
        with self._lock:
            self._entries.clear()
            self._rows_by_key.clear()

    def take(self, rows: Numbers, give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return single rows as text: see :meth:`h5explorer_py.lookup.rows.LookupRows.take`."""
        self._check_open()
        return self.rows.take(rows, give_up)

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
        table = self.rows.keys(row, row + 1, give_up)
        found = Entry(row, table.column(0)[0].as_py(), table.column(1)[0].as_py())
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
        if row >= self.num_rows:
            self.lookup.wait_counted()
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
        self._check_open()
        rows = self.rows.of_key(key)
        if not rows:
            raise KeyNotFoundError(f"{self.lookup.name} has no uuid {shorten(key)!r}.", key=key)
        found = only_row(rows, key, self.lookup.name, lambda row: self.entry(row).filepath)
        with self._lock:
            self._rows_by_key[key] = found
            if len(self._rows_by_key) > _ENTRIES_KEPT:
                self._rows_by_key.popitem(last=False)
        return found

    def find(self, query: Query, after: int | None, give_up: Callable[[], None]) -> int | None:
        """Return the next row that matches, from behind ``after`` and round again from the first row.

        A uuid that is exactly the text goes before all others, when the search begins.
        """
        self._check_open()
        self.lookup.wait_counted(give_up)
        known = query.known_rows(self.num_rows)
        if known is not None:
            return known[0] if known else None
        if after is None and query.in_uuid and self.rows.has_index:
            exact = self.rows.of_key(query.text, give_up)
            if exact:
                return exact[0]
        start = 0 if after is None else after + 1
        found = self.rows.next_match(query, start, self.num_rows, give_up)
        if found is None and start > 0:
            found = self.rows.next_match(query, 0, start, give_up)
        return found

    def count(self, query: Query, start: int, seconds: float, give_up: Callable[[], None]) -> tuple[int, int]:
        """Count the rows that match from a row on, for about so many seconds.

        Returns
        -------
        count : int
            How many of the rows looked at match.
        stop : int
            The row up to which they have been looked at.
        """
        self._check_open()
        self.lookup.wait_counted(give_up)
        known = query.known_rows(self.num_rows)
        if known is not None:
            return len(known), self.num_rows
        return self.rows.count(query, min(start, self.num_rows), seconds, give_up)

    def filepaths(self, give_up: Callable[[], None]) -> int:
        """Count the different filepaths."""
        self._check_open()
        return self.rows.filepaths(give_up)

    # Images and metadata

    def files(self, entry: Entry) -> ShardFiles:
        """Return the files of the shard that a row names.

        Raises
        ------
        NoFilepathError
            Where it names none.
        """
        return self._shard(entry)[0]

    def shard(self, entry: Entry) -> tuple[ShardFiles, tuple[str, ...]]:
        """Return the files of the shard that a row names, and the folders that its links may lead to.

        Raises
        ------
        NoFilepathError
            Where it names none.
        """
        return self._shard(entry)

    def records(self, files: ShardFiles, keys: Sequence[str]) -> Records:
        """Return the metadata of several images of a shard.

        Raises
        ------
        MetadataNotFoundError, MetadataUnreadableError
        """
        self._check_open()
        return self._metadata.records(files.metadata, keys)

    def _shard(self, entry: Entry) -> tuple[ShardFiles, tuple[str, ...]]:
        """Return the shard's files, and the folders that its links may lead to."""
        if not entry.filepath:
            raise NoFilepathError(f"Row {entry.row + 1:,} of {self.lookup.name} names no file.", row=entry.row)
        folder = self.lookup.folder_of(entry.row)
        held = self._files.get((entry.filepath, folder))
        if held is None:
            files = self.paths.files(entry.filepath, folder)
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
        except FileNotFoundError as error:
            self._look_anew(entry)
            self._advise(error, entry, files)
            raise
        return Image(data, entry.key, files.images, time.perf_counter() - started)

    def small_image(self, entry: Entry, most: int) -> Image | None:
        """Return the image of a row if it has no more than so many bytes and no reader process is needed for it.

        Where it is ``None``, ``image`` tells, and finds a larger image sooner than before.
        """
        started = time.perf_counter()
        if self.closed or not entry.key or not entry.filepath:
            return None
        files, _ = self._shard(entry)
        data = self._images.read_small(files.images, entry.key, most)
        return None if data is None else Image(data, entry.key, files.images, time.perf_counter() - started)

    @property
    def is_slow(self) -> bool:
        """Whether images come from a file system that is slow, so that several are best waited for at the same time."""
        return self._images.is_slow

    def image_state(self, entry: Entry) -> str:
        """Return a text that differs whenever the file that holds the image of a row has changed."""
        files = self.files(entry)
        try:
            return self._images.state(files.images)
        except FileNotFoundError as error:
            self._look_anew(entry)
            self._advise(error, entry, files)
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

    def _advise(self, error: FileNotFoundError, entry: Entry, files: ShardFiles) -> None:
        """Have an error say what to do, where all of the folder is missing."""
        if not isinstance(error, ShardNotFoundError):
            return
        found = self.absence
        if found is None or not found.below or not PurePath(files.images).is_relative_to(found.below):
            folder = os.path.dirname(files.images)
            if folder not in self._advice:
                if len(self._advice) >= _ADVICE_KEPT:
                    self._advice.clear()
                shard = Sought(entry.filepath or "", files.images, self.lookup.folder_of(entry.row))
                self._advice[folder] = absence([shard], os.path.exists)
            found = self._advice[folder]
        if found is not None and found.below:
            error.action = str(found)

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("This data set has been closed.")

    def close(self) -> None:
        """Let go of all files."""
        self.closed = True
        self._images.clear()
        self._metadata.clear()
        self.connections.close()
        self.rows.close()
