"""From whatever a person hands over to a lookup."""

from __future__ import annotations

import glob
import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from h5explorer_py.errors import LookupNotFoundError, LookupUnreadableError, UnsupportedError
from h5explorer_py.files import regular_file, why
from h5explorer_py.lookup.concat import ConcatLookup
from h5explorer_py.lookup.delimited import DelimitedLookup
from h5explorer_py.lookup.memory import MemoryLookup, table_from
from h5explorer_py.lookup.parquet import ParquetLookup
from h5explorer_py.lookup.shards import folder_lookup, natural, shard_lookup
from h5explorer_py.shards import HDF5_SUFFIXES

if TYPE_CHECKING:
    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.options import KeyColumns

_PARQUET = b"PAR1"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_GZIP = b"\x1f\x8b"


def open_lookup(source: Any, columns: KeyColumns) -> Lookup:
    """Open a lookup.

    Parameters
    ----------
    source : str, path, list of them, table
        A Parquet, CSV or TSV file (gzipped too), a pattern, a list of such, an Arrow table, a pandas or polars
        frame, a DuckDB relation, one shard, or a folder of shards.
    columns : KeyColumns
        The names of the two key columns.

    Raises
    ------
    LookupNotFoundError, LookupUnreadableError, WrongColumnsError, UnsupportedError
    """
    if isinstance(source, (str, os.PathLike)):
        return _open_named(os.fsdecode(source), columns)
    if isinstance(source, (list, tuple)):
        return _open_list(source, columns)
    found = table_from(source)
    if found is None:
        raise UnsupportedError(
            f"A {type(source).__name__} is no lookup.",
            action="Pass a path, a list of paths, an Arrow table, a data frame or a DuckDB relation.",
        )
    return MemoryLookup(found[0], columns, found[1])


def _open_list(sources: list[Any] | tuple[Any, ...], columns: KeyColumns) -> Lookup:
    if not sources:
        raise LookupNotFoundError("The list of lookups is empty.")
    parts: list[Lookup] = []
    try:
        parts.extend(open_lookup(source, columns) for source in sources)
    except BaseException:
        for part in parts:
            part.close()
        raise
    if len(parts) == 1:
        return parts[0]
    return ConcatLookup(parts, f"{parts[0].name} and {len(parts) - 1:,} more", columns)


def _open_named(name: str, columns: KeyColumns) -> Lookup:
    path = _local_path(name)
    if os.path.isdir(path):
        return folder_lookup(path, columns)
    if not os.path.lexists(path) and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True), key=natural)
        if not matches:
            raise LookupNotFoundError(f"No file matches {path}.")
        return _open_list(matches, columns)
    return _open_file(path, columns)


def _local_path(name: str) -> str:
    scheme = urlsplit(name).scheme if "://" in name else ""
    if scheme == "file":
        name = unquote(urlsplit(name).path)
    elif scheme:
        raise UnsupportedError(
            f"Addresses ({scheme}://) are not read by this version.",
            action="Copy the lookup to a file system.",
        )
    try:
        possible = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise LookupNotFoundError(f"{name!a} cannot be a path.")
    return os.path.abspath(os.path.expanduser(name))


def _open_file(path: str, columns: KeyColumns) -> Lookup:
    try:
        regular_file(path)
        with open(path, "rb") as file:
            magic = file.read(8)
    except FileNotFoundError as error:
        raise LookupNotFoundError(f"There is no file {path}.", action=_similar(path)) from error
    except OSError as error:
        raise LookupUnreadableError(f"{path} cannot be read: {why(error)}.") from error
    if magic.startswith(_PARQUET):
        return ParquetLookup(path, columns)
    if magic == _HDF5 or path.endswith(HDF5_SUFFIXES):  # which may begin with something else
        return shard_lookup(path, columns)
    if magic.startswith(_GZIP):
        return _open_packed(path, columns)
    return DelimitedLookup(path, columns)


def _open_packed(path: str, columns: KeyColumns) -> Lookup:
    """Open a gzipped lookup by way of an unpacked copy, which vanishes with the lookup."""
    name = Path(path).name
    unpacked = tempfile.NamedTemporaryFile(buffering=0, prefix="h5explorer-")  # noqa: SIM115  (the lookup holds it)
    try:
        with gzip.open(path) as packed:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        unpacked.seek(0)
        if unpacked.read(4) == _PARQUET:
            return ParquetLookup(path, columns, unpacked)
        return DelimitedLookup(path, columns, unpacked)
    except (OSError, EOFError, zlib.error) as error:
        unpacked.close()
        raise LookupUnreadableError(
            f"{name} cannot be unpacked: {why(error)}.",
            action="It takes room in the temporary folder; set TMPDIR to one that has more.",
        ) from error
    except BaseException:
        unpacked.close()
        raise


def _similar(path: str) -> str:
    """Name a file of the same folder that the person may have meant."""
    from difflib import get_close_matches

    folder = Path(path).parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    try:
        close = get_close_matches(Path(path).name, os.listdir(folder)[:10_000], n=1)
    except OSError:
        return ""
    return f"Did you mean {close[0]}?" if close else ""
