"""What one page and its session share, as a widget's traits do in a notebook; the twin of ``src/channel/told.ts``.

A message of either side is ``{"kind": "state", "dataset": number, "state": {name: value, ...}}``. The session's side
tells ``_opened``, ``current`` and ``selection`` whenever something else is shown, the page what a person chose.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ExplorerError
from h5explorer_py.handlers import ranges_of
from h5explorer_py.protocol import integer
from h5explorer_py.view.current import ShownRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.session import Session

KIND = "state"


class PageState:
    """Keeps a page in step with its session.

    Parameters
    ----------
    session : Session
        What is open, and how it is shown.
    current : int or None
        The row that is shown first.
    tell : callable
        Sends a message to the page; may be called from any thread.
    """

    def __init__(self, session: Session, current: int | None, tell: Callable[[dict[str, Any]], None]) -> None:
        self._session = session
        self._tell = tell
        self._shown = ShownRow()
        self._shown.remember(session.view, current)
        session.on_opened.append(self.show)
        session.on_grown.append(self._describe)
        session.on_noticed.append(self._describe)

    def show(self) -> None:
        """Tell the page what is shown now: the row that was shown stays so if it is there."""
        with contextlib.suppress(ExplorerError):  # closed meanwhile
            view = self._session.view
            current = self._shown.position(view)
            self._shown.remember(view, current)
            self._send(current=current, selection={"ranges": []})

    def _describe(self) -> None:
        with contextlib.suppress(ExplorerError):
            self._send()

    def _send(self, **more: Any) -> None:
        opened = self._session.describe()
        self._tell({"kind": KIND, "dataset": opened["dataset"], "state": {"_opened": opened, **more}})

    def take(self, message: dict[str, Any]) -> None:
        """Take over what a person chose; rows of what has been replaced meanwhile are left out.

        Raises
        ------
        ExplorerError
            Where there are no such rows.
        """
        state = message.get("state")
        _, view = self._session.numbered(integer(message, "dataset", 1, 1 << 53))
        if not isinstance(state, dict):
            return
        if isinstance(state.get("selection"), dict):
            ranges_of(state["selection"].get("ranges"), view.num_rows)  # the page has them; here none asks for them
        if state.get("current") is not None:
            self._shown.remember(view, integer(state, "current", 0, max(0, view.num_rows - 1)))
