"""What is encoded decodes to the same values, of the same type and kind."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.decode.facts import KINDS
from h5explorer_py.decode.picture import facts_of, pixels_of
from h5explorer_py.errors import BadRequestError
from h5explorer_py.images.sniff import format_of
from h5explorer_py.making.encode import encode
from tests.py.pictures import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import Kind

TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
SHAPES: list[tuple[Kind, int]] = [*KINDS.items(), ("bands", 2), ("bands", 3), ("bands", 4), ("bands", 5)]


def check(values: NDArray[Any], kind: Kind) -> bytes:
    data = encode(values, kind)
    decoded, facts = pixels_of(io.BytesIO(data))
    np.testing.assert_array_equal(decoded, values)
    assert decoded.dtype == values.dtype.newbyteorder("=")
    assert facts.kind == kind
    assert facts_of(io.BytesIO(data)) == facts
    return data


@given(
    st.sampled_from(TYPES),
    st.sampled_from(SHAPES),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 1_000),
    st.sampled_from(["as it is", "other byte order", "reversed", "channels first", "all zero"]),
)
def test_every_value_comes_back(
    dtype: str, shape: tuple[Kind, int], height: int, width: int, seed: int, layout: str
) -> None:
    kind, channels = shape
    values = numbers((height, width, channels), dtype, seed)
    if layout == "other byte order":
        values = values.astype(values.dtype.newbyteorder("S"))
    elif layout == "reversed":
        values = values[::-1, ::-1]
    elif layout == "channels first":
        values = np.moveaxis(np.ascontiguousarray(np.moveaxis(values, -1, 0)), 0, -1)
    elif layout == "all zero":
        values = values * np.zeros(1, values.dtype)
    check(values, kind)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_no_number_comes_back(dtype: str) -> None:
    check(np.array([[[np.nan], [np.inf]], [[-np.inf], [-0.0]]], dtype), "grey")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pages_show_what_they_can(kind: Kind, dtype: str) -> None:
    assert format_of(check(numbers((5, 4, KINDS[kind]), dtype), kind)) == "PNG"


def test_the_same_values_are_the_same_bytes() -> None:
    values = numbers((9, 8, 3), "float32")
    assert encode(values, "colour") == encode(values.copy(), "colour")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((3, 4), np.uint8), "shape \\(3, 4\\)"),
        (np.zeros((3, 0, 1), np.uint8), "shape \\(3, 0, 1\\)"),
        (np.zeros((3, 4, 1), np.complex64), "complex64"),
        (np.zeros((3, 4, 1), np.bool_), "bool"),
        (np.zeros((3, 4, 1), "M8[s]"), "datetime64"),
    ],
)
def test_what_is_no_picture_is_refused(values: NDArray[Any], said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        encode(values, "grey")
