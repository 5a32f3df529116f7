"""What a column holds: its most frequent values with their counts, or how its numbers are spread."""

from __future__ import annotations

import contextlib
import decimal
import math
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h5explorer_py.errors import WrongColumnsError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.sql.names import quoted
from h5explorer_py.lookup.sql.running import run
from h5explorer_py.view.columns import metadata_names
from h5explorer_py.view.filtering import OF_RECORDS, records_of
from h5explorer_py.view.scans import RECORDS, called, lookup_files, lookup_relation, query_connection, stream_of_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.dataset import Dataset
    from h5explorer_py.view.work import Work

MOST_VALUES = 50
"""Values that are listed."""

BINS = 24
"""Bars of a histogram."""

_LONGEST = 500
"""Signs of a value that is listed; longer ones are nothing to choose by."""


@dataclass(frozen=True)
class Value:
    """One value of a column.

    Attributes
    ----------
    text : str
        The value as a person reads it.
    sql : str
        The value as a condition has it; empty for null.
    count : int
        How many rows have it.
    """

    text: str
    sql: str
    count: int


@dataclass(frozen=True)
class ColumnValues:
    """What a column holds, of all rows of the lookup.

    Attributes
    ----------
    name, kind : str
        The column's name; "numbers", "values", or "none" where there is nothing to choose by.
    nulls : int
        How many rows have no value; of the metadata also those without a record.
    different : int
        How many different values there are; -1 where they are not counted, as those of numbers are not.
    values : list of Value
        The most frequent ones.
    low, high : float
        The least and the greatest number.
    bins : list of int
        How many rows have a number in each of equal parts between them.
    not_finite : int
        How many rows have a number that is infinite or NaN.
    """

    name: str
    kind: str
    nulls: int = 0
    different: int = 0
    values: list[Value] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0
    bins: list[int] = field(default_factory=list)
    not_finite: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire."""
        return asdict(self)


def columns_of(dataset: Dataset) -> list[dict[str, str]]:
    """Return the columns that conditions may name, each with its type and where it is from."""
    lookup = dataset.lookup
    own = [{"name": each.name, "type": str(each.type), "source": "lookup"} for each in lookup.schema]
    names = metadata_names(dataset, lookup.schema.names)
    schema = dataset.held_metadata_schema or pa.schema([])
    return own + [{"name": name, "type": str(schema.field(name).type), "source": "metadata"} for name in names]


def values_of(dataset: Dataset, name: str, work: Work) -> ColumnValues:
    """Look through a column.

    Parameters
    ----------
    dataset : Dataset
        The data set.
    name : str
        The column, of the lookup or else of the metadata.
    work : Work
        How the query is to be run.

    Raises
    ------
    WrongColumnsError
        Where there is no such column.
    ExplorerError
        Where a file cannot be read, or there is not enough room.
    """
    dataset.lookup.wait_counted(work.give_up)
    dataset.lookup.check_unchanged(0, max(1, dataset.num_rows))
    found = _looked_through(dataset, name, work)
    dataset.lookup.check_unchanged(0, max(1, dataset.num_rows))
    return found


def _looked_through(dataset: Dataset, name: str, work: Work) -> ColumnValues:
    lookup = dataset.lookup
    if name == lookup.columns.uuid:
        return ColumnValues(name, "none", different=-1)
    packed = dataset.rows.packed
    if name == lookup.columns.filepath and packed is not None and packed.files is not None:
        counts = [(path, packed.files.count(code)) for code, path in enumerate(packed.files.names)]
        nulls = lookup.num_rows - sum(count for _, count in counts)
        counts.sort(key=lambda each: (-each[1], each[0]))
        return _listed(name, counts[:MOST_VALUES], nulls, len(counts))
    if name in lookup.schema.names:
        kind = lookup.schema.field(name).type
        return _Column(name, kind, lambda connection: _of_lookup(connection, dataset, name), dataset, work).values()
    with contextlib.closing(records_of(dataset, work.part(0.0, OF_RECORDS))) as records:
        work = work.part(OF_RECORDS, 1.0)
        if name not in records.schema.names:
            raise WrongColumnsError(f"There is no column {shorten(name)!r}.", missing=name)
        kind = records.schema.field(name).type

        def stream(connection: Any) -> tuple[str, str, tuple[Any, ...]]:
            schema, batches = stream_of_records(records, [name], work.give_up)
            connection.register(RECORDS, pa.RecordBatchReader.from_batches(schema, batches))
            return quoted(name), RECORDS, ()

        found = _Column(name, kind, stream, dataset, work).values()
        records.check_unchanged()
        return found


def _of_lookup(connection: Any, dataset: Dataset, name: str) -> tuple[str, str, tuple[Any, ...]]:
    relation = lookup_relation(connection, dataset.lookup, [name])
    return quoted(called(dataset.lookup).get(name, name)), relation.sql, relation.params


class _Column:
    """One column that is looked through, in one pass or two."""

    def __init__(
        self,
        name: str,
        kind: pa.DataType,
        source: Callable[[Any], tuple[str, str, tuple[Any, ...]]],
        dataset: Dataset,
        work: Work,
    ) -> None:
        self._name = name
        self._kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        self._source = source
        self._dataset = dataset
        self._work = work

    def values(self) -> ColumnValues:
        kind = self._kind
        if pa.types.is_nested(kind) or pa.types.is_null(kind) or _is_bytes(kind):
            return ColumnValues(self._name, "none", different=-1)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return self._numbers()
        # Python cannot hold all dates and moments; DuckDB writes them all. Names of columns go before those of results.
        temporal = pa.types.is_temporal(kind)
        written = "CAST({column} AS VARCHAR)" if temporal else "{column}"
        counted = self._rows(
            "SELECT v, n, sum(n) OVER (), count(v) OVER () FROM "  # noqa: S608
            f"(SELECT {written} AS v, count(*) AS n FROM {{source}} GROUP BY 1) "
            f"ORDER BY n DESC, v LIMIT {MOST_VALUES + 1}"
        )
        rows = self._dataset.num_rows
        looked, different = (int(counted[0][2]), int(counted[0][3])) if counted else (0, 0)
        nulls = rows - looked + sum(int(count) for value, count, *_ in counted if value is None)
        found = [(value, int(count)) for value, count, *_ in counted if value is not None]
        if not any(value is None for value, *_ in counted) and len(counted) > MOST_VALUES:
            nulls += self._count_nulls()
        return _listed(self._name, found[:MOST_VALUES], nulls, different, _moment if temporal else sql_of)

    def _count_nulls(self) -> int:
        return int(self._rows("SELECT count(*) FROM {source} WHERE {column} IS NULL")[0][0])

    def _numbers(self) -> ColumnValues:
        number = "CAST({column} AS DOUBLE)"
        finite = f"isfinite({number})" if pa.types.is_floating(self._kind) else "{column} IS NOT NULL"
        facts = self._rows(
            f"SELECT min({number}) FILTER ({finite}), max({number}) FILTER ({finite}), count({{column}}), "  # noqa: S608
            f"count(*) FILTER ({finite}) FROM {{source}}"
        )[0]
        low, high, there, counted = facts
        nulls = self._dataset.num_rows - int(there)
        not_finite = int(there) - int(counted)
        if low is None or not math.isfinite(high - low):
            return ColumnValues(self._name, "numbers", nulls, -1, not_finite=not_finite)
        bins = [0] * BINS
        width = (high - low) / BINS or 1.0
        place = f"least({BINS - 1}, greatest(0, CAST(floor(({number} - {low!r}) / {width!r}) AS INTEGER)))"
        counted_in = f"SELECT {place} AS b, count(*) FROM {{source}} WHERE {finite} GROUP BY 1"  # noqa: S608
        for at, count in self._rows(counted_in):
            bins[int(at)] = int(count)
        return ColumnValues(self._name, "numbers", nulls, -1, [], low, high, bins, not_finite)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with query_connection(self._dataset, lookup_files(self._dataset.lookup), self._work.scratch) as connection:
            column, source, params = self._source(connection)
            query = sql.format(column=column, source=source)
            found: list[tuple[Any, ...]] = []
            for batch in run(connection, query, params, self._work.give_up, progress=self._work.progress):
                found.extend(zip(*(batch.column(at).to_pylist() for at in range(batch.num_columns)), strict=True))
            return found


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _listed(
    name: str,
    counted: list[tuple[Any, int]],
    nulls: int,
    different: int,
    literal: Callable[[Any], str | None] | None = None,
) -> ColumnValues:
    write = literal or sql_of
    values = [
        Value(str(value), sql, count)
        for value, count in counted
        if len(str(value)) <= _LONGEST and (sql := write(value)) is not None
    ]
    return ColumnValues(name, "values", nulls, different, values)


def sql_of(value: Any) -> str | None:
    """Return a value as a condition has it; ``None`` where there is no such way."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, decimal.Decimal)):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return None if "\0" in value else "'" + value.replace("'", "''") + "'"
    return None


def _moment(text: str) -> str | None:
    """Return a date or a moment, as DuckDB writes it, as a condition has it; ``None`` for other spans of time.

    A literal has microseconds at most: one with more would find no row.
    """
    found = re.fullmatch(r"\d{4,}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?", text)
    if found is None:
        return None
    return f"TIMESTAMP '{text}'" if found[1] else f"DATE '{text}'"
