"""The indexes of a packed lookup: the same rows as a plain look at every key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from h5explorer_py import errors
from h5explorer_py.files import Signature, read_at
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import filecolumn, keycolumn, search, sorting
from h5explorer_py.lookup.packed import index as indexing
from h5explorer_py.lookup.packed.convert import Conversion
from h5explorer_py.lookup.packed.index import FILE_ROWS, FILE_STARTS, INDEX, build_file_index, build_uuid_index
from h5explorer_py.lookup.packed.layout import Header
from h5explorer_py.lookup.packed.search import FileIndex, UuidIndex
from h5explorer_py.lookup.packed.uuids import bounds_of
from h5explorer_py.options import KeyColumns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from h5explorer_py.lookup.packed.keys import PackedKeys

LOWEST, HIGHEST = bytes(16), bytes([255]) * 16
opened: list[Any] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "BUCKET_ROWS", 1_000)
    monkeypatch.setattr(sorting, "_STREAMED_ROWS", 300)
    monkeypatch.setattr(indexing, "_BLOCK_ROWS", 700)
    monkeypatch.setattr(search, "_READ_AT_ONCE", 1_024)


def packed(keys: list[str | None], folder: Path, paths: list[str | None] | None = None) -> PackedKeys:
    table = pa.table({"uuid": pa.array(keys, pa.string()), "filepath": pa.array(paths or ["s"] * len(keys))})
    lookup = open_lookup(table, KeyColumns())
    origin = Header((("l", Signature(1, 2, 3, 4)),), "uuid", "filepath", len(keys))
    conversion = Conversion(lookup, origin, str(folder))
    conversion.run(lambda _: None)
    assert conversion.keys is not None
    opened.append(conversion.keys)
    return conversion.keys


def indexed(keys: list[str | None], folder: Path) -> UuidIndex:
    ticks: list[int] = []
    build_uuid_index(str(folder), packed(keys, folder), ticks.append)
    assert ticks == sorted(ticks)
    assert not [path for path in folder.iterdir() if path.is_dir() or path.name.endswith(".part")]
    index = UuidIndex(str(folder), opened[-1])
    opened.append(index)
    return index


def canonical(key: str | None) -> bool:
    try:
        return key is not None and str(UUID(key)) == key
    except ValueError:
        return False


def in_order(keys: list[str | None]) -> list[tuple[bytes, int]]:
    return sorted((UUID(key).bytes, row) for row, key in enumerate(keys) if canonical(key))


def by_scan(ordered: list[tuple[bytes, int]], low: bytes, high: bytes) -> list[int]:
    return [row for uuid, row in ordered if low <= uuid <= high]


def rows_within(index: UuidIndex, low: bytes, high: bytes) -> list[int]:
    places = index.places(low, high)
    rows: list[int] = index.rows_at(places.start, places.stop).tolist()
    return rows


def many(rows: int) -> list[str | None]:
    random = np.random.default_rng(3)
    return [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]


def by_time(rows: int) -> list[str | None]:
    """Uuids of version 7, a few in every millisecond: all begin with the same bytes."""
    random = np.random.default_rng(4)
    times = (0x019A_0000_0000 + np.arange(rows) // 3).tolist()
    return [str(UUID(bytes=time.to_bytes(6) + b"\x70" + random.bytes(9))) for time in times]


KINDS: dict[str, list[str | None]] = {
    "random": many(10_000),
    "by time": by_time(10_000),
    "repeated": [f"{row % 7:08x}-0000-4000-8000-000000000000" for row in range(10_000)],
    "counted": [str(UUID(int=row % 5_000)) for row in range(10_000)],
    "counted in two": [str(UUID(int=(row % 2 << 120) + row)) for row in range(10_000)],
    "one byte apart": [str(UUID(int=0xFFFFFF << 104 | row << 32)) for row in range(3_000)],
    "all the same": ["00000000-0000-4000-8000-000000000000"] * 5_000,
    "some odd": [
        key if row % 10 else (None, "odd", key.upper())[row % 3] for row, key in enumerate(many(5_000)) if key
    ],
    "none": [],
    "one": many(1),
}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("kind", KINDS)
def test_every_key_and_every_beginning(tmp_path: Path, kind: str) -> None:
    keys = KINDS[kind]
    index = indexed(keys, tmp_path)
    ordered = in_order(keys)
    assert rows_within(index, LOWEST, HIGHEST) == by_scan(ordered, LOWEST, HIGHEST)
    for key in [*keys[:: max(1, len(keys) // 20)], *many(3)]:
        if not canonical(key):
            continue
        for length in (1, 3, 8, 12, 36):
            bounds = bounds_of(str(key)[:length])
            assert bounds is not None
            assert rows_within(index, *bounds) == by_scan(ordered, *bounds)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.uuids().map(str), st.sampled_from(many(3)))), st.uuids(), st.uuids())
def test_any_bounds(tmp_path_factory: Any, keys: list[str | None], one: UUID, other: UUID) -> None:
    folder = tmp_path_factory.mktemp("any")
    if not packed(keys, folder).header.form:  # most are no uuids
        return
    index = indexed(keys, folder)
    low, high = sorted([one.bytes, other.bytes])
    assert rows_within(index, low, high) == by_scan(in_order(keys), low, high)
    index.close()


@pytest.mark.parametrize(("kind", "most"), [("random", 3), ("by time", 5), ("counted", 6)])
def test_an_exact_uuid_is_a_few_small_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, most: int
) -> None:
    keys = KINDS[kind]
    index = indexed(keys, tmp_path)
    reads: list[int] = []

    def counted(file: Any, offset: int, size: int) -> bytes:
        reads.append(size)
        return read_at(file, offset, size)

    for module in (search, keycolumn):
        monkeypatch.setattr(module, "read_at", counted)
    uuid = UUID(str(keys[777])).bytes
    places = index.places(uuid, uuid)
    assert len(reads) <= most
    assert sum(reads) <= 2 * 512 * 12 + 5 * 16
    assert 777 in index.rows_at(places.start, places.stop).tolist()


def test_a_damaged_index_is_noticed(tmp_path: Path) -> None:
    indexed(many(100), tmp_path)
    os.truncate(tmp_path / INDEX, 99 * 12)
    with pytest.raises(errors.LookupUnreadableError):
        UuidIndex(str(tmp_path), opened[-2])
    (tmp_path / INDEX).unlink()
    with pytest.raises(errors.LookupUnreadableError):
        UuidIndex(str(tmp_path), opened[-2])


def files_indexed(paths: list[str | None], folder: Path) -> FileIndex:
    ticks: list[int] = []
    build_file_index(str(folder), packed(many(len(paths)), folder, paths), ticks.append)
    assert ticks == sorted(ticks)
    assert not [path for path in folder.iterdir() if path.is_dir() or path.name.endswith(".part")]
    index = FileIndex(str(folder), opened[-1])
    opened.append(index)
    return index


PATHS: dict[str, list[str | None]] = {
    "in runs": [f"s{row // 777}" for row in range(10_000)],
    "mixed": [f"s{row * 7919 % 50}" for row in range(10_000)],
    "one": ["s"] * 5_000,
    "one frequent": ["s" if row % 10 else f"t{row}" for row in range(10_000)],
    "some missing": [f"s{row % 5}" if row % 3 else None for row in range(5_000)],
    "all missing": [None] * 10,
    "none": [],
}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("kind", PATHS)
def test_the_rows_of_every_file(tmp_path: Path, kind: str) -> None:
    paths = PATHS[kind]
    index = files_indexed(paths, tmp_path)
    assert sorted(index.names) == sorted({path for path in paths if path is not None})
    for code, name in list(enumerate(index.names))[:: max(1, len(index.names) // 60)]:
        expected = [row for row, path in enumerate(paths) if path == name]
        assert index.count(code) == len(expected)
        assert index.rows(code).tolist() == expected
        assert index.rows(code, 1, 3).tolist() == expected[1:3]
        for row in (0, expected[0] + 1, expected[-1], expected[-1] + 1, len(paths) // 2):
            assert index.next_row(code, row) == next((each for each in expected if each >= row), None)


@pytest.mark.parametrize("name", [FILE_ROWS, FILE_STARTS])
def test_a_damaged_file_index_is_noticed(tmp_path: Path, name: str) -> None:
    files_indexed(PATHS["mixed"][:100], tmp_path)
    os.truncate(tmp_path / name, 8)
    with pytest.raises(errors.LookupUnreadableError):
        FileIndex(str(tmp_path), opened[-2])
    (tmp_path / name).unlink()
    with pytest.raises(errors.LookupUnreadableError):
        FileIndex(str(tmp_path), opened[-2])


def test_what_is_kept_as_texts_has_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filecolumn, "MOST_FILEPATHS", 2)
    keys = packed(["a", "b", "c"], tmp_path, ["1", "2", "3"])
    build_uuid_index(str(tmp_path), keys, lambda _: None)
    build_file_index(str(tmp_path), keys, lambda _: None)
    for kind in (UuidIndex, FileIndex):
        with pytest.raises(errors.LookupUnreadableError):
            kind(str(tmp_path), keys)
