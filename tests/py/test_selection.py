"""Selections are sets of rows, however they are made, and say so without holding the rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.errors import BadRequestError, UnsupportedError
from h5explorer_py.selection import Selection, merged

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=15)


def rows_of(pairs: list[tuple[int, int]]) -> set[int]:
    return {row for start, stop in pairs for row in range(start, stop)}


@given(ranges)
def test_a_selection_is_the_set_of_its_rows(pairs: list[tuple[int, int]]) -> None:
    rows = rows_of(pairs)
    selection = Selection(pairs)
    assert list(selection) == sorted(rows)
    assert len(selection) == len(rows)
    assert [row in selection for row in range(-1, 62)] == [row in rows for row in range(-1, 62)]
    assert selection == Selection(reversed(pairs))
    assert hash(selection) == hash(Selection(reversed(pairs)))


@given(ranges)
def test_ranges_neither_touch_nor_overlap(pairs: list[tuple[int, int]]) -> None:
    joined = merged(pairs)
    assert all(start < stop for start, stop in joined)
    assert all(first[1] < second[0] for first, second in pairwise(joined))
    assert rows_of(list(joined)) == rows_of(pairs)
    assert merged(joined) == joined


@given(st.lists(st.integers(0, 40), max_size=20))
def test_row_numbers_in_any_form(rows: list[int]) -> None:
    for made in (rows, tuple(rows), set(rows), np.array(rows, np.int64), iter(rows)):
        assert list(Selection.of(made)) == sorted(set(rows))


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (None, ()),
        (5, ((5, 6),)),
        (np.int32(5), ((5, 6),)),
        (range(3, 9), ((3, 9),)),
        (range(9, 3), ()),
        (range(0, 6, 2), ((0, 1), (2, 3), (4, 5))),
        (range(10**12), ((0, 10**12),)),
        (Selection([(1, 4)]), ((1, 4),)),
        ([], ()),
        ((3,), ((3, 4),)),
        ((3, 9), ((3, 4), (9, 10))),
        (range(8, 2, -1), ((3, 9),)),
        ([range(3, 9)], ((3, 9),)),
        ([range(7, 9), 2, np.int64(9), range(0, 4, 2), range(5, 5)], ((0, 1), (2, 3), (7, 10))),
        ((range(10**12), 10**13), ((0, 10**12), (10**13, 10**13 + 1))),
        (np.array([], np.int64), ()),
        (np.array([3, 0, 1, 3], np.uint8), ((0, 2), (3, 4))),
        (np.array([-128, 127, 126], np.int8)[1:], ((126, 128),)),
        (np.array(5), ((5, 6),)),
        (pa.array([4, 2, 3]), ((2, 5),)),
        (pa.chunked_array([[4], [9]]), ((4, 5), (9, 10))),
    ],
)
def test_what_a_selection_is_made_of(made: Any, wanted: tuple[tuple[int, int], ...]) -> None:
    assert Selection.of(made).ranges == wanted


@pytest.mark.parametrize(
    "made",
    [
        *("abc", "3", b"3", 1.5, [1.5], ["a"], ["3"], object(), {"ranges": []}, [None], -1, [-3], range(-2, 3)),
        *([[1, 2]], [(1, 2)], [slice(1, 2)], [range(-2, 3)], [2**70], [-(2**70)]),
        *(True, [True, False], np.array([True, False]), np.array([0.0, 1.0]), np.array([[1, 2]]), np.array([-1, 4])),
        *(pa.array([1, None]), pa.array(["1"])),
    ],
)
def test_what_is_no_selection_is_refused(made: Any) -> None:
    with pytest.raises(BadRequestError):
        Selection.of(made)


@given(st.lists(st.one_of(st.integers(0, 60), st.builds(range, st.integers(0, 60), st.integers(0, 60))), max_size=15))
def test_numbers_and_ranges_in_any_mixture(made: list[int | range]) -> None:
    rows = {row for each in made for row in (each if isinstance(each, range) else [each])}
    assert list(Selection.of(made)) == sorted(rows)
    assert Selection.of(iter(made)) == Selection.of(sorted(rows)) == Selection.of(np.array(sorted(rows), np.int32))


def test_millions_of_numbers_are_taken_as_the_ranges_that_they_make() -> None:
    rows = np.arange(5_000_000)[::-1]
    assert Selection.of(rows[rows != 77]).ranges == ((0, 77), (78, 5_000_000))


def test_a_range_with_too_many_steps_is_refused_at_once() -> None:
    assert len(Selection.of(range(0, 1000, 2)).ranges) == 500
    for steps in (range(0, 1002, 2), range(10**12, 0, -2), [5, range(0, 10**12, 3)]):
        with pytest.raises(UnsupportedError, match="up to 500 ranges"):
            Selection.of(steps)


def test_millions_of_rows_take_no_room_and_no_time() -> None:
    selection = Selection([(0, 10**12), (2 * 10**12, 3 * 10**12)])
    assert len(selection) == 2 * 10**12
    assert 10**12 - 1 in selection
    assert 10**12 not in selection
    assert "x" not in selection
    assert next(iter(selection)) == 0
    assert "2,000,000,000,000 rows" in repr(selection)


def test_a_selection_is_no_other_thing() -> None:
    assert Selection([(1, 2)]) != [1]
    assert Selection() == Selection([(3, 3)])
    assert not Selection()


def test_its_rows_as_a_table() -> None:
    table = pa.table({"uuid": [f"k{row}" for row in range(50)], "more": range(50)})
    read: list[tuple[int, int]] = []

    def window(start: int, stop: int) -> pa.Table:
        read.append((start, stop))
        return table.slice(start, stop - start)

    selection = Selection([(40, 42), (3, 5)], window)
    assert selection.to_arrow().equals(pa.concat_tables([table.slice(3, 2), table.slice(40, 2)]))
    assert (3, 5) in read
    assert Selection([], window).to_arrow().schema == table.schema
    with pytest.raises(BadRequestError):
        Selection([(1, 2)]).to_arrow()


def test_many_ranges_are_told_in_a_few_words() -> None:
    selection = Selection([(number * 2, number * 2 + 1) for number in range(500)])
    assert repr(selection).endswith("490 more)")
    assert len(repr(selection)) < 200
