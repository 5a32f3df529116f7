"""Packed lookups: every window is what the lookup itself gives, whatever its keys are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from h5explorer_py import errors
from h5explorer_py.files import Signature, read_at
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import convert as converting
from h5explorer_py.lookup.packed import keys as reading
from h5explorer_py.lookup.packed.convert import convert
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import FILEPATHS, FILES, HEADER, ODD, UUIDS, Header
from h5explorer_py.options import KeyColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from h5explorer_py.lookup.base import Lookup

SIGNATURE = Signature(1, 2, 3, 4)


def lookup_of(uuids: Any, filepaths: Any, **more: Any) -> Lookup:
    return open_lookup(pa.table({"uuid": uuids, "filepath": filepaths, **more}), KeyColumns())


opened: list[PackedKeys] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def packed(lookup: Lookup, folder: Path, tick: Callable[[int], None] = lambda _: None) -> PackedKeys:
    folder.mkdir(exist_ok=True)
    convert(lookup, "lookup.parquet", SIGNATURE, str(folder), tick)
    opened.append(PackedKeys(str(folder)))
    return opened[-1]


def random_uuids(rows: int, seed: int = 1) -> list[str]:
    random = np.random.default_rng(seed)
    return [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]


def same(keys: PackedKeys, lookup: Lookup, windows: list[tuple[int, int]]) -> None:
    for start, stop in windows:
        assert keys.keys(start, stop).to_pydict() == lookup.keys(start, stop).to_pydict()


WHOLE = [(0, 10**9), (0, 0), (5, 3)]


def test_windows(tmp_path: Path) -> None:
    rows = 10_000
    lookup = lookup_of(random_uuids(rows), [f"shard_{row // 777}" for row in range(rows)])
    keys = packed(lookup, tmp_path / "packed")
    same(keys, lookup, [*WHOLE, (0, 100), (9_950, 20_000), (4_321, 4_421), (9_999, 10_000)])
    assert keys.filepaths == 13
    assert keys.header == Header("lookup.parquet", SIGNATURE, "uuid", "filepath", rows, 13, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.uuids().map(str), st.uuids().map(lambda each: str(each).upper()), st.none(), st.text(max_size=5)
            ),
            st.one_of(st.none(), st.sampled_from(["a", "b/c", "", "ä"])),
        )
    ),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_any_keys(tmp_path_factory: Any, rows: list[tuple[Any, Any]], start: int, length: int) -> None:
    lookup = lookup_of(
        pa.array([key for key, _ in rows], pa.string()), pa.array([path for _, path in rows], pa.string())
    )
    keys = packed(lookup, tmp_path_factory.mktemp("any"))
    same(keys, lookup, [*WHOLE, (start, start + length)])
    keys.close()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()), pa.binary()]
)
def test_any_kind_of_text(tmp_path: Path, kind: pa.DataType) -> None:
    uuids = [*random_uuids(50), "00777", None, random_uuids(1)[0].upper()]
    column = pa.array(uuids, pa.string()).cast(kind) if kind != pa.string_view() else pa.array(uuids, kind)
    lookup = lookup_of(column, pa.array(["s"] * 53))
    same(packed(lookup, tmp_path / "packed"), lookup, WHOLE)


def test_numbers_and_bytes_as_keys(tmp_path: Path) -> None:
    lookup = lookup_of(pa.array([1, None, 3], pa.int64()), pa.array([7, 7, None], pa.int32()))
    same(packed(lookup, tmp_path / "numbers"), lookup, WHOLE)
    raw = [UUID(each).bytes for each in random_uuids(3)]
    lookup = lookup_of(pa.array(raw, pa.binary(16)), ["a", "b", "a"])
    keys = packed(lookup, tmp_path / "bytes")
    same(keys, lookup, WHOLE)
    assert keys.header.odd == 0


@pytest.mark.parametrize("group", [1_000, 100_000])
def test_a_parquet_file_of_any_row_groups(tmp_path: Path, group: int) -> None:
    rows = 30_000
    table = pa.table({"id": range(rows), "uuid": random_uuids(rows), "filepath": [f"{row % 7}" for row in range(rows)]})
    pq.write_table(table, tmp_path / "lookup.parquet", row_group_size=group)
    lookup = open_lookup(str(tmp_path / "lookup.parquet"), KeyColumns())
    ticks: list[int] = []
    keys = packed(lookup, tmp_path / "packed", ticks.append)
    same(keys, lookup, [*WHOLE, (12_345, 12_445)])
    assert ticks[-1] == rows
    assert ticks == sorted(ticks)
    lookup.close()


def test_a_window_is_two_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = packed(lookup_of(random_uuids(1_000), ["s"] * 1_000), tmp_path / "packed")
    reads: list[int] = []

    def counted(file: Any, offset: int, size: int) -> bytes:
        reads.append(size)
        return read_at(file, offset, size)

    monkeypatch.setattr(reading, "read_at", counted)
    keys.keys(500, 600)
    assert reads == [1_600, 400]


def test_work_that_is_stopped_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise errors.CancelledError("enough")

    with pytest.raises(errors.CancelledError):
        packed(lookup_of(random_uuids(10), ["s"] * 10), tmp_path / "packed", stop)
    assert Header.read(str(tmp_path / "packed")) is None
    with pytest.raises(errors.LookupUnreadableError):
        PackedKeys(str(tmp_path / "packed"))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("name", [UUIDS, FILES, FILEPATHS, ODD, HEADER])
@pytest.mark.parametrize("harm", [os.unlink, cut, lambda path: os.truncate(path, 0)])
def test_a_damaged_one_is_noticed(tmp_path: Path, name: str, harm: Callable[[Path], None]) -> None:
    packed(lookup_of([*random_uuids(10), "odd"], ["s"] * 11), tmp_path / "packed").close()
    harm(tmp_path / "packed" / name)
    with pytest.raises(errors.LookupUnreadableError):
        PackedKeys(str(tmp_path / "packed"))


def test_one_of_another_version_is_not_read(tmp_path: Path) -> None:
    packed(lookup_of(random_uuids(2), ["s"] * 2), tmp_path / "packed").close()
    header = tmp_path / "packed" / HEADER
    header.write_text(header.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(errors.LookupUnreadableError):
        PackedKeys(str(tmp_path / "packed"))


def test_one_that_is_cut_while_it_is_open(tmp_path: Path) -> None:
    keys = packed(lookup_of(random_uuids(100), ["s"] * 100), tmp_path / "packed")
    os.truncate(tmp_path / "packed" / UUIDS, 160)
    assert keys.keys(0, 10).num_rows == 10
    with pytest.raises(errors.LookupUnreadableError):
        keys.keys(50, 60)


@pytest.mark.parametrize("limit", ["MOST_FILEPATHS", "MOST_ODD"])
def test_what_would_not_fit_in_memory_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(converting, limit, 5)
    with pytest.raises(errors.UnsupportedError):
        packed(lookup_of([f"key {row}" for row in range(10)], [f"s{row}" for row in range(10)]), tmp_path / "packed")
