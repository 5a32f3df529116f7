"""Pictures are brought to one rule without a loss that was not asked for, and resized as Pillow and SciPy do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil
from scipy import ndimage

from h5explorer_py import errors
from h5explorer_py.decode.facts import Facts, Kind
from h5explorer_py.making.conform import conform, narrowed, rechannelled
from h5explorer_py.making.fit import Fit, resized, scaled
from h5explorer_py.making.rule import Rule, Survey, check_lossless, is_lossless, joined_dtype
from tests.py.pictures import numbers

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
CHANNELS: dict[Kind, int] = {"grey": 1, "grey+alpha": 2, "colour": 3, "colour+alpha": 4}


def facts(kind: Kind = "colour", dtype: str = "uint8", size: tuple[int, int] = (4, 3), channels: int = 0) -> Facts:
    return Facts("PNG", "", *size, kind, channels or CHANNELS.get(kind, 5), dtype)


def rule_of(*found: Facts, **asked: Any) -> Rule:
    survey = Survey()
    for each in found:
        survey.add(each)
    return survey.rule(**asked)


def test_one_rule_over_all() -> None:
    assert rule_of(facts("grey"), facts("grey")) == Rule("grey", 1, 3, 4, "uint8")
    assert rule_of(facts("grey"), facts("grey"), facts("colour")) == Rule("colour", 3, 3, 4, "uint8")
    assert rule_of(facts("grey+alpha"), facts("colour")) == Rule("colour+alpha", 4, 3, 4, "uint8")
    assert rule_of(facts("grey", "uint8"), facts("grey", "uint16")).dtype == "uint16"
    assert rule_of(facts("grey", "int16"), facts("grey", "uint16")).dtype == "int32"
    assert rule_of(facts("grey", "int32"), facts("grey", "float32")).dtype == "float64"
    assert rule_of(facts("bands", "float32")) == Rule("bands", 5, 3, 4, "float32")
    assert rule_of(facts(size=(9, 9)), facts(), size=(5, 6)).shape == (3, 5, 6)
    assert rule_of(facts("colour", "uint16"), dtype="uint8") == Rule("colour", 3, 3, 4, "uint8", narrows=True)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(errors.MixedPicturesError, match=r"4 × 3 \(2\), 9 × 9 \(1\)"):
        rule_of(facts(), facts(), facts(size=(9, 9)))
    with pytest.raises(errors.MixedPicturesError, match=r"3 \(colour\) \(1\), 5 \(bands\) \(1\)"):
        rule_of(facts(), facts("bands"))
    with pytest.raises(errors.LossyError):
        rule_of(facts(dtype="int64"), facts(dtype="uint64"))
    with pytest.raises(errors.LossyError):
        rule_of(facts(dtype="int64"), facts(dtype="float64"))
    with pytest.raises(errors.MixedPicturesError, match="None of the pictures"):
        rule_of()
    with pytest.raises(errors.LossyError, match="holds uint8"):
        check_lossless(rule_of(facts(dtype="uint16")), "uint8", "the store")
    assert check_lossless(rule_of(facts(dtype="uint8")), "float32", "the store").dtype == "float32"


@given(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=4))
def test_a_joined_type_holds_every_value(dtypes: list[str]) -> None:
    try:
        joined = joined_dtype(dtypes)
    except errors.LossyError:
        return
    for dtype in dtypes:
        assert is_lossless(dtype, joined)
        kind = np.dtype(dtype)
        if kind.kind == "f":
            extremes = [np.finfo(kind).min, np.finfo(kind).max, np.finfo(kind).tiny, 0.1]
        else:
            extremes = [np.iinfo(kind).min, np.iinfo(kind).max, np.iinfo(kind).max - 1, 1]
        values = np.array(extremes, kind)
        assert [each.item() for each in values.astype(joined)] == [each.item() for each in values]


@pytest.mark.parametrize("source", CHANNELS)
@pytest.mark.parametrize("target", CHANNELS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_channels(source: Kind, target: Kind, dtype: str) -> None:
    values = numbers((3, 4, CHANNELS[source]), dtype)
    made = rechannelled(values, source, Rule(target, CHANNELS[target], 3, 4, dtype))
    assert made.shape == (3, 4, CHANNELS[target])
    assert made.dtype == values.dtype
    opaque = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    if target.endswith("alpha"):
        alpha = values[..., -1] if source.endswith("alpha") else np.full((3, 4), opaque, dtype)
        np.testing.assert_array_equal(made[..., -1], alpha)
    if target.startswith("colour"):
        for channel in range(3):
            expected = values[..., channel] if source.startswith("colour") else values[..., 0]
            np.testing.assert_array_equal(made[..., channel], expected)
    elif source.startswith("grey"):
        np.testing.assert_array_equal(made[..., 0], values[..., 0])
    else:
        grey = values[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(made[..., 0], grey, atol=0.501 if dtype != "float32" else 1e-2)


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_values_are_cut_to_what_the_type_holds(source: str, target: str) -> None:
    values = np.concatenate([numbers((50,), source).reshape(-1), np.array([0, 1, 2, 100], source)])
    if np.dtype(source).kind == "f":
        values = np.concatenate(
            [values, np.array([np.nan, np.inf, -np.inf, 0.5, 1.5, 2.5, -3e30, 3e30, 2.0**63], source)]
        )
    made = narrowed(values, np.dtype(target))
    assert made.dtype == target
    for value, got in zip(values.tolist(), made.tolist(), strict=True):
        if np.dtype(target).kind == "f":
            with np.errstate(over="ignore"):
                np.testing.assert_equal(got, np.dtype(target).type(value).item())
            continue
        info = np.iinfo(target)
        whole = 0 if np.isnan(value) else value if abs(value) == float("inf") else round(value)
        assert got == max(info.min, min(info.max, whole))


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
@pytest.mark.parametrize("size", [(7, 5), (40, 33), (20, 31)])
def test_resized_by_pillow(order: int, dtype: str, size: tuple[int, int]) -> None:
    method = {0: pil.Resampling.NEAREST, 1: pil.Resampling.BILINEAR, 3: pil.Resampling.BICUBIC}[order]
    for kind, channels in CHANNELS.items():
        values = numbers((20, 31, channels), dtype)
        made = scaled(values, kind, size, order)
        if dtype == "uint8":
            mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
            picture = pil.frombytes(mode, (31, 20), values.tobytes())
            expected = np.asarray(picture.resize((size[1], size[0]), method)).reshape(made.shape)
        else:
            planes = [pil.fromarray(np.ascontiguousarray(values[..., n])) for n in range(channels)]
            expected = np.stack([np.asarray(each.resize((size[1], size[0]), method)) for each in planes], -1)
        np.testing.assert_array_equal(made, expected)


def test_pillow_resizes_16_bits_as_it_does_floats() -> None:
    values = numbers((60, 50, 1), "uint16")
    made = scaled(values, "grey", (25, 30), 1).astype(np.float64)
    expected = scaled(values.astype(np.float32), "grey", (25, 30), 1)
    np.testing.assert_allclose(made, expected, atol=1.1)  # it rounds between the two directions


@pytest.mark.parametrize(
    ("order", "dtype"), [(2, "uint8"), (4, "float32"), (5, "uint16"), (1, "int16"), (3, "float64"), (0, "int64")]
)
def test_resized_by_splines(order: int, dtype: str) -> None:
    values = numbers((20, 31, 3), dtype)
    for size in ((7, 5), (40, 33)):
        made = scaled(values, "colour", size, order)
        assert made.shape == (*size, 3)
        assert made.dtype == values.dtype
        for channel in range(3):
            plane = values[..., channel].astype(np.float64)
            if order > 0:
                spread = [max(0.0, (old / new - 1) / 2) for old, new in zip(plane.shape, size, strict=True)]
                plane = ndimage.gaussian_filter(plane, spread, mode="mirror")
            zoom = (size[0] / 20, size[1] / 31)
            whole = ndimage.zoom(plane, zoom, order=order, mode="mirror", grid_mode=True)
            own = values[..., channel]
            expected = np.clip(whole, float(own.min()), float(own.max()))
            np.testing.assert_allclose(made[..., channel].astype(np.float64), expected, rtol=1e-6, atol=0.5)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 30))
def test_pad_and_crop_keep_the_shape(height: int, width: int, tall: int, wide: int) -> None:
    values = np.full((height, width, 3), 200, np.uint8)
    padded = resized(values, "colour", (tall, wide), Fit("pad"))
    assert padded.shape == (tall, wide, 3)
    assert set(np.unique(padded)) <= {0, 200}
    inside = np.argwhere(padded[..., 0])
    rows, columns = np.ptp(inside, axis=0) + 1
    assert rows == tall or columns == wide
    assert abs(rows - height * min(tall / height, wide / width)) <= 1
    assert abs(columns - width * min(tall / height, wide / width)) <= 1
    cropped = resized(values, "colour", (tall, wide), Fit("crop"))
    assert cropped.shape == (tall, wide, 3)
    assert (cropped == 200).all()


def test_crop_keeps_the_middle() -> None:
    values = np.zeros((10, 30, 1), np.uint8)
    values[:, 10:20] = 255
    assert (resized(values, "grey", (10, 10), Fit("crop")) == 255).all()


def test_conformed() -> None:
    values = numbers((5, 7, 1), "uint8")
    made = conform(values, "grey", Rule("colour", 3, 5, 7, "uint16", resizes=True), Fit())
    assert made.flags.c_contiguous
    assert made.dtype == np.uint16
    for channel in range(3):
        np.testing.assert_array_equal(made[channel], values[..., 0])
    with pytest.raises(errors.LossyError):
        conform(values.astype(np.uint16), "grey", Rule("grey", 1, 5, 7, "uint8", resizes=True), Fit())
