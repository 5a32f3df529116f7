"""A lookup in a delimited text file (CSV, TSV), read in place: every value is text, as it is stored."""

from __future__ import annotations

import csv
import io
import re
import threading
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from h5explorer_py.errors import ClosedError, LookupChangedError, LookupUnreadableError
from h5explorer_py.files import Signature, read_at, regular_file, why
from h5explorer_py.lookup.base import Lookup, without_first
from h5explorer_py.lookup.columns import check_names
from h5explorer_py.lookup.records import UnclosedQuoteError, first_record, split_records
from h5explorer_py.lookup.text import no_rows, text_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from h5explorer_py.options import KeyColumns

STEP = 256
"""Every how many records the place of one is kept: 8 bytes for each 256 records, a window reads 20 kB more."""

SCAN_STEPS = 128
_PIECE = 8 << 20
_HEAD = 1 << 20
_LONGEST_RECORD = 32 << 20
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_UTF8_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",\t;|"
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class _Layout:
    names: tuple[str, ...]
    delimiter: str
    begin: int
    places: NDArray[np.int64]
    num_rows: int
    end: int
    encoding: str


class DelimitedLookup(Lookup):
    """A lookup in one text file.

    The first record names the columns. The delimiter is the one of comma, tab, semicolon and bar that yields the
    key columns. Text that is not UTF-8 is read as Latin-1. A record with too few fields has nulls in the others; of
    one with too many the surplus is left out, which ``notices`` says.

    Parameters
    ----------
    path : str
        The file as the person named it.
    columns : KeyColumns
        The names of its two key columns.
    content : binary file, optional
        Where the content is read from instead, for example an unpacked copy.

    Raises
    ------
    LookupUnreadableError
        Where the file is empty, is no text, or has a quote that does not end.
    WrongColumnsError
        Where a key column is missing.
    """

    def __init__(self, path: str, columns: KeyColumns, content: IO[bytes] | None = None) -> None:
        self.location = path
        self.name = Path(path).name
        self.folder = str(Path(path).parent)
        self.columns = columns
        self._signature = regular_file(path)
        self._lock = threading.Lock()
        self._notices: dict[str, None] = {}
        try:
            self._content = content or open(path, "rb", buffering=0)  # noqa: SIM115  (held until close)
        except OSError as error:
            raise LookupUnreadableError(f"{self.name} cannot be read: {why(error)}.") from error
        try:
            self._layout = self._examine()
        except BaseException:
            self._content.close()
            raise
        self.schema = pa.schema([(name, pa.string()) for name in self._layout.names])
        self.num_rows = self._layout.num_rows

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices)

    def _read_at(self, offset: int, size: int) -> bytes:
        with self._lock:  # closed meanwhile, its number may be that of another file
            if self._content.closed:
                raise ClosedError(f"{self.name} has been closed.")
            return read_at(self._content, offset, size)

    def _examine(self) -> _Layout:
        head = self._read_at(0, _HEAD)
        if not head.strip():
            raise LookupUnreadableError(f"{self.name} is empty.", action="A header with the column names is needed.")
        if head[:2] in _BOMS:
            raise LookupUnreadableError(f"{self.name} is {_BOMS[head[:2]]} text.", action="Save it as UTF-8.")
        if b"\0" in head:
            raise LookupUnreadableError(
                f"{self.name} is neither Parquet nor text.", action="A lookup is a Parquet, CSV or TSV file."
            )
        begin = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
        names, delimiter, header_lines = self._header(head[begin:], "utf-8")
        body = begin + _end_of_line(head[begin:], header_lines)
        header_utf8 = _is_utf8(head[begin:body])
        if not header_utf8:
            names, _, _ = self._header(head[begin:], "latin-1")
        check_names(names, self.columns, self.name)
        try:
            places, rows, end, utf8 = self._index(body, delimiter)
        except UnclosedQuoteError as error:
            raise LookupUnreadableError(
                f"{self.name} cannot be split into records: {error}.",
                action="Mend the quotes near that place.",
            ) from error
        encoding = "utf-8"
        if not (utf8 and header_utf8):
            self._notices[f"{self.name} is not UTF-8; it is read as Latin-1."] = None
            encoding = "latin-1"
            names, _, _ = self._header(head[begin:], encoding)
        return _Layout(tuple(names), delimiter, body, places, rows, end, encoding)

    def _header(self, head: bytes, encoding: str) -> tuple[list[str], str, int]:
        """Return the column names, the delimiter and how many lines the header takes up."""
        text = head.decode(encoding, "replace")
        candidates = []
        reason = ""
        for delimiter in _DELIMITERS:
            try:
                record, lines = first_record(text, delimiter)
            except ValueError as error:  # without its delimiter a long header is one field, longer than a field may be
                reason = str(error)
                continue
            names = [name.strip() for name in record]
            fits = (self.columns.uuid in names) + (self.columns.filepath in names)
            candidates.append(((fits, len(names)), names, delimiter, lines))
        if not candidates:
            raise LookupUnreadableError(
                f"The first line of {self.name} is no header: {reason}.",
                action="A header with the column names is needed.",
            )
        _, names, delimiter, lines = max(candidates, key=lambda candidate: candidate[0])
        return names, delimiter, lines

    def _index(self, begin: int, delimiter: str) -> tuple[NDArray[np.int64], int, int, bool]:
        """Go through the file once: the place of every ``STEP``-th record, their number, the end, is it UTF-8."""
        places: list[NDArray[np.int64]] = []
        rows = 0
        offset = begin
        carried = b""
        utf8 = True
        while True:
            block = self._read_at(offset + len(carried), _PIECE)
            piece = carried + block
            try:
                split = split_records(piece, delimiter, last=not block)
            except UnclosedQuoteError as error:
                raise UnclosedQuoteError(offset + error.offset) from error
            places.append(split.starts[-rows % STEP :: STEP] + offset)
            rows += len(split.starts)
            utf8 = utf8 and _is_utf8(piece[: split.used])
            offset += split.used
            carried = piece[split.used :]
            if len(carried) > _LONGEST_RECORD:
                raise LookupUnreadableError(
                    f"{self.name} has a record of more than {_LONGEST_RECORD >> 20} MB.",
                    action="A lookup has one record a line.",
                )
            if not block:
                return np.concatenate(places), rows, offset, utf8

    def check_unchanged(self, start: int = 0, stop: int = 1) -> None:  # noqa: ARG002
        try:
            now: Signature | None = regular_file(self.location)
        except OSError:
            now = None
        if now != self._signature:
            raise LookupChangedError(
                f"{self.name} has {'changed' if now else 'gone'} since it was opened.",
                action="Open it again.",
            )

    def _steps(self, first: int, last: int) -> bytes:
        """Return the bytes of the records ``first * STEP`` to ``last * STEP``."""
        layout = self._layout
        begin = int(layout.places[first])
        end = int(layout.places[last]) if last < len(layout.places) else layout.end
        return self._read_at(begin, end - begin)

    def _records(self, first: int, last: int) -> list[list[str]]:
        text = self._steps(first, last).decode(self._layout.encoding)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._layout.delimiter)
        expected = min(last * STEP, self.num_rows) - first * STEP
        try:
            records = [record for record in reader if record]
        except csv.Error:
            records = []
        if len(records) != expected:
            raise LookupUnreadableError(
                f"Rows {first * STEP + 1:,} to {first * STEP + expected:,} of {self.name} cannot be told apart.",
                action="Look for stray quotes there.",
            )
        return records

    def read(self, start: int, stop: int) -> pa.Table:
        self.check_unchanged()
        stop = min(stop, self.num_rows)
        if start >= stop:
            return no_rows(self.schema)
        first, last = start // STEP, -(-stop // STEP)
        return self._table(self._records(first, last)[start - first * STEP : stop - first * STEP], start)

    def _table(self, records: list[list[str]], first_row: int) -> pa.Table:
        width = len(self.schema)
        for number, record in enumerate(records):
            if len(record) > width:
                self._note_surplus(first_row + number)
        columns = [
            text_array([record[index] if index < len(record) else None for record in records]) for index in range(width)
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _note_surplus(self, row: int) -> None:
        self._notices.setdefault(
            f"Row {row + 1:,} of {self.name} has more fields than the header; the surplus is left out.", None
        )
        while len(self._notices) > 20:
            self._notices.popitem()

    @property
    def sources(self) -> tuple[tuple[str, Signature], ...]:
        return ((self.location, self._signature),)

    def scan(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        self.check_unchanged()
        return without_first(self._scan(columns, start // STEP), start % STEP)

    def _scan(self, columns: Sequence[str], first_step: int) -> Iterator[pa.RecordBatch]:
        wanted = [self._layout.names.index(name) for name in columns]
        for first in range(first_step, len(self._layout.places), SCAN_STEPS):
            last = min(first + SCAN_STEPS, len(self._layout.places))
            table = self._scanned(first, last, wanted)
            if table is None:  # a ragged record: the slow way keeps it
                table = self._table(self._records(first, last), first * STEP).select(wanted)
            yield from table.rename_columns(list(columns)).combine_chunks().to_batches()

    def _scanned(self, first: int, last: int, wanted: Sequence[int]) -> pa.Table | None:
        layout = self._layout
        names = [str(index) for index in range(len(layout.names))]
        text = self._steps(first, last)
        if layout.encoding != "utf-8":
            text = text.decode(layout.encoding).encode()
        try:
            if text.startswith(_UTF8_BOM):  # Arrow would take it for a mark, and not for part of the value
                return None
            table = pa_csv.read_csv(
                pa.BufferReader(text),
                read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
                parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=[names[index] for index in wanted],
                    column_types={name: pa.string() for name in names},
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException:
            return None
        expected = min(last * STEP, self.num_rows) - first * STEP
        return table if table.num_rows == expected else None

    def close(self) -> None:
        with self._lock:
            self._content.close()


def _end_of_line(text: bytes, lines: int) -> int:
    """Return where the given number of lines ends."""
    ends = [found.end() for found in islice(_LINE_END.finditer(text), lines)]
    return ends[-1] if len(ends) == lines else len(text)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
