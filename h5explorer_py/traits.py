"""What an explorer's page and Python share: the traits of the widget, and what may be in them."""

from __future__ import annotations

import contextlib
import operator
import re
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from h5explorer_py.assets import shared_assets
from h5explorer_py.built import asset_names
from h5explorer_py.errors import BadRequestError, ExplorerError
from h5explorer_py.selection import MOST_RANGES, Selection, too_many
from h5explorer_py.view.current import ShownRow

if TYPE_CHECKING:
    from h5explorer_py.session import Session

_LENGTH = re.compile(r"\d+(\.\d+)?(px|em|rem|vh|%)")


class SelectionTrait(traitlets.TraitType[Selection, Any]):
    """A trait that holds a :class:`Selection`, and takes whatever one can be made of."""

    info_text = "a row number, a range, or several of these"

    def validate(self, obj: Any, value: Any) -> Selection:
        shared: SharedState = obj
        session = shared._session  # noqa: SLF001  (its own trait)
        selection = Selection.of(value, session.reader())
        if selection.ranges and selection.ranges[-1][1] > session.view.wait_counted():
            raise BadRequestError(f"There is no row {selection.ranges[-1][1] - 1:,} to select.")
        if len(selection.ranges) > MOST_RANGES:
            raise too_many(len(selection.ranges))
        return selection


class RowTrait(traitlets.TraitType[int | None, Any]):
    """A trait that holds the number of a row, or nothing."""

    info_text = "a row number"

    def validate(self, obj: Any, value: Any) -> int:
        shared: SharedState = obj
        try:
            row = operator.index(value)
        except TypeError:
            self.error(obj, value)
        shared._session.view.check_row(row)  # noqa: SLF001  (its own trait)
        return row


class SharedState(anywidget.AnyWidget):
    """The traits of an explorer, kept in step with its session and with the page.

    Parameters
    ----------
    session : Session
        What is open, and how it is shown.
    height : int or str, optional
        The widget's height, in pixels or as a CSS length.
    """

    _opened = traitlets.Dict().tag(sync=True)
    _assets = traitlets.Dict().tag(sync=True)
    current = RowTrait(None, allow_none=True, help="The row that is shown, counted from 0.").tag(sync=True)
    selection = SelectionTrait(help="The rows that are selected.").tag(
        sync=True,
        to_json=lambda value, _: {"ranges": [list(each) for each in value.ranges]},
        from_json=lambda value, _: Selection(map(tuple, value["ranges"])),
    )
    filter = traitlets.Unicode(help="The condition in SQL that the rows shown meet; empty for all.").tag(sync=True)
    sort: traitlets.List[Any] = traitlets.List(help='What they are sorted by: ("uuid", "asc") pairs.').tag(sync=True)
    _look = traitlets.Dict(help="How the page looks, as far as that is remembered.").tag(sync=True)
    height = traitlets.Union([traitlets.Int(), traitlets.Unicode()], default_value=None, allow_none=True).tag(sync=True)

    def __init__(self, session: Session, height: int | str | None) -> None:
        self._ready = self._showing = False
        self._shown = ShownRow()
        self._session = session
        super().__init__(
            _opened=session.describe(),
            _assets={**asset_names(), "model": shared_assets().model_id},
            current=0 if session.view.num_rows else None,
            selection=Selection(),
            height=height,
        )
        self._ready = True
        session.on_opened.append(self._show_opened)
        session.on_grown.append(self._show_described)
        session.on_noticed.append(self._show_described)

    def _show_opened(self) -> None:
        """Take over what is shown now: the row that was shown stays so if it is there."""
        view = self._session.view
        current = self._shown.position(view)
        self._showing = True
        try:
            with self.hold_sync():
                self._opened = self._session.describe()
                self.filter, self.sort = view.filter, list(view.sort)
                self.selection = Selection()
                self.current = current
        finally:
            self._showing = False

    def take_look(self, look: dict[str, Any]) -> None:
        """Have the next page look so; where the panels have been moved here, they stay so."""
        self._look = {**look, **{name: self._look[name] for name in ("shares",) if self._look.get(name)}}

    def show_again(self, wish: dict[str, Any]) -> None:
        """Show what was shown before.

        Parameters
        ----------
        wish : dict
            ``filter``, ``sort`` and ``row``, as far as they are to be changed.

        Raises
        ------
        ExplorerError, traitlets.TraitError
            Where the lookup has no such column or row any more.
        """
        if wish.get("filter") or wish.get("sort"):
            self._session.show(wish.get("filter") or "", wish.get("sort") or [])
        if wish.get("row") is not None:
            self.current = wish["row"]

    def _show_described(self) -> None:
        with contextlib.suppress(ExplorerError):  # closed meanwhile
            self._opened = self._session.describe()

    @traitlets.observe("current")
    def _remember_current(self, change: Any) -> None:
        """Remember which row of the lookup is shown, whatever is filtered later."""
        with contextlib.suppress(ExplorerError):
            self._shown.remember(self._session.view, change["new"])

    @traitlets.validate("filter", "sort")
    def _apply(self, proposal: Any) -> Any:
        """Work out what a new filter or order shows, before the trait takes it."""
        name, value = proposal["trait"].name, proposal["value"]
        if not self._showing and self._ready:
            wished = {"filter": self.filter, "sort": self.sort, name: value}
            self._session.show(wished["filter"], wished["sort"])
            return getattr(self, name)
        return [tuple(pair) for pair in value] if name == "sort" else value

    @traitlets.validate("height")
    def _valid_height(self, proposal: Any) -> int | str | None:
        height: int | str | None = proposal["value"]
        good = height is None or (_LENGTH.fullmatch(height) if isinstance(height, str) else height > 0)
        if not good:
            raise BadRequestError(f"height is a number of pixels or a CSS length such as '40em', not {height!r}.")
        return height

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take over what the page has changed; rows of a lookup that has been replaced meanwhile are left out."""
        sync_data = {name: value for name, value in sync_data.items() if name not in {"filter", "sort"}}
        rows = {"current", "selection"}
        if not all(self._fits(name, sync_data[name]) for name in rows & sync_data.keys()):
            sync_data = {name: value for name, value in sync_data.items() if name not in rows}
        super().set_state(sync_data)

    def _fits(self, name: str, value: Any) -> bool:
        trait = self.traits()[name]
        from_json = trait.metadata.get("from_json", lambda value, _: value)
        try:
            trait._validate(self, from_json(value, self))  # noqa: SLF001  (as setting it would)
        except (ExplorerError, traitlets.TraitError, TypeError, ValueError, LookupError):
            return False
        return True
