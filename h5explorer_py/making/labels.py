"""A table of metadata that people bring along, joined to the pictures by their names, never by their order."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from h5explorer_py.errors import LabelsError, SourceNotFoundError
from h5explorer_py.files import why
from h5explorer_py.making.columns import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.making.items import Item

FILENAME = "filename"

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[+-]?(nan|inf|(0|[1-9][0-9]*|)(\.[0-9]+|\.)?([eE][+-]?[0-9]{1,3})?)", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]|nan|inf", re.IGNORECASE)
_SHOWN = 5


@dataclass(frozen=True)
class Labels:
    """Columns for the pictures.

    Attributes
    ----------
    table : pyarrow.Table
        A row for each picture, in the pictures' order; nulls where the metadata has none. Without ``filename``.
    without_picture : tuple of str
        Names in the metadata of which there is no picture.
    without_labels : tuple of str
        Pictures that the metadata does not name.
    """

    table: pa.Table
    without_picture: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()


def read_labels(source: str | os.PathLike[str] | pa.Table | Any) -> pa.Table:
    """Read a table of metadata: CSV, TSV or Parquet; an Arrow table; a data frame of pandas or polars.

    Of text files the types are told from all values of a column: it holds numbers only where every value is one, as
    it is commonly written. What begins with a zero that says nothing, as ``00777``, is text.

    Raises
    ------
    SourceNotFoundError
        Where it cannot be read.
    LabelsError
        Where it has no column ``filename``, or two columns of one name.
    """
    if isinstance(source, pa.Table):
        table = source
    elif hasattr(source, "__arrow_c_stream__"):
        table = pa.table(source)
    else:
        table = _read(os.path.expanduser(os.fsdecode(source)))
    _check_names(table.column_names)
    if FILENAME not in table.column_names:
        raise LabelsError(
            f"The metadata has no column {FILENAME!r}; it has {', '.join(map(repr, table.column_names)) or 'none'}.",
            action=f"Name the column with the pictures' names {FILENAME!r}.",
        )
    return table


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LabelsError(f"The metadata has several columns called {twice[0]!r}.", action="Rename them.")


def _read(path: str) -> pa.Table:
    try:
        if path.lower().endswith((".parquet", ".pq")):
            with pq.ParquetFile(path) as file:
                return file.read()
        return _read_text(path)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise SourceNotFoundError(f"The metadata {path} cannot be read: {why(error)}.") from error


def _read_text(path: str) -> pa.Table:
    with open(path, encoding="utf-8-sig") as file:
        head = file.readline()
    counts = {delimiter: head.count(delimiter) for delimiter in ",\t;|"}
    delimiter = "\t" if path.lower().endswith(".tsv") else max(counts, key=lambda each: counts[each])
    parse = pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with pa_csv.open_csv(path, parse_options=parse) as reader:
        names = reader.schema.names
    _check_names(names)
    convert = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    table = pa_csv.read_csv(path, parse_options=parse, convert_options=convert)
    arrays = [table[name] if name == FILENAME else typed(table[name]) for name in table.column_names]
    return pa.table(arrays, names=table.column_names)


def typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts as numbers where every value is one, empty ones as nulls; as it is where not."""
    values = [value for value in pc.unique(column).to_pylist() if value]
    if not values:
        return column
    empty = pc.match_substring_regex(column, pattern="^$")  # pa.scalar would import pandas
    blank = pc.if_else(empty, pa.nulls(len(column), pa.string()), column)
    if all(_WHOLE.fullmatch(value) for value in values):
        return pc.cast(pc.utf8_ltrim(blank, "+"), pa.int64())
    if all(
        _NUMBER.fullmatch(value) and any(letter.isdigit() or letter in "nN" for letter in value) for value in values
    ):
        return pc.cast(pc.utf8_ltrim(blank, "+"), pa.float64())
    if all(value in {"true", "false", "True", "False"} for value in values):
        return pc.match_substring_regex(blank, pattern="^true$", ignore_case=True)
    return column


def join(items: Sequence[Item], labels: pa.Table) -> Labels:
    """Find the row of each picture.

    A row names a picture by its file's name, its path below its folder, or its whole path.

    Raises
    ------
    LabelsError
        Where a row may mean several pictures, or several rows mean one.
    """
    names = labels[FILENAME].cast(pa.string()).to_pylist()
    meant: dict[str, set[int]] = {}
    for number, item in enumerate(items):
        for name in {item.name, item.below, os.path.basename(item.path), item.path}:
            meant.setdefault(name, set()).add(number)
    rows: dict[int, int] = {}
    without_picture = []
    for row, name in enumerate(names):
        found = meant.get(name, set()) if name is not None else set()
        if not found:
            without_picture.append("" if name is None else name)
            continue
        if len(found) > 1:
            said = ", ".join(items[number].path for number in sorted(found)[:_SHOWN])
            raise LabelsError(
                f"The metadata's {name!r} may be any of {len(found):,} pictures: {said}.",
                action="Name them by their paths below the folder.",
            )
        (number,) = found
        if number in rows:
            raise LabelsError(
                f"The metadata has several rows for {name!r}: {rows[number] + 1:,} and {row + 1:,}.",
                action="Leave one of them.",
            )
        rows[number] = row
    places = numbers([rows.get(number) for number in range(len(items))], "int64")
    without_labels = tuple(item.name for number, item in enumerate(items) if number not in rows)
    return Labels(labels.drop_columns([FILENAME]).take(places), tuple(without_picture), without_labels)
