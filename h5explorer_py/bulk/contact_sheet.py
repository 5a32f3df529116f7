"""A contact sheet: many pictures small on one, each with its name below."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image as pil
from PIL import ImageDraw, ImageFont

from h5explorer_py.bulk.aside import Aside, written
from h5explorer_py.errors import ArrayNotShownError, BadRequestError, ExplorerError
from h5explorer_py.files import shorten
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.images.thumbnail import Thumbnail
from h5explorer_py.jobs import Job
from h5explorer_py.thumbnails import make_thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from h5explorer_py.view.view import View

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_Font = ImageFont.ImageFont | ImageFont.FreeTypeFont
_GAP = 12
_LINE = 18
_FONT_SIZE = 12
_SMALLEST = 64
_AT_ONCE = 64
_MOST_PIXELS = 100_000_000
_LONGEST_SIDES = {"WEBP": 16_383, "JPEG": 65_535}
"""What the formats can hold."""
_ROW_SECONDS = 600.0
_BACK, _TEXT, _FRAME = "white", (60, 60, 60), (200, 200, 200)


class Named(NamedTuple):
    """A picture and its name; a sentence where there is no picture."""

    name: str
    picture: pil.Image | str


def pictures_of(view: View, rows: Sequence[int], side: int) -> Iterator[Named]:
    """Give the pictures of rows of a view, each at most so long in pixels."""
    for at in range(0, len(rows), _AT_ONCE):
        some = list(rows[at : at + _AT_ONCE])
        made = make_thumbnails(view, some, side, Job(lambda _: None, lambda *_: None, _ROW_SECONDS))
        for row, each in zip(some, made, strict=True):
            name = view.entry(row).key or f"row {row}"
            if isinstance(each, Thumbnail):
                yield Named(name, pil.open(io.BytesIO(each.data)))
            elif isinstance(each, ExplorerError):
                yield Named(name, each.message)
            else:
                raise each


def pictures_in_array(path: str, start: int, count: int, side: int) -> Iterator[Named]:
    """Give pictures that lie in one array of a file, named by their positions, which count from 0.

    Raises
    ------
    ExplorerError
        Where the file has no such array.
    """
    for at in range(start, start + count):
        facts, data = reader_pool().stack(path, at, at + 1)
        if at >= facts["count"]:
            return
        _, height, width, *channels = facts["shape"]
        mode = "RGB" if channels == [3] else "L"
        picture = pil.frombytes(mode, (width, height), data)
        picture.thumbnail((side, side))
        yield Named(str(at), picture)


def has_array(path: str) -> int | None:
    """Return how many pictures lie in one array of a file; ``None`` where there is no such array."""
    try:
        return int(reader_pool().stack(path, 0, 0)[0]["count"])
    except ArrayNotShownError:
        raise
    except ExplorerError:
        return None


def check_sheet(path: str, columns: int, rows: int, side: int) -> None:
    """Raise where a sheet of this size could not be written.

    Raises
    ------
    BadRequestError
    """
    width, height = _GAP + columns * (side + _GAP), _GAP + rows * (side + _LINE + _GAP)
    kind = KINDS.get(os.path.splitext(path)[1].lower(), "")
    if width * height > _MOST_PIXELS or max(width, height) > _LONGEST_SIDES.get(kind, _MOST_PIXELS):
        raise BadRequestError(
            f"A sheet of {width:,} x {height:,} pixels is too large for {kind or 'a picture'}.",
            action="Take fewer columns and rows, or smaller images.",
        )


def draw_sheet(pictures: Sequence[Named], columns: int, side: int, height: int | None = None) -> pil.Image:
    """Draw pictures in a grid, in their order; each has a square of its own, or is at most so high."""
    columns = max(1, min(columns, len(pictures)))
    drawn = [max(picture.size) for _, picture in pictures if not isinstance(picture, str)]
    side = min(side, max(_SMALLEST, *drawn)) if len(drawn) == len(pictures) else side
    rows = -(-len(pictures) // columns)
    tall = side if height is None else height
    step_x, step_y = side + _GAP, tall + _LINE + _GAP
    sheet = pil.new("RGB", (_GAP + columns * step_x, _GAP + rows * step_y), _BACK)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    for number, (name, picture) in enumerate(pictures):
        left, top = _GAP + number % columns * step_x, _GAP + number // columns * step_y
        if isinstance(picture, str):
            pen.rectangle((left, top, left + side - 1, top + tall - 1), outline=_FRAME)
            _write(pen, (left + 6, top + 6), _lines(pen, picture, font, side - 12), font)
        else:
            shown = picture.convert("RGBA")
            sheet.paste(shown, (left + (side - shown.width) // 2, top + (tall - shown.height) // 2), shown)
        _write(pen, (left, top + tall + 2), _cut(pen, name, font, side), font)
    return sheet


def save_sheet(sheet: pil.Image, path: str, *, overwrite: bool) -> None:
    """Write a sheet; nothing is there before it is whole.

    Raises
    ------
    ExplorerError
        Where something is there already, or it cannot be written.
    """
    kind = KINDS.get(os.path.splitext(path)[1].lower())
    if kind is None:
        raise BadRequestError(f"A contact sheet is a file {', '.join(KINDS)}, not {shorten(os.path.basename(path))}.")
    aside = Aside(path, _check_file if overwrite else None)
    try:
        with written(aside.target):
            sheet.save(aside.content, kind)
        aside.publish()
    finally:
        aside.discard()


def _check_file(path: str) -> None:
    if os.path.isdir(path):
        raise BadRequestError(f"{path} is a folder.")


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, font: _Font) -> None:
    # Pillow's own font has no more than the Latin letters.
    text = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text.replace("×", "x"))
    pen.multiline_text(at, text, fill=_TEXT, font=font)


def _cut(pen: ImageDraw.ImageDraw, text: str, font: _Font, width: int) -> str:
    """Cut a text in its middle so that it fits."""
    keep = len(shorten(text, 200))
    while keep > 3 and pen.textlength(shorten(text, keep), font=font) > width:
        keep -= 1
    return shorten(text, keep)


def _lines(pen: ImageDraw.ImageDraw, text: str, font: _Font, width: int) -> str:
    """Break a sentence into lines that fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(_cut(pen, word, font, width))
    return "\n".join(lines[: max(1, width // _LINE)])
