"""What a shared page holds: rows, their pictures, their records, as far as there is room."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h5explorer_py.errors import ExplorerError
from h5explorer_py.images.shown import shown_facts_of
from h5explorer_py.metadata.record import for_page, type_name
from h5explorer_py.protocol import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from h5explorer_py.dataset import Entry
    from h5explorer_py.protocol import JSON
    from h5explorer_py.view.view import View


@dataclass
class Gathered:
    """Rows with what belongs to them.

    Attributes
    ----------
    rows : list of dict
        Of every row its keys, the facts of its picture and of its record, or why there is none.
    pictures : list of bytes
        The encoded pictures, as text in base64; a row's ``picture`` names its place.
    tables : list of bytes
        The records of equal columns, a table each, as Arrow streams; a row's ``record`` names the table and its row.
    failed : int
        How many pictures and records could not be had.
    """

    rows: list[JSON] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    tables: list[bytes] = field(default_factory=list)
    failed: int = 0


class _Tables:
    """Records by their columns."""

    def __init__(self) -> None:
        self._parts: dict[bytes, list[pa.Table]] = {}
        self._numbers: dict[bytes, int] = {}

    def add(self, record: pa.Table) -> tuple[int, int]:
        """Take in a record; return the number of its table, and its place there."""
        schema = record.schema.remove_metadata()
        key = schema.serialize().to_pybytes()
        number = self._numbers.setdefault(key, len(self._numbers))
        parts = self._parts.setdefault(key, [])
        parts.append(record.cast(schema))
        return number, len(parts) - 1

    def streams(self) -> list[bytes]:
        found = []
        for parts in self._parts.values():
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, parts[0].schema) as writer:
                writer.write_table(pa.concat_tables(parts).combine_chunks())
            found.append(bytes(sink.getvalue()))
        return found


def gather(
    view: View,
    positions: Iterable[int],
    most_bytes: int,
    progress: Callable[[int], None],
    give_up: Callable[[], None],
) -> Gathered:
    """Read rows of a view, from the first on, until there is no more room.

    Parameters
    ----------
    view : View
        The rows.
    positions : iterable of int
        Which of them, in the order in which they are shown.
    most_bytes : int
        How many bytes of text they may take. The first row is taken in any case.
    progress : callable
        Is told how many rows have been dealt with.
    give_up : callable
        Raises where nobody waits for it any more.

    Raises
    ------
    ExplorerError
        Where the lookup cannot be read.
    """
    found, tables, room = Gathered(), _Tables(), most_bytes
    for number, position in enumerate(positions):
        give_up()
        entry = view.entry(position, give_up)
        picture, image = _picture(view, entry, number, give_up)
        record, table = _record(view, entry, number)
        room -= len(image) + (0 if table is None else 2 * table.nbytes) + 2 * len(str((picture, record)))
        if room < 0 and found.rows:
            break
        failed = [each for each in (picture, record) if "error" in each]
        found.failed += len(failed)
        if image:
            picture["place"] = len(found.pictures)
            found.pictures.append(image)
        if table is not None:
            record["table"], record["place"] = tables.add(table)
        found.rows.append({"uuid": entry.key, "filepath": entry.filepath, "image": picture, "record": record})
        progress(number + 1)
    found.tables = tables.streams()
    return found


def _picture(view: View, entry: Entry, number: int, give_up: Callable[[], None]) -> tuple[JSON, bytes]:
    try:
        image = view.dataset.image(entry, give_up)
        return shown_facts_of(number, image), b64encode(image.data)
    except ExplorerError as error:
        return _failure(error), b""


def _record(view: View, entry: Entry, number: int) -> tuple[JSON, pa.Table | None]:
    try:
        record = view.dataset.record(entry)
    except ExplorerError as error:
        return _failure(error), None
    facts: dict[str, Any] = {
        "row": number,
        "source": view.dataset.files(entry).metadata,
        "columns": [{"name": each.name, "type": type_name(each.type)} for each in record.table.schema],
        "matches": record.matches,
    }
    return facts, for_page(record.table)


def _failure(error: ExplorerError) -> JSON:
    return {"error": Failure.of("", error).to_json()["error"]}
