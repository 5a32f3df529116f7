"""Messages in frames; the page's twin is held to the same samples by tests/unit/frames.test.ts."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.errors import BadRequestError
from h5explorer_py.serve.frames import pack, unpack
from tests.py.support import ROOT

SAMPLES = json.loads((ROOT / "tests" / "fixtures" / "frames.json").read_text())

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("sample", SAMPLES["frames"], ids=lambda each: each["name"])
def test_samples_go_both_ways(sample: dict[str, Any]) -> None:
    buffers = [bytes.fromhex(each) for each in sample["buffers"]]
    frame = bytes.fromhex(sample["frame"])
    assert pack(sample["content"], buffers) == frame
    assert unpack(frame) == (sample["content"], buffers)


@pytest.mark.parametrize("sample", SAMPLES["bad"], ids=lambda each: each["name"])
def test_what_is_no_frame_is_refused(sample: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        unpack(bytes.fromhex(sample["frame"]))


@given(jsons, st.lists(st.binary(max_size=50), max_size=5))
def test_whatever_is_packed_comes_out_again(content: Any, buffers: list[bytes]) -> None:
    assert unpack(pack(content, buffers)) == (content, buffers)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(frame: bytes) -> None:
    with contextlib.suppress(BadRequestError):
        unpack(frame)


@given(jsons, st.lists(st.binary(max_size=20), max_size=3), st.data())
def test_a_frame_that_is_cut_is_refused(content: Any, buffers: list[bytes], data: st.DataObject) -> None:
    frame = pack(content, buffers)
    with pytest.raises(BadRequestError):
        unpack(frame[: data.draw(st.integers(0, len(frame) - 1))])


def test_a_number_that_json_lacks_is_refused_where_it_is_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        pack({"value": float("nan")})


def test_a_head_that_is_too_deep_is_refused() -> None:
    head = b"[" * 100_000
    with pytest.raises(BadRequestError):
        unpack(len(head).to_bytes(4, "little") + head)
