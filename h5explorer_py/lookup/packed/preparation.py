"""Having a lookup packed in the background: one after the other in a process, with progress; it can be stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import CancelledError, ExplorerError, LookupUnreadableError, TooLargeError
from h5explorer_py.files import why
from h5explorer_py.lookup.packed.background import worker
from h5explorer_py.lookup.packed.claim import Claim, ClaimLostError
from h5explorer_py.lookup.packed.convert import Conversion
from h5explorer_py.lookup.packed.index import build_file_index, build_uuid_index
from h5explorer_py.lookup.packed.layout import HEADER
from h5explorer_py.lookup.packed.packed import PackedLookup
from h5explorer_py.lookup.packed.progress import Phase, Progress
from h5explorer_py.lookup.packed.room import Room, usual_limit
from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex
from h5explorer_py.lookup.packed.store import BYTES_A_ROW, CACHE_VARIABLE, folder_of, size_of

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
_UNDER_WAY = {Phase.WAITING, Phase.PACKING}
_MOST_DROPS = 2
_MOST_CLAIMS = 5


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
    limit : int, optional
        How many bytes the cache may take; where it is not given, as many as the environment's variable says.
    probes : int
        In how many places beside the first rows what is found packed is compared with the lookup.
    """

    def __init__(self, lookup: Lookup, origin: Header, root: str, limit: int | None = None, probes: int = 2) -> None:
        self._lookup = lookup
        self._origin = origin
        self._limit = limit
        self._probes = probes
        self.folder = folder_of(origin, root)
        self._lock = threading.Lock()
        self._stopped = False
        self._closed = False
        self._submitted = False
        self._again = False
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
        with self._lock:
            self._submit()
        return True

    def begin(self) -> None:
        """Have it begun, or gone on with, when its turn comes."""
        with self._lock:
            if self._closed or self._packed is not None:
                return
            if self._submitted:  # it may be about to end: then it is done once more
                if self._stopped or self._progress.phase not in _UNDER_WAY:
                    self._again = True
                    self._ended.clear()
                self._stopped = False
                return
            self._stopped = False
            self._ended.clear()
            self._progress = Progress(Phase.WAITING, self._progress.fraction, folder=self.folder)
            self._submit()

    def _submit(self) -> None:
        self._submitted = worker.submit(self)
        if not self._submitted and self._packed is None:
            self._tell(Phase.FAILED, 0.0, message="No thread could be started for it.")
            self._ended.set()

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
            with self._lock:
                self._submitted = False
                again, self._again = self._again, False
                if again and not (self._stopped or self._closed or self._packed):
                    self._progress = Progress(Phase.WAITING, self._progress.fraction, folder=self.folder)
                    self._submit()
                else:
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
        for _ in range(_MOST_CLAIMS):
            with contextlib.suppress(ClaimLostError):
                self._build_alone()
                break
        if not self._open(probes=0):
            raise LookupUnreadableError("What has been packed cannot be read back.")

    def _build_alone(self) -> None:
        """Build it when no other process does."""
        os.makedirs(self.folder, exist_ok=True)
        claim = Claim(self.folder)
        while not claim.take():
            self._tell(Phase.WAITING, 0.0, message="Another kernel is preparing this lookup.")
            time.sleep(_LOOK_SECONDS)
            self._give_up()
        try:
            if not self._open(probes=self._probes):  # by the one that was waited for
                room = Room(self.folder, usual_limit() if self._limit is None else self._limit)
                self._build_within(room, claim)
        finally:
            claim.leave()

    def _build_within(self, room: Room, claim: Claim) -> None:
        """Build it; what does not fit into the cache is not left in it."""
        try:
            room.make(max(self._origin.lookup_rows * BYTES_A_ROW, size_of(self.folder)))
            self._check_room()
            self._build(claim, room)
            room.check(now=True)
        except TooLargeError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _build(self, claim: Claim, room: Room) -> None:
        def ticking(done_before: float, share: float) -> Callable[[int], None]:
            def tick(rows: int) -> None:
                claim.renew()
                room.check()
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
        packed.keep()
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
            if not self._submitted:
                self._ended.set()
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
