"""Writing rows of a lookup to a Parquet or text file."""

from __future__ import annotations

import gzip
import os
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.bulk.aside import Aside, close_anyway, settle, written
from h5explorer_py.bulk.cells import cells, lines
from h5explorer_py.bulk.rows import RowReader, batches
from h5explorer_py.errors import TargetExistsError, UnsupportedError
from h5explorer_py.lookup.text import text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.options import KeyColumns

GROUP_ROWS = 1 << 20
_GROUP_BYTES = 256 << 20
_BATCH_ROWS = 65_536
UNORDERED_ROWS = 1 << 20
"""Rows to read at once where they come in another order than that of the lookup: for each such batch it may have to be
read from its beginning to its end."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def export_lookup(
    lookup: Lookup,
    rows: Iterable[NDArray[np.int64]] | None,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    give_up: Callable[[], None] = lambda: None,
    batch_rows: int | None = None,
) -> int:
    """Write rows of a lookup with all its columns.

    Parameters
    ----------
    lookup : Lookup
        Where from.
    rows : iterable of ndarray of int64, or None
        Row numbers in arrays of any sizes, in the order in which they are written; all rows where it is ``None``.
    path : path
        The file, whose suffix tells its kind: ``.parquet``, ``.csv``, ``.tsv``, ``.csv.gz``, ``.tsv.gz``. To Parquet,
        values go as they are. To the others, text goes as it is stored, and other values as the explorer shows them.
        Nothing is there until it is whole. Filepaths stay as they are: relative ones start from the source's folder.
    overwrite : bool
        Whether to replace a file.
    progress : callable, optional
        Is told now and then how many rows have been written.
    give_up : callable
        Called now and then; ends the work by raising.
    batch_rows : int, optional
        How many rows are read in the order of the lookup, rather than in their own; 65,536 unless told.

    Returns
    -------
    int
        How many rows have been written.

    Raises
    ------
    UnsupportedError
        Where the suffix is of no such kind.
    TargetExistsError
        Where the file is there, and is not to be replaced.
    WriteFailedError
        Where it cannot be written.
    RowOutOfRangeError
        Where there is no such row.
    ExplorerError
        Where the lookup cannot be read any more. In all these cases nothing is left.
    """
    kind, is_packed = _kind(os.fsdecode(path))
    aside = Aside(path, _check_file if overwrite else None)
    done = 0
    with ExitStack() as resources:
        resources.callback(aside.discard)
        _check_other(lookup, aside.target)
        with written(aside.target):
            file = open(aside.content, "wb")  # noqa: SIM115  (closed in any case)
            resources.callback(close_anyway, file)
            packed = _gzip(file) if is_packed else None
            resources.callback(close_anyway, packed)
            sink = _ParquetSink(file, lookup.schema) if kind == ".parquet" else None
            target: _Sink = sink or _TextSink(packed or file, lookup.schema, lookup.columns, _DELIMITERS[kind])
            resources.callback(target.abandon)
        for table in _tables(lookup, rows, batch_rows or _BATCH_ROWS, give_up):
            give_up()
            with written(aside.target):
                target.write(table)
            done += table.num_rows
            if progress:
                progress(done)
        with written(aside.target):
            target.close()
            if packed is not None:
                packed.close()
            file.close()
            settle(aside.content)
        aside.publish()
    return done


def moved_filepaths(lookup: Lookup, out: str) -> list[str]:
    """Say so where filepaths are relative to a folder that the new file is not in."""
    if not lookup.num_rows or os.path.realpath(lookup.folder) == os.path.dirname(os.path.realpath(out)):
        return []
    filepath = lookup.keys(0, 1).column("filepath")[0].as_py()
    if not filepath or os.path.isabs(filepath):
        return []
    return [f"Its filepaths start from {lookup.folder}: give that as root where the new file is opened."]


def _tables(
    lookup: Lookup, rows: Iterable[NDArray[np.int64]] | None, batch_rows: int, give_up: Callable[[], None]
) -> Iterator[pa.Table]:
    if rows is None:
        yield from lookup.stream(0)
        return
    reader = RowReader(lookup, give_up)
    for batch in batches(rows, batch_rows, lookup.num_rows):
        yield reader.take(batch)


class _Sink(Protocol):
    def write(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


class _ParquetSink:
    """Writes row groups of about a million rows."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")
        self._held: list[pa.Table] = []
        self._rows = self._bytes = 0

    def write(self, table: pa.Table) -> None:
        self._held.append(table)
        self._rows += table.num_rows
        self._bytes += table.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._held), row_group_size=self._rows)
        self._held, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        self._write_group()
        self._writer.close()

    def abandon(self) -> None:
        self._writer.is_open = False  # else it is closed again when it is forgotten


class _TextSink:
    """Writes lines."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, schema: pa.Schema, columns: KeyColumns, delimiter: str) -> None:
        self._file = file
        self._keys = [name in {columns.uuid, columns.filepath} for name in schema.names]
        self._delimiter = delimiter
        header = [pa.chunked_array([text_array([name])]).cast(pa.large_string()) for name in schema.names]
        file.write(lines(header, delimiter))

    def write(self, table: pa.Table) -> None:
        columns = [cells(column, is_key=is_key) for column, is_key in zip(table.columns, self._keys, strict=True)]
        self._file.write(lines(columns, self._delimiter))

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def _gzip(file: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)


def _kind(path: str) -> tuple[str, bool]:
    """Tell a file's kind by its suffix, and whether it is gzipped."""
    stem, suffix = os.path.splitext(path.lower())
    if suffix == ".parquet":
        return suffix, False
    is_packed = suffix == ".gz"
    suffix = os.path.splitext(stem)[1] if is_packed else suffix
    if suffix not in _DELIMITERS:
        raise UnsupportedError(
            f"{os.path.basename(path)} does not say by its suffix what to write.",
            action="Name it .parquet, .csv, .tsv, .csv.gz or .tsv.gz.",
        )
    return suffix, is_packed


def _check_file(path: str) -> None:
    if not os.path.isfile(path):
        raise TargetExistsError(f"{path} is no file, and is not replaced.", action="Name another.")


def _check_other(lookup: Lookup, target: str) -> None:
    if lookup.location and os.path.realpath(lookup.location) == target:
        raise TargetExistsError(f"{target} is what is to be exported from.", action="Name another file.")
