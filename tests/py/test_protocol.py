"""The messages between page and kernel, held to the samples that the page's side is held to as well."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py import errors, protocol
from h5explorer_py.built import asset_names
from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.errors import BadRequestError, error_kinds
from h5explorer_py.handlers import handlers
from h5explorer_py.options import Options
from h5explorer_py.protocol import Answers, Ask, Cancel, Failure, Reply, Request, decode
from h5explorer_py.session import Session
from tests.py.support import ROOT, Page, ask

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES: dict[str, Any] = json.loads((ROOT / "tests" / "fixtures" / "protocol.json").read_text())


def samples(kind: str) -> Any:
    found = SAMPLES[kind]
    return pytest.mark.parametrize("message", [each["message"] for each in found], ids=[each["name"] for each in found])


def test_version_methods_and_codes_are_those_of_the_samples() -> None:
    assert SAMPLES["version"] == protocol.VERSION
    assert SAMPLES["methods"] == list(protocol.METHODS)
    assert SAMPLES["codes"] == sorted(error_kinds())


def test_every_method_has_a_handler_and_every_handler_a_method() -> None:
    assert set(handlers(None)) == set(protocol.METHODS)


@samples("outgoing")
def test_what_the_page_sends_is_understood(message: dict[str, Any]) -> None:
    understood = decode(message)
    assert isinstance(understood, Ask if message["kind"] == "ask" else Cancel)
    assert understood.to_json() == message


def test_requests_are_taken_one_by_one() -> None:
    message = next(each["message"] for each in SAMPLES["outgoing"] if each["name"] == "several requests")
    understood = decode(message)
    assert isinstance(understood, Ask)
    assert understood.requests == tuple(Request(**each) for each in message["requests"])
    assert decode({"kind": "cancel", "requests": ["a", "b"]}) == Cancel(("a", "b"))


def test_params_may_be_left_out() -> None:
    understood = decode({"kind": "ask", "version": protocol.VERSION, "requests": [{"request": "a", "method": "stats"}]})
    assert isinstance(understood, Ask)
    assert understood.requests == (Request("a", "stats", {}),)


@samples("together")
def test_answers_sent_together_have_the_form_of_the_samples(message: dict[str, Any]) -> None:
    def answer(fields: dict[str, Any]) -> Reply | Failure:
        if fields["kind"] == "reply":
            return Reply(fields["request"], fields["result"])
        return Failure(fields["request"], **fields["error"])

    assert Answers(tuple((answer(each), each["buffers"]) for each in message["answers"])).to_json() == message


@samples("incoming")
def test_what_the_kernel_sends_has_the_form_of_the_samples(message: dict[str, Any]) -> None:
    if message["kind"] == "reply":
        assert Reply(message["request"], message["result"]).to_json() == message
        return
    fields = message["error"]
    kind = error_kinds()[fields["code"]]
    error = kind(fields["message"], action=fields["action"], **fields["details"])
    assert Failure.of(message["request"], error).to_json() == message


@samples("bad")
def test_what_is_no_message_is_refused(message: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        decode(message)
    assert caught.value.message.endswith(".")
    assert len(str(caught.value)) < 400


def test_a_refused_message_tells_the_names_of_its_requests() -> None:
    requests = [{"request": "good", "method": "stats"}, {"request": "bad", "method": "no"}, {"method": "no"}, 3]
    for version in (protocol.VERSION, protocol.VERSION + 1):
        with pytest.raises(BadRequestError) as caught:
            decode({"kind": "ask", "version": version, "requests": requests})
        assert caught.value.details["requests"] == ["good", "bad"]


def test_only_so_many_requests_fit_in_a_message() -> None:
    requests = [{"request": str(number), "method": "stats"} for number in range(257)]
    assert len(decode({"kind": "ask", "version": protocol.VERSION, "requests": requests[:256]}).requests) == 256
    with pytest.raises(BadRequestError, match="256"):
        decode({"kind": "ask", "version": protocol.VERSION, "requests": requests})
    with pytest.raises(BadRequestError, match="256"):
        decode({"kind": "cancel", "requests": ["a"] * 257})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["ask", "cancel", "reply"]) | anything,
        "version": st.just(protocol.VERSION) | anything,
        "requests": anything
        | st.lists(
            anything
            | st.fixed_dictionaries(
                {},
                optional={
                    "request": st.text(max_size=120) | anything,
                    "method": st.sampled_from(protocol.METHODS) | anything,
                    "params": anything,
                },
            ),
            max_size=3,
        ),
    },
)


@given(anything | fields)
def test_any_json_is_understood_or_refused(content: Any) -> None:
    try:
        understood = decode(content)
    except BadRequestError as error:
        json.dumps(Failure.of("a", error).to_json())
    else:
        assert isinstance(understood, Ask | Cancel)


def same_form(made: Any, sample: Any) -> bool:
    """Whether two answers have the same names in them, and values of the same kinds."""
    if isinstance(made, dict) and isinstance(sample, dict):
        return made.keys() == sample.keys() and all(same_form(made[name], sample[name]) for name in made)
    if isinstance(made, list) and isinstance(sample, list):
        return not made or not sample or same_form(made[0], sample[0])
    return type(made) is type(sample)


@pytest.mark.parametrize(
    "exchange", SAMPLES["exchanges"], ids=[f"{at}-{each['method']}" for at, each in enumerate(SAMPLES["exchanges"])]
)
def test_requests_are_answered_in_the_fields_of_the_samples(exchange: dict[str, Any], contract: Path) -> None:
    session = Session(contract / "lookup.parquet", Options())
    params = dict(exchange["params"])
    if params.get("known") is not None:
        dataset = session.dataset
        params["known"] = dataset.image_state(dataset.entry(params["row"]))
    if exchange["method"] == "open":
        params["path"] = str(contract / "lookup.parquet")
    if exchange["method"] == "asset":
        params["name"] = asset_names()["decoder"]
    page = Page()
    dispatcher = Dispatcher(handlers(session), page.send)
    try:
        dispatcher.receive(ask(Request("r", exchange["method"], params)))
        content, _ = page.only("r", seconds=30)
    finally:
        dispatcher.close()
        session.close()
    assert content["kind"] == "reply", content
    assert same_form(json.loads(json.dumps(content["result"])), exchange["result"]), content["result"]


def test_there_is_a_sample_of_every_method() -> None:
    assert {each["method"] for each in SAMPLES["exchanges"]} == set(protocol.METHODS)


@pytest.mark.parametrize("value", [0, 5, 9])
def test_whole_numbers_are_taken_out_of_params(value: int) -> None:
    assert protocol.integer({"row": value}, "row", 0, 9) == value


@pytest.mark.parametrize(
    "value", [-1, 10, 1.0, True, False, None, "1", [1], {}, math.nan, pytest.param(10**5000, id="huge"), "x" * 10**6]
)
def test_what_is_no_such_number_is_refused_in_a_short_sentence(value: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        protocol.integer({"row": value}, "row", 0, 9)
    assert "row must be a whole number from 0 to 9" in str(caught.value)
    assert len(str(caught.value)) < 300
    with pytest.raises(BadRequestError):
        protocol.integer({}, "row", 0, 9)


def test_texts_are_taken_out_of_params() -> None:
    assert protocol.text({"path": "ä"}, "path") == "ä"
    for params in ({}, {"path": 1}, {"path": None}, {"path": ["a"]}, {"path": "x" * 11}):
        with pytest.raises(BadRequestError):
            protocol.text(params, "path", 10)


# Errors


def test_every_code_is_one_kinds_alone() -> None:
    def below(kind: type) -> list[type]:
        return [each for child in kind.__subclasses__() for each in (child, *below(child))]

    kinds = below(errors.ExplorerError)
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert set(error_kinds().values()) == set(kinds)


@pytest.mark.parametrize("kind", error_kinds().values(), ids=lambda kind: kind.code)
def test_every_kind_of_error_is_one_sentence_and_one_thing_to_do(kind: type[errors.ExplorerError]) -> None:
    error = kind("It is so.", action="Do that.", path="/x")
    assert str(error) == "It is so. Do that."
    assert str(kind("It is so.")) == "It is so."
    assert Failure.of("a", error).to_json()["error"] == {
        "code": kind.code,
        "message": "It is so.",
        "action": "Do that.",
        "details": {"path": "/x"},
    }


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("lookup_not_found", FileNotFoundError),
        ("shard_not_found", FileNotFoundError),
        ("metadata_not_found", FileNotFoundError),
        ("key_not_found", KeyError),
        ("ambiguous_key", KeyError),
        ("image_not_found", KeyError),
        ("record_not_found", KeyError),
        ("row_out_of_range", IndexError),
        ("outside_data", PermissionError),
        ("reader_stalled", TimeoutError),
        ("missing_package", ImportError),
        ("bad_request", ValueError),
        ("bad_condition", ValueError),
        ("bad_key", ValueError),
        ("target_exists", FileExistsError),
        ("write_failed", OSError),
    ],
)
def test_errors_are_also_what_python_calls_them(name: str, builtin: type[Exception]) -> None:
    kind = error_kinds()[name]
    assert issubclass(kind, builtin)
    assert issubclass(kind, errors.ExplorerError)


def test_a_fault_of_this_package_is_told_as_one() -> None:
    failure = Failure.of("a", ZeroDivisionError("division by zero")).to_json()["error"]
    assert failure["code"] == "internal"
    assert "ZeroDivisionError: division by zero" in failure["message"]
