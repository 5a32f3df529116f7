"""Arrow's columns as NumPy's, whatever is missing and wherever they begin."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.lookup.arrays import filled, numbers_of, there

values = st.lists(st.none() | st.integers(-100, 100), max_size=40)


@given(values, st.integers(0, 20), st.integers(0, 40))
def test_slices_with_nulls(given_values: list[int | None], start: int, length: int) -> None:
    column = pa.array(given_values, pa.int8()).slice(min(start, len(given_values)), length)
    expected = column.to_pylist()
    assert there(column).tolist() == [value is not None for value in expected]
    assert filled(column, -7).tolist() == [-7 if value is None else value for value in expected]
    texts = pa.array([None if value is None else str(value) for value in given_values], pa.string())
    assert there(texts.slice(start, length)).tolist() == [v is not None for v in texts.slice(start, length).to_pylist()]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()])
def test_numbers(kind: pa.DataType) -> None:
    column = pa.array(range(100), kind)
    assert numbers_of(column).tolist() == list(range(100))
    assert numbers_of(column.slice(7, 5)).tolist() == [7, 8, 9, 10, 11]
    assert numbers_of(column).dtype == np.int64
    assert len(numbers_of(column.slice(0, 0))) == 0
