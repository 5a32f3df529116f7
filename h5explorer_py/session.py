"""What one explorer has open, and how it is exchanged for another lookup."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import tempfile
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from h5explorer_py import jobs
from h5explorer_py.dataset import Dataset
from h5explorer_py.errors import CancelledError, ClosedError, StaleDatasetError
from h5explorer_py.lookup.packed.background import end_packing
from h5explorer_py.lookup.packed.store import cache_root
from h5explorer_py.options import named
from h5explorer_py.protocol import VERSION
from h5explorer_py.scratch import SCRATCH
from h5explorer_py.view.ordering import sort_keys
from h5explorer_py.view.view import View, make_view
from h5explorer_py.view.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from h5explorer_py.options import Options

_MOST_NOTICES = 5
_CLOSING_SECONDS = 0.5
_GROWTH_SECONDS = 0.4
_LOOK_SECONDS = 0.3
_LOOKING_SECONDS = 60.0


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Let go of everything while Python still can: DuckDB complains of connections that are left open."""
    jobs.end_all()
    end_packing()
    for session in list(_sessions):
        session.close()


class Session:
    """The open data set of one explorer, and the view of it that is shown. What is refused leaves both in place.

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
        self._view: View | None = View(_opened(source, options))
        self._named = named(source)
        self._making: object = None
        self._progress: float | None = None
        self._exported: float | None = None
        self.on_opened: list[Callable[[], None]] = []
        self.on_grown: list[Callable[[], None]] = []
        self.on_noticed: list[Callable[[], None]] = []
        _sessions.add(self)
        self._follow_growth()

    def _follow_growth(self) -> None:
        """Tell now and then how many rows there are, as long as they are being counted."""
        view = self.view
        if view.dataset.lookup.counting:
            threading.Thread(target=self._tell_growth, args=(view,), name="h5explorer-growing", daemon=True).start()

    def _tell_growth(self, view: View) -> None:
        lookup = view.dataset.lookup
        notices = len(lookup.notices)
        growing = True
        while growing:
            time.sleep(_GROWTH_SECONDS)
            growing = lookup.counting
            if self._view is not view:
                return
            if not growing and len(lookup.notices) > notices:  # perhaps read in another way from now on
                view.dataset.forget()
                with self._lock:
                    self._number += 1
                self._tell()
                return
            with self._telling:
                for tell in self.on_grown:
                    tell()

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
        opened = _opened(source, chosen)
        try:
            with self._lock:
                if self._view is None:
                    raise ClosedError("This explorer has been closed.")
                give_up()
                old, self._view = self._view, View(opened)
                self._options, self._named = chosen, named(source)
                self._making = None
                self._number += 1
        except BaseException:
            opened.close()
            raise
        self._tell()
        self._follow_growth()
        self.look_for_shards()
        old.close()
        _let_go(old.dataset)

    def show(self, condition: str, sort: Any, give_up: Callable[[], None] = lambda: None) -> None:
        """Show the rows that a condition keeps, in an order. What is being worked out for an earlier wish is dropped.

        Parameters
        ----------
        condition : str
            The filter; empty for none.
        sort : list of (str, str)
            Columns, each with "asc" or "desc".
        give_up : callable
            Raises where it is not wanted any more; what was shown stays so then.

        Raises
        ------
        ConditionError
            Where the filter is no condition, or cannot be computed.
        ExplorerError
            Where it is refused otherwise.
        """
        keys = sort_keys(sort)
        mine = object()
        with self._lock:
            dataset = self.dataset
            self._making, self._progress = mine, 0.0

        def still_wanted() -> None:
            give_up()
            if self._making is not mine:
                raise CancelledError("Another filter has been set meanwhile.")

        def told(done: float) -> None:
            if self._making is mine:
                self._progress = done

        try:
            view = make_view(dataset, condition, keys, Work(still_wanted, told, scratch_folder()))
            with self._lock:
                try:
                    still_wanted()
                except BaseException:
                    view.close()
                    raise
                assert self._view is not None
                old, self._view = self._view, view
                self._number += 1
        finally:
            with self._lock:
                if self._making is mine:
                    self._making = self._progress = None
        self._tell()
        old.close()

    @contextlib.contextmanager
    def exporting(self, total: int) -> Iterator[Callable[[int], None]]:
        """Give what is to be told how many of so many rows have been written."""

        def told(rows: int) -> None:
            self._exported = rows / max(1, total)

        self._exported = 0.0
        try:
            yield told
        finally:
            self._exported = None

    @property
    def exported(self) -> float | None:
        """How far what is being written is, 0 to 1; ``None`` where nothing is."""
        return self._exported

    def _tell(self) -> None:
        with self._telling:  # one after the other: what is told last is what is open
            for tell in self.on_opened:
                tell()

    def look_for_shards(self) -> None:
        """See, a moment from now and in the background, whether the shards are there; tell where none of them is."""
        shown = self._view
        if shown is None:
            return
        dataset, session = weakref.ref(shown.dataset), weakref.ref(self)

        def look(job: jobs.Job) -> None:
            job.wait(_LOOK_SECONDS)  # the first rows and pictures go before it
            found = dataset()
            if found is not None:
                found.look_for_shards(job.give_up)

        def looked(_: object, error: BaseException | None) -> None:
            found, me = dataset(), session()
            if error is not None or found is None or me is None or found.absence is None or found.absence.some:
                return
            view = me._view  # noqa: SLF001  (its own)
            if view is not None and view.dataset is found:
                for tell in me.on_noticed:
                    tell()

        jobs.looking.submit(jobs.Job(look, looked, _LOOKING_SECONDS))

    @property
    def progress(self) -> float | None:
        """How far the filter or order that is being worked out is, 0 to 1; ``None`` where none is."""
        return self._progress

    @property
    def view(self) -> View:
        """What is shown.

        Raises
        ------
        ClosedError
            After :meth:`close`.
        """
        view = self._view
        if view is None:
            raise ClosedError("This explorer has been closed.")
        return view

    def reader(self) -> Callable[[int, int], pa.Table]:
        """Return what reads rows of the view that is shown now, by their positions, and refuses once another is."""
        number, _ = self.numbered(None)

        def read(start: int, stop: int) -> pa.Table:
            return self.numbered(number)[1].read(start, stop)

        return read

    @property
    def dataset(self) -> Dataset:
        """The open data set.

        Raises
        ------
        ClosedError
            After :meth:`close`.
        """
        return self.view.dataset

    def numbered(self, number: int | None) -> tuple[int, View]:
        """Return what is shown, provided that it is still what has this number.

        Raises
        ------
        StaleDatasetError
            Where it has been replaced since.
        """
        with self._lock:
            if number is not None and number != self._number:
                raise StaleDatasetError("Another lookup or filter is shown meanwhile.")
            return self._number, self.view

    def describe(self) -> dict[str, Any]:
        """Return what the page needs to know at once, as small JSON."""
        with self._lock:
            view = self.view
            lookup = view.dataset.lookup
            return {
                "dataset": self._number,
                "protocol": VERSION,
                "name": lookup.name,
                "location": lookup.location,
                "records": view.num_rows,
                "total": lookup.num_rows,
                "counting": lookup.counting,
                "filter": view.filter,
                "sort": [list(key) for key in view.sort],
                "index": view.dataset.rows.progress.to_json(),
                "notices": list(view.notices[:_MOST_NOTICES]),
                "options": {"lookup": self._named, **self._options.to_json()},
            }

    def close(self) -> None:
        """Close the data set."""
        with self._lock:
            view, self._view = self._view, None
            self._making = None
        if view is not None:
            view.close()
            _let_go(view.dataset)


def _opened(source: Any, options: Options) -> Dataset:
    return Dataset(source, options.columns, options.root, cache=options.cache, cache_limit=options.cache_limit)


def scratch_folder() -> str | None:
    """Return the folder for what does not fit in memory: below the cache, or else the system's for such files."""
    folder = os.path.join(cache_root(), SCRATCH)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return tempfile.gettempdir()
    return folder


def _let_go(dataset: Dataset) -> None:
    """Close a data set; what is still being read of it, from a file system that is slow, is not waited for."""
    if sys.is_finalizing():
        return
    closing = threading.Thread(target=dataset.close, name="h5explorer-closing", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)
