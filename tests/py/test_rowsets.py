"""Sets of rows: every page is a slice of the plain list of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.view import rowsets
from h5explorer_py.view.rowsets import AllRows, RowBits, RowBitsBuilder, RowList, RowSet


def builder_of(count: int, *, marked: bool) -> RowBitsBuilder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rowsets, "_MOST_MARKED", count if marked else -1)
        return RowBitsBuilder(count)


def built(count: int, rows: list[int], *, marked: bool) -> RowSet:
    builder = builder_of(count, marked=marked)
    half = len(rows) // 2
    builder.add(np.array(rows[:half], np.int64))
    builder.add(np.array(rows[half:], np.uint32))
    return builder.finish()


def same(found: RowSet, expected: list[int], around: list[int]) -> None:
    assert len(found) == len(expected)
    assert found.rows(0, len(expected)).tolist() == expected
    assert [row for part in found.stream() for row in part.tolist()] == expected
    for start in around:
        for stop in (start, start + 1, start + 100, 10**9):
            assert found.rows(start, stop).tolist() == expected[max(0, start) : max(0, stop)]
    wanted = {row: at for at, row in enumerate(expected)}
    for row in [-1, 0, 1, *around, *expected[:: max(1, len(expected) // 50)], 2**32, 2**40]:
        assert found.position(row) == wanted.get(row)


@given(
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, max(0, n - 1))))),
    st.booleans(),
)
def test_any_rows(given_rows: tuple[int, list[int]], marked: bool) -> None:
    count, rows = given_rows
    rows = rows if count else []
    same(built(count, rows, marked=marked), sorted(set(rows)), [-1, 0, 1, 7, 8, count - 1, count])


@pytest.mark.parametrize("part", [0.0, 0.0001, 0.02, 0.3, 0.999, 1.0])
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("marked", [False, True])
def test_many_rows(part: float, clustered: bool, marked: bool) -> None:
    count = 300_007
    random = np.random.default_rng(2)
    if clustered:
        kept = np.zeros(count, np.bool_)
        kept[100_000 : 100_000 + int(part * 200_000)] = True
    else:
        kept = random.random(count) < part
    expected = np.flatnonzero(kept).tolist()
    shuffled = random.permutation(expected).astype(np.int64).tolist() if expected else []
    found = built(count, shuffled, marked=marked)
    same(found, expected, [0, 8_191, 8_192, len(expected) // 2, len(expected) - 1, len(expected), count - 1])
    assert isinstance(found, RowList if len(expected) * 32 < count else RowBits)


@given(
    st.integers(0, 100).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(0, n - 1))))),
    st.booleans(),
)
def test_those_that_are_not_there(given_rows: tuple[int, set[int]], marked: bool) -> None:
    count, rows = given_rows
    rows = rows if count else set()
    builder = builder_of(count, marked=marked)
    builder.add(np.array(sorted(rows), np.int64))
    builder.invert()
    assert builder.finish().rows(0, count).tolist() == sorted(set(range(count)) - rows)


def test_which_are_there() -> None:
    found = RowBits(np.packbits(np.arange(100) % 3 == 0, bitorder="little"))
    assert found.holds(np.array([0, 1, 3, 98, 99])).tolist() == [True, False, True, False, True]


def test_all_rows() -> None:
    same(AllRows(5), [0, 1, 2, 3, 4], [-1, 0, 3, 5])
    same(AllRows(0), [], [0])
