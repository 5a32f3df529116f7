"""A DuckDB connection that reaches nothing but the files it is for."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_AFTER_START = (
    "SET enable_external_access = false",
    "SET allow_persistent_secrets = false",
    "SET enable_progress_bar = true",
    "SET enable_progress_bar_print = false",
    "SET progress_bar_time = 0",
    "SET lock_configuration = true",
)


def locked_connection(
    files: Sequence[str],
    *,
    memory: str = "300MB",
    threads: int = 2,
    scratch: str | None = None,
    scratch_size: str = "20GB",
    in_order: bool = True,
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB of its own, in memory, that may open these files and nothing else, and stays so.

    It installs and loads no extension, reaches no network, sees no variable of Python, and writes only what does not
    fit in its memory, and that only into ``scratch``. What this does not hold back: ``COPY ... TO`` one of
    the files overwrites it, as a file that may be read may be written, and so does a subquery ``(WITH x AS (COPY ...)
    FROM x)``. So nothing that a person typed may reach it but by ``parse_condition``, and ``run`` refuses
    what writes.

    Parameters
    ----------
    files : sequence of str
        The paths that ``read_parquet`` and the like may open, not patterns. In a query write them with
        ``glob.escape``, as DuckDB takes every path as a pattern.
    memory : str
        How much memory it may take, as DuckDB writes it; values within one expression are not counted.
    threads : int
        How many threads compute.
    scratch : str, optional
        The folder for what does not fit in memory; where there is none, a query that needs one fails.
    scratch_size : str
        How much that may be, as DuckDB writes it.
    in_order : bool
        Whether rows come in the order of the file; without, a query may take less memory.

    Returns
    -------
    duckdb.DuckDBPyConnection
        For one query at a time.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": scratch or "",
            "max_temp_directory_size": scratch_size,
            "preserve_insertion_order": in_order,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "python_scan_all_frames": False,
        },
    )
    try:
        # DuckDB takes every path as a pattern, and asks whether that is allowed before it looks for files.
        allowed = dict.fromkeys([*files, *map(glob.escape, files)])
        connection.execute("SET allowed_paths = ?", [list(allowed)])
        for statement in _AFTER_START:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection
