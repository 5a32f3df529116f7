"""What every lookup can do, whatever file or object it comes from."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.lookup.text import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from h5explorer_py.files import Signature
    from h5explorer_py.options import KeyColumns

KEYS_SCHEMA = pa.schema([("uuid", pa.string()), ("filepath", pa.string())])
"""The columns of a window of keys, whatever the lookup itself calls them."""

STREAM_ROWS = 16_384


class Lookup(ABC):
    """A table whose rows name images: a uuid and the file that holds it.

    Row numbers count from 0; ranges are half-open. All methods may be called from any thread.

    Attributes
    ----------
    name : str
        A short name for the panel: the file's name, or what kind of object it is.
    location : str
        The full path, where there is one; otherwise empty.
    folder : str
        The folder that relative filepaths start from.
    columns : KeyColumns
        The names of the uuid and the filepath column.
    schema : pyarrow.Schema
        All columns, in their order, with their stored types.
    quick_rows : int
        How many of the first rows can be read within a moment.
    duckdb_path : str or None
        The Parquet file that DuckDB can read these rows from, in bounded memory; ``None`` where there is none.
    parquet_path : str or None
        The Parquet file that holds these rows and no others; ``None`` where there is none.
    """

    name: str
    location: str
    folder: str
    columns: KeyColumns
    schema: pa.Schema
    quick_rows: int = sys.maxsize
    duckdb_path: str | None = None
    parquet_path: str | None = None

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """The number of rows, as far as they have been counted."""

    @abstractmethod
    def read(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop`` with all columns as they are stored."""

    @abstractmethod
    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        """Go through the lookup in order from a row on, some thousand rows at a time, with these columns only.

        A text column may come as a dictionary.
        """

    def stream(self, start: int) -> Iterator[pa.Table]:
        """Go on from row ``start`` to the end, some thousand rows at a time, with all columns as they are stored."""
        for row in range(start, self.num_rows, STREAM_ROWS):
            yield self.read(row, min(row + STREAM_ROWS, self.num_rows))

    def begins(self, row: int) -> int:
        """Return the row at which the file has to be gone into for this one: what lies between is read as well."""
        return row

    def keys(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop`` as text, in the columns of ``KEYS_SCHEMA``."""
        table = self.read(start, stop)
        return keys_of([table.column(self.columns.uuid), table.column(self.columns.filepath)])

    def folder_of(self, row: int) -> str:  # noqa: ARG002  (a lookup of several files has several folders)
        """Return the folder that the relative filepath of a row starts from."""
        return self.folder

    @property
    def sources(self) -> tuple[tuple[str, Signature], ...]:
        """The files that the rows come from, and the state in which they were opened; empty where it is not files."""
        return ()

    @property
    def counting(self) -> bool:
        """Whether the rows are still being counted: ``num_rows`` grows meanwhile."""
        return False

    def wait_counted(self, give_up: Callable[[], None] = lambda: None) -> None:  # noqa: B027  (most are counted)
        """Wait until all rows have been counted.

        Parameters
        ----------
        give_up : callable
            Raises where nobody waits for it any more.
        """

    def assume(self, num_rows: int) -> None:  # noqa: B027  (most are counted)
        """Take over a count from an earlier time, of the same file in the same state."""

    def folders(self) -> list[tuple[int, str]]:
        """Return from which row on relative filepaths start from which folder."""
        return [(0, self.folder)]

    def check_unchanged(self, start: int = 0, stop: int = 1) -> None:  # noqa: B027  (what is in memory does not change)
        """Raise where the files that hold these rows are no longer those that were opened.

        Raises
        ------
        LookupChangedError
        """

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what is odd in the lookup, as far as it has been read."""
        return ()

    def close(self) -> None:  # noqa: B027  (most hold nothing)
        """Let go of files. Nothing may be read afterwards."""


def without_first(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Leave out so many rows at the beginning."""
    for batch in batches:
        if rows >= batch.num_rows:
            rows -= batch.num_rows
            continue
        yield batch.slice(rows)
        rows = 0


def keys_of(columns: Sequence[pa.ChunkedArray]) -> pa.Table:
    """Make a window of keys out of the two key columns."""
    return pa.Table.from_arrays([as_text(column) for column in columns], schema=KEYS_SCHEMA)
