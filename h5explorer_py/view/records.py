"""Which record of which metadata file belongs to every row of a lookup: found once, kept with what is packed.

records.bin
    4 bytes a row, file after file as in ``file-rows.bin``. Of a file that has one record for each of its rows and no
    other: the row of each record. Of other files: the number of each row's record in its file, or ``NO_RECORD``.
records.json
    Of which files, in which state, which of them are of the first kind, and what their columns are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from h5explorer_py.errors import LookupUnreadableError, MetadataUnreadableError
from h5explorer_py.files import CLOSED_FILE, HeldFile, arrow_path, read_at, shorten
from h5explorer_py.lookup.arrays import filled
from h5explorer_py.lookup.text import as_text
from h5explorer_py.scratch import put_aside
from h5explorer_py.view.shard_records import ShardRecords, shards_of, states_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.lookup.packed.packed import PackedLookup

NO_RECORD = 0xFFFFFFFF

_RECORDS = "records.bin"
_DESCRIPTION = "records.json"
_VERSION = 2
_RECORD_BYTES = 4


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
        self._file = HeldFile(os.path.join(packed.folder, _RECORDS))
        if os.fstat(self._file.fileno()).st_size != packed.keys.rows * _RECORD_BYTES:
            raise LookupUnreadableError("The index of records is not whole.")

    @property
    def missing_said(self) -> str:
        """A sentence about the metadata files that are not there, or cannot be read; empty where all can."""
        missing = [shard.path for shard in self.shards if shard.signature is None]
        if not missing:
            return ""
        return (
            f"{len(missing):,} of {len(self.shards):,} metadata files are missing or cannot be read, "
            f"{shorten(missing[0], 200)!r} first: their rows count as having no metadata."
        )

    def check_unchanged(self) -> None:
        """Raise where a metadata file is no longer in the state in which its records were found.

        Raises
        ------
        MetadataUnreadableError
        """
        used = [shard for shard in self.shards if shard.signature is not None]
        states = states_of([shard.path for shard in used])
        for shard, state in zip(used, states, strict=True):
            if state != shard.signature:
                raise changed(shard, "changed" if state else "gone")

    def pairs(self, shard: ShardRecords) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
        """Return the rows of a file that have a record, in any order, and the number of each one's record."""
        held = self._held(shard)
        if shard.by_record:
            return held, np.arange(len(held), dtype=np.uint32)
        there = np.flatnonzero(held != NO_RECORD)  # a mask takes ten times as long
        return self._rows(shard)[there], held[there]

    def rows_of(self, shard: ShardRecords, numbers: NDArray[np.int64]) -> NDArray[np.integer[Any]]:
        """Return the rows of a file, in any order, whose record is one of these."""
        held = self._held(shard)
        if shard.by_record:
            if int(numbers.max(initial=0)) >= len(held):
                raise changed(shard)
            return held[numbers]
        marks = np.zeros(int(numbers.max(initial=0)) + 2, np.bool_)
        marks[numbers] = True
        return self._rows(shard)[np.flatnonzero(marks[np.minimum(held, len(marks) - 1)] & (held != NO_RECORD))]

    def _rows(self, shard: ShardRecords) -> NDArray[np.int64]:
        assert self.packed.files is not None
        return self.packed.files.rows_at(shard.start, shard.stop)

    def _held(self, shard: ShardRecords) -> NDArray[np.uint32]:
        size = (shard.stop - shard.start) * _RECORD_BYTES
        data = read_at(self._file, shard.start * _RECORD_BYTES, size)
        if len(data) != size:
            raise LookupUnreadableError("The index of records has been cut short.")
        return np.frombuffer(data, "<u4")

    def close(self) -> None:
        """Let go of the file."""
        self._file = CLOSED_FILE


def changed(shard: ShardRecords, how: str = "changed") -> MetadataUnreadableError:
    """Return the error to raise where a metadata file is no longer the one whose records were found."""
    return MetadataUnreadableError(f"{shard.path} has {how} while the rows were worked out.", action="Try again.")


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
    WriteFailedError
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
            return RecordIndex(packed, _known(shards, unreadable, set(kept["by_record"])), schema)
    with put_aside(packed.folder):
        schema, unreadable, by_record = _build(dataset, packed, shards, give_up, progress)
        with _replacing(path) as file:
            kept = {
                "described": described,
                "unreadable": sorted(unreadable),
                "by_record": sorted(by_record),
                "schema": schema.serialize().to_pybytes().hex(),
            }
            file.write(json.dumps(kept).encode())
    return RecordIndex(packed, _known(shards, unreadable, by_record), schema)


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[IO[bytes]]:
    """Give a file to write to, that takes the place of another when it is whole."""
    with tempfile.NamedTemporaryFile(
        dir=os.path.dirname(path), prefix=f"{os.path.basename(path)}.", suffix=".part", delete=False
    ) as file:
        try:
            yield file
            file.close()
            os.replace(file.name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(file.name)
            raise


def _known(shards: list[ShardRecords], unreadable: set[str], by_record: set[int]) -> list[ShardRecords]:
    return [
        replace(shard, signature=None if shard.path in unreadable else shard.signature, by_record=number in by_record)
        for number, shard in enumerate(shards)
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
) -> tuple[pa.Schema, set[str], set[int]]:
    """Write the records of all rows.

    Returns
    -------
    schema : pyarrow.Schema
        The columns of the files.
    unreadable : set of str
        The files that cannot be read.
    by_record : set of int
        The numbers of those whose rows are written in the order of their records.
    """
    names = dataset.uuid_columns
    schemas: dict[bytes, pa.Schema] = {}
    unreadable: set[str] = set()
    by_record: set[int] = set()
    written = 0
    with _replacing(os.path.join(packed.folder, _RECORDS)) as file:
        for number, shard in enumerate(shards):
            give_up()
            progress(number / len(shards))
            _pad(file, shard.start - written)
            records: NDArray[np.integer[Any]] = np.full(shard.stop - shard.start, NO_RECORD, np.uint32)
            if shard.signature is not None:
                try:
                    schema, uuids = _uuids(shard.path, names)
                    records, is_by_record = _records(packed, shard, uuids)
                    if is_by_record:
                        by_record.add(number)
                    schemas.setdefault(schema.serialize().to_pybytes(), schema)
                except (OSError, pa.ArrowException, ValueError, TypeError):
                    unreadable.add(shard.path)
            file.write(records.astype("<u4").data)
            written = shard.stop
        _pad(file, packed.keys.rows - written)
    return _unified(list(schemas.values())), unreadable, by_record


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


def _records(packed: PackedLookup, shard: ShardRecords, uuids: pa.StringArray) -> tuple[NDArray[np.integer[Any]], bool]:
    """Return the first record of every row's uuid; or the row of every record and ``True``, where these are pairs."""
    assert packed.files is not None
    rows = packed.files.rows_at(shard.start, shard.stop)
    keys = packed.keys.uuids.take(rows)
    if keys.equals(uuids.slice(0, len(keys))) and pc.count_distinct(uuids).as_py() == len(uuids):
        records = np.arange(len(keys), dtype=np.uint32)
    else:
        records = filled(pc.index_in(keys, value_set=uuids, skip_nulls=True), NO_RECORD).astype(np.uint32)
    if len(keys) != len(uuids) or bool((records == NO_RECORD).any()):
        return records, False
    by_record = np.full(len(uuids), -1, np.int64)
    by_record[records] = rows
    return (by_record, True) if bool((by_record >= 0).all()) else (records, False)


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
