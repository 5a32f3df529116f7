"""A packed lookup that is whole: windows, uuids and files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import Header
from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex

if TYPE_CHECKING:
    import pyarrow as pa

    from h5explorer_py.lookup.base import Lookup

_PROBED_ROWS = 64


class PackedLookup:
    """What is in the folder of a lookup that has been packed and indexed. All methods may be called from any thread.

    Parameters
    ----------
    folder : str
        The folder.
    origin : Header
        What the lookup is, and in which state.

    Attributes
    ----------
    keys : PackedKeys
        The rows.
    uuids : UuidIndex or None
        The rows in the order of their uuids; ``None`` where the keys are no uuids.
    files : FileIndex or None
        The rows of every file; ``None`` where too many files differ.

    Raises
    ------
    LookupUnreadableError
        Where it is not whole, damaged, or of another state of the lookup.
    """

    def __init__(self, folder: str, origin: Header) -> None:
        header = Header.read(folder)
        if header is None or not header.whole or not header.is_of(origin):
            raise LookupUnreadableError(f"{folder} holds no whole packed lookup of this state.")
        self.folder = folder
        with contextlib.ExitStack() as undo:
            self.keys = PackedKeys(folder, header)
            undo.callback(self.keys.close)
            self.uuids = UuidIndex(folder, self.keys) if header.form else None
            if self.uuids:
                undo.callback(self.uuids.close)
            self.files = FileIndex(folder, self.keys) if header.filepaths >= 0 else None
            if self.files:
                undo.callback(self.files.close)
            if Header.read(folder) != header:
                raise LookupUnreadableError(f"{folder} is being written anew.")
            undo.pop_all()

    def agrees_with(self, lookup: Lookup, parts: int) -> bool:
        """Compare some rows at the beginning, and in so many other places, with the lookup itself."""
        rows = self.keys.rows
        starts = {(rows - _PROBED_ROWS) * part // max(1, parts) for part in range(parts + 1)}
        return all(_same(self.keys, lookup, max(0, start)) for start in starts)

    def close(self) -> None:
        """Let go of the files."""
        for each in (self.keys, self.uuids, self.files):
            if each is not None:
                each.close()


def _same(keys: PackedKeys, lookup: Lookup, start: int) -> bool:
    packed: pa.Table = keys.keys(start, start + _PROBED_ROWS)
    return bool(packed.equals(lookup.keys(start, min(start + _PROBED_ROWS, lookup.num_rows))))
