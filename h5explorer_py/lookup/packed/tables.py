"""Small tables as Arrow files, written all or nothing."""

from __future__ import annotations

import os

import pyarrow as pa


def write_table(path: str, table: pa.Table) -> None:
    """Write a table in place of the one that is there."""
    aside = f"{path}.part"
    with pa.OSFile(aside, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    os.replace(aside, path)


def read_table(path: str) -> pa.Table:
    """Read a table.

    Raises
    ------
    OSError, pyarrow.ArrowException
        Where there is none.
    """
    with pa.OSFile(path, "rb") as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()
