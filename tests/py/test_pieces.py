"""Messages cut in pieces; the page's twin is held to the same samples by tests/unit/pieces.test.ts."""

from __future__ import annotations

import json
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.dispatch import Dispatcher, Handler
from h5explorer_py.errors import BadRequestError, ExplorerError
from h5explorer_py.jobs import Job, Pool
from h5explorer_py.pieces import COLAB_BYTES, VARIABLE, in_pieces, most_bytes
from h5explorer_py.protocol import Request
from h5explorer_py.serve.frames import unpack
from tests.py.support import ROOT, Page, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py import Explorer

SAMPLES: list[dict[str, Any]] = json.loads((ROOT / "tests" / "fixtures" / "pieces.json").read_text())

Message = tuple[dict[str, Any], list[bytes]]


class Joined:
    """Stands for the page: puts the pieces together, which must come one behind the other."""

    def __init__(self, hear: Callable[[dict[str, Any], list[bytes]], None] = lambda *_: None) -> None:
        self.messages: list[Message] = []
        self._hear = hear
        self.longest = 0
        self._parts: list[bytes] = []
        self._name = ""

    def send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.longest = max(self.longest, sum(map(len, buffers)))
        if content["kind"] != "piece":
            assert not self._parts
            self._take(content, buffers)
            return
        assert content["at"] == len(self._parts)
        assert content["at"] == 0 or content["message"] == self._name
        self._name = content["message"]
        self._parts += buffers
        if len(self._parts) == content["of"]:
            whole = b"".join(self._parts)
            self._parts = []
            self._take(*unpack(whole))

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.messages.append((content, buffers))
        self._hear(content, buffers)


@pytest.mark.parametrize("sample", SAMPLES, ids=[each["name"] for each in SAMPLES])
def test_messages_are_cut_as_in_the_samples(sample: dict[str, Any]) -> None:
    sent: list[dict[str, Any]] = []
    send = in_pieces(
        lambda content, buffers: sent.append({"content": content, "buffer": buffers[0].hex()}), sample["most"]
    )
    send(sample["content"], [bytes.fromhex(each) for each in sample["buffers"]])
    assert sent == sample["pieces"]


def test_without_a_limit_nothing_is_in_between() -> None:
    def send(content: dict[str, Any], buffers: list[bytes]) -> None: ...

    assert in_pieces(send, None) is send


@given(
    st.lists(
        st.tuples(st.dictionaries(st.text(max_size=5), st.text(max_size=30)), st.lists(st.binary(max_size=300))),
        max_size=5,
    ),
    st.integers(1, 400),
)
def test_whatever_is_cut_is_whole_again(messages: list[tuple[dict[str, str], list[bytes]]], most: int) -> None:
    page = Joined()
    send = in_pieces(page.send, most)
    sent = [({"kind": "reply", **content}, buffers) for content, buffers in messages]
    sent = [each for each in sent if each[0]["kind"] != "piece"]
    for content, buffers in sent:
        send(content, buffers)
    assert page.messages == sent
    assert page.longest <= most


def test_answers_of_several_threads_are_not_mixed() -> None:
    answers = Page()
    page = Joined(answers.send)
    started = threading.Barrier(4)

    def handle(request: Request, _: Job) -> Message:
        if int(request.request) < 4:
            started.wait(10)
        return {}, [request.request.encode() * 1000]

    made = Dispatcher({"stats": Handler(handle, Pool("pieces", 4), 20)}, in_pieces(page.send, 100))
    names = [str(number) for number in range(40)]
    made.receive(ask(*(Request(name, "stats") for name in names)))
    answers.wait(*names)
    assert all(answers.only(name)[1] == [name.encode() * 1000] for name in names)


def test_what_cannot_be_sent_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Also where some pieces have gone already: the failure comes behind them."""
    page = Page()
    sent: list[str] = []

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        sent.append(content["kind"])
        if sent == ["piece"] * 3:
            raise OSError("the line is gone")
        if content["kind"] != "piece":
            page.send(content, buffers)

    made = Dispatcher(
        {"stats": Handler(lambda _, __: ({}, [bytes(3000)]), Pool("pieces", 1), 20)}, in_pieces(send, 800)
    )
    made.receive(ask(Request("a", "stats")))
    content, _ = page.only("a")
    assert content["kind"] == "failure"
    assert sent == ["piece"] * 3 + ["failure"]
    assert "could not be sent" in caplog.text


def test_any_number_of_bytes_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert most_bytes() is None
    for text, most in (("", None), (" ", None), ("0", None), ("1000", 1000), (" 250000 ", 250_000)):
        monkeypatch.setenv(VARIABLE, text)
        assert most_bytes() == most


def test_small_messages_in_colab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert most_bytes() == COLAB_BYTES
    assert COLAB_BYTES * 4 / 3 < 1_000_000
    monkeypatch.setenv(VARIABLE, "0")
    assert most_bytes() is None


@pytest.mark.parametrize("text", ["999", "-1", "1e6", "1 MB", "٣٠٠٠", "9" * 5000])
def test_a_limit_that_is_none_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, explorer: Callable[..., Explorer]
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(BadRequestError, match=VARIABLE) as caught:
        explorer()
    assert isinstance(caught.value, ExplorerError)
    assert len(str(caught.value)) < 300


def test_an_explorer_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch, explorer: Callable[..., Explorer]) -> None:
    monkeypatch.setenv(VARIABLE, "1000")
    page = Joined()
    monkeypatch.setattr("h5explorer_py.widget.Explorer.send", lambda _, content, buffers: page.send(content, buffers))
    ex = explorer()
    ex._dispatcher.receive(ask(Request("a", "rows", {"dataset": 1, "start": 0, "stop": 100})))
    for _ in range(1000):
        if page.messages:
            break
        threading.Event().wait(0.01)
    [(content, buffers)] = page.messages
    assert content["kind"] == "reply"
    assert len(buffers[0]) > 1000
    assert page.longest <= 1000
