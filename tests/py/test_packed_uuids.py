"""Uuids as 16 bytes: what is packed comes back as it was, and what would not is not."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.lookup.packed.uuids import FORMS, bounds_of, form_of, pack, unpack

canonical = st.uuids().map(str)
odd = st.one_of(
    st.none(),
    st.text(max_size=40),
    canonical.map(str.upper),
    canonical.map(lambda text: f"{{{text}}}"),
    canonical.map(lambda text: text.replace("-", "")),
    st.tuples(canonical, st.integers(0, 35), st.characters(codec="ascii")).map(
        lambda each: each[0][: each[1]] + each[2] + each[0][each[1] + 1 :]
    ),
)


def is_canonical(text: str | None) -> bool:
    try:
        return text is not None and str(uuid.UUID(text)) == text
    except ValueError:
        return False


@given(st.lists(st.one_of(canonical, odd)), st.integers(0, 3), st.integers(0, 3))
def test_pack(texts: list[str | None], before: int, behind: int) -> None:
    whole = pa.array([None] * before + texts + ["x"] * behind, pa.string())
    column = whole.slice(before, len(texts))
    packed, good = pack(column)
    assert good.tolist() == [is_canonical(text) for text in texts]
    for row, text in enumerate(texts):
        assert packed[row].tobytes() == (uuid.UUID(text).bytes if good[row] else bytes(16))


@given(st.lists(canonical))
def test_there_and_back(texts: list[str]) -> None:
    packed, good = pack(pa.array(texts, pa.string()))
    assert good.all()
    assert unpack(packed).to_pylist() == texts


def test_many() -> None:
    random = np.random.default_rng(1)
    packed = random.integers(0, 256, (100_000, 16), np.uint8)
    texts = unpack(packed)
    assert texts[77].as_py() == str(uuid.UUID(bytes=packed[77].tobytes()))
    again, good = pack(texts)
    assert good.all()
    assert np.array_equal(again, packed)


def test_every_sign_in_every_place() -> None:
    base = "01234567-89ab-cdef-0123-456789abcdef"
    texts = [base[:at] + chr(sign) + base[at + 1 :] for at in range(36) for sign in range(128)]
    _, good = pack(pa.array(texts))
    assert good.tolist() == [is_canonical(text) for text in texts]


@given(canonical, st.integers(0, 36))
def test_the_bounds_of_a_beginning(text: str, length: int) -> None:
    bounds = bounds_of(text[:length])
    assert bounds is not None
    low, high = bounds
    assert low <= uuid.UUID(text).bytes <= high
    assert str(uuid.UUID(bytes=low)).startswith(text[:length])
    assert str(uuid.UUID(bytes=high)).startswith(text[:length])
    if int.from_bytes(low) > 0:
        assert not str(uuid.UUID(int=int.from_bytes(low) - 1)).startswith(text[:length])
    if int.from_bytes(high) < 2**128 - 1:
        assert not str(uuid.UUID(int=int.from_bytes(high) + 1)).startswith(text[:length])


@given(st.text(min_size=1))
def test_what_begins_no_uuid_has_no_bounds(text: str) -> None:
    template = "00000000-0000-0000-0000-000000000000"
    fits = len(text) <= 36 and all(
        (sign == "-") == (template[at] == "-") and sign in "0123456789abcdef-" for at, sign in enumerate(text)
    )
    assert (bounds_of(text) is not None) == fits


WRITTEN = {
    "dashed": str,
    "DASHED": lambda each: str(each).upper(),
    "plain": lambda each: each.hex,
    "PLAIN": lambda each: each.hex.upper(),
    "braced": lambda each: f"{{{each}}}",
    "BRACED": lambda each: f"{{{each}}}".upper(),
}


@given(st.lists(st.uuids()), st.sampled_from(sorted(WRITTEN)), st.lists(st.one_of(canonical, odd)))
def test_other_forms_there_and_back(uuids: list[uuid.UUID], name: str, others: list[str | None]) -> None:
    texts = [WRITTEN[name](each) for each in uuids]
    packed, good = pack(pa.array([*texts, *others], pa.string()), FORMS[name])
    assert good[: len(texts)].all()
    assert [row.tobytes() for row in packed[: len(texts)]] == [each.bytes for each in uuids]
    back = unpack(packed, FORMS[name]).to_pylist()
    assert back[: len(texts)] == texts
    for text, same, is_good in zip(others, back[len(texts) :], good[len(texts) :], strict=True):
        assert not is_good or text == same


@pytest.mark.parametrize("name", WRITTEN)
def test_the_form_of_a_column(name: str) -> None:
    random = np.random.default_rng(5)
    texts = [WRITTEN[name](uuid.UUID(bytes=random.bytes(16))) for _ in range(20)]
    assert form_of(pa.array([*texts, "odd", None, str(uuid.UUID(int=5))])) == name
    assert form_of(pa.array(["odd", None])) == "dashed"
    text = texts[0]
    for length in range(len(text) + 1):
        bounds = bounds_of(text[:length], FORMS[name])
        assert bounds is not None
        assert bounds[0] <= uuid.UUID(text).bytes <= bounds[1]
    assert bounds_of(text + "0", FORMS[name]) is None
    assert bounds_of("g", FORMS[name]) is None
