"""The rows of a lookup, from wherever they are quickest to have: its own file at first, then what has been packed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import ExplorerError, LookupUnreadableError, NotReadyError
from h5explorer_py.lookup.base import KEYS_SCHEMA
from h5explorer_py.lookup.finding import RowFinder
from h5explorer_py.lookup.packed.packed import PackedLookup
from h5explorer_py.lookup.packed.preparation import Preparation
from h5explorer_py.lookup.packed.progress import Phase, Progress
from h5explorer_py.lookup.packed.store import cache_root, folder_of, known_rows, origin_of
from h5explorer_py.lookup.text import no_rows
from h5explorer_py.scratch import put_aside

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.lookup.find import Query
    from h5explorer_py.lookup.packed.keys import PackedKeys

WINDOW_ROWS = 1024
_WINDOWS_KEPT = 64
_LOOK_SECONDS = 0.2
_SHORT_SECONDS = 0.02
_PROBES = 2

BEGIN_SECONDS = 1.0
"""How long after a lookup has been opened packing begins: the first rows and pictures go before it."""


class LookupRows:
    """The rows of a lookup. All methods may be called from any thread.

    Parameters
    ----------
    lookup : Lookup
        The lookup.
    cache : bool or str
        Whether it is packed in the background; a text names the folder for that.
    cache_limit : int, optional
        How many bytes all that is packed may take there.
    """

    def __init__(self, lookup: Lookup, *, cache: bool | str = False, cache_limit: int | None = None) -> None:
        self.lookup = lookup
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._packing = threading.Lock()
        self._for_now: PackedLookup | None = None
        self._windows: OrderedDict[int, pa.Table] = OrderedDict()
        self._finder = RowFinder(lookup)
        self.preparation: Preparation | None = None
        self._timer: threading.Timer | None = None
        self._closed = False
        self._limit = cache_limit
        self._root = cache if isinstance(cache, str) else cache_root() if cache else None
        if self._root is not None:
            known = known_rows(lookup, self._root) if lookup.counting else None
            if known is not None:
                lookup.assume(known)
            if lookup.counting:
                threading.Thread(target=self._prepare_later, name="h5explorer-counted", daemon=True).start()
            else:
                self._prepare(self._root)

    def _prepare(self, root: str) -> None:
        origin = origin_of(self.lookup)
        if origin is None:
            return
        preparation = Preparation(self.lookup, origin, root, self._limit)
        self._timer = threading.Timer(BEGIN_SECONDS, preparation.begin)
        self._timer.daemon = True
        if not preparation.open_at_once():
            self._timer.start()
        with self._lock:
            if not self._closed:
                self.preparation = preparation
                return
        self._timer.cancel()
        preparation.close()

    def _prepare_later(self) -> None:
        assert self._root is not None
        with contextlib.suppress(ExplorerError):
            self.lookup.wait_counted()
            self._prepare(self._root)

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self.lookup.num_rows

    @property
    def progress(self) -> Progress:
        """How far packing is."""
        preparation = self.preparation
        if preparation is not None:
            return preparation.progress
        return Progress(Phase.WAITING if self._root is not None and self.lookup.counting else Phase.OFF)

    @property
    def packed(self) -> PackedLookup | None:
        """What has been packed, when it is whole."""
        kept = None if self.preparation is None else self.preparation.packed
        return kept or self._for_now

    @property
    def growing(self) -> PackedKeys | None:
        """What has been packed so far, while it is not whole."""
        return None if self.preparation is None else self.preparation.growing

    def keys(self, start: int, stop: int, give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return rows ``start`` to ``stop`` as text, in the columns of ``KEYS_SCHEMA``.

        Parameters
        ----------
        start, stop : int
            The rows.
        give_up : callable
            Called while others read the lookup; raises where nobody waits for the rows any more.
        """
        start, stop = max(0, start), min(stop, self.num_rows)
        if start >= stop:
            return no_rows(KEYS_SCHEMA)
        found = self._packed_keys(start, stop)
        if found is not None:
            return found
        first, last = start // WINDOW_ROWS, (stop - 1) // WINDOW_ROWS
        table = pa.concat_tables([self._window(index, give_up) for index in range(first, last + 1)])
        return table.slice(start - first * WINDOW_ROWS, stop - start)

    def take(self, rows: NDArray[np.int64], give_up: Callable[[], None] = lambda: None) -> pa.Table:
        """Return single rows as text, in the given order, in the columns of ``KEYS_SCHEMA``."""
        packed = self.packed
        if packed is not None:
            self.lookup.check_unchanged()
            try:
                return packed.keys.take(rows)
            except (LookupUnreadableError, OSError, ValueError):
                self.drop(packed)
        tables = [no_rows(KEYS_SCHEMA)]
        windows: dict[int, pa.Table] = {}
        for row in rows.tolist():
            index = row // WINDOW_ROWS
            if index not in windows:
                windows = {index: self._window(index, give_up)}
            tables.append(windows[index].slice(row % WINDOW_ROWS, 1))
        return pa.concat_tables(tables).combine_chunks()

    def _packed_keys(self, start: int, stop: int) -> pa.Table | None:
        packed = self.packed
        growing = None if packed is not None else self.growing
        if packed is None and (growing is None or growing.rows < stop):
            return None
        self.lookup.check_unchanged(start, stop)
        try:
            if packed is not None:
                return packed.keys.keys(start, stop)
            assert growing is not None
            return growing.keys(start, stop)
        except (LookupUnreadableError, OSError, ValueError):  # damaged, or closed meanwhile
            if packed is not None:
                self.drop(packed)
            return None

    def drop(self, packed: PackedLookup) -> None:
        """Use no longer what has been packed, as it turned out to be damaged."""
        if packed is self._for_now:
            self._for_now = None
            packed.close()
        elif self.preparation is not None:
            self.preparation.drop(packed)

    def _window(self, index: int, give_up: Callable[[], None]) -> pa.Table:
        held = self._held_window(index)
        if held is not None:
            return held
        while not self._reading.acquire(timeout=_LOOK_SECONDS):
            give_up()
        try:
            held = self._held_window(index)  # read by the one that was waited for
            if held is not None:
                return held
            counting = self.lookup.counting
            start, stop = index * WINDOW_ROWS, min((index + 1) * WINDOW_ROWS, self.num_rows)
            packed = self._packed_keys(start, stop)
            if packed is None:
                self._check_reach(stop)
            table = self.lookup.keys(start, stop) if packed is None else packed
        finally:
            self._reading.release()
        if table.num_rows < WINDOW_ROWS and counting:  # more rows belong to it
            return table
        with self._lock:
            self._windows[index] = table
            while len(self._windows) > _WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return table

    def _check_reach(self, stop: int) -> None:
        progress = self.progress
        if stop <= self.lookup.quick_rows or progress.phase not in {Phase.WAITING, Phase.PACKING}:
            return
        reached = max(self.lookup.quick_rows, progress.rows)
        raise NotReadyError(
            f"Rows from {reached + 1:,} on can be shown when the index has come so far "
            f"({progress.fraction:.0%}): the row groups of {self.lookup.name} are too large to be read otherwise.",
            rows=reached,
        )

    def forget(self) -> None:
        """Forget what has been read, as it is to be read in another way."""
        with self._lock:
            self._windows.clear()

    def _held_window(self, index: int) -> pa.Table | None:
        with self._lock:
            held = self._windows.get(index)
            if held is not None:
                self._windows.move_to_end(index)
            return held

    def packed_now(
        self, give_up: Callable[[], None], progress: Callable[[float], None], scratch: str | None = None
    ) -> PackedLookup:
        """Return what has been packed; where it is not whole yet, that is waited for or done now.

        Parameters
        ----------
        give_up : callable
            Raises where nobody waits for it any more.
        progress : callable
            Is told the part of the work that has been done, 0 to 1.
        scratch : str, optional
            Where to put what is kept in no cache; by default the system's folder for such things.

        Raises
        ------
        WriteFailedError
            Where there is no room for it.
        """
        self.lookup.wait_counted(give_up)
        preparation = self.preparation
        if preparation is not None:
            preparation.begin()
            while not preparation.wait(_LOOK_SECONDS):
                give_up()
                progress(preparation.progress.fraction)
            if preparation.packed is not None:
                return preparation.packed
        while not self._packing.acquire(timeout=_LOOK_SECONDS):
            give_up()
        try:
            if self._for_now is None:
                with put_aside(scratch):
                    self._for_now = PackedLookup.made_for_now(self.lookup, give_up, progress, scratch)
            return self._for_now
        finally:
            self._packing.release()

    def prepare(self, seconds: float | None = None) -> Progress:
        """Have the lookup packed, and wait until it is ready, has been stopped or has failed.

        Parameters
        ----------
        seconds : float, optional
            How long to wait at most.

        Returns
        -------
        Progress
            How far it is then.
        """
        until = None if seconds is None else time.monotonic() + seconds

        def late() -> bool:
            return until is not None and time.monotonic() >= until

        while self._is_to_be_prepared() and not late():
            time.sleep(_SHORT_SECONDS)
        preparation = self.preparation
        if preparation is not None:
            preparation.begin()
            preparation.wait(None if until is None else max(0.0, until - time.monotonic()))
        return self.progress

    def _is_to_be_prepared(self) -> bool:
        """Whether packing will be possible when all rows have been counted."""
        if self._root is None or self._closed or self.preparation is not None:
            return False
        return self.lookup.counting or origin_of(self.lookup) is not None

    def use_kept(self, root: str) -> None:
        """Use what has been packed before, if it is whole. Nothing is packed.

        Parameters
        ----------
        root : str
            The cache folder.
        """
        origin = origin_of(self.lookup)
        if origin is None or self.packed is not None:
            return
        with contextlib.suppress(ExplorerError, OSError), contextlib.ExitStack() as undo:
            packed = PackedLookup(folder_of(origin, root), origin)
            undo.callback(packed.close)
            if packed.agrees_with(self.lookup, _PROBES):
                undo.pop_all()
                packed.keep()
                self._for_now = packed

    # Finding

    @property
    def has_index(self) -> bool:
        """Whether the rows of a uuid are known without going through the lookup."""
        return self._finder.has_index(self)

    def of_key(self, key: str, give_up: Callable[[], None] = lambda: None) -> list[int]:
        """Return all rows that have exactly this uuid, in their order."""
        return self._finder.of_key(self, key, give_up)

    def next_match(self, query: Query, start: int, stop: int, give_up: Callable[[], None]) -> int | None:
        """Return the first row of ``start`` to ``stop`` that a text matches."""
        return self._finder.next_match(self, query, start, stop, give_up)

    def count(self, query: Query, start: int, seconds: float, give_up: Callable[[], None]) -> tuple[int, int]:
        """Count the rows that a text matches from a row on, for about so many seconds: see ``count_matches``."""
        return self._finder.count(self, query, start, seconds, give_up)

    def filepaths(self, give_up: Callable[[], None]) -> int:
        """Count the different filepaths; goes through the lookup once unless it has been packed."""
        return self._finder.filepaths(self, give_up)

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self.preparation is not None:
            self.preparation.close()
        if self._for_now is not None:
            self._for_now.close()
        self.lookup.close()
