"""What one explorer has open, and how it is exchanged for another lookup."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from h5explorer_py.dataset import Dataset
from h5explorer_py.errors import ClosedError, StaleDatasetError
from h5explorer_py.protocol import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.options import Options

_MOST_NOTICES = 5
_CLOSING_SECONDS = 0.5


class Session:
    """The open data set of one explorer. A refused lookup leaves the open one in place.

    Parameters
    ----------
    source
        The lookup.
    options : Options
        How it is to be read.
    """

    def __init__(self, source: Any, options: Options) -> None:
        self._lock = threading.Lock()
        self._telling = threading.RLock()  # a listener may open the next
        self._number = 1
        self._options = options
        self._dataset: Dataset | None = Dataset(source, options.columns, options.root, cache=options.cache)
        self.on_opened: list[Callable[[], None]] = []

    def open(self, source: Any, give_up: Callable[[], None] = lambda: None, **options: Any) -> None:
        """Open another lookup in place of this one.

        Parameters
        ----------
        source
            The lookup.
        give_up : callable
            Raises where it is not wanted any more; what was open stays so then.
        **options
            How it is to be read, where that differs from before.

        Raises
        ------
        ExplorerError
            Where it is refused; what was open stays so.
        """
        chosen = self._options.changed(**options)
        opened = Dataset(source, chosen.columns, chosen.root, cache=chosen.cache)
        try:
            with self._lock:
                if self._dataset is None:
                    raise ClosedError("This explorer has been closed.")
                give_up()
                old, self._dataset = self._dataset, opened
                self._options = chosen
                self._number += 1
        except BaseException:
            opened.close()
            raise
        with self._telling:  # one after the other: what is told last is what is open
            for tell in self.on_opened:
                tell()
        _let_go(old)

    @property
    def dataset(self) -> Dataset:
        """The open data set.

        Raises
        ------
        ClosedError
            After :meth:`close`.
        """
        dataset = self._dataset
        if dataset is None:
            raise ClosedError("This explorer has been closed.")
        return dataset

    def numbered(self, number: int | None) -> tuple[int, Dataset]:
        """Return the open data set, provided that it is still the one of this number.

        Raises
        ------
        StaleDatasetError
            Where it has been replaced since.
        """
        with self._lock:
            if number is not None and number != self._number:
                raise StaleDatasetError("Another lookup has been opened meanwhile.")
            return self._number, self.dataset

    def describe(self) -> dict[str, Any]:
        """Return what the page needs to know at once, as small JSON."""
        with self._lock:
            dataset = self.dataset
            lookup = dataset.lookup
            return {
                "dataset": self._number,
                "protocol": VERSION,
                "name": lookup.name,
                "location": lookup.location,
                "records": lookup.num_rows,
                "index": dataset.rows.progress.to_json(),
                "notices": list(lookup.notices[:_MOST_NOTICES]),
            }

    def close(self) -> None:
        """Close the data set."""
        with self._lock:
            dataset, self._dataset = self._dataset, None
        if dataset is not None:
            _let_go(dataset)


def _let_go(dataset: Dataset) -> None:
    """Close a data set; what is still being read of it, from a file system that is slow, is not waited for."""
    if sys.is_finalizing():
        return
    closing = threading.Thread(target=dataset.close, name="h5explorer-closing", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)
