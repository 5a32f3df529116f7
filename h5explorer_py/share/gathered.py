"""What a shared page holds: rows, their pictures, their records, as far as there is room."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from h5explorer_py.errors import CancelledError, ClosedError, ExplorerError, RequestTimeoutError
from h5explorer_py.images.shown import shown_facts_of
from h5explorer_py.metadata.record import for_page, type_name
from h5explorer_py.protocol import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from h5explorer_py.dataset import Entry
    from h5explorer_py.protocol import JSON
    from h5explorer_py.view.view import View

_NOBODY_WAITS = (CancelledError, ClosedError, RequestTimeoutError)


@dataclass(frozen=True)
class GatheredRow:
    """A row with what belongs to it.

    Attributes
    ----------
    keys : dict
        Its uuid and filepath.
    picture : dict
        The facts of its picture, or why there is none.
    image : bytes
        The encoded picture in base64; empty where there is none.
    record : dict
        The facts of its record, or why there is none.
    columns : tuple of (str, str)
        Name and type of the record's columns as they are stored.
    table : Table or None
        The record, with types that a page can read.
    """

    keys: JSON
    picture: JSON
    image: bytes
    record: JSON
    columns: tuple[tuple[str, str], ...]
    table: pa.Table | None

    @property
    def failed(self) -> int:
        """How many of its picture and its record could not be had."""
        return ("error" in self.picture) + ("error" in self.record)

    @property
    def least_bytes(self) -> int:
        """How many bytes of a page it takes at least."""
        said = len(json.dumps([self.keys, self.picture, self.record]))
        return said + len(self.image) + (0 if self.table is None else int(self.table.nbytes))


@dataclass(frozen=True)
class Packed:
    """Rows as a page holds them.

    Attributes
    ----------
    rows : list of dict
        Of every row its keys, the facts of its picture and of its record, or why there is none. A picture has the
        place of its bytes in ``pictures``, a record the number of its table and its place there.
    columns : list of list of dict
        Name and type of the columns of each table, as they are stored.
    pictures : list of bytes
        The encoded pictures in base64.
    tables : list of bytes
        Records of the same columns, a table each, as Arrow streams.
    """

    rows: list[JSON]
    columns: list[list[JSON]]
    pictures: list[bytes]
    tables: list[bytes]


def gather(
    view: View,
    positions: Iterable[int],
    most_bytes: int,
    progress: Callable[[int], None],
    give_up: Callable[[], None],
) -> list[GatheredRow]:
    """Read rows of a view, from the first on, until no more of them can have room.

    Parameters
    ----------
    view : View
        The rows.
    positions : iterable of int
        Which of them, in the order in which they are shown.
    most_bytes : int
        How many bytes of a page they may take. The first row is read in any case.
    progress : callable
        Is told how many rows have been dealt with.
    give_up : callable
        Raises where nobody waits for it any more.

    Raises
    ------
    ExplorerError
        Where the lookup cannot be read.
    """
    found: list[GatheredRow] = []
    room = most_bytes
    for number, position in enumerate(positions):
        give_up()
        entry = view.entry(position, give_up)
        row = _row(view, entry, number, give_up)
        room -= row.least_bytes
        if room < 0 and found:
            break
        found.append(row)
        progress(number + 1)
    return found


def pack(rows: Sequence[GatheredRow]) -> Packed:
    """Put rows together, their records by their columns."""
    numbers: dict[tuple[bytes, tuple[tuple[str, str], ...]], int] = {}
    parts: list[list[pa.Table]] = []
    packed = Packed([], [], [], [])
    for row in rows:
        picture, record = dict(row.picture), dict(row.record)
        if row.image:
            picture["place"] = len(packed.pictures)
            packed.pictures.append(row.image)
        if row.table is not None:
            key = (row.table.schema.serialize().to_pybytes(), row.columns)
            if key not in numbers:
                numbers[key] = len(parts)
                parts.append([])
                packed.columns.append([{"name": name, "type": kind} for name, kind in row.columns])
            record |= {"table": numbers[key], "place": len(parts[numbers[key]])}
            parts[numbers[key]].append(row.table)
        packed.rows.append({**row.keys, "image": picture, "record": record})
    packed.tables.extend(_stream(each) for each in parts)
    return packed


def _stream(parts: list[pa.Table]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, parts[0].schema) as writer:
        writer.write_table(pa.concat_tables(parts).combine_chunks())
    return bytes(sink.getvalue())


def _row(view: View, entry: Entry, number: int, give_up: Callable[[], None]) -> GatheredRow:
    picture, image = _picture(view, entry, number, give_up)
    keys = {"uuid": entry.key, "filepath": entry.filepath}
    try:
        record = view.dataset.record(entry)
    except _NOBODY_WAITS:
        raise
    except ExplorerError as error:
        return GatheredRow(keys, picture, image, _failure(error), (), None)
    table = record.table
    facts = {"source": view.dataset.files(entry).metadata, "matches": record.matches}
    columns = tuple((each.name, type_name(each.type)) for each in table.schema)
    return GatheredRow(keys, picture, image, facts, columns, for_page(table).replace_schema_metadata(None))


def _picture(view: View, entry: Entry, number: int, give_up: Callable[[], None]) -> tuple[JSON, bytes]:
    try:
        image = view.dataset.image(entry, give_up)
        return shown_facts_of(number, image), b64encode(image.data)
    except _NOBODY_WAITS:
        raise
    except ExplorerError as error:
        return _failure(error), b""


def _failure(error: ExplorerError) -> JSON:
    return {"error": Failure.of("", error).to_json()["error"]}
