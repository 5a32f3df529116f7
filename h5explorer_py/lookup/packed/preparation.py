"""Having a lookup packed in the background: one after the other in a process, with progress; it can be stopped."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h5explorer_py.errors import CancelledError, ExplorerError, LookupUnreadableError
from h5explorer_py.files import why
from h5explorer_py.lookup.packed.convert import Conversion
from h5explorer_py.lookup.packed.index import build_file_index, build_uuid_index
from h5explorer_py.lookup.packed.layout import HEADER
from h5explorer_py.lookup.packed.packed import PackedLookup
from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex
from h5explorer_py.lookup.packed.store import BYTES_A_ROW, CACHE_VARIABLE, Claim, folder_of, mark_used, size_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.lookup.packed.keys import PackedKeys
    from h5explorer_py.lookup.packed.layout import Header

log = logging.getLogger(__name__)

_SHARES = (0.6, 0.33, 0.07)
"""What part of the time packing, sorting by uuid and sorting by file take."""

_LOOK_SECONDS = 1.0
_BREATH_SECONDS = 0.001
_MOST_DROPS = 2
_ENDING_SECONDS = 1.0


class Phase(StrEnum):
    """How far a preparation is."""

    OFF = "off"
    WAITING = "waiting"
    PACKING = "packing"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """How far a preparation is.

    Attributes
    ----------
    phase : Phase
        What is being done.
    fraction : float
        The part of the work that has been done, 0 to 1.
    rows : int
        How many rows can be had from what is packed.
    bytes : int
        The room that it takes on disk, where that is known.
    folder : str
        Where.
    message : str
        Why it has failed, or what it waits for.
    """

    phase: Phase
    fraction: float = 0.0
    rows: int = 0
    bytes: int = 0
    folder: str = ""
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire."""
        return {**asdict(self), "phase": str(self.phase)}


class Preparation:
    """The packing of one lookup.

    Parameters
    ----------
    lookup : Lookup
        The lookup, which stays open until :meth:`stop`.
    origin : Header
        What it is, and in which state.
    root : str
        The cache folder.
    probes : int
        In how many places beside the first rows what is found packed is compared with the lookup.
    """

    def __init__(self, lookup: Lookup, origin: Header, root: str, probes: int = 2) -> None:
        self._lookup = lookup
        self._origin = origin
        self._probes = probes
        self.folder = folder_of(origin, root)
        self._lock = threading.Lock()
        self._stopped = False
        self._closed = False
        self._conversion: Conversion | None = None
        self._packed: PackedLookup | None = None
        self._progress = Progress(Phase.WAITING, folder=self.folder)
        self._ended = threading.Event()
        self._drops = 0

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._progress

    @property
    def packed(self) -> PackedLookup | None:
        """What has been packed and indexed, when it is whole."""
        return self._packed

    @property
    def growing(self) -> PackedKeys | None:
        """The rows that have been packed so far, while that goes on."""
        conversion = self._conversion
        return None if conversion is None else conversion.keys

    def open_at_once(self) -> bool:
        """Open what an earlier kernel has packed; it is compared with the lookup in the background.

        Returns
        -------
        bool
            ``False`` where there is nothing whole.
        """
        try:
            if not self._open(probes=None):
                return False
        except CancelledError:
            return False
        self._ended.set()
        _worker.submit(self)
        return True

    def begin(self) -> None:
        """Have it begun, or gone on with, when its turn comes."""
        with self._lock:
            if self._closed or self._packed is not None or self._progress.phase is Phase.PACKING:
                return
            self._stopped = False
            self._ended.clear()
            self._progress = Progress(Phase.WAITING, self._progress.fraction, folder=self.folder)
        _worker.submit(self)

    def stop(self) -> None:
        """Stop it; what has been done is gone on with by the next :meth:`begin`."""
        with self._lock:
            self._stopped = True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is ready, stopped or failed; return whether it is one of these."""
        return self._ended.wait(seconds)

    def drop(self, packed: PackedLookup) -> None:
        """Stop using what turned out to be damaged."""
        with self._lock:
            if self._packed is not packed:
                return
            self._packed = None
        packed.close()
        self._tell(Phase.FAILED, 0.0, message="The files in the cache are damaged.")
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.folder, HEADER))
        self._drops += 1
        if self._drops <= _MOST_DROPS:
            self.begin()

    def run(self) -> None:
        """Do the work: called by the one thread that does it for all."""
        try:
            self._run()
        except CancelledError:
            self._tell(Phase.STOPPED, self._progress.fraction)
        except (OSError, ExplorerError, pa.ArrowException, MemoryError) as error:
            self._tell(Phase.FAILED, 0.0, message=_reason(error, self.folder))
        except Exception as error:
            log.exception("packing %s failed", self._lookup.name)
            self._tell(Phase.FAILED, 0.0, message=f"{type(error).__name__}: {error}")
        finally:
            conversion, self._conversion = self._conversion, None
            if conversion is not None and conversion.keys is not None:
                conversion.keys.close()
            self._ended.set()

    def _run(self) -> None:
        self._give_up()
        packed = self._packed
        if packed is not None:  # opened at once
            if packed.agrees_with(self._lookup, self._probes):
                return
            self.drop(packed)
            return
        if self._open(probes=self._probes):
            return
        os.makedirs(self.folder, exist_ok=True)
        claim = Claim(self.folder)
        while not claim.take():
            self._tell(Phase.WAITING, 0.0, message="Another kernel is preparing this lookup.")
            time.sleep(_LOOK_SECONDS)
            self._give_up()
        try:
            if not self._open(probes=self._probes):  # by the one that was waited for
                self._check_room()
                self._build(claim)
        finally:
            claim.leave()
        if not self._open(probes=0):
            raise LookupUnreadableError("What has been packed cannot be read back.")

    def _build(self, claim: Claim) -> None:
        def ticking(done_before: float, share: float) -> Callable[[int], None]:
            def tick(rows: int) -> None:
                claim.renew()
                part = rows / max(1, self._origin.lookup_rows)
                self._tell(Phase.PACKING, done_before + share * part)
                time.sleep(_BREATH_SECONDS)  # so that those who wait for a row come first
                self._give_up()

            return tick

        packing, by_uuid, by_file = _SHARES
        self._conversion = Conversion(self._lookup, self._origin, self.folder)
        header = self._conversion.run(ticking(0.0, packing))
        keys = self._conversion.keys
        assert keys is not None
        pa.default_memory_pool().release_unused()
        if header.form and not _opens(UuidIndex, self.folder, keys):
            build_uuid_index(self.folder, keys, ticking(packing, by_uuid))
        if header.filepaths >= 0 and not _opens(FileIndex, self.folder, keys):
            build_file_index(self.folder, keys, ticking(packing + by_uuid, by_file))

    def _open(self, probes: int | None) -> bool:
        """Open what is there; ``False`` where there is nothing whole that agrees with the lookup."""
        try:
            packed = PackedLookup(self.folder, self._origin)
        except (ExplorerError, OSError):
            return False
        agrees = False
        try:
            agrees = probes is None or packed.agrees_with(self._lookup, probes)
        finally:
            if not agrees:
                packed.close()
        if not agrees:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.folder, HEADER))
            return False
        with self._lock:
            if self._closed:
                packed.close()
                raise CancelledError("The lookup has been closed.")
            self._packed = packed
        mark_used(self.folder)
        self._tell(Phase.READY, 1.0, size=size_of(self.folder))
        return True

    def _check_room(self) -> None:
        room = os.statvfs(self.folder) if hasattr(os, "statvfs") else None
        needed = self._origin.lookup_rows * BYTES_A_ROW - size_of(self.folder)
        if room is not None and room.f_bavail * room.f_frsize < needed:
            raise OSError(None, f"{needed / 1e9:.1f} GB are needed and {room.f_bavail * room.f_frsize / 1e9:.1f} free")

    def _give_up(self) -> None:
        if self._stopped or self._closed:
            raise CancelledError("It was stopped.")

    def _tell(self, phase: Phase, fraction: float, message: str = "", size: int = 0) -> None:
        growing = self.growing
        rows = self._origin.lookup_rows if phase is Phase.READY else growing.rows if growing else 0
        self._progress = Progress(phase, min(1.0, fraction), rows, size, self.folder, message)

    def close(self) -> None:
        """Stop it for good, and let go of all files."""
        with self._lock:
            self._closed = True
            packed, self._packed = self._packed, None
        if packed is not None:
            packed.close()


def _opens(kind: type[UuidIndex | FileIndex], folder: str, keys: PackedKeys) -> bool:
    try:
        kind(folder, keys).close()
    except LookupUnreadableError:
        return False
    return True


def _reason(error: BaseException, folder: str) -> str:
    if isinstance(error, ExplorerError):
        return str(error)
    reason = error.args[1] if isinstance(error, OSError) and len(error.args) == 2 else why(error)
    return f"{folder} cannot be written: {reason}. Set {CACHE_VARIABLE} to a folder with room."


class _Worker:
    """The one thread that packs lookups, one after the other. It ends when there is nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Preparation] = SimpleQueue()
        self._runs = False
        self._ends = False
        self._current: Preparation | None = None

    def submit(self, preparation: Preparation) -> None:
        with self._lock:
            self._waiting.put(preparation)
            if not self._runs:
                try:
                    threading.Thread(target=self._work, name="h5explorer-packing", daemon=True).start()
                except RuntimeError:  # no more threads may be started: it goes without
                    return
                self._runs = True

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._waiting.empty() or self._ends:
                    self._runs = False
                    return
                preparation = self._current = self._waiting.get()
            preparation.run()

    def end(self) -> None:
        """Stop what is being packed, and wait for that a moment."""
        with self._lock:
            self._ends = True
            current = self._current
        if current is not None:
            current.stop()
        until = time.monotonic() + _ENDING_SECONDS
        while self._runs and time.monotonic() < until:
            time.sleep(_BREATH_SECONDS)


_worker = _Worker()


@atexit.register
def end_packing() -> None:
    """Have no thread within a library when Python ends: see :func:`h5explorer_py.jobs.end_all`."""
    _worker.end()
