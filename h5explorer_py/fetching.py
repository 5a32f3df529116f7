"""Images of several rows: one after another, or many at a time where the file system is slow.

Where it is not, an image takes 0.2 ms, and threads that take turns for each of its reads take longer than one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from h5explorer_py import jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.images.image import Image

LARGEST = 2 << 20
"""Bytes of an image that is read before its turn comes: those of a request take 32 MB at most."""

_FETCH_SECONDS = 60.0
_LOOK_SECONDS = 0.2


class Fetched(NamedTuple):
    """An image, and the state of its file before it was read: a change since then is seen by that."""

    state: str
    image: Image


class Fetching:
    """The images of some rows, which are asked for in their order.

    Parameters
    ----------
    dataset : Dataset
        Where they come from.
    entries : sequence of Entry
        The rows.
    job : Job
        What they are wanted for; when it is withdrawn, no other is begun.
    """

    def __init__(self, dataset: Dataset, entries: Sequence[Entry], job: jobs.Job) -> None:
        self._dataset = dataset
        self._left = list(entries)
        self._job = job
        self._begun: dict[Entry, jobs.Job] = {}
        self._fetched: dict[Entry, Fetched] = {}

    def get(self, entry: Entry) -> Fetched:
        """Return the image of a row.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        if self._dataset.is_slow:  # as the last image has shown, of whatever row
            for each in self._left:
                self._begin(each)
            self._left.clear()
        elif entry in self._left:
            self._left.remove(entry)
        begun = self._begun.get(entry)
        if begun is not None:
            self._wait(begun)
            fetched = self._fetched.pop(entry, None)
            if fetched is not None:
                return fetched
        state = self._dataset.image_state(entry)
        return Fetched(state, self._dataset.image(entry, self._job.give_up))

    def _wait(self, begun: jobs.Job) -> None:
        try:
            while not begun.wait(_LOOK_SECONDS):
                self._job.give_up()
        except BaseException:
            for each in self._begun.values():
                each.cancel()  # else threads that a dead file system holds are not soon replaced
            raise

    def _begin(self, entry: Entry) -> None:
        def fetch(_: jobs.Job) -> None:
            self._job.give_up()
            state = self._dataset.image_state(entry)
            image = self._dataset.small_image(entry, LARGEST)
            if image is not None:
                self._fetched[entry] = Fetched(state, image)

        begun = self._begun[entry] = jobs.Job(fetch, _tell_nobody, _FETCH_SECONDS)
        jobs.fetching.submit(begun)


def _tell_nobody(_: object, error: BaseException | None) -> None:
    """Leave an error to the turn of the image, which is tried again then."""
