"""The rows of many uuids, found by going through the lookup rather than by an index."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.lookup.text import as_text, is_unicode, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from h5explorer_py.lookup.base import Lookup

AT_A_TIME = 1_000_000
"""Uuids that are looked for in one pass through the lookup: they take up 200 MB."""

MISSING_KEPT = 1_000


class UuidRows:
    """The rows of uuids, in the order of the uuids; of one that several rows have, all of them.

    Parameters
    ----------
    lookup : Lookup
        Where to look.
    uuids : iterable of str
        What for.
    give_up : callable
        Called now and then; ends the work by raising.

    Attributes
    ----------
    missing : int
        How many have not been found, as far as it has come.
    missing_kept : list of str
        The first 1,000 of them.
    """

    def __init__(self, lookup: Lookup, uuids: Iterable[str], give_up: Callable[[], None] = lambda: None) -> None:
        self._lookup = lookup
        self._uuids = iter(uuids)
        self._give_up = give_up
        self.missing = 0
        self.missing_kept: list[str] = []

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        while uuids := list(islice(self._uuids, AT_A_TIME)):
            yield self._rows(uuids)

    def _rows(self, uuids: list[str]) -> NDArray[np.int64]:
        # What is no Unicode text cannot be in the lookup, and must not become what is.
        encoded = text_array([uuid if is_unicode(uuid) else None for uuid in uuids]).dictionary_encode()
        numbers: NDArray[np.int64] = (
            pc.fill_null(encoded.indices, _minus_one(encoded.indices.type)).to_numpy(zero_copy_only=False)
        ).astype(np.int64)
        which, rows = self._matches(encoded.dictionary)
        counts = np.bincount(which, minlength=len(encoded.dictionary) + 1)  # the last is of what is no text
        starts = np.cumsum(counts) - counts
        times = counts[numbers]
        self._note([uuids[at] for at in np.flatnonzero(times == 0).tolist()])
        ends = np.cumsum(times)
        within = np.arange(int(times.sum())) - np.repeat(ends - times, times)
        return rows[np.repeat(starts[numbers], times) + within]

    def _matches(self, wanted: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of the wanted ones each match is, and its row: sorted by both."""
        which, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        row = 0
        for batch in self._lookup.scan([self._lookup.columns.uuid]):
            self._give_up()
            keys = as_text(pa.chunked_array([batch.column(0)]))
            found = pc.index_in(keys, value_set=wanted).combine_chunks()
            at = pc.indices_nonzero(found.is_valid()).to_numpy().astype(np.int64)
            which.append(found.drop_null().to_numpy().astype(np.int64))
            rows.append(at + row)
            row += batch.num_rows
        all_which, all_rows = np.concatenate(which), np.concatenate(rows)
        order = np.argsort(all_which, kind="stable")
        return all_which[order], all_rows[order]

    def _note(self, missing: list[str]) -> None:
        self.missing += len(missing)
        self.missing_kept += missing[: MISSING_KEPT - len(self.missing_kept)]


def _minus_one(kind: pa.DataType) -> pa.Scalar:
    return text_array(["-1"]).cast(kind)[0]  # pa.scalar would import pandas
