"""Several lookups as one, in their order."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import types

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import why
from h5explorer_py.lookup.base import KEYS_SCHEMA, Lookup
from h5explorer_py.lookup.text import as_text, no_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from h5explorer_py.files import Signature
    from h5explorer_py.options import KeyColumns


class ConcatLookup(Lookup):
    """The rows of several lookups one after the other.

    Columns that only some of them have are null in the others; types that differ are widened, key columns to text.

    Parameters
    ----------
    parts : sequence of Lookup
        At least one.
    name : str
        What to call the whole in the panel.
    columns : KeyColumns
        The names of the key columns, which all parts share.
    notices : sequence of str
        What is to be said of the whole, before what the parts say.

    Raises
    ------
    LookupUnreadableError
        Where a column has types in two parts that have no common one.
    """

    def __init__(self, parts: Sequence[Lookup], name: str, columns: KeyColumns, notices: Sequence[str] = ()) -> None:
        self.parts = tuple(parts)
        self.name = name
        self.location = self.parts[0].location
        self.folder = self.parts[0].folder
        self.columns = columns
        self._notices = tuple(notices)
        kinds: dict[str, set[pa.DataType]] = {}
        for part in self.parts:
            part.wait_counted()
            for field in part.schema:
                kinds.setdefault(field.name, set()).add(field.type)
        self._differing = {name for name, found in kinds.items() if len(found) > 1}
        try:
            schemas = [self._fitting(no_rows(part.schema)).schema for part in self.parts]
            self.schema = pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            raise LookupUnreadableError(f"The parts of {name} do not fit together: {why(error)}.") from error
        self._starts = [0, *accumulate(part.num_rows for part in self.parts)]

    @property
    def num_rows(self) -> int:
        return self._starts[-1]

    def _fitting(self, table: pa.Table) -> pa.Table:
        """Return rows of a part in types that go with those of the others."""
        for at, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
            if name not in self._differing:
                continue
            if name in {self.columns.uuid, self.columns.filepath}:
                table = table.set_column(at, name, as_text(column))
            elif types.is_dictionary(column.type):
                table = table.set_column(at, name, column.cast(column.type.value_type))
        return table

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[Lookup, int, int]]:
        first = bisect_right(self._starts, start) - 1
        for index in range(first, len(self.parts)):
            begin = self._starts[index]
            if begin >= stop:
                return
            low, high = max(start - begin, 0), min(stop - begin, self.parts[index].num_rows)
            if low < high:
                yield self.parts[index], low, high

    def folder_of(self, row: int) -> str:
        index = bisect_right(self._starts, row) - 1
        return self.parts[index].folder_of(row - self._starts[index])

    def folders(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for begin, part in zip(self._starts, self.parts, strict=False):
            for row, folder in part.folders():
                if not found or found[-1][1] != folder:
                    found.append((begin + row, folder))
        return found

    def read(self, start: int, stop: int) -> pa.Table:
        tables = [self._fitting(part.read(low, high)) for part, low, high in self._pieces(start, stop)]
        return pa.concat_tables([no_rows(self.schema), *tables], promote_options="permissive")

    def stream(self, start: int) -> Iterator[pa.Table]:
        for part, low, _ in self._pieces(start, self.num_rows):
            for table in part.stream(low):
                fitting = [no_rows(self.schema), self._fitting(table)]
                yield pa.concat_tables(fitting, promote_options="permissive")

    def begins(self, row: int) -> int:
        index = bisect_right(self._starts, row) - 1
        return self._starts[index] + self.parts[index].begins(row - self._starts[index])

    def keys(self, start: int, stop: int) -> pa.Table:
        tables = [part.keys(low, high) for part, low, high in self._pieces(start, stop)]
        return pa.concat_tables([no_rows(KEYS_SCHEMA), *tables])

    def check_unchanged(self, start: int = 0, stop: int = 1) -> None:
        for part, low, high in self._pieces(start, stop):
            part.check_unchanged(low, high)

    @property
    def sources(self) -> tuple[tuple[str, Signature], ...]:
        found = [part.sources for part in self.parts]
        return tuple(each for sources in found for each in sources) if all(found) else ()

    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        for part, begin in zip(self.parts, self._starts, strict=False):
            if begin + part.num_rows > start:
                yield from part.scan(columns, max(0, start - begin))

    @property
    def notices(self) -> tuple[str, ...]:
        return (*self._notices, *(notice for part in self.parts for notice in part.notices))

    def close(self) -> None:
        for part in self.parts:
            part.close()
