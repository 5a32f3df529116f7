"""Writing a data set: shards of images and records, and the lookup that names them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.bulk.aside import Aside, close_anyway, settle, written
from h5explorer_py.bulk.manifest import check_own, write_manifest
from h5explorer_py.bulk.repeats import count_repeats
from h5explorer_py.bulk.shard import Shard, key_problem
from h5explorer_py.errors import BadKeyError, EmptyImageError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.parquet import SMALL_GROUP
from h5explorer_py.lookup.text import text_array
from h5explorer_py.options import KeyColumns

if TYPE_CHECKING:
    from types import TracebackType

LOOKUP = "lookup.parquet"
IMAGES_PER_SHARD = 10_000
BYTES_PER_SHARD = 4 << 30
_MOST_OPEN = 8
_ROWS_HELD = 8_192


class Written(NamedTuple):
    """What a data set that has been written holds.

    Attributes
    ----------
    lookup : str
        The path of its lookup.
    rows, images, records, shards : int
        How many there are of each.
    bytes : int
        The sizes of the encoded images, in bytes.
    repeated : int
        Rows whose uuid another row above them has.
    """

    lookup: str
    rows: int
    images: int
    records: int
    shards: int
    bytes: int
    repeated: int


class ShardWriter:
    """Writes a data set in the layout that the Explorer reads.

    Used in a ``with`` statement: at its end all is moved into its place; where it ends by an error nothing is left,
    and what was there before is there still.

    An image that comes from where another of the same key came from is stored once. One of the same key that comes from
    elsewhere goes to another shard, so that both are kept. Records with other columns or types go to other shards, and
    so do images without a record: their shards have no metadata file.

    Parameters
    ----------
    folder : path
        The data set's folder.
    images_per_shard : int
        How many images a shard has at most.
    bytes_per_shard : int
        How many bytes of images a shard has at most, if it has more than one image.
    name : str
        What the shards are called, before their numbers.
    lookup_schema : pyarrow.Schema, optional
        The columns of the lookup; the filepaths become text. Only the two key columns, where it is not given.
    columns : KeyColumns
        The names of the lookup's key columns.
    overwrite : bool
        Whether to replace a folder that was written by this class and holds nothing else.

    Raises
    ------
    TargetExistsError
        Where the folder is there, and is not to be replaced.
    WriteFailedError
        Where nothing can be written there.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        images_per_shard: int = IMAGES_PER_SHARD,
        bytes_per_shard: int = BYTES_PER_SHARD,
        name: str = "shard",
        lookup_schema: pa.Schema | None = None,
        columns: KeyColumns | None = None,
        overwrite: bool = False,
    ) -> None:
        if images_per_shard < 1 or bytes_per_shard < 1:
            raise ValueError("A shard holds at least one image.")
        self._images_per_shard, self._bytes_per_shard = images_per_shard, bytes_per_shard
        self._name = name
        self.columns = columns or KeyColumns()
        self._open: list[Shard] = []
        self._shards = self._images = self._records = self._bytes = self._rows = 0
        self._held: list[pa.Table] = []
        self._rows_held = 0
        self._added: list[tuple[str, str]] = []
        self.lookup_schema = _lookup_schema(lookup_schema, self.columns)
        self._aside = Aside(folder, check_own if overwrite else None)
        self.folder = self._aside.target
        self.notices = self._aside.notices
        self._resources = ExitStack()
        self._resources.callback(self._aside.discard)
        self._finished: Written | None = None
        try:
            with written(self.folder):
                os.mkdir(self._aside.content)
                self._file: BinaryIO = open(self.path_of(LOOKUP), "wb")  # noqa: SIM115  (closed at the end)
                self._resources.callback(close_anyway, self._file)
                self._lookup = pq.ParquetWriter(self._file, self.lookup_schema, compression="zstd")
        except BaseException:
            self._resources.close()
            raise

    def path_of(self, name: str) -> str:
        """Return where to write another file that is to lie in the folder."""
        return os.path.join(self._aside.content, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.discard()

    def put(self, key: str, data: bytes, record: pa.Table | None = None, *, origin: str = "") -> str:
        """Store an image and its record; return the filepath that a row of the lookup must have for it.

        Parameters
        ----------
        key : str
            Its uuid.
        data : bytes
            Its encoded bytes, which are stored as they are.
        record : pyarrow.Table, optional
            Its metadata: one row, with the uuid in a column called as in the lookup, or ``uuid``.
        origin : str
            What tells where image and record come from. Without it, each is taken to be another.

        Raises
        ------
        BadKeyError
            Where the uuid cannot be a name in HDF5.
        EmptyImageError
            Where there are no bytes.
        WriteFailedError
        """
        problem = key_problem(key)
        if problem:
            raise BadKeyError(f"{shorten(key)!a} cannot be the name of an image: {problem}.", key=key)
        if not data:
            raise EmptyImageError(f"The image {shorten(key)} is empty: it has no bytes.", key=key)
        with written(self.folder):
            alike = [shard for shard in self._open if _same_columns(shard.schema, record)]
            for shard in alike:
                if origin and shard.origin(key) == origin:
                    return shard.name
            shard = self._with_room(alike, key, len(data)) or self._begin(record)
            shard.add(key, data, record, origin)
            if shard.images >= self._images_per_shard or shard.bytes >= self._bytes_per_shard:
                self._end(shard)
        return shard.name

    def add(self, key: str, data: bytes, record: pa.Table | None = None, *, origin: str = "") -> None:
        """Store an image and its record, and add the row of the lookup: for lookups of the key columns alone.

        Raises
        ------
        BadKeyError, EmptyImageError, WriteFailedError
            As ``put`` does.
        """
        self._added.append((key, self.put(key, data, record, origin=origin)))
        if len(self._added) >= _ROWS_HELD:
            self._list_added()

    def _list_added(self) -> None:
        added, self._added = self._added, []
        columns = {self.columns.uuid: 0, self.columns.filepath: 1}
        arrays = [text_array([row[columns[name]] for row in added]) for name in self.lookup_schema.names]
        self._list(pa.Table.from_arrays(arrays, schema=self.lookup_schema))

    def list_rows(self, table: pa.Table) -> None:
        """Add rows to the lookup.

        Parameters
        ----------
        table : pyarrow.Table
            In the columns of ``lookup_schema``, with the filepaths that ``put`` returned.

        Raises
        ------
        WriteFailedError
        """
        if self._added:
            self._list_added()
        self._list(table)

    def _list(self, table: pa.Table) -> None:
        self._held.append(table)
        self._rows_held += table.num_rows
        if self._rows_held >= SMALL_GROUP:
            self._write_rows()

    def _write_rows(self) -> None:
        if not self._rows_held:
            return
        with written(self.folder):
            self._lookup.write_table(pa.concat_tables(self._held), row_group_size=SMALL_GROUP)
        self._rows += self._rows_held
        self._held, self._rows_held = [], 0

    def _with_room(self, alike: list[Shard], key: str, size: int) -> Shard | None:
        for shard in alike:
            if shard.origin(key) is not None:
                continue
            if shard.bytes + size <= self._bytes_per_shard:
                self._open.remove(shard)
                self._open.append(shard)
                return shard
            self._end(shard)
        return None

    def _begin(self, record: pa.Table | None) -> Shard:
        while len(self._open) >= _MOST_OPEN:
            self._end(self._open[0])  # the one that was added to longest ago
        name = f"{self._name}_{self._shards:05d}"
        shard = Shard(self._aside.content, name, None if record is None else record.schema, self._images_per_shard)
        self._shards += 1
        self._open.append(shard)
        return shard

    def _end(self, shard: Shard) -> None:
        shard.close()
        self._open.remove(shard)
        self._images += shard.images
        self._records += shard.records
        self._bytes += shard.bytes

    def finish(self) -> Written:
        """Write what is held and move all into its place.

        Raises
        ------
        TargetExistsError
            Where somebody else has made the folder meanwhile.
        WriteFailedError
            In either case nothing is left.
        """
        if self._finished is not None:
            return self._finished
        try:
            if self._added:
                self._list_added()
            self._write_rows()
            with written(self.folder):
                for shard in list(self._open):
                    self._end(shard)
                self._lookup.close()
                self._file.close()
                settle(self.path_of(LOOKUP))
                repeated = count_repeats(self.path_of(LOOKUP), self.columns.uuid, self._aside.content)
                write_manifest(self._aside.content)
            self._aside.publish()
        except BaseException:
            self.discard()
            raise
        lookup = os.path.join(self.folder, LOOKUP)
        self._finished = Written(lookup, self._rows, self._images, self._records, self._shards, self._bytes, repeated)
        return self._finished

    def discard(self) -> None:
        """Give up: nothing is left of what has been written."""
        for shard in self._open:
            shard.abandon()
        self._open.clear()
        self._lookup.is_open = False  # else it is closed again when it is forgotten
        self._resources.close()


def _same_columns(schema: pa.Schema | None, record: pa.Table | None) -> bool:
    """Tell whether a record fits into a shard without a change; what is noted beside the columns does not matter."""
    if schema is None or record is None:
        return schema is None and record is None
    return bool(schema is record.schema or schema.equals(record.schema, check_metadata=False))


def _lookup_schema(given: pa.Schema | None, columns: KeyColumns) -> pa.Schema:
    if given is None:
        return pa.schema([(columns.uuid, pa.string()), (columns.filepath, pa.string())])
    return given.set(given.get_field_index(columns.filepath), pa.field(columns.filepath, pa.string()))
