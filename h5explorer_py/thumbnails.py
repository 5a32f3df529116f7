"""Thumbnails of many rows at once: images are read one after another, and decoded side by side."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from h5explorer_py import jobs
from h5explorer_py.errors import CancelledError, ClosedError
from h5explorer_py.files import shorten
from h5explorer_py.images.thumbnail import Thumbnail, thumbnail

if TYPE_CHECKING:
    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.images.image import Image
    from h5explorer_py.view.view import View

CACHE_BYTES = 32 << 20
"""Bytes of thumbnails kept: some 8,000 of 128 pixels."""

READ_AHEAD_BYTES = 16 << 20
"""Bytes of images that wait for being decoded, in each request; one larger image waits alone."""

_LOOK_SECONDS = 0.2
_READING_SECONDS = 5.0
"""After so long one that reads does not hold up the others any more: its file system may have died."""

_DECODING_SECONDS = 60.0
_PER_ENTRY = 200

Key = tuple[str, str, int]
"""The state of the file, the name of the image in it, and the longest side that was asked for."""

Outcome = Thumbnail | BaseException


class ThumbnailCache:
    """Thumbnails that have been made. What was used longest ago goes first.

    One is found only for the state of the file that it was made of: when the file changes, it is not found any more.

    Parameters
    ----------
    room : int
        Bytes that are kept.
    """

    def __init__(self, room: int = CACHE_BYTES) -> None:
        self._room = room
        self._held: OrderedDict[Key, Thumbnail] = OrderedDict()
        self._lock = threading.Lock()
        self.nbytes = 0

    def get(self, key: Key) -> Thumbnail | None:
        """Return a thumbnail; ``None`` where there is none."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def put(self, key: Key, made: Thumbnail) -> None:
        """Keep a thumbnail."""
        with self._lock:
            self._drop(self._held.pop(key, None))
            self._held[key] = made
            self.nbytes += len(made.data) + _PER_ENTRY
            while self.nbytes > self._room:
                self._drop(self._held.popitem(last=False)[1])

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._held.clear()
            self.nbytes = 0

    def _drop(self, held: Thumbnail | None) -> None:
        if held is not None:
            self.nbytes -= len(held.data) + _PER_ENTRY


cache = ThumbnailCache()
"""The thumbnails of this process, as its memory is what they take."""

_one_reads = threading.Lock()
"""Held while an image is read for a thumbnail: a reader process is left for what a person waits for."""


def make_thumbnails(view: View, rows: list[int], side: int, job: jobs.Job) -> list[Outcome]:
    """Make the thumbnails of rows.

    Parameters
    ----------
    view : View
        What is shown.
    rows : list of int
        The rows, by their positions.
    side : int
        How long the longer side of each is at most, in pixels.
    job : Job
        What they are made for; when it is withdrawn, no other picture is begun.

    Returns
    -------
    list of (Thumbnail or error)
        For each row a thumbnail, or why there is none.

    Raises
    ------
    CancelledError
        When the job has been withdrawn.
    ClosedError
        When the data set has been closed.
    """
    making = _Making(side, job)
    for at, row in enumerate(rows):
        job.give_up()
        try:
            _begin(view, row, at, making)
        except (CancelledError, ClosedError):
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, it concerns this row alone)
            making.take(at, error)
    making.wait(0)
    return [making.outcomes[at] for at in range(len(rows))]


def _begin(view: View, row: int, at: int, making: _Making) -> None:
    job, dataset = making.job, view.dataset
    entry = view.entry(row, job.give_up)
    # Looked at before the bytes are read: where the file changes in between, what is made is not found again.
    key = (dataset.image_state(entry), entry.key or "", making.side)
    held = cache.get(key)
    if held is not None:
        making.take(at, held)
        return
    making.wait(READ_AHEAD_BYTES)
    making.decode(at, key, _read(dataset, entry, job))


def _read(dataset: Dataset, entry: Entry, job: jobs.Job) -> Image:
    waited = 0.0
    alone = False
    while not alone and waited < _READING_SECONDS:
        alone = _one_reads.acquire(timeout=_LOOK_SECONDS)
        waited += _LOOK_SECONDS
        if not alone:
            job.give_up()
    try:
        return dataset.image(entry, job.give_up)
    finally:
        if alone:
            _one_reads.release()


class _Making:
    """The thumbnails of one request, as they come."""

    def __init__(self, side: int, job: jobs.Job) -> None:
        self.side = side
        self.job = job
        self.outcomes: dict[int, Outcome] = {}
        self._changed = threading.Condition()
        self._waiting: dict[int, int] = {}

    def take(self, at: int, outcome: Outcome) -> None:
        """Note what has become of a row."""
        with self._changed:
            self.outcomes[at] = outcome
            self._waiting.pop(at, None)
            self._changed.notify_all()

    def decode(self, at: int, key: Key, image: Image) -> None:
        """Have an image decoded by a thread of the pool."""

        def make(_: jobs.Job) -> None:
            self.job.give_up()
            made = thumbnail(image.data, self.side, shorten(image.key), self.job.give_up)
            cache.put(key, made)
            self.take(at, made)

        def done(_: object, error: BaseException | None) -> None:
            if error is not None:
                self.take(at, error)

        with self._changed:
            self._waiting[at] = len(image.data)
        jobs.decoding.submit(jobs.Job(make, done, _DECODING_SECONDS))

    def wait(self, most: int) -> None:
        """Wait until no more than so many bytes wait for being decoded.

        Raises
        ------
        CancelledError
            When the job has been withdrawn.
        """
        with self._changed:
            while self._waiting and sum(self._waiting.values()) > most:
                self._changed.wait(_LOOK_SECONDS)
                self.job.give_up()
