"""Connections of DuckDB that are kept for the next query over the same files: to open one takes 15 ms."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from h5explorer_py.lookup.sql.connection import locked_connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

_MOST_KEPT = 2

_Use = tuple[tuple[str, ...], str | None]


class KeptConnections:
    """Locked connections, those that were used last kept open. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[_Use, duckdb.DuckDBPyConnection]] = []
        self._closed = False

    @contextlib.contextmanager
    def query(self, files: Sequence[str], scratch: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection for one query, that may open these files only; after an error it is not used again.

        What a query registers must be of no use to another: it stays registered until it is replaced.

        Parameters
        ----------
        files : sequence of str
            The files.
        scratch : str, optional
            The folder for what does not fit in memory.
        """
        use = (tuple(files), scratch)
        connection = self._taken(use) or locked_connection(files, scratch=scratch)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        for left in self._given_back(use, connection):
            left.close()

    def _taken(self, use: _Use) -> duckdb.DuckDBPyConnection | None:
        with self._lock:
            for at, (kept, connection) in enumerate(self._kept):
                if kept == use:
                    del self._kept[at]
                    return connection
        return None

    def _given_back(self, use: _Use, connection: duckdb.DuckDBPyConnection) -> list[duckdb.DuckDBPyConnection]:
        with self._lock:
            if self._closed:
                return [connection]
            self._kept.insert(0, (use, connection))
            left = [each for _, each in self._kept[_MOST_KEPT:]]
            del self._kept[_MOST_KEPT:]
            return left

    def close(self) -> None:
        """Close those that are kept; one that is in use is closed when its query has ended."""
        with self._lock:
            self._closed = True
            kept, self._kept = self._kept, []
        for _, connection in kept:
            connection.close()
