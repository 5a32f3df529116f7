"""The rows of a packed lookup: a window of them costs two reads. Read also while they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.files import why
from h5explorer_py.lookup.base import KEYS_SCHEMA
from h5explorer_py.lookup.packed.column import DoesNotFitError
from h5explorer_py.lookup.packed.filecolumn import CodeColumn, open_file_column
from h5explorer_py.lookup.packed.keycolumn import UuidColumn, open_key_column
from h5explorer_py.lookup.text import no_rows, numbers_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.lookup.packed.layout import Header


class PackedKeys:
    """The keys of a packed lookup. All but writing may be done from any thread.

    Parameters
    ----------
    folder : str
        Where it was packed to.
    header : Header
        How far what is there is to be believed.
    writing : bool
        Whether rows are going to be added.

    Raises
    ------
    LookupUnreadableError
        Where it is damaged.
    """

    def __init__(self, folder: str, header: Header, *, writing: bool = False) -> None:
        self._folder = folder
        self.header = header
        self.rows = header.rows
        self._does_not_fit = ""
        try:
            self.uuids = open_key_column(folder, header, writing=writing)
            try:
                self.files = open_file_column(folder, header, writing=writing)
            except BaseException:
                self.uuids.close()
                raise
        except (OSError, pa.ArrowException, ValueError, IndexError) as error:
            if writing and isinstance(error, OSError):
                raise
            raise LookupUnreadableError(f"The packed lookup in {folder} cannot be read: {why(error)}.") from error

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows of the two key columns.

        Raises
        ------
        DoesNotFitError
            Where a column cannot be kept in the way that was begun: see ``with_texts_for_what_does_not_fit``.
        """
        for what, column, at in (("uuids", self.uuids, 0), ("files", self.files, 1)):
            try:
                column.write(batch.column(at))
            except DoesNotFitError:
                self._does_not_fit = what
                self.close()
                raise
        self.rows += batch.num_rows

    @property
    def with_texts_for_what_does_not_fit(self) -> tuple[str, int]:
        """The form and the count of filepaths of a header to begin again with."""
        form = "" if self._does_not_fit == "uuids" else self.header.form
        return form, -1 if self._does_not_fit == "files" else min(self.header.filepaths, 0)

    def save(self) -> Header:
        """Have what has been written outlast the process."""
        header = self.files.save(self.uuids.save(self.header)).changed(rows=self.rows)
        header.write(self._folder)
        self.header = header
        return header

    def keys(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop``, in the columns of ``KEYS_SCHEMA``.

        Raises
        ------
        LookupUnreadableError
            Where the files have been cut short.
        """
        start, stop = max(0, start), min(stop, self.rows)
        if start >= stop:
            return no_rows(KEYS_SCHEMA)
        return pa.Table.from_arrays([self.uuids.read(start, stop), self.files.read(start, stop)], schema=KEYS_SCHEMA)

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """Return single rows, in any order, in the columns of ``KEYS_SCHEMA``: rows that are near are read together."""
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        taken = pa.Table.from_arrays([self.uuids.take(ascending), self.files.take(ascending)], schema=KEYS_SCHEMA)
        if (order[1:] > order[:-1]).all():
            return taken
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return taken.take(numbers_array(back))

    def uuid_bytes_at(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the uuids of rows ``start`` to ``stop``, shape (n, 16), of keys that are uuids: one read."""
        assert isinstance(self.uuids, UuidColumn)
        return self.uuids.bytes_at(start, stop)

    @property
    def odd_rows(self) -> list[int]:
        """The rows whose key is no uuid, of keys most of which are."""
        return self.uuids.odd_rows if isinstance(self.uuids, UuidColumn) else []

    def codes_at(self, start: int, stop: int) -> NDArray[np.uint32]:
        """Return the numbers of the filepaths of rows ``start`` to ``stop``, where they have numbers: one read."""
        assert isinstance(self.files, CodeColumn)
        return self.files.codes_at(start, stop)

    def close(self) -> None:
        """Let go of the files."""
        self.uuids.close()
        self.files.close()
