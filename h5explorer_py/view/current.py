"""Which row is shown, whatever is filtered and sorted meanwhile."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.view.view import View


class ShownRow:
    """Remembers the row of the lookup that is shown."""

    def __init__(self) -> None:
        self._dataset: weakref.ref[Dataset] | None = None
        self._row: int | None = None

    def remember(self, view: View, position: int | None) -> None:
        """Note what is shown now.

        Raises
        ------
        RowOutOfRangeError
            Where there is no such position.
        """
        self._dataset = weakref.ref(view.dataset)
        self._row = None if position is None else view.row_at(position)

    def position(self, view: View) -> int | None:
        """Return where that row is in another view; where it is not, the first position, if there is one."""
        if self._dataset is not None and self._dataset() is view.dataset and self._row is not None:
            kept = view.rows.position(self._row)
            if kept is not None:
                return kept
        return 0 if view.num_rows else None
