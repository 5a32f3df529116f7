"""The options that name a lookup, and those that choose rows of it, which several commands have."""

from __future__ import annotations

import argparse
import os
import sys
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import ExitStack

    import numpy as np
    from numpy.typing import NDArray

    from h5explorer_py.bulk.find_uuids import UuidRows
    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.options import KeyColumns

_BLOCK_ROWS = 65_536
_MISSING_SHOWN = 10

Bounds = tuple[int | None, int | None]


class Chosen(NamedTuple):
    """The rows that were chosen.

    Attributes
    ----------
    rows : iterable of ndarray of int64
        Their numbers, in their order.
    total : int or None
        How many there are, where that is known before they are gone through.
    uuids : UuidRows or None
        What looks for them, where they are chosen by uuid.
    """

    rows: Iterable[NDArray[np.int64]]
    total: int | None
    uuids: UuidRows | None = None


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the lookup, and how it is to be read."""
    parser.add_argument("lookup", metavar="LOOKUP", help="a lookup, one shard, or a folder of shards")
    parser.add_argument("--uuid-column", metavar="NAME", default="uuid", help="the lookup's column of uuids")
    parser.add_argument("--filepath-column", metavar="NAME", default="filepath", help="its column of filepaths")


def add_rows(parser: argparse.ArgumentParser) -> None:
    """Add the ways to choose rows."""
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument(
        "--rows",
        metavar="START:STOP",
        nargs="+",
        action="extend",
        type=_bounds,
        help="rows, counted from 0, without the last: 0:100 is the first hundred, 100: all behind them, 7 one row",
    )
    rows.add_argument("--uuids", metavar="FILE", help="a text file of uuids, one a line; - is the standard input")


def key_columns(chosen: argparse.Namespace) -> KeyColumns:
    """Return the names of the key columns."""
    from h5explorer_py.options import KeyColumns

    return KeyColumns(chosen.uuid_column, chosen.filepath_column)


def chosen_rows(lookup: Lookup, chosen: argparse.Namespace, resources: ExitStack) -> Chosen:
    """Return the rows that the options choose: all, where they choose none.

    Raises
    ------
    RowOutOfRangeError
        Where there are no such rows.
    OSError
        Where the file of uuids cannot be read.
    """
    if chosen.uuids is not None:
        from h5explorer_py.bulk.find_uuids import UuidRows

        found = UuidRows(lookup, _lines(_open(chosen.uuids, resources)))
        return Chosen(found, None, found)
    ranges = [_range(bounds, lookup.num_rows) for bounds in chosen.rows or [(None, None)]]
    return Chosen(_blocks(ranges), sum(map(len, ranges)))


def tell_missing(uuids: UuidRows | None) -> bool:
    """Say on the standard error stream which uuids have not been found; tell whether there are such."""
    if uuids is None or not uuids.missing:
        return False
    shown = uuids.missing_kept[:_MISSING_SHOWN]
    tell(f"Uuids that are not in the lookup: {uuids.missing:,}.")
    for uuid in shown:
        tell(f"  {uuid!a}")
    if uuids.missing > len(shown):
        tell(f"  ... and {uuids.missing - len(shown):,} more")
    return True


def tell(sentence: str) -> None:
    """Write a line to the standard error stream, whatever signs it can show."""
    encoding = sys.stderr.encoding or "ascii"
    print(sentence.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)  # noqa: T201


def _bounds(text: str) -> Bounds:
    """Understand ``START:STOP``, either of which may be left out, or one row number."""
    begin, colon, end = text.partition(":")
    if not all(part.isascii() and part.isdigit() for part in (begin, end) if part) or not (begin or colon):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of rows, such as 0:100")
    start = int(begin) if begin else None
    stop = int(end) if end else None
    if not colon:
        stop = int(begin) + 1
    if start is not None and stop is not None and start > stop:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return start, stop


def _range(bounds: Bounds, num_rows: int) -> range:
    from h5explorer_py.errors import RowOutOfRangeError

    start = 0 if bounds[0] is None else bounds[0]
    stop = num_rows if bounds[1] is None else bounds[1]
    if max(start, stop) > num_rows:
        raise RowOutOfRangeError(f"There are {num_rows:,} rows: no range of them ends at {max(start, stop):,}.")
    return range(start, stop)


def _blocks(ranges: list[range]) -> Iterator[NDArray[np.int64]]:
    import numpy as np

    for each in ranges:
        for start in range(each.start, each.stop, _BLOCK_ROWS):
            yield np.arange(start, min(start + _BLOCK_ROWS, each.stop), dtype=np.int64)


def _open(path: str, resources: ExitStack) -> IO[bytes]:
    from h5explorer_py.errors import LookupNotFoundError
    from h5explorer_py.files import why

    if path == "-":
        return sys.stdin.buffer
    try:
        return resources.enter_context(open(os.path.expanduser(path), "rb"))
    except OSError as error:
        raise LookupNotFoundError(f"The uuids in {path} cannot be read: {why(error)}.") from error


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Give the lines that are not empty."""
    for number, line in enumerate(file):
        text = line.rstrip(b"\r\n")
        if number == 0:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if text:
            yield text.decode("utf-8", "surrogateescape")
