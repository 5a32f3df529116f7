"""Sets of rows: every page is a slice of the plain list of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.view.rowsets import AllRows, RowBits, RowBitsBuilder, RowList, RowSet


def built(count: int, rows: list[int]) -> RowSet:
    builder = RowBitsBuilder(count)
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


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, max(0, n - 1))))))
def test_any_rows(given_rows: tuple[int, list[int]]) -> None:
    count, rows = given_rows
    rows = rows if count else []
    same(built(count, rows), sorted(set(rows)), [-1, 0, 1, 7, 8, count - 1, count])


@pytest.mark.parametrize("part", [0.0, 0.0001, 0.02, 0.3, 0.999, 1.0])
@pytest.mark.parametrize("clustered", [False, True])
def test_many_rows(part: float, clustered: bool) -> None:
    count = 300_007
    random = np.random.default_rng(2)
    if clustered:
        kept = np.zeros(count, np.bool_)
        kept[100_000 : 100_000 + int(part * 200_000)] = True
    else:
        kept = random.random(count) < part
    expected = np.flatnonzero(kept).tolist()
    found = built(count, random.permutation(expected).astype(np.int64).tolist() if expected else [])
    same(found, expected, [0, 8_191, 8_192, len(expected) // 2, len(expected) - 1, len(expected), count - 1])
    assert isinstance(found, RowList if len(expected) * 32 < count else RowBits)


@given(st.integers(0, 100).flatmap(lambda n: st.tuples(st.just(n), *[st.sets(st.integers(0, max(0, n - 1)))] * 2)))
def test_inverting_and_intersecting(given_rows: tuple[int, set[int], set[int]]) -> None:
    count, one, other = given_rows
    one, other = (one, other) if count else (set(), set())
    first, second = RowBitsBuilder(count), RowBitsBuilder(count)
    first.add(np.array(sorted(one), np.int64))
    second.add(np.array(sorted(other), np.int64))
    second.invert()
    first.intersect(second)
    expected = sorted(one - other)
    assert first.finish().rows(0, count).tolist() == expected


def test_which_are_there() -> None:
    found = RowBits(np.packbits(np.arange(100) % 3 == 0, bitorder="little"))
    assert found.holds(np.array([0, 1, 3, 98, 99])).tolist() == [True, False, True, False, True]


def test_all_rows() -> None:
    same(AllRows(5), [0, 1, 2, 3, 4], [-1, 0, 3, 5])
    same(AllRows(0), [], [0])
