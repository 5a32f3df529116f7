"""The options that name a lookup, and those that choose rows of it, which several commands have."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import ExitStack

    import numpy as np
    from numpy.typing import NDArray

    from h5explorer_py.bulk.find_uuids import UuidRows
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns
    from h5explorer_py.view.ordering import SortKey
    from h5explorer_py.view.view import View

_MISSING_SHOWN = 10
NOT_UNDERSTOOD = 2

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
    in_order : bool
        Whether they are known to come in the order of the lookup.
    """

    rows: Iterable[NDArray[np.int64]]
    total: int | None
    uuids: UuidRows | None = None
    in_order: bool = False


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the lookup, and how it is to be read."""
    parser.add_argument("lookup", metavar="LOOKUP", help="a lookup, one shard, or a folder of shards")
    add_key_columns(parser)


def add_key_columns(parser: argparse.ArgumentParser) -> None:
    """Add the names of the lookup's key columns."""
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
        help="rows, counted from 0, without the last: 0:100 is the first hundred, 100: all behind them, 7 one row; "
        "with --filter or --sort they are counted among the rows that these give",
    )
    rows.add_argument("--uuids", metavar="FILE", help="a text file of uuids, one a line; - is the standard input")
    parser.add_argument(
        "--filter",
        metavar="SQL",
        help="a condition on columns of the lookup or the metadata, such as \"species = 'Passer domesticus'\"",
    )
    add_sort(parser)
    add_root(parser)
    add_cache(parser, "where lookups that have been packed are looked for")


def add_sort(parser: argparse.ArgumentParser) -> None:
    """Add the order of the rows."""
    parser.add_argument(
        "--sort",
        metavar="COLUMN[:desc]",
        action="append",
        default=[],
        type=_sort_key,
        help="what the rows are sorted by; several go by the first, then the second, and so on",
    )


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add where data is that has moved."""
    parser.add_argument(
        "--root",
        metavar="OLD=NEW",
        nargs="+",
        action="extend",
        help="where the data is now, if it has moved: old prefixes of its paths and new ones, or one folder",
    )


def add_cache(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the folder of the cache."""
    parser.add_argument("--cache", metavar="DIR", help=f"{what} ($H5EXPLORER_CACHE, or the system's place for caches)")


def add_cache_limit(parser: argparse.ArgumentParser) -> None:
    """Add how much the cache may take."""
    parser.add_argument(
        "--cache-limit",
        metavar="SIZE",
        type=_size,
        help="how much all packed lookups may take, such as 20GB; those used longest ago go ($H5EXPLORER_CACHE_LIMIT, "
        "or any number)",
    )


def cache_folder(chosen: argparse.Namespace) -> str:
    """Return the folder of the cache."""
    from h5explorer_py.lookup.packed.store import cache_root

    return os.path.abspath(os.path.expanduser(chosen.cache)) if chosen.cache else cache_root()


def moved_to(chosen: argparse.Namespace) -> str | dict[str, str] | None:
    """Understand where the data is now.

    Raises
    ------
    UnsupportedError
        Where folders and prefixes are mixed.
    """
    from h5explorer_py.errors import UnsupportedError

    values = chosen.root or []
    if not values:
        return None
    if len(values) == 1 and ("=" not in values[0] or os.path.isdir(values[0])):
        return str(values[0])
    if not all("=" in value for value in values):
        raise UnsupportedError("--root takes one folder, or prefixes of paths as OLD=NEW.")
    return dict(value.split("=", 1) for value in values)


def key_columns(chosen: argparse.Namespace) -> KeyColumns:
    """Return the names of the key columns."""
    from h5explorer_py.options import KeyColumns

    return KeyColumns(chosen.uuid_column, chosen.filepath_column)


def chosen_rows(dataset: Dataset, chosen: argparse.Namespace, resources: ExitStack) -> Chosen:
    """Return the rows that the options choose: all, where they choose none.

    Raises
    ------
    RowOutOfRangeError
        Where there are no such rows.
    OSError
        Where the file of uuids cannot be read.
    SystemExit
        Where the filter or the order is not understood.
    """
    if chosen.uuids is not None:
        from h5explorer_py.bulk.find_uuids import UuidRows

        if chosen.filter is not None or chosen.sort:
            not_understood("--uuids does not go with --filter or --sort.")
        found = UuidRows(dataset.lookup, _lines(_open(chosen.uuids, resources)))
        return Chosen(found, None, found)
    from h5explorer_py.view.export import positions_in_blocks

    dataset.lookup.wait_counted()
    view = resources.enter_context(closing(_view(dataset, chosen)))
    ranges = [_range(bounds, view.num_rows) for bounds in chosen.rows or [(None, None)]]
    blocks = positions_in_blocks(view, [(each.start, each.stop) for each in ranges])
    return Chosen(blocks, sum(map(len, ranges)), in_order=view.rows.ascending)


def _view(dataset: Dataset, chosen: argparse.Namespace) -> View:
    """Work out what the filter and the order make of a data set, with what has been packed before."""
    from h5explorer_py.cli.progress import Share
    from h5explorer_py.errors import BadRequestError, ConditionError, WrongColumnsError
    from h5explorer_py.session import scratch_folder
    from h5explorer_py.view.filtering import condition_on
    from h5explorer_py.view.ordering import check_sort, sort_keys
    from h5explorer_py.view.view import View, make_view
    from h5explorer_py.view.work import Work

    condition: str | None = chosen.filter
    if condition is None and not chosen.sort:
        return View(dataset)
    try:
        keys = sort_keys(chosen.sort)
        check_sort(dataset, keys)
        if condition is not None:
            condition_on(dataset, condition)
    except (BadRequestError, ConditionError, WrongColumnsError) as error:
        not_understood(str(error))
    dataset.rows.use_kept(cache_folder(chosen))
    with Share("Looking for the rows") as progress:
        return make_view(dataset, condition or "", keys, Work(progress=progress, scratch=scratch_folder()))


def not_understood(reason: str) -> NoReturn:
    """End as the parser does where it does not understand an option."""
    tell(f"h5explorer: {reason}")
    raise SystemExit(NOT_UNDERSTOOD)


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


def _size(text: str) -> int:
    """Understand a number of bytes."""
    from h5explorer_py.errors import BadRequestError
    from h5explorer_py.sizes import parse_size

    try:
        return parse_size(text)
    except BadRequestError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _sort_key(text: str) -> SortKey:
    """Understand ``COLUMN``, ``COLUMN:asc`` or ``COLUMN:desc``."""
    name, colon, direction = text.rpartition(":")
    return (name, direction) if colon and direction in {"asc", "desc"} else (text, "asc")


def _range(bounds: Bounds, num_rows: int) -> range:
    from h5explorer_py.errors import RowOutOfRangeError

    start = 0 if bounds[0] is None else bounds[0]
    stop = num_rows if bounds[1] is None else bounds[1]
    if max(start, stop) > num_rows:
        raise RowOutOfRangeError(f"There are {num_rows:,} rows: no range of them ends at {max(start, stop):,}.")
    return range(start, stop)


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
