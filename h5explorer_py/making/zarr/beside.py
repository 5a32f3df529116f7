"""The table that lies beside an array of pictures: its row i is of picture i."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.bulk.aside import Aside, written
from h5explorer_py.errors import SourceNotFoundError, TargetExistsError
from h5explorer_py.files import why
from h5explorer_py.making.columns import texts
from h5explorer_py.making.labels import FILENAME
from h5explorer_py.making.zarr.store import is_url

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = b"h5explorer_store"
_OWN = {b"h5explorer": b"a row for each picture of the array beside"}


def paths_of(output: str) -> tuple[str, str]:
    """Return where the store and its table go: a name that does not end in ``.zarr`` is a folder for both."""
    output = output.rstrip("/") if is_url(output) else os.path.abspath(os.path.expanduser(output))
    if output.endswith(".zarr"):
        return output, table_beside(output)
    return f"{output}/images.zarr", f"{output}/images_metadata.parquet"


def table_beside(store: str) -> str:
    """Return where the table of a store is."""
    return f"{store.rstrip('/').removesuffix('.zarr')}_metadata.parquet"


def read_beside(path: str, images: int, mark: str | None = None) -> tuple[pa.Table, list[str]]:
    """Read the table of an array: as many rows as it has pictures.

    A table with another mark is that of a store which was to take this one's place, but whose conversion was killed
    before it did: its rows are not taken.

    Rows beyond are what an append that was killed has left. Where there are too few, which is not of this package's
    doing, the rest is null.

    Returns
    -------
    table : pyarrow.Table
    notices : list of str

    Raises
    ------
    SourceNotFoundError
        Where there is a table, but it cannot be read.
    """
    try:
        with pq.ParquetFile(_source(path)) as file:
            table = file.read()
    except FileNotFoundError:
        table = pa.table({FILENAME: pa.nulls(0, pa.string())})
    except (OSError, pa.ArrowException, ValueError) as error:
        raise SourceNotFoundError(f"The metadata {path} cannot be read: {why(error)}.") from error
    found = (table.schema.metadata or {}).get(_MARK)
    others = bool(mark and found and found.decode("utf-8", "replace") != mark)
    if others:
        table = table.select([FILENAME] if FILENAME in table.column_names else []).slice(0, 0)
    elif table.num_rows >= images:
        return table.slice(0, images), []
    missing = images - table.num_rows
    empty = pa.table(
        {name: pa.nulls(missing, kind) for name, kind in zip(table.column_names, table.schema.types, strict=True)}
    )
    if others:
        return pa.concat_tables([table, empty]), [f"{path} is of another store: it tells nothing of these pictures."]
    said = (
        f"{path} has rows for {table.num_rows:,} of {images:,} pictures; the rest is empty." if table.num_rows else ""
    )
    return pa.concat_tables([table, empty]), [said] if said else []


def _source(path: str) -> str | io.BytesIO:
    if not is_url(path):
        return path
    import fsspec

    with fsspec.open(path, "rb") as file:
        return io.BytesIO(file.read())


def joined(first: pa.Table, second: pa.Table) -> pa.Table:
    """Put one table below another: columns that only one has are null for the other; types become those of both."""
    names = [*first.column_names, *(name for name in second.column_names if name not in first.column_names)]
    columns = {}
    for name in names:
        parts = [table[name] if name in table.column_names else None for table in (first, second)]
        kinds = [part.type for part in parts if part is not None and not pa.types.is_null(part.type)]
        kind = _common(kinds)
        arrays = [
            pa.chunked_array([pa.nulls(table.num_rows, kind)]) if part is None else _cast(part, kind)
            for part, table in zip(parts, (first, second), strict=True)
        ]
        columns[name] = pa.chunked_array([chunk for array in arrays for chunk in array.chunks], kind)
    return pa.table(columns)


def _common(kinds: list[pa.DataType]) -> pa.DataType:
    """Return the type of both; of numbers that which holds both, else text."""
    if not kinds:
        return pa.null()
    if len(set(kinds)) == 1:
        return kinds[0]
    schemas = [pa.schema([("column", kind)]) for kind in kinds]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("column").type
    except pa.ArrowException:
        return pa.string()


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except pa.ArrowException:
        return pa.chunked_array([texts([None if value is None else str(value) for value in column.to_pylist()])])


def is_own(path: str) -> bool:
    """Tell whether a table was written by this package."""
    try:
        kept = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return all(kept.get(key) == value for key, value in _OWN.items())


class Beside:
    """A table that is written aside, and moved into its place when it is time.

    Parameters
    ----------
    path : str
        A path or a URL.
    overwrite : bool
        Whether to replace any file there; else only one of this package's.

    Raises
    ------
    TargetExistsError, WriteFailedError
    """

    def __init__(self, path: str, *, overwrite: bool) -> None:
        self.path = path
        self._overwrite = overwrite
        self._aside = None if is_url(path) else Aside(path, self._check)

    def _check(self, path: str) -> None:
        if not os.path.isfile(path) or not (self._overwrite or is_own(path)):
            raise TargetExistsError(f"{path} is there already.", action="Name another, or ask to overwrite it.")

    def write(self, table: pa.Table, mark: str | None) -> Callable[[], None]:
        """Write the table with the mark that its store has; return what moves it into its place."""
        marked = {} if mark is None else {_MARK: mark.encode()}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **_OWN, **marked})
        with written(self.path):
            if self._aside is not None:
                pq.write_table(table, self._aside.content, compression="zstd")
                return self._aside.publish
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        return lambda: self._upload(file.getvalue())

    def _upload(self, data: bytes) -> None:
        import fsspec

        with written(self.path), fsspec.open(self.path, "wb") as file:
            file.write(data)

    def discard(self) -> None:
        """Give up."""
        if self._aside is not None:
            self._aside.discard()
