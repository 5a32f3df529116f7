"""The records of a shard: what is known of each of its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from h5explorer_py.making.outcome import free_name, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.making.items import Item
    from h5explorer_py.making.outcome import Outcome

UUID = "uuid"
FILENAME = "filename"
_FACTS = ("format", "mode", "width", "height", "channels", "dtype", "pages", "file_size")
_STATS = ("min", "max", "mean")
_ORIGIN = ("checksum", "source_path", "error")


def write_records(
    path: str, keys: Sequence[str], items: Sequence[Item], outcomes: Sequence[Outcome], labels: pa.Table, *, stats: bool
) -> None:
    """Write the records of pictures to a Parquet file.

    Raises
    ------
    OSError
    """
    pq.write_table(records_of(keys, items, outcomes, labels, stats=stats), path, compression="zstd")


def records_of(
    keys: Sequence[str],
    items: Sequence[Item],
    outcomes: Sequence[Outcome],
    labels: pa.Table | None,
    *,
    stats: bool,
) -> pa.Table:
    """Put together the records: the uuid, the name, the columns that people brought, what was found out.

    A column that people brought keeps its name, and ours is called ``image_`` and its name then; only their ``uuid``
    is called ``original_uuid``, as ours names the image.
    """
    found = table_of(items, outcomes)
    columns: dict[str, Any] = {UUID: pa.array(keys, pa.string()), FILENAME: found[FILENAME]}
    if labels is not None:
        columns |= label_columns(labels)
    for name in (*_FACTS, *(_STATS if stats else ()), *_ORIGIN):
        columns[free_name(name, columns)] = found[name]
    return pa.table(columns)


def label_columns(labels: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the columns that people brought by the names that they have in records."""
    renamed = "original_uuid"
    while renamed in labels.column_names:
        renamed = f"original_{renamed}"
    return {renamed if name == UUID else name: labels[name] for name in labels.column_names}


def packed(labels: pa.Table | None, rows: range) -> bytes:
    """Pack some rows of columns to be sent to a worker: as a stream, which holds these rows alone."""
    if labels is None:
        return b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, labels.schema) as stream:
        stream.write_table(labels.slice(rows.start, len(rows)))
    return bytes(sink.getvalue())


def unpacked(data: bytes, kept: Sequence[int]) -> pa.Table | None:
    """Return what was packed, of which some rows are kept."""
    if not data:
        return None
    table = pa.ipc.open_stream(data).read_all()
    return table if len(kept) == table.num_rows else table.take(kept)
