"""Connections that are kept: each for its files only, one query at a time, and none after an error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py.lookup.sql.kept import KeptConnections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kept() -> Iterator[KeptConnections]:
    connections = KeptConnections()
    yield connections
    connections.close()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [str(tmp_path / f"{number}.parquet") for number in range(3)]
    for number, path in enumerate(paths):
        pq.write_table(pa.table({"a": [number]}), path)
    return paths


def value(connection: duckdb.DuckDBPyConnection, path: str) -> int:
    return int(connection.execute("SELECT a FROM read_parquet(?)", [path]).fetchall()[0][0])


def test_the_next_query_over_the_same_files_gets_it_again(kept: KeptConnections, files: list[str]) -> None:
    with kept.query(files[:1]) as first:
        assert value(first, files[0]) == 0
        with kept.query(files[:1]) as meanwhile:
            assert meanwhile is not first
    with kept.query(files[:1]) as again:
        assert again is first
        pq.write_table(pa.table({"a": [7]}), files[0])
        assert value(again, files[0]) == 7


def test_each_opens_its_own_files_only(kept: KeptConnections, files: list[str]) -> None:
    for path in files:
        with kept.query([path]) as connection:
            assert value(connection, path) == files.index(path)
            for other in set(files) - {path}:
                with pytest.raises(duckdb.Error):
                    value(connection, other)


def test_after_an_error_it_is_not_used_again(kept: KeptConnections, files: list[str]) -> None:
    with pytest.raises(KeyError), kept.query(files) as first:
        raise KeyError
    with kept.query(files) as second:
        assert second is not first
    with pytest.raises(duckdb.Error):
        first.execute("SELECT 1")


def test_those_that_are_not_kept_are_closed(kept: KeptConnections, files: list[str]) -> None:
    used = []
    for path in files:
        with kept.query([path]) as connection:
            used.append(connection)
    with pytest.raises(duckdb.Error):
        used[0].execute("SELECT 1")
    with kept.query([files[0]]) as in_use:
        kept.close()
        assert value(in_use, files[0]) == 0
    for connection in [*used, in_use]:
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT 1")


def test_many_at_a_time(kept: KeptConnections, files: list[str]) -> None:
    def ask(number: int) -> int:
        path = files[number % 3]
        with kept.query([path]) as connection:
            return value(connection, path)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(60))) == [number % 3 for number in range(60)]
