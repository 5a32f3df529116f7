"""Packing a lookup: one pass over its two key columns, within bounded memory, that goes on where it was left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import LookupUnreadableError, UnsupportedError
from h5explorer_py.lookup.packed.column import DoesNotFitError
from h5explorer_py.lookup.packed.keycolumn import form_for
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import MOST_ROWS, OWNER, Header

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.lookup.base import Lookup

SAVE_ROWS = 1 << 23
"""After how many rows what has been packed is saved: what is lost where the work is broken off there."""


class Conversion:
    """Packs the keys of a lookup into a folder. What is packed already can be read meanwhile, from any thread.

    Parameters
    ----------
    lookup : Lookup
        What to pack.
    origin : Header
        What the lookup is, and in which state.
    folder : str
        Where to. What an earlier conversion of the same lookup has left there is gone on with.
    """

    def __init__(self, lookup: Lookup, origin: Header, folder: str) -> None:
        self._lookup = lookup
        self._origin = origin
        self._folder = folder
        self.keys: PackedKeys | None = None

    def run(self, tick: Callable[[int], None]) -> Header:
        """Pack what is left to be packed.

        Parameters
        ----------
        tick : callable
            Is told, now and then, how many rows have been packed; stops the work by raising. What has been packed
            by then is gone on with the next time.

        Raises
        ------
        UnsupportedError
            Where the lookup has more rows than 4 bytes number.
        ExplorerError
            Where the lookup cannot be read.
        OSError
            Where the folder cannot be written.
        """
        if self._origin.lookup_rows >= MOST_ROWS:
            raise UnsupportedError(f"A lookup of more than {MOST_ROWS:,} rows is not packed.")
        header = Header.read(self._folder)
        if header is None or not header.is_of(self._origin):
            header = self._begin(self._form(), 0)
        while True:
            keys = self._opened(header)
            try:
                return self._add(keys, tick)
            except DoesNotFitError:
                kept_as_texts = keys.with_texts_for_what_does_not_fit
                header = self._begin(*kept_as_texts)

    def _form(self) -> str:
        for batch in self._lookup.scan([self._lookup.columns.uuid]):
            return form_for(batch.column(0))
        return "dashed"

    def _begin(self, form: str, filepaths: int) -> Header:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and entry.name != OWNER:
                    os.unlink(entry.path)
        return self._origin.changed(form=form, filepaths=filepaths)

    def _opened(self, header: Header) -> PackedKeys:
        try:
            self.keys = PackedKeys(self._folder, header, writing=True)
        except (LookupUnreadableError, pa.ArrowException, OSError):
            if header.rows == 0:
                raise
            self.keys = PackedKeys(self._folder, self._begin(header.form, min(header.filepaths, 0)), writing=True)
        return self.keys

    def _add(self, keys: PackedKeys, tick: Callable[[int], None]) -> Header:
        columns = [self._lookup.columns.uuid, self._lookup.columns.filepath]
        saved = keys.rows
        tick(keys.rows)
        if keys.rows < self._origin.lookup_rows:
            for batch in self._lookup.scan(columns, keys.rows):
                keys.write(batch)
                tick(keys.rows)
                if keys.rows - saved >= SAVE_ROWS:
                    keys.save()
                    saved = keys.rows
        if keys.rows != self._origin.lookup_rows:
            raise LookupUnreadableError(f"{self._lookup.name} has {keys.rows:,} rows and not those it says it has.")
        return keys.save()
