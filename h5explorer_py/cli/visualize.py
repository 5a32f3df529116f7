"""``h5explorer visualize``: one HDF5 file, in a browser or as a contact sheet."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from typing import TYPE_CHECKING

from h5explorer_py.cli.open import add_serving, row_number, serve_wish
from h5explorer_py.cli.source import tell

if TYPE_CHECKING:
    from h5explorer_py.bulk.contact_sheet import Named

_INCOMPLETE = 3
_MOST = 100


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "visualize",
        allow_abbrev=False,
        help="see the images of one HDF5 file, in a browser or as a contact sheet",
        description="Show the images of one HDF5 file in a browser, as `h5explorer open` does. With --save, write a "
        "contact sheet instead: the first images, small, each with its name.",
        epilog="Ends with 0; with 1 where it failed; with 2 where it was not understood; with 3 where an image of the "
        "contact sheet could not be read.",
    )
    parser.add_argument("file", metavar="FILE.h5", help="a shard, or a file with an array images, as h5manager writes")
    parser.add_argument("--row", metavar="N", type=row_number, help="the image to begin with, counted from 0")
    parser.add_argument("--save", metavar="SHEET", help="write a contact sheet: .png, .jpg or .webp")
    parser.add_argument("--columns", metavar="N", type=_count, default=4, help="images beside each other (4)")
    parser.add_argument("--rows", metavar="N", type=_count, default=3, help="images below each other (3)")
    parser.add_argument("--size", metavar="PIXELS", type=_side, default=192, help="the longer side of an image (192)")
    parser.add_argument("--overwrite", action="store_true", help="replace SHEET, if it is there")
    add_serving(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0, or 3 where an image could not be read.

    Raises
    ------
    ExplorerError
        Where the file cannot be shown.
    """
    from h5explorer_py.options import Options
    from h5explorer_py.serve.opening import Wish

    if chosen.save is not None:
        return _save(chosen)
    return serve_wish(Wish(chosen.file, Options(cache=False), row=chosen.row), chosen)


def _save(chosen: argparse.Namespace) -> int:
    from h5explorer_py.bulk.contact_sheet import check_sheet, draw_sheet, save_sheet
    from h5explorer_py.errors import RowOutOfRangeError

    check_sheet(chosen.save, chosen.columns, chosen.rows, chosen.size)
    pictures = _pictures(chosen)
    if not pictures:
        raise RowOutOfRangeError(f"{chosen.file} has no image {chosen.row or 0:,}.")
    save_sheet(draw_sheet(pictures, chosen.columns, chosen.size), chosen.save, overwrite=chosen.overwrite)
    print(os.fsencode(chosen.save).decode("utf-8", "backslashreplace"))  # noqa: T201
    failed = [name for name, picture in pictures if isinstance(picture, str)]
    tell(f"Images: {len(pictures) - len(failed):,}." + (f" Could not be read: {len(failed):,}." if failed else ""))
    return _INCOMPLETE if failed else 0


def _pictures(chosen: argparse.Namespace) -> list[Named]:
    from h5explorer_py.bulk.contact_sheet import has_array, pictures_in_array, pictures_of
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns
    from h5explorer_py.view.view import View

    start, count = chosen.row or 0, chosen.rows * chosen.columns
    if has_array(_path(chosen)) is not None:
        return list(pictures_in_array(_path(chosen), start, count, chosen.size))
    dataset = Dataset(chosen.file, KeyColumns())
    with closing(dataset):
        view = View(dataset)
        rows = range(start, min(start + count, view.num_rows))
        return list(pictures_of(view, rows, chosen.size))


def _path(chosen: argparse.Namespace) -> str:
    return os.path.abspath(os.path.expanduser(str(chosen.file)))


def _count(text: str) -> int:
    return _number(text, 1, _MOST)


def _side(text: str) -> int:
    return _number(text, 64, 512)


def _number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {low} to {high}")
    return int(text)
