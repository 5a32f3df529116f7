"""A lookup in a delimited text file (CSV, TSV), read in place: every value is text, as it is stored."""

from __future__ import annotations

import csv
import io
import re
import threading
from dataclasses import dataclass, replace
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
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from h5explorer_py.options import KeyColumns

STEP = 256
"""Every how many records the place of one is kept: 8 bytes for each 256 records, a window reads 20 kB more."""

SCAN_STEPS = 128
_FIRST_PIECE = 1 << 20
_PIECE = 8 << 20
_LOOK_SECONDS = 0.2
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


@dataclass(frozen=True)
class _Counted:
    """How far the file has been gone through.

    Attributes
    ----------
    places : ndarray of int64
        Where every ``STEP``-th record begins.
    rows : int
        How many records there are up to ``end``.
    end : int
        Up to where.
    whole : bool
        Whether that is all.
    utf8 : bool
        Whether all of it is UTF-8.
    """

    places: NDArray[np.int64]
    rows: int
    end: int
    whole: bool
    utf8: bool


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
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._assumed: int | None = None
        try:
            self._layout, header_utf8 = self._examine()
            self._pieces = self._count(self._layout, utf8=header_utf8)
            self._counted = next(self._pieces)
            if not self._counted.whole:
                threading.Thread(target=self._go_on, name="h5explorer-records", daemon=True).start()
        except BaseException:
            self._content.close()
            raise
        self._say_encoding()
        self.schema = pa.schema([(name, pa.string()) for name in self._layout.names])

    @property
    def num_rows(self) -> int:
        return self._counted.rows if self._assumed is None else self._assumed

    @property
    def counting(self) -> bool:
        return self._assumed is None and not self._counted.whole

    @property
    def encoding(self) -> str:
        """How the text is read."""
        return "utf-8" if self._counted.utf8 else "latin-1"

    def assume(self, num_rows: int) -> None:
        self._assumed = num_rows

    def wait_counted(self, give_up: Callable[[], None] = lambda: None) -> None:
        if self._assumed is None:
            self._wait_until(lambda: self._counted.whole, give_up)

    def _wait_until(self, true: Callable[[], bool], give_up: Callable[[], None] = lambda: None) -> None:
        with self._changed:
            while not true():
                give_up()
                if self._closed.is_set():
                    raise ClosedError(f"{self.name} has been closed.")
                self._changed.wait(_LOOK_SECONDS)

    def _go_on(self) -> None:
        """Count the records of the rest of the file."""
        try:
            for counted in self._pieces:
                with self._changed:
                    self._counted = counted
                    self._changed.notify_all()
                if self._closed.is_set():
                    return
        except Exception as error:  # noqa: BLE001  (whatever it is: the rows before it stay, and it is said)
            with self._changed:
                damaged = isinstance(error, LookupUnreadableError)
                reason = str(error) if damaged else f"{self.name} cannot be read to its end: {why(error)}."
                self._notices[f"{reason} Rows up to {self._counted.rows:,} are shown."] = None
                self._counted = replace(self._counted, whole=True)
                self._changed.notify_all()
        self._say_encoding()

    def _say_encoding(self) -> None:
        if not self._counted.utf8:
            self._notices[f"{self.name} is not UTF-8; it is read as Latin-1."] = None
            names, _, _ = self._header(self._read_at(self._layout.begin - self._head_size, self._head_size), "latin-1")
            self._layout = replace(self._layout, names=tuple(names))

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices)

    def _read_at(self, offset: int, size: int) -> bytes:
        with self._lock:  # closed meanwhile, its number may be that of another file
            if self._content.closed:
                raise ClosedError(f"{self.name} has been closed.")
            return read_at(self._content, offset, size)

    def _examine(self) -> tuple[_Layout, bool]:
        """Return what the header says, and whether it is UTF-8."""
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
        self._head_size = _end_of_line(head[begin:], header_lines)
        body = begin + self._head_size
        header_utf8 = _is_utf8(head[begin:body])
        if not header_utf8:
            names, _, _ = self._header(head[begin:], "latin-1")
        check_names(names, self.columns, self.name)
        return _Layout(tuple(names), delimiter, body), header_utf8

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

    def _count(self, layout: _Layout, *, utf8: bool) -> Iterator[_Counted]:
        """Go through the file once, a little at first, then more at a time."""
        places: NDArray[np.int64] = np.empty(0, np.int64)
        rows = 0
        offset = layout.begin
        carried = b""
        size = _FIRST_PIECE
        while True:
            block = self._read_at(offset + len(carried), size)
            piece = carried + block
            last = len(block) < size
            try:
                split = split_records(piece, layout.delimiter, last=last)
            except UnclosedQuoteError as error:
                raise LookupUnreadableError(
                    f"{self.name} cannot be split into records: {UnclosedQuoteError(offset + error.offset)}.",
                    action="Mend the quotes near that place.",
                ) from error
            places = np.concatenate([places, split.starts[-rows % STEP :: STEP] + offset])
            rows += len(split.starts)
            utf8 = utf8 and _is_utf8(piece[: split.used])
            offset += split.used
            carried = piece[split.used :]
            if len(carried) > _LONGEST_RECORD:
                raise LookupUnreadableError(
                    f"{self.name} has a record of more than {_LONGEST_RECORD >> 20} MB.",
                    action="A lookup has one record a line.",
                )
            if rows or last:
                yield _Counted(places, rows, offset, last, utf8)
            if last:
                return
            size = _PIECE

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

    def _steps(self, first: int, last: int) -> tuple[bytes, int]:
        """Return the bytes of the records ``first * STEP`` to ``last * STEP``, and how many there are of these."""
        counted = self._counted
        begin = int(counted.places[first])
        end = int(counted.places[last]) if last < len(counted.places) else counted.end
        return self._read_at(begin, end - begin), min(last * STEP, counted.rows) - first * STEP

    def _records(self, first: int, last: int) -> list[list[str]]:
        data, expected = self._steps(first, last)
        text = data.decode(self.encoding)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._layout.delimiter)
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
        if stop > self._counted.rows:  # by a count from an earlier time
            self._wait_until(lambda: self._counted.whole or stop <= self._counted.rows)
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
        self._wait_until(lambda: self._counted.whole)
        wanted = [self._layout.names.index(name) for name in columns]
        steps = len(self._counted.places)
        for first in range(first_step, steps, SCAN_STEPS):
            last = min(first + SCAN_STEPS, steps)
            table = self._scanned(first, last, wanted)
            if table is None:  # a ragged record: the slow way keeps it
                table = self._table(self._records(first, last), first * STEP).select(wanted)
            yield from table.rename_columns(list(columns)).combine_chunks().to_batches()

    def _scanned(self, first: int, last: int, wanted: Sequence[int]) -> pa.Table | None:
        layout = self._layout
        names = [str(index) for index in range(len(layout.names))]
        text, expected = self._steps(first, last)
        if self.encoding != "utf-8":
            text = text.decode(self.encoding).encode()
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
        return table if table.num_rows == expected else None

    def close(self) -> None:
        self._closed.set()
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
