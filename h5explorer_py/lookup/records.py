"""Where the records of a delimited text begin, found in one pass with bounded memory.

A record is what Python's ``csv`` module takes for one: mostly a line, more where a quoted field spans lines. Blank
lines are none. Only lines whose quotes are odd, in number or in place, need that module; all others are found by NumPy.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NEWLINE = 0x0A
RETURN = 0x0D
QUOTE = 0x22


class UnclosedQuoteError(ValueError):
    """A quoted field does not end.

    Parameters
    ----------
    offset : int
        The byte at which its record begins.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(f"a quoted field that begins near byte {offset:,} does not end")
        self.offset = offset


@dataclass(frozen=True)
class Split:
    """The records of one piece of text.

    Attributes
    ----------
    starts : numpy.ndarray of int64
        Where each record begins, in bytes from the piece's begin.
    used : int
        How many bytes the complete records take up; the rest belongs to the next piece.
    """

    starts: NDArray[np.int64]
    used: int


def split_records(piece: bytes, delimiter: str, *, last: bool) -> Split:
    """Find the records of a piece that begins at a record's begin.

    Parameters
    ----------
    piece : bytes
        Text in an encoding that keeps ASCII (UTF-8, Latin-1).
    delimiter : str
        One character.
    last : bool
        Whether the text ends with the piece: then its rest is a record too.

    Raises
    ------
    UnclosedQuoteError
        Where a quoted field is longer than ``csv.field_size_limit()``, or the text ends within one.
    """
    if last and piece and piece[-1] != NEWLINE:
        closed = split_records(piece + b"\n", delimiter, last=True)
        return Split(closed.starts, len(piece))
    text = np.frombuffer(piece, np.uint8)
    ends = _line_ends(piece, text)
    if len(ends) == 0:
        return Split(ends, 0)
    used = int(ends[-1])
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    keep = (text[starts] != NEWLINE) & (text[starts] != RETURN)
    if piece.find(b'"', 0, used) >= 0:
        lines = _Lines(piece, delimiter, starts, ends)
        open_from = lines.join_open(_unsure_lines(text[:used], ord(delimiter), starts).tolist(), keep, last=last)
        if open_from is not None:
            keep[open_from:] = False
            used = int(starts[open_from])
    return Split(starts[keep], used)


def _line_ends(piece: bytes, text: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where each line ends, behind its line feed, or its carriage return where no line feed follows."""
    ends = text == NEWLINE
    if b"\r" in piece:
        ends[:-1] |= (text[:-1] == RETURN) & (text[1:] != NEWLINE)
    return np.flatnonzero(ends) + 1


def _unsure_lines(text: NDArray[np.uint8], delimiter: int, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lines of which counting quotes does not tell that a record ends with them.

    Those are lines with an odd number of quotes, and lines with a quote that neither begins nor ends a field: such a
    quote is a sign like any other (``5" disk``), and the next one may open a field after all.
    """
    quotes = np.flatnonzero(text == QUOTE)
    first = np.searchsorted(quotes, starts)
    counts = np.diff(first, append=len(quotes))
    opens = (np.arange(len(quotes)) - np.repeat(first, counts)) % 2 == 0
    border = np.zeros(256, np.bool_)
    border[[delimiter, QUOTE, NEWLINE, RETURN]] = True
    fits = border[text[np.where(opens, quotes - 1, quotes + 1)]]  # before the first sign is the last, a line end
    stray = np.repeat(np.arange(len(starts)), counts)[~fits]
    return np.union1d(np.flatnonzero(counts % 2 == 1), stray)


def first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """Return the fields of the first record that is not blank, and how many lines were read for it.

    Raises
    ------
    ValueError
        Where there is none, or its quotes do not end.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            if record:
                return record, reader.line_num
    except csv.Error as error:
        raise ValueError(str(error)) from error
    raise ValueError("there is no record")


@dataclass(frozen=True)
class _Lines:
    """The lines of a piece, by where each begins and where the next one does."""

    piece: bytes
    delimiter: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def join_open(self, unsure: list[int], keep: NDArray[np.bool_], *, last: bool) -> int | None:
        """Strike the lines out of ``keep`` that go on with a record; return the line that is not complete yet.

        Parameters
        ----------
        unsure : list of int
            The lines that may leave a quoted field open.
        keep : numpy.ndarray of bool
            Changed in place.
        last : bool
            Whether the text ends with this piece.
        """
        done = 0
        for line in unsure:
            if line < done:
                continue
            taken = self._of_record(line)
            if taken is None:
                rest = len(self.piece) - int(self.starts[line])
                if last or rest > csv.field_size_limit():
                    raise UnclosedQuoteError(int(self.starts[line]))
                return line
            keep[line + 1 : line + taken] = False
            done = line + taken
        return None

    def _of_record(self, line: int) -> int | None:
        """Count the lines that the record beginning at ``line`` takes up; ``None`` where its end is not here."""
        complete = True

        def lines() -> Iterator[str]:
            nonlocal complete
            for number in range(line, len(self.starts)):
                yield self.piece[self.starts[number] : self.ends[number]].decode("latin-1")
            complete = False

        reader = csv.reader(lines(), delimiter=self.delimiter)
        try:
            next(reader)
        except csv.Error as error:
            raise UnclosedQuoteError(int(self.starts[line])) from error
        return reader.line_num if complete else None
