"""A packed lookup that is whole: windows, uuids and files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from h5explorer_py.errors import LookupUnreadableError
from h5explorer_py.lookup.packed.convert import Conversion
from h5explorer_py.lookup.packed.index import build_file_index, build_uuid_index
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import Header
from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex
from h5explorer_py.lookup.packed.store import mark_used
from h5explorer_py.lookup.packed.using import Use
from h5explorer_py.scratch import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from tempfile import TemporaryDirectory

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
        self._temporary: TemporaryDirectory[str] | None = None
        self._use: Use | None = None
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

    def keep(self) -> None:
        """Have no process remove it to make room for another, until it is closed."""
        mark_used(self.folder)
        self._use = self._use or Use(self.folder)

    def close(self) -> None:
        """Let go of the files, and of the folder where it was for this process only."""
        for each in (self.keys, self.uuids, self.files):
            if each is not None:
                each.close()
        if self._use is not None:
            self._use.end()
        if self._temporary is not None:
            self._temporary.cleanup()

    @classmethod
    def made_for_now(
        cls,
        lookup: Lookup,
        give_up: Callable[[], None],
        progress: Callable[[float], None],
        scratch: str | None = None,
    ) -> PackedLookup:
        """Pack a lookup that is kept in no cache into a temporary folder, which vanishes when it is closed.

        Parameters
        ----------
        lookup : Lookup
            What to pack.
        give_up : callable
            Raises where nobody waits for it any more.
        progress : callable
            Is told the part of the work that has been done, 0 to 1.
        scratch : str, optional
            Where to make the folder; by default where the system has such things.

        Raises
        ------
        OSError
            Where there is no room.
        """
        temporary = temporary_folder(scratch)
        with contextlib.ExitStack() as undo:
            undo.callback(temporary.cleanup)

            def tick(rows: int) -> None:
                give_up()
                progress(rows / max(1, lookup.num_rows))

            origin = Header(lookup.sources, lookup.columns.uuid, lookup.columns.filepath, lookup.num_rows)
            conversion = Conversion(lookup, origin, temporary.name)
            try:
                conversion.run(tick)
                assert conversion.keys is not None
                build_uuid_index(temporary.name, conversion.keys, lambda _: give_up())
                build_file_index(temporary.name, conversion.keys, lambda _: give_up())
            finally:
                if conversion.keys is not None:
                    conversion.keys.close()
            made = cls(temporary.name, origin)
            made._temporary = temporary
            undo.pop_all()
        return made


def _same(keys: PackedKeys, lookup: Lookup, start: int) -> bool:
    packed: pa.Table = keys.keys(start, start + _PROBED_ROWS)
    return bool(packed.equals(lookup.keys(start, min(start + _PROBED_ROWS, lookup.num_rows))))
