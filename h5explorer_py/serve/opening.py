"""Opening the lookup of the command line, once for every page."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from h5explorer_py.options import Options
    from h5explorer_py.session import Session
    from h5explorer_py.view.ordering import SortKey


@dataclass(frozen=True)
class Wish:
    """What to show to begin with.

    Attributes
    ----------
    lookup : str
        Its path.
    options : Options
        How it is to be read.
    filter : str
        The condition that the rows meet; empty for all.
    sort : tuple of SortKey
        What they are sorted by.
    row : int or None
        The row to show, counted from 0.
    """

    lookup: str
    options: Options
    filter: str = ""
    sort: tuple[SortKey, ...] = ()
    row: int | None = None


class Begun(NamedTuple):
    """A session, and the row that it shows first."""

    session: Session
    current: int | None


class Opener:
    """Opens what is wished. The first session is opened at once, so that what is wrong is told in the terminal.

    Raises
    ------
    ExplorerError
        Where it cannot be opened, or there is no such row.
    """

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._lock = threading.Lock()
        self._first: Begun | None = self._begin()

    @property
    def first(self) -> Session | None:
        """The session that no page has taken yet."""
        return None if self._first is None else self._first.session

    def take(self) -> Begun:
        """Return a session of one's own.

        Raises
        ------
        ExplorerError
            Where the lookup cannot be opened any more.
        """
        with self._lock:
            first, self._first = self._first, None
        return self._begin() if first is None else first

    def _begin(self) -> Begun:
        from h5explorer_py.session import Session

        wish = self._wish
        session = Session(wish.lookup, wish.options)
        try:
            if wish.filter.strip() or wish.sort:
                session.show(wish.filter, wish.sort)
            view = session.view
            if wish.row is not None:
                view.check_row(wish.row)
            current = wish.row if wish.row is not None else 0 if view.num_rows else None
        except BaseException:
            session.close()
            raise
        return Begun(session, current)

    def close(self) -> None:
        """Close the session that no page has taken."""
        with self._lock:
            first, self._first = self._first, None
        if first is not None:
            first.session.close()
