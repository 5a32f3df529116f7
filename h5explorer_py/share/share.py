"""Writing a choice of rows as one HTML file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.bulk.aside import Aside, settle, written
from h5explorer_py.errors import BadRequestError, TargetExistsError
from h5explorer_py.share.gathered import gather
from h5explorer_py.share.markup import page_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.view.view import View

MOST_BYTES = 20_000_000
"""Bytes of a shared page unless told: mail takes attachments of 25 MB, as a rule."""


@dataclass(frozen=True)
class Shared:
    """A page that was made.

    Attributes
    ----------
    path : str
        Where it is; empty where it has not been written.
    rows : int
        How many rows it has.
    chosen : int
        How many were to be shared.
    failed : int
        How many pictures and records could not be had; the page says why, each in its place.
    bytes : int
        How large it is.
    """

    path: str
    rows: int
    chosen: int
    failed: int
    bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether all chosen rows are in it."""
        return self.rows == self.chosen

    def __str__(self) -> str:
        rows = f"{self.rows:,}" if self.is_whole else f"the first {self.rows:,} of {self.chosen:,}"
        failed = f" {self.failed:,} pictures and records could not be had." if self.failed else ""
        return f"{self.path}\nRows: {rows}; {self.bytes / 1e6:.1f} MB.{failed}".strip()


def shared_page(
    view: View,
    ranges: Sequence[tuple[int, int]],
    *,
    most_bytes: int = MOST_BYTES,
    progress: Callable[[int], None] = lambda _: None,
    give_up: Callable[[], None] = lambda: None,
) -> tuple[bytes, Shared]:
    """Make a page of rows of a view.

    Parameters
    ----------
    view : View
        The rows.
    ranges : sequence of (int, int)
        Half-open ranges of positions.
    most_bytes : int
        How large the page may be; of more rows the first are taken. A single row is taken whatever its size.
    progress : callable
        Is told now and then how many rows have been dealt with.
    give_up : callable
        Called now and then; ends the work by raising.

    Returns
    -------
    html : bytes
        The page.
    shared : Shared
        What it has.

    Raises
    ------
    BadRequestError
        Where no row is chosen.
    ExplorerError
        Where the lookup cannot be read any more.
    """
    chosen = sum(stop - start for start, stop in ranges)
    if not chosen:
        raise BadRequestError("No row is selected.", action="Select the rows to share first.")
    positions = (position for start, stop in ranges for position in range(start, stop))
    name = view.dataset.lookup.name
    around = len(page_of(name, chosen, ()))
    rows = gather(view, positions, max(0, most_bytes - around), progress, give_up)
    html = page_of(name, chosen, rows)
    while len(html) > most_bytes and len(rows) > 1:
        give_up()
        part = max(0, most_bytes - around) / (len(html) - around)  # of the room that the rows take
        del rows[max(1, min(len(rows) - 1, int(len(rows) * part))) :]
        html = page_of(name, chosen, rows)
    return html, Shared("", len(rows), chosen, sum(row.failed for row in rows), len(html))


def share(
    view: View,
    path: str | os.PathLike[str],
    ranges: Sequence[tuple[int, int]],
    *,
    most_bytes: int = MOST_BYTES,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
    give_up: Callable[[], None] = lambda: None,
) -> Shared:
    """Write a page of rows of a view: see :func:`shared_page`.

    Parameters
    ----------
    path : path
        The file, ``.html``. Nothing is there until it is whole.
    overwrite : bool
        Whether to replace a file.

    Raises
    ------
    TargetExistsError
        Where something is there that is not to be replaced.
    WriteFailedError
        Where it cannot be written.
    """
    path = os.path.expanduser(os.fsdecode(path))
    if not path.lower().endswith((".html", ".htm")):
        raise BadRequestError("A shared page is a file whose name ends in .html.")
    aside = Aside(path, _check_file if overwrite else None)
    try:
        html, shared = shared_page(view, ranges, most_bytes=most_bytes, progress=progress, give_up=give_up)
        with written(aside.target):
            with open(aside.content, "wb") as file:
                file.write(html)
            settle(aside.content)
        aside.publish()
    finally:
        aside.discard()
    return Shared(aside.target, shared.rows, shared.chosen, shared.failed, shared.bytes)


def page_name(lookup: str) -> str:
    """Return the name of the file for a page of a lookup."""
    stem = re.sub(r"[^\w.-]+", "_", lookup.split(".", maxsplit=1)[0]).strip("._")[:80]
    return f"{stem or 'lookup'}-rows.html"


def _check_file(path: str) -> None:
    if not os.path.isfile(path):
        raise TargetExistsError(f"{path} is no file.", action="Name another.")
