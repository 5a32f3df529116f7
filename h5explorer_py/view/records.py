"""Which record of which metadata file belongs to every row of a lookup: found once, kept with what is packed.

records.bin
    4 bytes a row, in the order of ``file-rows.bin``: the number of the row's record in its file, or ``NO_RECORD``.
records.json
    Of which files, in which state, and what their columns are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from h5explorer_py.errors import ExplorerError, LookupUnreadableError, UnsupportedError
from h5explorer_py.files import Signature, arrow_path, read_at, regular_file
from h5explorer_py.lookup.arrays import filled
from h5explorer_py.lookup.text import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.packed.packed import PackedLookup

NO_RECORD = 0xFFFFFFFF

_RECORDS = "records.bin"
_DESCRIPTION = "records.json"
_VERSION = 1
_RECORD_BYTES = 4
_LOOKERS = 16  # looking at thousands of files waits on the file system, not on the processor


@dataclass(frozen=True)
class ShardRecords:
    """The rows of one metadata file.

    Attributes
    ----------
    path : str
        The file.
    signature : Signature or None
        Its state; ``None`` where it is not there.
    start, stop : int
        Where its rows stand in the order of files.
    """

    path: str
    signature: Signature | None
    start: int
    stop: int


def shards_of(dataset: Dataset, packed: PackedLookup) -> list[ShardRecords]:
    """Return the metadata files of all shards, in the order of files.

    Raises
    ------
    UnsupportedError
        Where too many files differ.
    """
    index = packed.files
    if index is None:
        raise UnsupportedError("The lookup names too many different files for conditions on their metadata.")
    folders = dataset.lookup.folders()
    found: list[tuple[str, int, int]] = []
    for code, name in enumerate(index.names):
        start, stop = int(index.starts[code]), int(index.starts[code + 1])
        for folder, first, last in _by_folder(folders, lambda at: int(index.rows_at(at, at + 1)[0]), start, stop):
            with contextlib.suppress(ExplorerError):
                found.append((dataset.paths.files(name, folder).metadata, first, last))
    with ThreadPoolExecutor(_LOOKERS) as lookers:
        states = list(lookers.map(_state, [path for path, _, _ in found]))
    return [ShardRecords(path, state, *place) for (path, *place), state in zip(found, states, strict=True)]


def _by_folder(
    folders: Sequence[tuple[int, str]], row_at: Callable[[int], int], start: int, stop: int
) -> list[tuple[str, int, int]]:
    """Part the places of a file's rows by the folders that their relative filepath starts from."""
    if len(folders) == 1:
        return [(folders[0][1], start, stop)]
    parts = []
    for number, (_, folder) in enumerate(folders):
        until = folders[number + 1][0] if number + 1 < len(folders) else None
        last = stop if until is None else _first_at_or_above(row_at, start, stop, until)
        if last > start:
            parts.append((folder, start, last))
        start = last
    return parts


def _first_at_or_above(row_at: Callable[[int], int], start: int, stop: int, row: int) -> int:
    while start < stop:
        middle = (start + stop) // 2
        if row_at(middle) < row:
            start = middle + 1
        else:
            stop = middle
    return start


def _state(path: str) -> Signature | None:
    try:
        return regular_file(path)
    except (OSError, ValueError):
        return None


class RecordIndex:
    """The records of all rows. All methods may be called from any thread.

    Parameters
    ----------
    packed : PackedLookup
        The lookup.
    shards : list of ShardRecords
        The metadata files, in the order of files.
    schema : pyarrow.Schema
        The columns of all of them.
    """

    def __init__(self, packed: PackedLookup, shards: list[ShardRecords], schema: pa.Schema) -> None:
        self.packed = packed
        self.shards = shards
        self.schema = schema
        self._file: IO[bytes] = open(os.path.join(packed.folder, _RECORDS), "rb", buffering=0)  # noqa: SIM115
        if os.fstat(self._file.fileno()).st_size != packed.keys.rows * _RECORD_BYTES:
            self._file.close()
            raise LookupUnreadableError("The index of records is not whole.")

    @property
    def missing(self) -> int:
        """How many metadata files are not there, or cannot be read."""
        return sum(1 for shard in self.shards if shard.signature is None)

    def of_places(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return the rows at places in the order of files, and the number of each one's record."""
        assert self.packed.files is not None
        rows = self.packed.files.rows_at(start, stop)
        data = read_at(self._file, start * _RECORD_BYTES, len(rows) * _RECORD_BYTES)
        if len(data) != len(rows) * _RECORD_BYTES:
            raise LookupUnreadableError("The index of records has been cut short.")
        return rows, np.frombuffer(data, "<u4")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def record_index(
    dataset: Dataset,
    packed: PackedLookup,
    give_up: Callable[[], None],
    progress: Callable[[float], None],
) -> RecordIndex:
    """Open the index of records, or build it: that reads the uuids of all metadata files.

    Parameters
    ----------
    dataset : Dataset
        The data set.
    packed : PackedLookup
        Its lookup.
    give_up : callable
        Raises where nobody waits for it any more.
    progress : callable
        Is told the part of the files that has been read, 0 to 1.

    Raises
    ------
    UnsupportedError
        Where too many files differ.
    OSError
        Where there is no room.
    """
    shards = shards_of(dataset, packed)
    described = _described(packed, shards)
    path = os.path.join(packed.folder, _DESCRIPTION)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, pa.ArrowException, LookupUnreadableError):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        if kept["described"] == described:
            unreadable = set(kept["unreadable"])
            schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(kept["schema"])))
            return RecordIndex(packed, _readable(shards, unreadable), schema)
    schema, unreadable = _build(dataset, packed, shards, give_up, progress)
    aside = f"{path}.{os.getpid()}.part"
    with open(aside, "w", encoding="utf-8") as file:
        kept = {
            "described": described,
            "unreadable": sorted(unreadable),
            "schema": schema.serialize().to_pybytes().hex(),
        }
        json.dump(kept, file)
    os.replace(aside, path)
    return RecordIndex(packed, _readable(shards, unreadable), schema)


def _readable(shards: list[ShardRecords], unreadable: set[str]) -> list[ShardRecords]:
    return [
        ShardRecords(shard.path, None if shard.path in unreadable else shard.signature, shard.start, shard.stop)
        for shard in shards
    ]


def _described(packed: PackedLookup, shards: list[ShardRecords]) -> str:
    """Return what differs where another index of records is needed."""
    header = packed.keys.header
    states: list[Any] = [_VERSION, header.sources, header.lookup_rows]
    states += [(shard.path, shard.signature and shard.signature[2:], shard.start, shard.stop) for shard in shards]
    return hashlib.sha256(json.dumps(states).encode("utf-8", "surrogateescape")).hexdigest()


def _build(
    dataset: Dataset,
    packed: PackedLookup,
    shards: list[ShardRecords],
    give_up: Callable[[], None],
    progress: Callable[[float], None],
) -> tuple[pa.Schema, set[str]]:
    """Write the records of all rows; return the columns of the files, and those files that cannot be read."""
    names = dataset.uuid_columns
    schemas: dict[bytes, pa.Schema] = {}
    unreadable: set[str] = set()
    written = 0
    aside = os.path.join(packed.folder, f"{_RECORDS}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as file:
            for number, shard in enumerate(shards):
                give_up()
                progress(number / len(shards))
                _pad(file, shard.start - written)
                records = np.full(shard.stop - shard.start, NO_RECORD, np.uint32)
                if shard.signature is not None:
                    try:
                        schema, uuids = _uuids(shard.path, names)
                        records = _records(packed, shard, uuids)
                        schemas.setdefault(schema.serialize().to_pybytes(), schema)
                    except (OSError, pa.ArrowException, ValueError, TypeError):
                        unreadable.add(shard.path)
                file.write(records.astype("<u4", copy=False).data)
                written = shard.stop
            _pad(file, packed.keys.rows - written)
        os.replace(aside, os.path.join(packed.folder, _RECORDS))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
    return _unified(list(schemas.values())), unreadable


def _pad(file: IO[bytes], rows: int) -> None:
    step = 1 << 20
    for start in range(0, rows, step):
        file.write(np.full(min(step, rows - start), NO_RECORD, "<u4").data)


def _uuids(path: str, names: Sequence[str]) -> tuple[pa.Schema, pa.StringArray]:
    with arrow_path(path) as source, pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20) as file:
        schema = file.schema_arrow.remove_metadata()
        name = next(name for name in (*names, "") if name in schema.names or not name)
        if not name:
            raise ValueError("no column of uuids")
        return schema, as_text(file.read([name], use_threads=False).column(0)).combine_chunks()


def _records(packed: PackedLookup, shard: ShardRecords, uuids: pa.StringArray) -> NDArray[np.uint32]:
    """Return the first record of every row's uuid."""
    assert packed.files is not None
    rows = packed.files.rows_at(shard.start, shard.stop)
    keys = packed.keys.uuids.take(rows)
    if keys.equals(uuids.slice(0, len(keys))) and pc.count_distinct(uuids).as_py() == len(uuids):
        return np.arange(len(keys), dtype=np.uint32)
    found = pc.index_in(keys, value_set=uuids, skip_nulls=True)
    return filled(found, NO_RECORD).astype(np.uint32)


def _unified(schemas: list[pa.Schema]) -> pa.Schema:
    """Return all columns; where their types do not go together, that of the first file that has one."""
    if not schemas:
        return pa.schema([])
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException:
        fields: dict[str, pa.Field] = {}
        for schema in schemas:
            for field in schema:
                fields.setdefault(field.name, field)
        return pa.schema(list(fields.values()))
