"""The sorted index of a packed lookup: the same rows as a plain look at every key."""

from __future__ import annotations

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
from h5explorer_py.lookup.packed import index as indexing
from h5explorer_py.lookup.packed import search
from h5explorer_py.lookup.packed.convert import convert
from h5explorer_py.lookup.packed.index import INDEX, build_index
from h5explorer_py.lookup.packed.search import UuidIndex
from h5explorer_py.lookup.packed.uuids import bounds_of
from h5explorer_py.options import KeyColumns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOWEST, HIGHEST = bytes(16), bytes([255]) * 16
opened: list[UuidIndex] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_BUCKET_ROWS", 1_000)
    monkeypatch.setattr(indexing, "_BLOCK_ROWS", 700)


def indexed(keys: list[str | None], folder: Path) -> UuidIndex:
    lookup = open_lookup(pa.table({"uuid": pa.array(keys, pa.string()), "filepath": ["s"] * len(keys)}), KeyColumns())
    header = convert(lookup, "l", Signature(1, 2, 3, 4), str(folder), lambda _: None)
    odd = [row for row, key in enumerate(keys) if not canonical(key)]
    ticks: list[int] = []
    build_index(str(folder), header.rows, np.array(odd, np.int64), ticks.append)
    assert ticks == sorted(ticks)
    assert not [path for path in folder.iterdir() if path.is_dir()]
    opened.append(UuidIndex(str(folder), header.rows - header.odd))
    return opened[-1]


def canonical(key: str | None) -> bool:
    try:
        return key is not None and str(UUID(key)) == key
    except ValueError:
        return False


def by_scan(keys: list[str | None], low: bytes, high: bytes) -> list[int]:
    found = [(UUID(key).bytes[:8], row) for row, key in enumerate(keys) if canonical(key)]
    return [row for begin, row in sorted(found) if low[:8] <= begin <= high[:8]]


def many(rows: int) -> list[str | None]:
    random = np.random.default_rng(3)
    return [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]


def by_time(rows: int) -> list[str | None]:
    """Uuids of version 7, a few in every millisecond: all begin with the same bytes."""
    random = np.random.default_rng(4)
    times = (0x019A_0000_0000 + np.arange(rows) // 3).tolist()
    return [str(UUID(bytes=time.to_bytes(6) + b"\x70" + random.bytes(9))) for time in times]


KINDS = {
    "random": many(10_000),
    "by time": by_time(10_000),
    "repeated": [f"{row % 7:08x}-0000-4000-8000-000000000000" for row in range(10_000)],
    "all the same": ["00000000-0000-4000-8000-000000000000"] * 5_000,
    "some odd": [
        key if row % 10 else (None, "odd", key.upper())[row % 3] for row, key in enumerate(many(5_000)) if key
    ],
    "none": [],
    "one": many(1),
    "only odd": ["a", None],
}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("kind", KINDS)
def test_every_key_and_every_beginning(tmp_path: Path, kind: str) -> None:
    keys = KINDS[kind]
    index = indexed(keys, tmp_path)
    assert index.rows(LOWEST, HIGHEST).tolist() == by_scan(keys, LOWEST, HIGHEST)
    for key in [*keys[:: max(1, len(keys) // 20)], *many(3)]:
        if not canonical(key):
            continue
        for length in (1, 3, 8, 12, 36):
            bounds = bounds_of(str(key)[:length])
            assert bounds is not None
            assert index.rows(*bounds).tolist() == by_scan(keys, *bounds)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.uuids().map(str), st.sampled_from(many(3)))), st.uuids(), st.uuids())
def test_any_bounds(tmp_path_factory: Any, keys: list[str | None], one: UUID, other: UUID) -> None:
    index = indexed(keys, tmp_path_factory.mktemp("any"))
    low, high = sorted([one.bytes, other.bytes])
    assert index.rows(low, high).tolist() == by_scan(keys, low, high)
    index.close()


def test_an_exact_uuid_is_one_read_of_a_few_kilobytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = many(20_000)
    index = indexed(keys, tmp_path)
    reads: list[int] = []

    def counted(file: Any, offset: int, size: int) -> bytes:
        reads.append(size)
        return read_at(file, offset, size)

    monkeypatch.setattr(search, "read_at", counted)
    uuid = UUID(str(keys[777])).bytes
    assert index.rows(uuid, uuid).tolist() == [777]
    assert len(reads) == 1
    assert reads[0] <= 2 * 512 * 12


def test_a_damaged_index_is_noticed(tmp_path: Path) -> None:
    indexed(many(100), tmp_path)
    with pytest.raises(errors.LookupUnreadableError):
        UuidIndex(str(tmp_path), 99)
    (tmp_path / INDEX).unlink()
    with pytest.raises(errors.LookupUnreadableError):
        UuidIndex(str(tmp_path), 100)
