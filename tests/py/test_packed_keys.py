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
from h5explorer_py.lookup.packed import filecolumn, keycolumn, scattered, texts
from h5explorer_py.lookup.packed.convert import Conversion
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import (
    FILE_ENDS,
    FILE_TEXTS,
    FILEPATHS,
    FILES,
    HEADER,
    KEY_ENDS,
    KEY_TEXTS,
    ODD,
    UUIDS,
    Header,
)
from h5explorer_py.options import KeyColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from h5explorer_py.lookup.base import Lookup

SIGNATURE = Signature(1, 2, 3, 4)


def origin(lookup: Lookup) -> Header:
    return Header((("lookup.parquet", SIGNATURE),), "uuid", "filepath", lookup.num_rows)


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
    conversion = Conversion(lookup, origin(lookup), str(folder))
    try:
        header = conversion.run(tick)
    finally:
        if conversion.keys is not None:
            conversion.keys.close()
    assert header == Header.read(str(folder))
    return reopened(folder)


def reopened(folder: Path) -> PackedKeys:
    header = Header.read(str(folder))
    if header is None:
        raise errors.LookupUnreadableError("no header")
    opened.append(PackedKeys(str(folder), header))
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
    assert keys.header.whole
    assert (keys.header.form, keys.header.odd, keys.header.filepaths) == ("dashed", 0, 13)
    random = np.random.default_rng(8)
    for rows_taken in (random.permutation(rows)[:300], np.arange(500, 700), np.array([5, 5, 3]), np.empty(0, np.int64)):
        expected = lookup.keys(0, rows).take(pa.array(rows_taken, pa.int64()))
        assert keys.take(rows_taken).to_pydict() == expected.to_pydict()


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

    for module in (keycolumn, filecolumn, texts):
        monkeypatch.setattr(module, "read_at", counted)
    keys.keys(500, 600)
    assert reads == [1_600, 400]


class EnoughError(Exception):
    pass


@pytest.mark.parametrize("stop_at", [0, 1_000, 3_000, 4_000, 9_999])
@pytest.mark.parametrize("kind", ["uuids", "texts"])
def test_work_that_is_broken_off_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int, kind: str
) -> None:
    monkeypatch.setattr(converting, "SAVE_ROWS", 1_500)
    rows = 10_000
    uuids = [*random_uuids(rows - 1), None] if kind == "uuids" else [f"key {row}" for row in range(rows)]
    paths = [f"shard_{row // 777}" for row in range(rows)]
    batches = pa.table({"uuid": uuids, "filepath": paths})
    pq.write_table(batches, tmp_path / "lookup.parquet", row_group_size=1_000)
    lookup = open_lookup(str(tmp_path / "lookup.parquet"), KeyColumns())
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)

    def stop(done: int) -> None:
        if done >= stop_at:
            raise EnoughError

    with pytest.raises(EnoughError):
        packed(lookup, tmp_path / "packed", stop)
    header = Header.read(str(tmp_path / "packed"))
    assert header is None or not header.whole
    ticks: list[int] = []
    keys = packed(lookup, tmp_path / "packed", ticks.append)
    assert ticks[0] <= stop_at
    assert stop_at - ticks[0] <= 2_000
    same(keys, lookup, [*WHOLE, (2_900, 3_100)])
    lookup.close()


@pytest.mark.parametrize("kind", ["uuids", "texts"])
def test_what_is_packed_already_can_be_read_meanwhile(tmp_path: Path, kind: str) -> None:
    rows = 200_000
    uuids = pa.array(random_uuids(1_000) * 200 if kind == "uuids" else [f"k{row}" for row in range(rows)])
    lookup = lookup_of(uuids, [f"s{row // 50_000}" for row in range(rows)])
    (tmp_path / "packed").mkdir()
    conversion = Conversion(lookup, origin(lookup), str(tmp_path / "packed"))
    seen = []

    def look(done: int) -> None:
        assert conversion.keys is not None
        assert conversion.keys.rows == done
        if done:
            same(conversion.keys, lookup, [(done - 100, done)])
        assert conversion.keys.keys(done, done + 5).num_rows == 0
        seen.append(done)

    conversion.run(look)
    assert len(seen) > 2
    assert conversion.keys is not None
    conversion.keys.close()


def test_another_lookup_in_the_folder_is_written_over(tmp_path: Path) -> None:
    first, second = lookup_of(random_uuids(10), ["s"] * 10), lookup_of(random_uuids(20, 2), ["t"] * 20)
    packed(first, tmp_path / "packed").close()
    same(packed(second, tmp_path / "packed"), second, WHOLE)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


KINDS = {
    "uuids": ([*random_uuids(10), "odd"], ["s"] * 11, [UUIDS, FILES, FILEPATHS, ODD, HEADER]),
    "texts": (
        [f"key {row}" for row in range(11)],
        [f"file {row}" for row in range(11)],
        [KEY_ENDS, KEY_TEXTS, FILE_ENDS, FILE_TEXTS, HEADER],
    ),
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, each in KINDS.items() for name in each[2]])
@pytest.mark.parametrize("harm", [os.unlink, cut, lambda path: os.truncate(path, 0)])
def test_a_damaged_one_is_noticed_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, harm: Callable[[Path], None]
) -> None:
    if kind == "texts":
        monkeypatch.setattr(filecolumn, "MOST_FILEPATHS", 5)
    lookup = lookup_of(*KINDS[kind][:2])
    packed(lookup, tmp_path / "packed").close()
    harm(tmp_path / "packed" / name)
    with pytest.raises(errors.LookupUnreadableError):
        reopened(tmp_path / "packed").keys(0, 11)
    same(packed(lookup, tmp_path / "packed"), lookup, WHOLE)


def test_one_of_another_version_is_not_gone_on_with(tmp_path: Path) -> None:
    lookup = lookup_of(random_uuids(2), ["s"] * 2)
    packed(lookup, tmp_path / "packed").close()
    header = tmp_path / "packed" / HEADER
    header.write_text(header.read_text().replace('"version": 1', '"version": 2'))
    found = Header.read(str(tmp_path / "packed"))
    assert found is not None
    assert not found.is_of(origin(lookup))
    same(packed(lookup, tmp_path / "packed"), lookup, WHOLE)


def test_one_that_is_cut_while_it_is_open(tmp_path: Path) -> None:
    keys = packed(lookup_of(random_uuids(100), ["s"] * 100), tmp_path / "packed")
    os.truncate(tmp_path / "packed" / UUIDS, 160)
    assert keys.keys(0, 10).num_rows == 10
    with pytest.raises(errors.LookupUnreadableError):
        keys.keys(50, 60)


@pytest.mark.parametrize("kind", ["uuids", "texts", "some texts"])
@pytest.mark.parametrize("near", [0, 100, 8192])
def test_rows_that_lie_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, near: int) -> None:
    monkeypatch.setattr(scattered, "NEAR_BYTES", near)
    monkeypatch.setattr(scattered, "_MOST_BYTES", 1024)
    rows = 3_000
    uuids: list[str | None] = [*random_uuids(rows)]
    if kind != "uuids":
        uuids[:: 1 if kind == "texts" else 7] = [
            None if row % 3 else f"k{row}" for row in range(0, rows, 1 if kind == "texts" else 7)
        ]
    if kind == "texts":
        monkeypatch.setattr(filecolumn, "MOST_FILEPATHS", 5)
    lookup = lookup_of(
        pa.array(uuids, pa.string()),
        pa.array([f"s{row % 11}" if row % 5 else None for row in range(rows)], pa.string()),
    )
    keys = packed(lookup, tmp_path / "packed")
    assert (keys.header.form, keys.header.filepaths) == (("", -1) if kind == "texts" else ("dashed", 11))
    random = np.random.default_rng(12)
    for count in (1, 20, 700, 3_000):
        taken = random.integers(0, rows, count)
        assert keys.take(taken).to_pydict() == lookup.keys(0, rows).take(pa.array(taken)).to_pydict()
        assert keys.uuids.take(np.sort(taken)).to_pylist() == [uuids[row] for row in sorted(taken.tolist())]
    with pytest.raises(errors.LookupUnreadableError):
        keys.take(np.array([3, rows]))


@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_what_would_not_fit_in_memory_is_kept_as_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: bool, many: bool
) -> None:
    monkeypatch.setattr(keycolumn, "MOST_ODD", 5)
    monkeypatch.setattr(filecolumn, "MOST_FILEPATHS", 5)
    uuids = [*random_uuids(30), *([f"key {row}" if row % 5 else None for row in range(20)] if odd else [])]
    paths = [f"s{row}" if many and row % 7 else None for row in range(len(uuids))]
    lookup = lookup_of(pa.array(uuids, pa.string()), pa.array(paths, pa.string()))
    keys = packed(lookup, tmp_path / "packed")
    assert keys.header.form == ("" if odd else "dashed")
    assert (keys.header.filepaths == -1) == many
    same(keys, lookup, [*WHOLE, *((row, row + 3) for row in range(len(uuids)))])
    assert keys.take(np.array([40, 3, 3])[0 if odd else 1 :]).num_rows == (3 if odd else 2)


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("-", ""), lambda text: f"{{{text}}}"])
def test_uuids_in_another_form_take_no_more_room(tmp_path: Path, change: Callable[[str], str]) -> None:
    lookup = lookup_of([change(each) for each in random_uuids(100)], ["s"] * 100)
    keys = packed(lookup, tmp_path / "packed")
    assert keys.header.odd == 0
    assert (tmp_path / "packed" / UUIDS).stat().st_size == 1_600
    same(keys, lookup, WHOLE)
